//! Versions of a contract: what may be published after what, and transitions.

use app::Settings;
use app::publish::{ChangeKind, DocumentSet, DocumentText, Outcome, plan};
use domain::change::Rule;
use domain::error::Kind;
use domain::version::Bump;
use testkit::app::TestApp;
use testkit::inspector::Scene;

use super::{
    COLUMNS, CONTRACT, PRODUCT, address, done, invalid, kinds, open_shop, publisher, refused, shop, state, version,
    with,
};

/// A version whose table has one more column.
fn wider(number: &str) -> String {
    with(&version(number), "      # more columns", "      - name: note\n        logicalType: string")
}

/// A version without the column `amount`.
fn narrower(number: &str) -> String {
    with(&version(number), "      - name: amount\n        logicalType: number\n", "")
}

#[tokio::test]
async fn a_description_is_a_patch_and_keeps_the_verdict() {
    let (_test, owner) = open_shop().await;
    let patched = with(&version("1.0.1"), "Every order", "Every order that was paid");
    let changes = done(&owner, &[&patched]).await;
    assert_eq!(kinds(&changes), [ChangeKind::Added]);
    assert_eq!(
        (changes[0].bump, changes[0].state.as_str()),
        (Some(Bump::Patch), "active"),
        "no new inspection is needed"
    );
    assert_eq!(state(&owner, "1.0.0").await, "superseded");
}

#[tokio::test]
async fn a_new_column_needs_a_minor_version() {
    let (test, owner) = open_shop().await;
    let refusal = refused(&owner, &[&wider("1.0.1")]).await;
    assert_eq!((refusal.needed, refusal.suggested.to_string()), (Bump::Minor, "1.1.0".to_owned()));
    assert_eq!(refusal.compared_with.to_string(), "1.0.0");
    assert_eq!(refusal.findings.len(), 1);

    let changes = done(&owner, &[&wider("1.1.0")]).await;
    assert_eq!((changes[0].bump, changes[0].state.as_str()), (Some(Bump::Minor), "draft"));
    assert_eq!(state(&owner, "1.0.0").await, "active", "the old version goes on until the new one is kept");
    test.settle().await;
    assert_eq!(state(&owner, "1.1.0").await, "draft", "the table does not have the column yet");
    test.lay("shop/orders", 1, Scene::of(&format!("{COLUMNS} note:string"))).await;
    assert_eq!(state(&owner, "1.1.0").await, "active");
    assert_eq!(state(&owner, "1.0.0").await, "superseded");
}

#[tokio::test]
async fn a_breaking_change_needs_a_major_version() {
    let (_test, owner) = open_shop().await;
    let refusal = refused(&owner, &[&narrower("1.1.0")]).await;
    assert_eq!((refusal.needed, refusal.suggested.to_string()), (Bump::Major, "2.0.0".to_owned()));
    let changes = done(&owner, &[&narrower("2.0.0")]).await;
    assert_eq!(changes[0].bump, Some(Bump::Major));
    assert_eq!(state(&owner, "1.0.0").await, "active", "majors live side by side");
}

#[tokio::test]
async fn a_version_is_greater_than_all_of_its_major() {
    let (_test, owner) = open_shop().await;
    done(&owner, &[&wider("1.1.0")]).await;
    let refusal = refused(&owner, &[&version("1.0.5")]).await;
    assert_eq!(refusal.compared_with.to_string(), "1.1.0");
    assert!(refusal.suggested > refusal.compared_with);
}

#[tokio::test]
async fn what_was_promised_does_not_change_under_its_number() {
    let (_test, owner) = open_shop().await;
    let refusal = refused(&owner, &[&wider("1.0.0")]).await;
    assert_eq!((refusal.needed, refusal.suggested.to_string()), (Bump::Minor, "1.1.0".to_owned()));
    let respelled = refused(&owner, &[&with(CONTRACT, "Every order", "All orders")]).await;
    assert_eq!(respelled.suggested.to_string(), "1.0.1");
}

#[tokio::test]
async fn a_draft_can_be_republished() {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, CONTRACT]).await;
    let changes = done(&owner, &[&wider("1.0.0")]).await;
    assert_eq!(kinds(&changes), [ChangeKind::Changed]);
    test.lay("shop/orders", 0, Scene::of(&format!("{COLUMNS} note:string"))).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
}

