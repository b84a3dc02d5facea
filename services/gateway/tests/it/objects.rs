//! Reading files: whole, in ranges, and under conditions.

use crate::support::{BIG_BYTES, LEASE, ODD_KEY, TestServer, big, object};

#[tokio::test]
async fn a_file_is_read_whole() {
    let server = TestServer::start().await;
    for (key, content) in
        [("a.parquet", b"0123456789".to_vec()), ("empty.bin", vec![]), (ODD_KEY, b"odd".to_vec()), ("big.bin", big())]
    {
        let answer = server.ask("GET", &object(key)).await;
        assert_eq!(answer.status, 200, "{key}");
        assert!(answer.body == content, "{key}");
        assert_eq!(answer.header("content-length"), Some(content.len().to_string().as_str()), "{key}");
        assert_eq!(answer.header("accept-ranges"), Some("bytes"));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert!(answer.header("last-modified").is_some_and(|date| date.ends_with(" GMT")));
    }
}

#[tokio::test]
async fn head_and_get_send_the_same_headers() {
    let server = TestServer::start().await;
    let get = server.ask("GET", &object("a.parquet")).await;
    for request in [server.signer(LEASE).sign("HEAD", &object("a.parquet")), {
        server.signer(LEASE).sign("HEAD", &object("a.parquet")).header("range", "bytes=2-4")
    }] {
        let head = server.send(&request).await;
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["content-length", "content-range", "etag", "last-modified", "content-type", "accept-ranges"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
    }
}

#[tokio::test]
async fn only_single_ranges_are_supported() {
    let server = TestServer::start().await;
    for (range, content_range, body) in [
        ("bytes=0-0", "bytes 0-0/10", "0"),
        ("bytes=3-5", "bytes 3-5/10", "345"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=7-99", "bytes 7-9/10", "789"),
        ("bytes=0-9", "bytes 0-9/10", "0123456789"),
        ("bytes=-4", "bytes 6-9/10", "6789"),
        ("bytes=-99", "bytes 0-9/10", "0123456789"),
    ] {
        let answer = server.get_with("a.parquet", "range", range).await;
        assert_eq!((answer.status, answer.header("content-range")), (206, Some(content_range)), "{range}");
        assert_eq!(answer.text(), body, "{range}");
    }
    for (key, range, status) in [
        ("a.parquet", "bytes=10-", 416),
        ("a.parquet", "bytes=99-100", 416),
        ("a.parquet", "bytes=-0", 416),
        ("empty.bin", "bytes=0-0", 416),
        ("empty.bin", "bytes=-1", 416),
        ("a.parquet", "bytes=0-1,3-4", 400),
        ("a.parquet", "bytes=5-2", 400),
        ("a.parquet", "bytes=9223372036854775808-", 400),
        ("a.parquet", "lines=0-1", 400),
    ] {
        assert_eq!(server.get_with(key, "range", range).await.status, status, "{key} {range}");
    }
    let many = format!("bytes={}", vec!["0-1"; 10_000].join(","));
    assert_eq!(server.get_with("a.parquet", "range", &many).await.status, 400, "{} ranges", 10_000);
    let unsatisfied = server.get_with("a.parquet", "range", "bytes=10-").await;
    assert_eq!(unsatisfied.header("content-range"), Some("bytes */10"));
}

#[tokio::test]
async fn a_range_over_several_chunks_is_exact() {
    let server = TestServer::start().await;
    let chunk = 1 << 20;
    for (first, last) in
        [(0, chunk), (1, 2 * chunk), (chunk - 1, chunk), (chunk + 7, BIG_BYTES - 1), (3 * chunk, BIG_BYTES - 1)]
    {
        let answer = server.get_with("big.bin", "range", &format!("bytes={first}-{last}")).await;
        assert_eq!(answer.status, 206);
        assert!(answer.body == big()[first..=last], "{first}-{last}");
    }
}

#[tokio::test]
async fn conditions_are_evaluated() {
    let server = TestServer::start().await;
    let plain = server.ask("GET", &object("a.parquet")).await;
    let (etag, modified) = (plain.header("etag").unwrap(), plain.header("last-modified").unwrap());
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong ETag: {etag}");
    let (weak, bare) = (format!("W/{etag}"), etag.trim_matches('"'));
    let listed = format!("\"x\", {etag}");
    let (before, after) = ("Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for (conditions, status) in [
        (vec![("if-match", etag)], 200),
        (vec![("if-match", bare)], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", &listed)], 200),
        (vec![("if-match", "\"x\"")], 412),
        (vec![("if-match", &weak)], 412),
        (vec![("if-none-match", etag)], 304),
        (vec![("if-none-match", &weak)], 304),
        (vec![("if-none-match", &listed)], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"x\"")], 200),
        (vec![("if-modified-since", modified)], 304),
        (vec![("if-modified-since", after)], 304),
        (vec![("if-modified-since", before)], 200),
        (vec![("if-unmodified-since", modified)], 200),
        (vec![("if-unmodified-since", before)], 412),
        (vec![("if-match", etag), ("if-unmodified-since", before)], 200),
        (vec![("if-none-match", "\"x\""), ("if-modified-since", after)], 200),
        (vec![("if-match", "\"x\""), ("if-none-match", etag)], 412),
    ] {
        for method in ["GET", "HEAD"] {
            let signed = server.signer(LEASE).sign(method, &object("a.parquet"));
            let request = conditions.iter().fold(signed, |request, (name, value)| request.header(name, value));
            let answer = server.send(&request).await;
            assert_eq!(answer.status, status, "{method} {conditions:?}");
            if status == 304 {
                assert_eq!((answer.header("etag"), answer.body.len()), (Some(etag), 0), "{conditions:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_range_applies_only_to_the_state_in_if_range() {
    let server = TestServer::start().await;
    let plain = server.ask("GET", &object("a.parquet")).await;
    let (etag, modified) = (plain.header("etag").unwrap(), plain.header("last-modified").unwrap());
    for (if_range, status) in [
        (etag, 206),
        (modified, 206),
        ("\"x\"", 200),
        (&format!("W/{etag}"), 200),
        ("Thu, 01 Jan 1998 00:00:00 GMT", 200),
    ] {
        let signed = server.signer(LEASE).sign("GET", &object("a.parquet")).header("range", "bytes=1-2");
        let answer = server.send(&signed.header("if-range", if_range)).await;
        assert_eq!(answer.status, status, "{if_range}");
        assert_eq!(answer.text(), if status == 206 { "12" } else { "0123456789" }, "{if_range}");
    }
}

#[tokio::test]
async fn every_response_forbids_caching_and_sniffing() {
    let server = TestServer::start().await;
    for (method, target) in [
        ("GET", object("a.parquet")),
        ("HEAD", object("a.parquet")),
        ("GET", object("none")),
        ("PUT", object("a.parquet")),
        ("GET", "/lake?list-type=2".to_owned()),
    ] {
        let answer = server.ask(method, &target).await;
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{method} {target}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{method} {target}");
        assert_eq!(answer.header("x-amz-request-id").map(str::len), Some(36), "{method} {target}");
    }
}

/// What was sent is what says which columns were read: no byte is left out, and what sends none counts for nothing.
#[tokio::test]
async fn the_bytes_of_each_answer_are_told_and_those_of_no_other() {
    let server = TestServer::start().await;
    let told = || std::mem::take(&mut *server.leases.sent.lock().unwrap());
    server.ask("GET", &object("a.parquet")).await;
    assert_eq!(told(), [("a.parquet".to_owned(), 0..10)]);
    server.get_with("a.parquet", "range", "bytes=3-5").await;
    server.get_with("nested/b.parquet", "range", "bytes=-99").await;
    assert_eq!(told(), [("a.parquet".to_owned(), 3..6), ("nested/b.parquet".to_owned(), 0..1)]);
    let get = server.ask("GET", &object("a.parquet")).await;
    let etag = get.header("etag").unwrap();
    told();
    for (header, value, status) in
        [("range", "bytes=10-", 416), ("if-none-match", etag, 304), ("if-match", "\"other\"", 412)]
    {
        assert_eq!(server.get_with("a.parquet", header, value).await.status, status);
    }
    assert_eq!(server.ask("HEAD", &object("a.parquet")).await.status, 200);
    assert_eq!(server.ask("GET", &object("bad.parquet")).await.status, 404);
    assert_eq!(server.ask("GET", "/lake?list-type=2").await.status, 200);
    assert_eq!(told(), []);
    // A file that has changed is not sent.
    std::fs::write(server.root().join("a.parquet"), "other bytes").unwrap();
    assert_eq!(server.ask("GET", &object("a.parquet")).await.status, 412);
    assert_eq!(told(), []);
}
