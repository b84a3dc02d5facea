//! Data proofs: a promise that older rows could break needs no new major where no row of the table does.

use domain::version::Bump;
use testkit::inspector::Scene;

use super::{COLUMNS, CONTRACT, done, open_shop, reasons, refused, state, version, with};

const AMOUNT: &str = "      - name: amount\n        logicalType: number\n";
const PROOFS: &str =
    "its version number needs data proofs that have not succeeded: see the findings and the newest verdict";

/// 1.1.0, in which every order has an amount.
fn tightened() -> String {
    with(&version("1.1.0"), AMOUNT, &format!("{AMOUNT}        required: true\n"))
}

#[tokio::test]
async fn a_tightening_is_a_minor_version_once_the_data_proves_it() {
    let (test, owner) = open_shop().await;
    let changes = done(&owner, &[&tightened()]).await;
    let finding = changes[0].findings.iter().find(|finding| finding.proof.is_some()).expect("a proof");
    assert_eq!(finding.bump(), Bump::Major, "by itself");
    assert_eq!(changes[0].state, "draft");
    assert!(changes[0].reasons.iter().any(|reason| reason == PROOFS), "{:?}", changes[0].reasons);

    test.settle().await;
    assert_eq!(state(&owner, "1.1.0").await, "active", "the table has no null");
    assert_eq!(state(&owner, "1.0.0").await, "superseded");
}

#[tokio::test]
async fn a_tightening_that_rows_break_stays_a_draft_until_they_are_gone() {
    for mode in ["block", "warn"] {
        let (test, owner) = open_shop().await;
        let settings = format!("status: active\ncustomProperties:\n  - property: gateMode\n    value: {mode}");
        // What a version promises less than its predecessor is no question of proofs: the mode is the same in both.
        let first = with(&version("2.0.0"), "status: active", &settings);
        done(&owner, &[&first]).await;
        test.lay("shop/orders", 1, Scene::of(COLUMNS)).await;
        assert_eq!(state(&owner, "2.0.0").await, "active");

        test.lay("shop/orders", 2, Scene::of(COLUMNS).breaking("amount/required")).await;
        let second = with(&with(&tightened(), "version: 1.1.0", "version: 2.1.0"), "status: active", &settings);
        done(&owner, &[&second]).await;
        test.settle().await;
        assert!(reasons(&owner, "2.1.0").await.iter().any(|reason| reason == PROOFS), "{mode}");
        test.lay("shop/orders", 3, Scene::of(COLUMNS)).await;
        assert_eq!(state(&owner, "2.1.0").await, "active", "{mode}");
    }
}

#[tokio::test]
async fn what_no_proof_settles_still_needs_a_major() {
    let (_test, owner) = open_shop().await;
    let loosened = with(&version("1.1.0"), "        primaryKey: true\n", "");
    assert_eq!(refused(&owner, &[&loosened]).await.needed, Bump::Major);
    let renamed = with(&tightened(), "name: amount", "name: total");
    assert_eq!(refused(&owner, &[&renamed]).await.needed, Bump::Major, "one proof does not settle another finding");
    // Foreign keys are not measured, so that nothing proves one.
    let linked =
        with(&version("1.1.0"), AMOUNT, &format!("{AMOUNT}        relationships:\n          - to: customers.id\n"));
    assert_eq!(refused(&owner, &[&linked]).await.needed, Bump::Major);
    assert!(CONTRACT.contains(AMOUNT));
}