#[tokio::test]
async fn drafts_side_by_side_are_compared_once_one_is_promised() {
    let (test, owner) = shop().await;
    let other_type = with(&version("1.1.0"), "logicalType: number", "logicalType: string");
    done(&owner, &[PRODUCT, CONTRACT, &other_type]).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active");
    test.lay("shop/orders", 1, Scene::of("order_id:integer amount:string")).await;
    assert_eq!(
        super::reasons(&owner, "1.1.0").await,
        ["version 1.1.0 changes 1.0.0 in a way that needs a major bump: publish it as 2.0.0 or later"]
    );
}

#[tokio::test]
async fn a_draft_older_than_the_current_version_stays_one() {
    let (test, owner) = shop().await;
    done(&owner, &[PRODUCT, CONTRACT, &narrower("1.1.0")]).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.1.0").await, "active", "the newest is tried first");
    assert_eq!(super::reasons(&owner, "1.0.0").await, ["1.1.0 is already active"]);
}

#[tokio::test]
async fn a_status_alone_is_a_transition() {
    let (test, owner) = open_shop().await;
    let deprecated = with(CONTRACT, "status: active", "status: deprecated");
    let publisher = publisher(&test).await;
    let refusal = publisher.publishes("shop", &[&deprecated]).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::Forbidden, "a promise ends by its owner");

    assert_eq!(kinds(&done(&owner, &[&deprecated]).await), [ChangeKind::Transition]);
    assert_eq!(state(&owner, "1.0.0").await, "deprecated");
    assert_eq!(kinds(&done(&owner, &[&deprecated]).await), [ChangeKind::Unchanged]);
    let back = invalid(&owner, &[&with(CONTRACT, "status: active", "status: active # again")]).await;
    assert_eq!(back[0].path, "/status");
    let retired = with(CONTRACT, "status: active", "status: retired");
    assert_eq!(kinds(&done(&owner, &[&retired]).await), [ChangeKind::Transition]);
    assert_eq!(state(&owner, "1.0.0").await, "retired");
}

/// Earlier programs accepted years of two digits.
#[tokio::test]
async fn a_stored_document_that_would_be_refused_today_stays_readable() {
    let (test, owner) = open_shop().await;
    let draft = with(&version("1.0.1"), "status: active", "status: draft");
    done(&owner, &[&draft]).await;
    let address = address("1.0.1");
    let stored = app::contract::find_version(&owner, &address).await.unwrap().unwrap().version;

    let support = "slaProperties:\n  - property: endOfSupport\n    value: \"31-12-26\"\nschema:\n";
    let text = with(&draft, "schema:\n", support);
    let document = domain::document::StoredDocument {
        digest: "of an earlier program".to_owned(),
        bytes: text.into_bytes(),
        ..stored.document.clone()
    };
    let mut tx = test.app.db.write(store::Lock::Facts).await.unwrap();
    store::contract::replace_draft(&mut tx, stored.id, &stored.document.digest, &document).await.unwrap();
    tx.commit().await.unwrap();

    let view = app::contract::find_version(&owner, &address).await.unwrap().unwrap();
    assert_eq!(view.document.end_of_support(), None, "what cannot be read as a date promises none");
    assert_eq!(kinds(&done(&owner, &[&version("1.0.2")]).await), [ChangeKind::Added]);
}

