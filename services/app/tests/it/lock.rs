//! The lock, from the facts in the database to the lease at the gateway: each check refuses by itself, and everything
//! that a lease hangs on ends it.

use std::sync::Arc;
use std::time::Duration;

use app::error::Error;
use app::gate::{Vend, Vended};
use app::lease::{Denied, Leases, Scope};
use app::org::SetEnforcement;
use app::{Actor, Ctx};
use domain::audit::Outcome;
use domain::contract::Classification;
use domain::error::Kind;
use domain::gate::{Action, Check, Code, DetailRight};
use domain::identity::{DomainRole, PlatformRole, PurposeCode};
use domain::inspection::InspectionError;
use domain::lease::Credentials;
use domain::name::Address;
use domain::org::Enforcement;
use store::Seek;
use testkit::actor::{access_to, issued};
use testkit::app::TestApp;
use testkit::inspector::Scene;

use crate::open_table::{CONTRACT, FOLDER, PRODUCT, ROWS, good, open, publish};

#[tokio::test]
async fn a_reader_with_a_grant_gets_a_lease_on_the_inspected_snapshot() {
    let (test, _, reader, grant) = open().await;
    let issued = reader.leases(ROWS).await;
    assert_eq!(issued.lease.grant_id, Some(grant));
    let open = test.app.open(issued.lease.id).await.unwrap();
    let Scope::Pinned { files, .. } = &open.scope else { panic!("a read lease is pinned") };
    assert_eq!(files.entries()[0].file.path, "_delta_log/00000000000000000000.checkpoint.parquet");
    let Credentials::Gateway(credentials) = issued.credentials;
    assert_eq!(credentials.table_uri, format!("s3://lake/{}", issued.lease.table_id));
}

#[tokio::test]
async fn nobody_reads_without_a_grant_and_nobody_approves_his_own_request() {
    let (test, owner, _, _) = open().await;
    let other = test.principal("other").await;
    assert_eq!(other.refusals(ROWS).await, ["policy.denied", "grant.missing"]);
    let request = owner.requests(access_to(ROWS)).await.unwrap();
    assert!(matches!(owner.approves(request.id).await, Err(Error::Forbidden(_))));
}

#[tokio::test]
async fn a_bad_batch_and_a_broken_schema_shut_the_gate_and_a_good_one_opens_it() {
    let (test, _, reader, _) = open().await;
    test.lay(FOLDER, 1, good().breaking("required")).await;
    assert_eq!(reader.refusals(ROWS).await, ["quality.failed", "scope.nothing_to_serve"]);
    test.lay(FOLDER, 2, Scene::of("other:string")).await;
    assert!(reader.refusals(ROWS).await.contains(&"conformance.broken".to_owned()));
    test.lay(FOLDER, 3, good().failing(InspectionError::Died("killed".to_owned()))).await;
    assert!(reader.refusals(ROWS).await.contains(&"quality.error".to_owned()));
    test.lay(FOLDER, 4, good()).await;
    reader.leases(ROWS).await;
}

#[tokio::test]
async fn a_new_state_is_noticed_by_the_decision_itself() {
    let (test, _, reader, _) = open().await;
    let log = test.table_folder(FOLDER).join("_delta_log");
    std::fs::write(log.join("00000000000000000001.json"), b"{}").unwrap();
    test.clock.advance(Duration::from_secs(6));
    reader.leases(ROWS).await;
    test.clock.advance(Duration::from_secs(2 * 3_600));
    assert_eq!(
        reader.refusals(ROWS).await,
        ["quality.head_pending", "scope.nothing_to_serve"],
        "past the grace of an hour"
    );
}

#[tokio::test]
async fn report_and_off_serve_what_fails_and_switch_on_their_day() {
    let (test, _, reader, _) = open().await;
    test.assign_platform("admin", PlatformRole::Steward).await;
    let steward = test.ctx("admin").await;
    test.lay(FOLDER, 1, good().breaking("required")).await;
    for enforcement in [Enforcement::Report, Enforcement::Off] {
        let switch_at = Some(test.app.now().plus(Duration::from_secs(60)));
        let command = SetEnforcement { path: "nyc".parse().unwrap(), enforcement, switch_at, key: None };
        app::org::set_enforcement(&steward, command).await.unwrap();
        reader.leases(ROWS).await;
        test.clock.advance(Duration::from_secs(60));
        assert_eq!(reader.refusals(ROWS).await, ["quality.failed", "scope.nothing_to_serve"], "{enforcement} is over");
    }
}

