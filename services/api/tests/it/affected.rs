//! The journey of a domain team: who breaks by a change of a column, through GraphQL, and that no hidden reader moves a byte
//! of the answer.

use api::Limits;
use domain::identity::DomainRole;
use serde_json::{Value, json};
use testkit::actor::{TestActor, access_to};
use testkit::app::TestApp;
use testkit::inspector::Scene;
use testkit::reading::data_file;

use crate::hidden::documents;
use crate::support::{Api, COLUMNS};

const PLAN: &str = "query($input: DocumentsInput!) { planDocuments(input: $input) { __typename
    ... on PlanDocumentsPayload { changes { name version bump affected { ...who } } }
    ... on RefusedVersions { refusals { contract version needed affected { ...who } } } } }
    fragment who on AffectedReaders { complete count consumers(first: 50) {
        principal { subject } distance ports { product { name domain { path } } name major columns } } }";

const COMPARE: &str = "query($product: String!, $old: DocumentInput!, $new: DocumentInput!) {
    contractImpact(product: $product, old: $old, new: $new) { __typename
        ... on ContractImpact { findings { path rule } affected { complete count consumers(first: 50) {
            principal { subject } distance ports { product { name domain { path } } name major columns } } } }
        ... on InvalidDocuments { problems { document path message } } } }";

const IMPACT: &str = "query($columns: [String!]) { impact(table: \"shop.orders.orders\", columns: $columns) {
    complete cut total endCursor consumerCount endConsumer counts { distance total consumers domains { domain { path } count } }
    consumers { principal { subject } distance ports { product { name } name major columns } }
    found { distance columns moreColumns moreEdges node { ... on Table { address } ... on LineageDataset { namespace name } }
        edges { fromColumn toColumn kind basis standing product { name } principal { subject } } } } }";

/// A table that its domain's own product declares to read the orders.
async fn derive(test: &TestApp, domain: &str, name: &str, classification: &str) {
    let [product, contract] = documents(domain, name, classification);
    let inputs = "inputPorts:\n  - {name: orders, version: 1.0.0, contractId: orders-contract}\n";
    let owner = test.ctx(&format!("owner-{domain}")).await;
    test.publish(&owner, domain, &[format!("{product}{inputs}"), contract]).await;
    test.lay(&format!("{domain}/{name}"), 0, Scene::of(COLUMNS).with_files(vec![data_file(2)])).await;
}

/// A new holder of a grant, who reads some columns by it.
async fn hold(test: &TestApp, subject: &str, owner: &TestActor, table: &str, columns: &[u32]) {
    let reader = test.member(subject, &[("lab", DomainRole::Consumer)]).await;
    owner.grants(&reader, access_to(table)).await.unwrap();
    let reader = test.ctx(subject).await;
    for column in columns {
        test.reads_column(&reader, table, *column).await;
    }
    app::column_reads::write(&test.app).await.unwrap();
}

struct World {
    api: Api,
    old: String,
}

impl World {
    /// `shop.orders`, which `fin.revenue` reads, and five who hold grants on it. Two of them read `amount`.
    async fn new(test: TestApp) -> Self {
        for domain in ["shop", "fin", "hr", "lab"] {
            test.domain(domain).await;
        }
        app::column_reads::begin(&test.app).await.unwrap();
        let owner = test.ctx("owner-shop").await;
        let [product, contract] = documents("shop", "orders", "internal");
        test.publish(&owner, "shop", &[&product, &contract]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS).with_files(vec![data_file(2)])).await;
        derive(&test, "fin", "revenue", "internal").await;
        for (number, columns) in [&[1][..], &[0, 1], &[0], &[], &[]].into_iter().enumerate() {
            hold(&test, &format!("reader-{number}"), &owner, "shop.orders.orders", columns).await;
        }
        Self { api: Api::around(test, &Limits::default()), old: contract }
    }

    /// The next version, without `amount`.
    fn without_amount(&self, version: &str) -> String {
        let start = self.old.find("      - name: amount").unwrap();
        let rest = &self.old[start + 1..];
        let end = rest.find("      - name:").map_or(self.old.len(), |at| start + 1 + at);
        let text = format!("{}{}", &self.old[..start], &self.old[end..]);
        text.replace("version: 1.0.0", &format!("version: {version}"))
    }

    async fn planned(&self, subject: &str, version: &str) -> Value {
        let document = json!({ "path": "c", "text": self.without_amount(version) });
        let input = json!({ "input": { "domain": "shop", "documents": [document] } });
        self.api.data(subject, PLAN, input).await["planDocuments"].clone()
    }

    async fn compared(&self, subject: &str) -> Value {
        let document = |text: &str| json!({ "path": "c", "text": text });
        let documents = json!({ "product": "shop.orders", "old": document(&self.old), "new": document(&self.without_amount("2.0.0")) });
        self.api.data(subject, COMPARE, documents).await["contractImpact"].clone()
    }

    /// All that the owner of the orders, and that of the revenue, are told of a change of `amount`.
    async fn told(&self, subject: &str) -> String {
        let impact = self.api.data(subject, IMPACT, json!({ "columns": ["amount"] })).await;
        let whole = self.api.data(subject, IMPACT, Value::Null).await;
        let planned = match subject {
            "owner-shop" => json!([self.planned(subject, "2.0.0").await, self.planned(subject, "1.0.1").await]),
            _ => Value::Null,
        };
        format!(
            "{impact}\n{whole}\n{planned}\n{}",
            if planned.is_null() { Value::Null } else { self.compared(subject).await }
        )
    }
}

