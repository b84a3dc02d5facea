//! Whose topics are: by the prefixes of domains, and by an owner's release.

use app::Settings;
use app::idempotency::Key;
use app::publish::Outcome;
use app::registry::{Draft, ImportNumbers, Register, register, release_subject};
use domain::change::message::Format;
use domain::error::Kind;
use domain::identity::{DomainRole, PlatformRole};
use domain::registry::Subject;
use domain::topic::{RELEASE_LIFETIME, TopicPrefixes};
use testkit::actor::TestActor;
use testkit::app::TestApp;

use super::{CONTRACT, PRODUCT, with};

/// What the contract promises of the topic.
const SCHEMA: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"order_id","type":["null","long"],"default":null},{"name":"amount","type":["null","double"],"default":null}]}"#;

/// The documents of a product of one name with a topic.
fn documents(name: &str, topic: &str, classification: &str) -> [String; 2] {
    let custom =
        format!("status: active\ncustomProperties:\n  - property: classification\n    value: {classification}");
    let product =
        with(&with(PRODUCT, "orders-product", &format!("{name}-product")), "name: Orders", &format!("name: {name}"));
    let product = with(&with(&product, "orders-contract", &format!("{name}-contract")), "status: active", &custom);
    let kafka = with(&with(CONTRACT, "orders-contract", &format!("{name}-contract")), "type: local", "type: kafka");
    let kafka = with(&kafka, "    path: shop/{model}\n    format: delta\n", "    host: kafka:9092\n    format: avro\n");
    let topic = format!("  - name: orders\n    physicalType: topic\n    physicalName: {topic}\n");
    [product, with(&kafka, "  - name: orders\n", &topic)]
}

/// The messages of the problems; none if the set was applied.
async fn publish(ctx: &TestActor, domain: &str, [product, contract]: [String; 2]) -> Vec<String> {
    match ctx.publishes(domain, &[&product, &contract]).await.unwrap() {
        Outcome::Done(_) => Vec::new(),
        Outcome::Invalid(problems) => problems.into_iter().map(|problem| problem.message).collect(),
        other @ Outcome::Refused(_) => panic!("{other:?}"),
    }
}

fn subject(topic: &str) -> Subject {
    format!("{topic}-value").parse().unwrap()
}

/// The domains `shop` (topics `shop`), `shop/emea`, `fin` (topics `fin.ledger`) and `strays`, which keeps schemas of
/// others, each with its owner.
async fn start(prefixes: &[(&str, &str)]) -> (TestApp, [TestActor; 4]) {
    let prefixes = prefixes.iter().map(|(prefix, domain)| (prefix.parse().unwrap(), domain.parse().unwrap()));
    let settings = Settings {
        quarantine: Some("strays".parse().unwrap()),
        topic_prefixes: TopicPrefixes::new(prefixes.collect()).unwrap(),
        ..Settings::for_testing()
    };
    let test = TestApp::start_configured(settings).await;
    let shop = test.domain("shop").await;
    let others = [test.domain("shop/emea").await, test.domain("fin").await, test.domain("strays").await];
    let [emea, fin, strays] = others;
    (test, [shop, emea, fin, strays])
}

const PREFIXES: [(&str, &str); 2] = [("shop", "shop"), ("fin.ledger", "fin")];

async fn put(ctx: &TestActor, topic: &str) -> Result<(), app::registry::Error> {
    let draft = Draft { format: Format::Avro, text: SCHEMA.to_owned(), references: Vec::new() };
    let command = Register { subject: subject(topic), draft, normalize: false, numbers: ImportNumbers::default() };
    register(ctx, command).await.map(drop)
}

#[tokio::test]
async fn a_topic_belongs_to_the_domain_whose_prefix_it_has() {
    let (_test, [shop, emea, fin, _]) = start(&PREFIXES).await;
    for (ctx, domain, name, topic, is_own) in [
        (&shop, "shop", "a", "shop.orders", true),
        (&shop, "shop", "b", "shop", true),
        (&emea, "shop/emea", "c", "shop.emea.orders", true),
        (&fin, "fin", "d", "fin.ledger.entries", true),
        (&fin, "fin", "e", "shop.taken", false),
        (&shop, "shop", "f", "fin.ledger.taken", false),
        (&shop, "shop", "g", "shopping.list", false),
        (&fin, "fin", "h", "fin.ledgers", false),
        (&fin, "fin", "i", "fin", false),
        (&fin, "fin", "j", "free", false),
    ] {
        let problems = publish(ctx, domain, documents(name, topic, "internal")).await;
        assert_eq!(problems.is_empty(), is_own, "{topic} in {domain}: {problems:?}");
        if !is_own {
            assert!(problems[0].contains("is not available to the domain"), "{problems:?}");
        }
    }
}

#[tokio::test]
async fn the_refusal_is_the_same_for_hidden_and_foreign_and_unused_topics() {
    let (test, [shop, _, fin, _]) = start(&PREFIXES).await;
    assert_eq!(publish(&shop, "shop", documents("seen", "shop.seen", "internal")).await, [""; 0]);
    assert_eq!(publish(&shop, "shop", documents("secret", "shop.secret", "restricted")).await, [""; 0]);
    let mut messages = Vec::new();
    for topic in ["shop.seen", "shop.secret", "shop.unused"] {
        let problems = publish(&fin, "fin", documents("taker", topic, "internal")).await;
        messages.push(problems.join("\n").replace(topic, "TOPIC"));
        let refused = release_subject(&fin, subject(topic), &"fin".parse().unwrap(), None).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden);
        messages.push(refused.to_string().replace(topic, "TOPIC"));
    }
    assert_eq!(messages[..2], messages[2..4]);
    assert_eq!(messages[..2], messages[4..]);
    drop(test);
}