#[tokio::test]
async fn an_open_lease_dies_with_its_grant_its_time_and_its_holder() {
    let (test, owner, reader, grant) = open().await;
    let lease = reader.leases(ROWS).await.lease.id;
    owner.revokes(grant).await.unwrap();
    assert_eq!(test.app.open(lease).await.unwrap_err(), Denied::Revoked);
    assert!(!test.app.still_open(lease).await);
    assert_eq!(reader.refusals(ROWS).await, ["policy.denied", "grant.revoked"]);

    owner.grants(&reader, access_to(ROWS)).await.unwrap();
    let [lease, kept] = [reader.leases(ROWS).await.lease.id, reader.leases(ROWS).await.lease.id];
    test.app.open(kept).await.unwrap();
    test.clock.advance(Duration::from_secs(3_600));
    assert_eq!(test.app.open(lease).await.unwrap_err(), Denied::Expired);
    assert_eq!(test.app.open(kept).await.unwrap_err(), Denied::Expired, "what is kept of a lease ends with it");

    let lease = reader.leases(ROWS).await.lease.id;
    test.admin.disables(reader.id()).await.unwrap();
    assert_eq!(test.app.open(lease).await.unwrap_err(), Denied::Revoked);
    assert!(reader.vends(ROWS, Action::Read).await.is_ok_and(|vended| matches!(vended, Vended::Refused(_))));
}

#[tokio::test]
async fn an_expired_lease_is_forgotten_with_the_list_of_its_files() {
    let (test, _, reader, _) = open().await;
    let files = async |lease| match &test.app.open(lease).await.unwrap().scope {
        Scope::Pinned { files, .. } => Arc::downgrade(files),
        Scope::Folder { .. } => panic!("a read lease is pinned"),
    };
    let kept = files(reader.leases(ROWS).await.lease.id).await;
    test.clock.advance(Duration::from_secs(3_599));
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert!(kept.upgrade().is_some());
    test.clock.advance(Duration::from_secs(1));
    app::jobs::tidy_once(&test.app).await.unwrap();
    assert!(kept.upgrade().is_none());
}

#[tokio::test]
async fn repair_is_for_the_domains_own_and_ends_with_the_role() {
    let (test, _, reader, _) = open().await;
    test.lay(FOLDER, 1, good().breaking("required")).await;
    let mender = test.member("mender", &[("nyc", DomainRole::Publisher)]).await;
    let lease = issued(mender.vends(ROWS, Action::Repair).await).lease;
    assert!(matches!(test.app.open(lease.id).await.unwrap().scope, Scope::Folder { .. }));
    let Vended::Refused(decision) = reader.vends(ROWS, Action::Repair).await.unwrap() else { panic!("open") };
    assert!(decision.lines.iter().any(|line| line.code == Code::PolicyDenied));

    test.admin.unassigns(&mender, "nyc").await.unwrap();
    assert_eq!(test.app.open(lease.id).await.unwrap_err(), Denied::Revoked);
}

#[tokio::test]
async fn a_service_account_is_as_able_as_the_person_who_answers_for_it() {
    let (test, _, reader, _) = open().await;
    test.account("robot", &reader).await;
    let token = test.token("robot").await;
    assert!(app::identity::sign_in(&test.app, &token).await.is_ok());
    test.admin.disables(reader.id()).await.unwrap();
    assert!(test.refuses(&token).await);
}

#[tokio::test]
async fn the_platform_keeps_an_admin_who_can_act() {
    let test = TestApp::start().await;
    let second = test.officer("second", PlatformRole::Admin).await;
    test.admin.disables(second.id()).await.unwrap();
    let own = app::identity::list_own_roles(&test.admin).await.unwrap()[0].id;
    assert!(matches!(app::identity::unassign_role(&test.admin, own, None).await, Err(Error::Conflict(_))));

    let recovered = app::token::recover_admin(&test.app).await.unwrap();
    assert!(app::identity::sign_in(&test.app, recovered.token.expose()).await.is_ok());
}

