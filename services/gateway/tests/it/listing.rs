//! Listings: byte order, prefixes, groups, pages.

use crate::support::{FOLDER_LEASE, LEASE, TABLE, TestServer, encoded, own_checkpoint};

const KEYS: [&str; 7] = [
    "_delta_log/00000000000000000002.checkpoint.parquet",
    "a-b/x",
    "a.parquet",
    "a/x",
    "a/y",
    "nested/b.parquet",
    "place=a b+c%2Fd/ü'x.parquet",
];

/// A server whose pinned lease holds `KEYS`.
async fn server_with_keys() -> TestServer {
    let server = TestServer::start().await;
    for (folder, name) in [("a-b", "x"), ("a", "x"), ("a", "y")] {
        std::fs::create_dir_all(server.root().join(folder)).unwrap();
        std::fs::write(server.root().join(folder).join(name), name).unwrap();
    }
    server.pin(&KEYS[1..]);
    server
}

#[tokio::test]
async fn keys_are_listed_in_byte_order_with_the_metadata_of_a_head() {
    let server = server_with_keys().await;
    let answer = list(&server, "").await;
    assert_eq!(keys(&answer), KEYS);
    assert_eq!(KEYS[0], own_checkpoint());
    assert_eq!((answer.elements("IsTruncated"), answer.elements("KeyCount")), (vec!["false".into()], vec!["7".into()]));
    for (index, key) in KEYS.iter().enumerate() {
        let head = server.ask("HEAD", &crate::support::object(key)).await;
        assert_eq!(head.header("etag"), Some(answer.elements("ETag")[index].as_str()), "{key}");
        assert_eq!(head.header("content-length"), Some(answer.elements("Size")[index].as_str()), "{key}");
    }
}

#[tokio::test]
async fn prefixes_and_delimiters_group_keys() {
    let server = server_with_keys().await;
    let table = format!("{TABLE}/");
    for (prefix, delimiter, expected_keys, expected_groups) in [
        ("", "/", vec!["a.parquet"], vec!["_delta_log/", "a-b/", "a/", "nested/", "place=a b+c%2Fd/"]),
        ("a", "/", vec!["a.parquet"], vec!["a-b/", "a/"]),
        ("a/", "/", vec!["a/x", "a/y"], vec![]),
        ("a/x", "/", vec!["a/x"], vec![]),
        ("a", "", vec!["a-b/x", "a.parquet", "a/x", "a/y"], vec![]),
        ("a", "-", vec!["a.parquet", "a/x", "a/y"], vec!["a-"]),
        ("zzz", "/", vec![], vec![]),
    ] {
        let prefix_key = encoded(&format!("{table}{prefix}"), false);
        let answer = list(&server, &format!("&prefix={prefix_key}&delimiter={}", encoded(delimiter, false))).await;
        assert_eq!(keys(&answer), expected_keys, "{prefix} {delimiter}");
        let groups: Vec<String> = prefixes(&answer).iter().map(|key| key.replacen(&table, "", 1)).collect();
        assert_eq!(groups, expected_groups, "{prefix} {delimiter}");
    }
    let top = list(&server, "&delimiter=/").await;
    assert_eq!((keys(&top).len(), prefixes(&top)), (0, vec![table.clone()]), "the bucket contains the table");
    let partial = list(&server, &format!("&prefix={}&delimiter=/", &table[..9])).await;
    assert_eq!(prefixes(&partial), [table]);
}

#[tokio::test]
async fn pages_of_any_size_return_every_item_once() {
    let server = server_with_keys().await;
    for lease in [LEASE, FOLDER_LEASE] {
        for delimiter in ["", "&delimiter=/", "&delimiter=a"] {
            let query = format!("&prefix={TABLE}/{delimiter}");
            let whole = ask(&server, lease, &query).await;
            for size in [1, 2, 3, 7] {
                let (mut found_keys, mut found_groups, mut token) = (vec![], vec![], String::new());
                loop {
                    let page = ask(&server, lease, &format!("{query}&max-keys={size}{token}")).await;
                    let n_items = page.elements("Key").len() + prefixes(&page).len();
                    assert_eq!(page.elements("KeyCount"), [n_items.to_string()]);
                    found_keys.extend(page.elements("Key"));
                    found_groups.extend(prefixes(&page));
                    let Some(next) = page.elements("NextContinuationToken").pop() else {
                        assert_eq!(page.elements("IsTruncated"), ["false"]);
                        break;
                    };
                    assert_eq!((n_items, page.elements("IsTruncated")), (size, vec!["true".to_owned()]));
                    token = format!("&continuation-token={next}");
                }
                assert_eq!(found_keys, whole.elements("Key"), "{query} by {size}");
                assert_eq!(found_groups, prefixes(&whole), "{query} by {size}");
            }
        }
    }
}