#[tokio::test]
async fn a_version_is_not_deprecated_to_a_date_in_the_past() {
    let until = |date: &str, contract: &str| {
        with(
            contract,
            "schema:\n",
            &format!("slaProperties:\n  - property: endOfSupport\n    value: {date}\nschema:\n"),
        )
    };
    let (test, owner) = shop().await;
    let ended = until("2020-12-31", CONTRACT);
    done(&owner, &[PRODUCT, &ended]).await;
    test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
    assert_eq!(state(&owner, "1.0.0").await, "active", "a date promises, and ends nothing by itself");

    let deprecated = with(&ended, "status: active", "status: deprecated");
    let problems = invalid(&owner, &[&deprecated]).await;
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "/slaProperties/0/value");
    assert_eq!(
        problems[0].message,
        "a version cannot be deprecated: its `endOfSupport`, 2020-12-31T00:00:00Z, is in the past: \
         publish a version with a later date, or retire this one"
    );
    assert_eq!(state(&owner, "1.0.0").await, "active");

    for not_a_date in ["31-12-26", "26-12-31", "2026-0012-31"] {
        let problems = invalid(&owner, &[&until(&format!("\"{not_a_date}\""), &version("1.0.1"))]).await;
        assert_eq!(problems[0].path, "/slaProperties/0/value");
        assert!(problems[0].line.is_some() && problems[0].message.contains("needs a date"), "{problems:?}");
    }

    let later = until("2099-12-31T00:00:00Z", &version("1.1.0"));
    done(&owner, &[&later]).await;
    assert_eq!(state(&owner, "1.1.0").await, "active");
    done(&owner, &[&with(&later, "status: active", "status: deprecated")]).await;
    assert_eq!(state(&owner, "1.1.0").await, "deprecated");
}

#[tokio::test]
async fn a_product_ends_by_its_owner() {
    let (test, owner) = open_shop().await;
    let deprecated = with(PRODUCT, "status: active", "status: deprecated");
    let publisher = publisher(&test).await;
    assert_eq!(publisher.publishes("shop", &[&deprecated]).await.unwrap_err().kind(), Kind::Forbidden);
    let changes = done(&owner, &[&deprecated]).await;
    assert_eq!((changes[0].change, changes[0].state.as_str()), (ChangeKind::Transition, "deprecated"));
}

/// Custom properties promise something to readers where the configuration says so: for the gate of publishing, for a
/// plan, and for what is listed.
#[tokio::test]
async fn a_custom_property_is_a_promise_if_the_configuration_lists_it() {
    let custom = |document: &str, value: &str| {
        with(
            document,
            "status: active",
            &format!("status: active\ncustomProperties: [{{property: retentionClass, value: {value}}}]"),
        )
    };
    for is_listed in [false, true] {
        let promises = is_listed.then(|| "retentionClass".to_owned()).into_iter().collect();
        let comparison = domain::change::Options { promises, ..domain::change::Options::default() };
        let test = TestApp::start_configured(Settings { comparison, ..Settings::for_testing() }).await;
        let owner = test.domain("shop").await;
        done(&owner, &[PRODUCT, &custom(CONTRACT, "short")]).await;
        test.lay("shop/orders", 0, Scene::of(COLUMNS)).await;
        assert_eq!(state(&owner, "1.0.0").await, "active");
        let changed = custom(&version("1.0.1"), "long");
        let documents = vec![DocumentText { path: "orders.yaml".to_owned(), text: changed.clone() }];
        let set = DocumentSet { domain: Some("shop".parse().unwrap()), documents, prune: false, key: None };
        let planned = plan(&owner, set).await.unwrap();
        if is_listed {
            assert!(matches!(planned, Outcome::Refused(_)), "{planned:?}");
            let refusal = refused(&owner, &[&changed]).await;
            assert_eq!((refusal.needed, refusal.findings.len()), (Bump::Major, 1));
            assert_eq!(refused(&owner, &[&custom(CONTRACT, "long")]).await.needed, Bump::Major);
            assert_eq!(done(&owner, &[&custom(&version("2.0.0"), "long")]).await[0].bump, Some(Bump::Major));
        } else {
            assert!(matches!(planned, Outcome::Done(_)), "{planned:?}");
            assert_eq!(refused(&owner, &[&custom(CONTRACT, "long")]).await.needed, Bump::Patch);
            assert_eq!(done(&owner, &[&changed]).await[0].bump, Some(Bump::Patch));
        }
        let number = if is_listed { "2.0.0" } else { "1.0.1" };
        let view = app::contract::find_version(&owner, &address(number)).await.unwrap().unwrap();
        let findings = app::contract::list_findings(&owner, view.version.id).await.unwrap();
        let expected = if is_listed { Rule::Undetermined } else { Rule::Documentation };
        assert_eq!(findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [expected]);
    }
}