#[tokio::test]
async fn the_last_good_snapshot_is_served_however_many_bad_ones_came_since() {
    let test = TestApp::start().await;
    let mode = "status: active\ncustomProperties:\n  - property: gateMode\n    value: last_good";
    let owner = publish(&test, &CONTRACT.replace("status: active", mode)).await;
    let last_good = owner.leases(ROWS).await.lease.snapshot_id;
    // One more than the decision looks back by itself.
    for version in 1..=9 {
        test.lay(FOLDER, version, good().breaking("required")).await;
    }
    assert_eq!(owner.leases(ROWS).await.lease.snapshot_id, last_good);
}

#[tokio::test]
async fn a_table_that_went_back_is_served_as_it_is() {
    let (test, _, reader, _) = open().await;
    test.lay(FOLDER, 1, good().failing(InspectionError::Died("killed".to_owned()))).await;
    assert!(reader.refusals(ROWS).await.contains(&"quality.error".to_owned()));
    std::fs::remove_file(test.table_folder(FOLDER).join("_delta_log/00000000000000000001.json")).unwrap();
    test.settle().await;
    reader.leases(ROWS).await;
}

#[tokio::test]
async fn an_inspection_that_fails_later_leaves_open_leases_their_files() {
    let (test, owner, reader, _) = open().await;
    test.lay(FOLDER, 1, good()).await;
    let lease = reader.leases(ROWS).await.lease.id;
    test.inspector.set(test.table_folder(FOLDER), good().failing(InspectionError::Died("killed".to_owned())));
    // The log lost its newest entry, so its snapshot is looked at again.
    std::fs::remove_file(test.table_folder(FOLDER).join("_delta_log/00000000000000000001.json")).unwrap();
    test.settle().await;
    assert!(reader.refusals(ROWS).await.contains(&"quality.error".to_owned()));

    // What is kept of open leases goes with the access revision.
    owner.grants(&test.principal("other").await, access_to(ROWS)).await.unwrap();
    assert!(matches!(test.app.open(lease).await.unwrap().scope, Scope::Pinned { .. }));
}

#[tokio::test]
async fn only_reading_and_repair_are_vended_and_only_the_server_inspects() {
    let (_test, owner, ..) = open().await;
    for action in [Action::Write, Action::Inspect] {
        assert_eq!(owner.vends(ROWS, action).await.unwrap_err().kind(), Kind::Invalid, "{action}");
    }
    assert_eq!(owner.asks_why(ROWS, Action::Inspect).await.unwrap_err().kind(), Kind::Invalid);
}

#[tokio::test]
async fn a_token_made_for_a_purpose_asks_for_no_other() {
    let (_test, _, reader, _) = open().await;
    let address: Address = ROWS.parse().unwrap();
    let ask = async |of_token, purpose| {
        let actor = Actor { purpose: Some(of_token), ..Actor::clone(&reader.actor) };
        let bound = Ctx { actor: Arc::new(actor), ..Ctx::clone(&reader) };
        let command = Vend { address: address.clone(), action: Action::Read, purpose, lifetime: None };
        app::gate::vend(&bound, command).await
    };
    let (analytics, support) = (PurposeCode::Analytics, PurposeCode::Support);
    assert_eq!(ask(analytics, Some(support)).await.unwrap_err().kind(), Kind::Invalid);
    assert!(matches!(ask(analytics, Some(analytics)).await.unwrap(), Vended::Issued(_)));
    // Without a purpose in the request, that of the token counts, and the grant is for another.
    assert!(matches!(ask(support, None).await.unwrap(), Vended::Refused(_)));
    assert!(matches!(ask(analytics, None).await.unwrap(), Vended::Issued(_)));
}

#[tokio::test]
async fn a_decision_without_credentials_is_never_an_old_one() {
    let (_test, owner, reader, grant) = open().await;
    let allowed = async || reader.asks_why(ROWS, Action::Read).await.unwrap().unwrap().allowed;
    assert!(allowed().await);
    owner.revokes(grant).await.unwrap();
    assert!(!allowed().await);
}