fn names(affected: &Value) -> Vec<(String, Value)> {
    let consumers = affected["consumers"].as_array().unwrap().iter();
    let name = |one: &Value| (one["principal"]["subject"].as_str().unwrap().to_owned(), one["ports"].clone());
    let mut names: Vec<_> = consumers.map(name).collect();
    names.sort_by(|(one, _), (other, _)| one.cmp(other));
    names
}

async fn on_both(check: impl AsyncFn(World)) {
    check(World::new(TestApp::start().await).await).await;
    if let Some(server) = testkit::postgres::Server::shared() {
        check(World::new(TestApp::start_on(Some(server.database())).await).await).await;
    }
}

#[tokio::test]
async fn a_planned_change_names_its_two_readers_and_no_one_hidden() {
    on_both(async |world| {
        let test = &world.api.test;
        let port = json!([{ "product": { "name": "orders", "domain": { "path": "shop" } }, "name": "orders", "major": 1,
            "columns": ["amount"] }]);
        let two = vec![("reader-0".to_owned(), port.clone()), ("reader-1".to_owned(), port)];
        let planned = world.planned("owner-shop", "2.0.0").await;
        let affected = &planned["changes"][0]["affected"];
        assert_eq!(
            (names(affected), &affected["complete"], &affected["count"]),
            (two.clone(), &json!(true), &json!(2))
        );
        // A version that is refused for its number names them as well.
        let refused = world.planned("owner-shop", "1.0.1").await;
        assert_eq!(refused["__typename"], "RefusedVersions");
        assert_eq!(&refused["refusals"][0]["affected"], affected);
        // So does the comparison of two documents, by the same rule.
        let compared = world.compared("owner-shop").await;
        assert_eq!(&compared["affected"], affected, "{compared}");
        assert_eq!(compared["findings"][0]["path"], "orders.amount");

        let (shop, fin) = (world.told("owner-shop").await, world.told("owner-fin").await);
        // Hidden from both: a product that reads the orders, and its consumer.
        derive(test, "hr", "pay", "restricted").await;
        let hr = test.ctx("owner-hr").await;
        let boss = test.member("boss", &[("hr", DomainRole::Owner)]).await;
        hr.grants(&boss, access_to("hr.pay.pay")).await.unwrap();
        assert_eq!((world.told("owner-shop").await, world.told("owner-fin").await), (shop.clone(), fin.clone()));
        // Hidden from the one: consumers of the other's product.
        hold(test, "of-fin", &test.ctx("owner-fin").await, "fin.revenue.revenue", &[1]).await;
        assert_eq!(world.told("owner-shop").await, shop);
        let fin_with_its_own = world.told("owner-fin").await;
        assert_ne!(fin_with_its_own, fin);
        hold(test, "of-shop", &test.ctx("owner-shop").await, "shop.orders.orders", &[1]).await;
        assert_eq!(world.told("owner-fin").await, fin_with_its_own);
        let planned = world.planned("owner-shop", "2.0.0").await;
        assert_eq!(planned["changes"][0]["affected"]["count"], 3);
        // Whoever may know of the hidden product sees it, so the test above would have.
        assert!(world.told("owner-hr").await.contains("hr.pay.pay"));
    })
    .await;
}

#[tokio::test]
async fn two_documents_are_compared_for_those_who_may_plan() {
    let world = World::new(TestApp::start().await).await;
    let document = |text: &str| json!({ "path": "c", "text": text });
    let ask =
        |product: &str, old: &str, new: &str| json!({ "product": product, "old": document(old), "new": document(new) });
    let new = world.without_amount("2.0.0");
    let same = world.api.data("owner-shop", COMPARE, ask("shop.orders", &world.old, &world.old)).await;
    assert_eq!(same["contractImpact"], json!({ "__typename": "ContractImpact", "findings": [], "affected": null }));
    let code = async |subject, variables| world.api.code(subject, COMPARE, variables).await;
    assert_eq!(code("reader-0", ask("shop.orders", &world.old, &new)).await, "FORBIDDEN");
    derive(&world.api.test, "hr", "pay", "restricted").await;
    let missing = world.api.ask("reader-0", COMPARE, ask("hr.none", &world.old, &new)).await;
    let hidden = world.api.ask("reader-0", COMPARE, ask("hr.pay", &world.old, &new)).await;
    assert_eq!(missing["errors"][0]["message"], hidden["errors"][0]["message"]);
    let other = world.old.replace("id: orders-contract", "id: other-contract");
    assert_eq!(code("owner-shop", ask("shop.orders", &other, &new)).await, "NOT_FOUND");
    let never = world.old.replace("version: 1.0.0", "version: 7.0.0");
    assert_eq!(code("owner-shop", ask("shop.orders", &never, &new)).await, "NOT_FOUND");
    let wrong = world.api.data("owner-shop", COMPARE, ask("shop.orders", "- [", "id: 1")).await;
    assert_eq!(wrong["contractImpact"]["__typename"], "InvalidDocuments");
    assert!(wrong["contractImpact"]["problems"].as_array().unwrap().len() > 1, "of both documents: {wrong}");
}