#[tokio::test]
async fn a_release_that_is_sent_again_keeps_its_end() {
    let (test, [shop, ..]) = start(&PREFIXES).await;
    assert_eq!(publish(&shop, "shop", documents("first", "shop.orders", "internal")).await, [""; 0]);
    let release = async || {
        let key = Key::new("once".to_owned(), "releaseSubject", b"shop.orders").unwrap();
        release_subject(&shop, subject("shop.orders"), &"fin".parse().unwrap(), Some(key)).await.unwrap().expires_at
    };
    let first = release().await;
    test.clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(release().await, first);
}

#[tokio::test]
async fn an_owners_release_lets_another_domain_take_a_topic_over() {
    let (test, [shop, _, fin, _]) = start(&PREFIXES).await;
    assert_eq!(publish(&shop, "shop", documents("first", "shop.orders", "internal")).await, [""; 0]);
    put(&shop, "shop.orders").await.unwrap();
    let take = async || publish(&fin, "fin", documents("second", "shop.orders", "internal")).await;
    assert_eq!(take().await.len(), 1);

    let to = |domain: &str| domain.parse().unwrap();
    // A release to another domain, or one whose time is over, does not count.
    release_subject(&shop, subject("shop.orders"), &to("strays"), None).await.unwrap();
    assert_eq!(take().await.len(), 1);
    release_subject(&shop, subject("shop.orders"), &to("fin"), None).await.unwrap();
    test.clock.advance(RELEASE_LIFETIME);
    assert_eq!(take().await.len(), 1);
    release_subject(&test.renewed_admin(), subject("shop.orders"), &to("fin"), None).await.unwrap();
    assert_eq!(take().await, [""; 0]);
    // The schemas are the new contract's, and the old one has the topic no more.
    put(&fin, "shop.orders").await.unwrap();
    let error = put(&shop, "shop.orders").await.err();
    assert!(error.is_none(), "the same schema again is an answer to whoever may see it: {error:?}");
    assert_eq!(publish(&shop, "shop", documents("third", "shop.orders", "internal")).await.len(), 1);
    // A release is for once.
    let mut tx = test.app.db.read().await.unwrap();
    assert_eq!(store::topic::find_release(&mut tx, &subject("shop.orders"), test.app.now()).await.unwrap(), None);
    assert_eq!(store::binding::list_topics_of_subject(&mut tx, &subject("shop.orders")).await.unwrap().len(), 1);
}

#[tokio::test]
async fn schemas_that_no_product_owns_are_taken_over_with_consent_of_the_domain_that_keeps_them() {
    let (test, [shop, _, fin, strays]) = start(&[]).await;
    put(&strays, "loose").await.unwrap();
    let take = async |ctx: &TestActor| publish(ctx, "fin", documents("taker", "loose", "internal")).await;
    assert_eq!(take(&fin).await.len(), 1);
    // An owner of both domains needs no release.
    let both = test.member("both", &[("fin", DomainRole::Owner), ("strays", DomainRole::Owner)]).await;
    put(&strays, "other").await.unwrap();
    assert_eq!(publish(&both, "fin", documents("other", "other", "internal")).await, [""; 0]);
    // With one, any publisher of the domain does it.
    let error = release_subject(&shop, subject("loose"), &"fin".parse().unwrap(), None).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
    release_subject(&strays, subject("loose"), &"fin".parse().unwrap(), None).await.unwrap();
    assert_eq!(take(&fin).await, [""; 0]);
    // What is free belongs to whoever is first, as long as no prefixes are configured.
    assert_eq!(publish(&shop, "shop", documents("free", "free", "internal")).await, [""; 0]);
}

#[tokio::test]
async fn schemas_of_a_domains_topics_are_kept_by_the_domain() {
    let (test, [shop, _, fin, strays]) = start(&PREFIXES).await;
    for (ctx, topic, may) in [
        (&strays, "loose", true),
        (&strays, "shop.orders", false),
        (&shop, "shop.orders", true),
        (&fin, "shop.other", false),
    ] {
        assert_eq!(put(ctx, topic).await.is_ok(), may, "{topic}");
    }
    // Its own prefix gives the domain the topic, whoever keeps schemas there.
    assert_eq!(publish(&shop, "shop", documents("orders", "shop.orders", "internal")).await, [""; 0]);
    let steward = test.officer("steward", PlatformRole::Steward).await;
    // A free name outside of all prefixes is released by those who configure the registry.
    let release = async |ctx: &TestActor| release_subject(ctx, subject("free"), &"fin".parse().unwrap(), None).await;
    assert_eq!(release(&strays).await.unwrap_err().kind(), Kind::Forbidden);
    release(&steward).await.unwrap();
    assert_eq!(publish(&fin, "fin", documents("free", "free", "internal")).await, [""; 0]);
}