#[tokio::test]
async fn every_answer_of_a_vend_leaves_its_record() {
    let (test, _, reader, _) = open().await;
    let stranger = test.principal("stranger").await;
    let outcomes = async || {
        let records = test.records(app::audit::Action::CredentialVend).await;
        records.into_iter().map(|record| (record.actor, record.outcome)).collect::<Vec<_>>()
    };
    let by = |ctx: &Ctx, outcome| (ctx.actor.principal.id.to_string(), outcome);
    reader.leases(ROWS).await;
    assert_eq!(outcomes().await, [by(&reader, Outcome::Done)]);
    test.clock.advance(Duration::from_millis(1));
    stranger.refusals(ROWS).await;
    assert_eq!(outcomes().await, [by(&stranger, Outcome::Refused), by(&reader, Outcome::Done)]);
    test.clock.advance(Duration::from_millis(1));
    let missing = reader.vends("nyc.race.nothing", Action::Read).await;
    assert_eq!(missing.unwrap_err().kind(), Kind::NotFound);
    assert_eq!(outcomes().await[0], by(&reader, Outcome::Refused));
    assert_eq!(outcomes().await.len(), 3);
}

#[tokio::test]
async fn a_detail_names_a_column_to_those_who_may_know_of_its_classification() {
    let test = TestApp::start().await;
    let secret = CONTRACT.replace("- name: id\n", "- name: id\n        classification: confidential\n");
    let owner = publish(&test, &secret).await;
    test.lay(FOLDER, 1, Scene::of("id:integer other:string").breaking("required")).await;
    let Vended::Refused(decision) = owner.vends(ROWS, Action::Read).await.unwrap() else { panic!("open") };
    let lines = decision.lines.iter().filter(|line| matches!(line.check, Check::Conformance | Check::Quality));
    let details: Vec<_> = lines.flat_map(|line| &line.details).collect();
    assert_eq!(details.len(), 2, "{details:?}");
    for detail in details {
        assert_eq!(detail.right, DetailRight::Column(Classification::Confidential), "{detail:?}");
    }
}

#[tokio::test]
async fn a_role_elsewhere_and_a_grant_on_something_else_are_no_right() {
    let (test, owner, reader, _) = open().await;
    let elsewhere = test.domain("lax").await;
    let consumer = test.member("consumer", &[("nyc", DomainRole::Consumer)]).await;
    for ctx in [&elsewhere, &consumer] {
        assert_eq!(ctx.refusals(ROWS).await, ["policy.denied", "grant.missing"]);
    }
    let walk = |text: &str| text.replace("race", "walk").replace("Race", "Walk");
    test.publish(&owner, "nyc", &[&walk(PRODUCT), &walk(CONTRACT)]).await;
    test.lay("nyc/walk", 0, good()).await;
    let other = reader.asks_why("nyc.walk.rows", Action::Read).await.unwrap().unwrap();
    assert!(other.lines.iter().any(|line| line.code == Code::GrantMissing), "{other:?}");
}

#[tokio::test]
async fn a_contract_that_asks_for_digests_has_the_snapshot_inspected_again_with_them() {
    let test = TestApp::start().await;
    let pinned = |value: &str| {
        let setting = format!("status: active\ncustomProperties:\n  - property: pinned\n    value: {value}\n");
        CONTRACT.replace("status: active\n", &setting)
    };
    let owner = publish(&test, &pinned("true")).await;
    let engines = async || {
        let mut tx = test.app.db.read().await.unwrap();
        let table = store::table::list(&mut tx, &Seek::first(1)).await.unwrap().items.remove(0);
        let verdicts = store::binding::list_verdicts_of_snapshots(&mut tx, &[table.head.unwrap()]).await.unwrap();
        verdicts.into_iter().map(|verdict| verdict.engine).collect::<Vec<_>>()
    };
    assert_eq!(engines().await, ["a scene"]);
    let next = pinned("digest").replace("version: 1.0.0", "version: 1.1.0");
    test.publish(&owner, "nyc", &[PRODUCT, &next]).await;
    assert_eq!(engines().await, ["a scene", "a scene with digests"]);
    owner.leases(ROWS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readiness_is_probed_once_for_all_who_ask_at_the_same_time() {
    let test = TestApp::start().await;
    let probe = |_| {
        let app = std::sync::Arc::clone(&test.app);
        tokio::spawn(async move { app.faults().await })
    };
    let probes: Vec<_> = (0..32).map(probe).collect();
    for faults in probes {
        assert_eq!(faults.await.unwrap(), []);
    }
}
