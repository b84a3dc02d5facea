//! Lists, cursors and ids.

use serde_json::{Value, json};

use crate::support::{Api, CONTRACT, PRODUCT};

const DOMAINS: &str = "query($first: Int, $after: String) { domains(first: $first, after: $after) {
    edges { cursor node { path } } nodes { path } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";

async fn domains(n: usize) -> Api {
    let api = Api::start().await;
    for index in 0..n {
        api.test.domain(&format!("d{index:03}")).await;
    }
    api
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_overlap() {
    let api = domains(7).await;
    let (mut paths, mut after, mut n_pages) = (Vec::new(), Value::Null, 0);
    loop {
        let page = &api.data("admin", DOMAINS, json!({ "first": 3, "after": after })).await["domains"];
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
        paths.extend(page["nodes"].as_array().unwrap().iter().map(|node| node["path"].clone()));
        assert_eq!(page["edges"][0]["cursor"], page["pageInfo"]["startCursor"]);
        after = page["pageInfo"]["endCursor"].clone();
        n_pages += 1;
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let expected: Vec<Value> = (0..7).map(|index| format!("d{index:03}").into()).collect();
    assert_eq!((paths, n_pages), (expected, 3));
}

#[tokio::test]
async fn a_page_has_1_to_200_items() {
    let api = domains(1).await;
    for first in [json!(1), json!(200), Value::Null] {
        api.data("admin", DOMAINS, json!({ "first": first })).await;
    }
    for first in [0, -1, 201] {
        let query = "query($first: Int) { domains(first: $first) { nodes { id } } }";
        assert_eq!(api.code("admin", query, json!({ "first": first })).await, "INVALID", "{first}");
    }
}

#[tokio::test]
async fn a_cursor_is_valid_in_its_list_and_for_its_caller_only() {
    let api = domains(3).await;
    api.test.principal("reader").await;
    let page = api.data("admin", DOMAINS, json!({ "first": 1 })).await;
    let cursor = page["domains"]["pageInfo"]["endCursor"].clone();
    api.data("admin", DOMAINS, json!({ "after": cursor })).await;
    assert_eq!(api.code("reader", DOMAINS, json!({ "after": cursor })).await, "INVALID");
    let principals = "query($after: String) { principals(after: $after) { nodes { id } } }";
    assert_eq!(api.code("admin", principals, json!({ "after": cursor })).await, "INVALID");
    for bad in ["", "x", "%%", "ZG9tYWlucw", &"A".repeat(5_000)] {
        assert_eq!(api.code("admin", DOMAINS, json!({ "after": bad })).await, "INVALID", "{bad}");
    }
}

#[tokio::test]
async fn the_versions_of_each_contract_have_their_own_pages() {
    let api = Api::shop().await;
    let owner = api.test.ctx("owner-shop").await;
    let product = PRODUCT.replace("id: orders", "id: returns").replace("name: Orders", "name: Returns");
    let product = product.replace("contractId: orders", "contractId: returns");
    let returns = CONTRACT.replace("id: orders", "id: returns").replace("shop/orders", "shop/returns");
    let numbered = |document: &str, number: &str| document.replace("version: 1.0.0", &format!("version: {number}"));
    let documents = [numbered(CONTRACT, "1.0.1"), numbered(CONTRACT, "1.1.0"), numbered(&returns, "1.0.0")];
    let [patch, minor, other] = &documents;
    api.test.publish(&owner, "shop", &[PRODUCT, patch, minor, &product, other]).await;

    let query = "query($after: String) { products { nodes { name contracts { versions(first: 2, after: $after) {
        nodes { version } pageInfo { hasNextPage hasPreviousPage endCursor } } } } } }";
    let page = async |after: &Value| {
        let data = api.data("owner-shop", query, json!({ "after": after })).await;
        let mut products = data["products"]["nodes"].as_array().unwrap().clone();
        products.sort_by_key(|product| product["name"].to_string());
        products.into_iter().map(|product| product["contracts"][0]["versions"].clone()).collect::<Vec<_>>()
    };
    let numbers = |page: &Value| {
        let nodes = page["nodes"].as_array().unwrap().iter();
        nodes.map(|node| node["version"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let first = page(&Value::Null).await;
    assert_eq!(first.iter().map(numbers).collect::<Vec<_>>(), [vec!["1.1.0", "1.0.1"], vec!["1.0.0"]]);
    assert_eq!(first[0]["pageInfo"]["hasNextPage"], true);
    assert_eq!(first[1]["pageInfo"]["hasNextPage"], false);
    let second = page(&first[0]["pageInfo"]["endCursor"]).await;
    assert_eq!(numbers(&second[0]), ["1.0.0"]);
    assert_eq!(second[0]["pageInfo"]["hasNextPage"], false);
    assert_eq!(second[0]["pageInfo"]["hasPreviousPage"], true);
}

#[tokio::test]
async fn an_id_finds_its_object_and_one_of_the_wrong_kind_is_an_error() {
    let api = Api::shop().await;
    let query = r#"{ domain(path: "shop") { id } product(domain: "shop", name: "orders") {
        id contracts { id versions { nodes { id } } } tables { id head { id } } } viewer { principal { id } } }"#;
    let data = api.data("owner-shop", query, Value::Null).await;
    let product = &data["product"];
    let ids = [
        ("Domain", &data["domain"]["id"]),
        ("Product", &product["id"]),
        ("Contract", &product["contracts"][0]["id"]),
        ("ContractVersion", &product["contracts"][0]["versions"]["nodes"][0]["id"]),
        ("Table", &product["tables"][0]["id"]),
        ("Snapshot", &product["tables"][0]["head"]["id"]),
        ("Principal", &data["viewer"]["principal"]["id"]),
    ];
    for (kind, id) in ids {
        let found =
            api.data("owner-shop", "query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": id })).await;
        assert_eq!(found["node"], json!({ "__typename": kind, "id": id }));
    }
    let revoke = "mutation($input: RevokeGrantInput!) { revokeGrant(input: $input) { __typename } }";
    let input = json!({ "input": { "grant": product["id"], "reason": "no more" } });
    let answer = api.ask("owner-shop", revoke, input).await;
    let error = &answer["errors"][0];
    assert_eq!(error["extensions"]["code"], "INVALID");
    assert_eq!(error["message"], "`grant` takes the id of one grant, not of one product");
    for bad in ["", "x", "cHJvZHVjdDp4", "cHJvZHVjdDo="] {
        assert_eq!(
            api.code("owner-shop", "query($id: ID!) { node(id: $id) { id } }", json!({ "id": bad })).await,
            "INVALID"
        );
    }
}

#[tokio::test]
async fn a_look_up_by_id_hides_objects_that_are_not_listed() {
    let api = Api::shop().await;
    let ids = r#"{ domain(path: "shop") { roles { id principal { id } } } records(first: 1) { nodes { id } } }"#;
    let data = api.data("auditor", ids, Value::Null).await;
    let role = &data["domain"]["roles"][0];
    for id in [&role["id"], &role["principal"]["id"], &data["records"]["nodes"][0]["id"]] {
        let node = "query($id: ID!) { node(id: $id) { __typename } }";
        let shown = api.data("auditor", node, json!({ "id": id })).await;
        assert!(shown["node"].is_object(), "{shown}");
        let hidden = api.data("reader", node, json!({ "id": id })).await;
        assert_eq!(hidden["node"], Value::Null);
    }
}