#[tokio::test]
async fn start_after_skips_items_that_are_not_greater() {
    let server = server_with_keys().await;
    for (after, expected) in
        [("a-b/x", &KEYS[2..]), ("a-b", &KEYS[1..]), ("a/", &KEYS[3..]), ("zzz", &[]), ("", &KEYS[..])]
    {
        let answer = list(&server, &format!("&start-after={TABLE}/{after}")).await;
        assert_eq!(keys(&answer), expected, "{after}");
    }
    let grouped = list(&server, &format!("&prefix={TABLE}/&delimiter=/&start-after={TABLE}/a/")).await;
    assert_eq!(prefixes(&grouped).len(), 2, "a group that is not greater is skipped");
    assert_eq!(list(&server, "&max-keys=0").await.elements("IsTruncated"), ["false"]);
    assert_eq!(list(&server, "&max-keys=5000").await.elements("MaxKeys"), ["1000"]);
}

#[tokio::test]
async fn keys_are_encoded_on_request() {
    let server = server_with_keys().await;
    let answer = list(&server, &format!("&encoding-type=url&prefix={TABLE}/place&delimiter=%2Fü")).await;
    assert_eq!(answer.elements("EncodingType"), ["url"]);
    assert_eq!(answer.elements("Delimiter"), ["/%C3%BC"]);
    assert_eq!(prefixes(&answer), [format!("{TABLE}/place%3Da%20b%2Bc%252Fd/%C3%BC")]);
    let answer = list(&server, &format!("&encoding-type=url&prefix={TABLE}/place")).await;
    assert_eq!(keys(&answer), ["place%3Da%20b%2Bc%252Fd/%C3%BC%27x.parquet"]);
}

#[tokio::test]
async fn a_page_has_at_most_a_thousand_items() {
    let server = TestServer::start().await;
    let names: Vec<String> = (0..2_500).map(|number| format!("many/{number:05}")).collect();
    std::fs::create_dir(server.root().join("many")).unwrap();
    for name in &names {
        std::fs::write(server.root().join(name), "").unwrap();
    }
    server.pin(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let first = list(&server, &format!("&prefix={TABLE}/many/")).await;
    assert_eq!((first.elements("Key").len(), first.elements("IsTruncated")), (1_000, vec!["true".to_owned()]));
    let groups = list(&server, &format!("&prefix={TABLE}/&delimiter=/")).await;
    assert_eq!(prefixes(&groups).len(), 2, "a group counts once, however many keys it holds");
}

#[tokio::test]
async fn the_bucket_exists() {
    let server = TestServer::start().await;
    let head = server.ask("HEAD", "/lake").await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some("us-east-1")));
    let location = server.ask("GET", "/lake?location").await;
    assert!(location.status == 200 && location.text().contains("LocationConstraint"), "{}", location.text());
    assert_eq!(server.ask("HEAD", "/lakes").await.status, 404);
    assert_eq!(server.ask("GET", "/lakes?location").await.status, 404);
}

#[tokio::test]
async fn the_bucket_is_in_the_configured_region() {
    let server = TestServer::in_region("eu-west-1").await;
    let head = server.ask("HEAD", "/lake").await;
    assert_eq!((head.status, head.header("x-amz-bucket-region")), (200, Some("eu-west-1")));
    let location = server.ask("GET", "/lake?location").await;
    assert!(location.text().contains(">eu-west-1</LocationConstraint>"), "{}", location.text());
}

async fn list(server: &TestServer, query: &str) -> crate::support::Answer {
    ask(server, LEASE, query).await
}

async fn ask(server: &TestServer, lease: domain::id::LeaseId, query: &str) -> crate::support::Answer {
    let target = format!("/lake?list-type=2{}", query.replace('ü', "%C3%BC"));
    let answer = server.send(&server.signer(lease).sign("GET", &target)).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer
}

/// The keys below the table.
fn keys(answer: &crate::support::Answer) -> Vec<String> {
    answer.elements("Key").iter().map(|key| key.strip_prefix(&format!("{TABLE}/")).unwrap().to_owned()).collect()
}

fn prefixes(answer: &crate::support::Answer) -> Vec<String> {
    answer
        .elements("CommonPrefixes")
        .iter()
        .map(|group| group.replace("<Prefix>", "").replace("</Prefix>", ""))
        .collect()
}
