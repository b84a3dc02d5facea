//! Tables to which several products are bound: who binds them, how their data is judged, and when a binding falls.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use app::grant::Revoked;
use app::lease::{Denied, Leases};
use app::publish::{DocumentSet, Outcome, apply};
use domain::error::Kind;
use domain::gate::Action;
use domain::id::{GrantId, LeaseId};
use domain::identity::DomainRole;
use domain::lease::{Lease, LeaseState};
use store::Seek;
use testkit::actor::{TestActor, access_to, refused};
use testkit::app::{TestApp, set};
use testkit::inspector::Scene;

const ADDRESS: &str = "fin.copy.rows";

/// A product with a contract whose one table lies in `folder`.
fn documents(name: &str, folder: &str, classification: &str) -> [String; 2] {
    let product = format!(
        "apiVersion: v1.0.0\nkind: DataProduct\nid: {name}-product\nname: {name}\nstatus: active\n\
         customProperties:\n  - property: classification\n    value: {classification}\n\
         outputPorts:\n  - name: rows\n    version: 1.0.0\n    contractId: {name}-contract\n"
    );
    let contract = format!(
        "apiVersion: v3.1.0\nkind: DataContract\nid: {name}-contract\nversion: 1.0.0\nstatus: active\n\
         servers:\n  - server: lake\n    type: local\n    path: {folder}\n    format: delta\n\
         schema:\n  - name: rows\n    logicalType: object\n    properties:\n      - name: id\n        \
         logicalType: integer\n        classification: public\n"
    );
    [product, contract]
}

async fn publish(actor: &TestActor, domain: &str, documents: &[String]) -> Outcome {
    actor.publishes(domain, documents).await.unwrap()
}

#[track_caller]
fn taken(outcome: &Outcome) {
    assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
}

#[track_caller]
fn not_available(outcome: &Outcome) {
    let Outcome::Invalid(problems) = outcome else { panic!("taken: {outcome:?}") };
    assert!(problems.len() == 1 && problems[0].message.contains("not available"), "{problems:?}");
}

/// The domains `sales` and `fin`, the table of `sales.orders`, and somebody who owns both.
struct World {
    test: TestApp,
    sales: TestActor,
    fin: TestActor,
    maker: TestActor,
}

impl World {
    async fn new(classification: &str) -> Self {
        Self::on(TestApp::start().await, classification).await
    }

    async fn on(test: TestApp, classification: &str) -> Self {
        let (sales, fin) = (test.domain("sales").await, test.domain("fin").await);
        let maker = test.member("maker", &[("sales", DomainRole::Owner), ("fin", DomainRole::Owner)]).await;
        taken(&publish(&sales, "sales", &documents("orders", "sales/orders", classification)).await);
        test.lay("sales/orders", 0, Scene::of("id:integer")).await;
        Self { test, sales, fin, maker }
    }

    /// The same, with the table bound into `fin.copy` under a rule of its own.
    async fn under(rule: &str) -> Self {
        let policy = policy::Policy::with_files(&[("rule.cedar", rule)]).unwrap();
        let world = Self::on(TestApp::start_under(policy).await, "internal").await;
        world.bind(&world.maker).await;
        world
    }

    /// The same, with the table bound into `fin.copy`, and a reader with a grant there and an open lease.
    async fn shared(classification: &str) -> (Self, TestActor, GrantId, LeaseId) {
        let world = Self::new(classification).await;
        world.bind(&world.maker).await;
        let reader = world.test.principal("reader").await;
        let grant = world.fin.grants(&reader, access_to(ADDRESS)).await.unwrap();
        let lease = reader.leases(ADDRESS).await.lease.id;
        world.test.app.open(lease).await.unwrap();
        (world, reader, grant, lease)
    }

    /// The stored lease is revoked, and the gateway would refuse it if it were not.
    async fn has_ended(&self, id: LeaseId) {
        let lease = self.test.lease(id).await;
        assert_eq!(lease.state, LeaseState::Revoked);
        let untouched = self.test.insert_lease(Lease { state: LeaseState::Issued, ..lease }).await;
        assert_eq!(self.test.app.open(id).await.unwrap_err(), Denied::Revoked);
        assert_eq!(self.test.app.open(untouched.id).await.unwrap_err(), Denied::Revoked);
    }

    async fn bind(&self, ctx: &TestActor) {
        taken(&publish(ctx, "fin", &documents("copy", "sales/orders", "public")).await);
        self.test.settle().await;
    }
}

#[tokio::test]
async fn a_table_is_bound_into_another_product_by_an_owner_of_every_product_on_it() {
    let world = World::new("restricted").await;
    let copy = documents("copy", "sales/orders", "public");
    let roles = [("sales", DomainRole::Publisher), ("fin", DomainRole::Owner)];
    let publisher = world.test.member("publisher", &roles).await;
    not_available(&publish(&publisher, "fin", &copy).await);
    not_available(&publish(&world.fin, "fin", &copy).await);
    world.bind(&world.maker).await;

    // A third product needs an owner of both, not of the table's own product alone.
    world.test.domain("hr").await;
    let third = documents("third", "sales/orders", "public");
    let of_one = [("sales", DomainRole::Owner), ("fin", DomainRole::Publisher), ("hr", DomainRole::Owner)];
    not_available(&publish(&world.test.member("of-one", &of_one).await, "hr", &third).await);
    let of_both = [("sales", DomainRole::Owner), ("fin", DomainRole::Owner), ("hr", DomainRole::Publisher)];
    taken(&publish(&world.test.member("of-both", &of_both).await, "hr", &third).await);
}

#[tokio::test]
async fn a_publisher_does_not_publish_a_folder_of_its_domain_again_under_another_product() {
    let world = World::new("restricted").await;
    let publisher = world.test.member("publisher", &[("sales", DomainRole::Publisher)]).await;
    let again = documents("again", "sales/orders", "public");
    not_available(&publish(&publisher, "sales", &again).await);
    taken(&publish(&world.sales, "sales", &again).await);
    let stranger = world.test.principal("stranger").await;
    assert_eq!(stranger.refusals("sales.again.rows").await, ["visibility.classified"]);
}

#[tokio::test]
async fn two_products_of_one_set_share_a_new_folder_by_an_owner() {
    let world = World::new("internal").await;
    let publisher = world.test.member("publisher", &[("sales", DomainRole::Publisher)]).await;
    let [one, other] = ["one", "other"].map(|name| documents(name, "sales/new", "internal"));
    let both = [one, other].concat();
    not_available(&publish(&publisher, "sales", &both).await);
    taken(&publish(&world.sales, "sales", &both).await);
    assert_eq!(n_sharing(&world.test, "sales/new").await, 2);
}

async fn n_sharing(test: &TestApp, location: &str) -> usize {
    let mut tx = test.app.db.read().await.unwrap();
    let table = store::table::find_by_location(&mut tx, &location.parse().unwrap()).await.unwrap().unwrap();
    let shares = store::share::list_of_table(&mut tx, table.id).await.unwrap();
    assert_eq!(table.shared, !shares.is_empty());
    shares.len()
}

#[tokio::test]
async fn a_table_of_one_product_has_no_row_about_sharing() {
    let world = World::new("internal").await;
    assert_eq!(n_sharing(&world.test, "sales/orders").await, 0);
    let publisher = world.test.member("publisher", &[("sales", DomainRole::Publisher)]).await;
    let [product, contract] = documents("orders", "sales/orders", "internal");
    let next = [product.replace("version: 1", "version: 2"), contract.replace("version: 1.0.0", "version: 2.0.0")];
    taken(&publish(&publisher, "sales", &next).await);
    assert_eq!(n_sharing(&world.test, "sales/orders").await, 0);
}

#[tokio::test]
async fn a_shared_table_is_judged_by_its_highest_classification() {
    let world = World::new("restricted").await;
    world.bind(&world.maker).await;
    let stranger = world.test.principal("stranger").await;
    let refusal = world.fin.grants(&stranger, access_to(ADDRESS)).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::Forbidden, "{refusal:?}");
    assert_eq!(stranger.refusals(ADDRESS).await, ["visibility.classified"]);
    // Those who may know of restricted data of `fin` are told what is missing.
    let consumer = world.test.member("consumer", &[("fin", DomainRole::Consumer)]).await;
    assert_eq!(consumer.refusals(ADDRESS).await, ["visibility.classified"]);
    world.fin.leases(ADDRESS).await;

    taken(&publish(&world.sales, "sales", &documents("orders", "sales/orders", "internal")).await);
    assert_eq!(stranger.refusals(ADDRESS).await, ["policy.denied", "grant.missing"]);
    world.fin.grants(&stranger, access_to(ADDRESS)).await.unwrap();
    world.test.settle().await;
    stranger.leases(ADDRESS).await;
}

#[tokio::test]
async fn the_policies_are_asked_with_the_highest_classification() {
    let rule = r#"@id("restricted-is-not-read")
        forbid (principal is Principal, action == Action::"read", resource is Binding)
        when { resource.product.classification == Classification::"restricted" };"#;
    let world = World::under(rule).await;
    let open = world.maker.leases(ADDRESS).await.lease.id;
    taken(&publish(&world.sales, "sales", &documents("orders", "sales/orders", "restricted")).await);
    assert_eq!(world.maker.refusals(ADDRESS).await, ["policy.denied"]);
    world.has_ended(open).await;
}

#[tokio::test]
async fn leases_end_whose_holder_may_not_know_of_the_classification_that_another_product_brings() {
    let rule = r#"@id("confidential-is-hidden")
        forbid (principal is Principal, action == Action::"viewProduct", resource is Product)
        when { resource.classification == Classification::"confidential" };"#;
    let world = World::under(rule).await;
    let open = world.maker.leases(ADDRESS).await.lease.id;
    taken(&publish(&world.sales, "sales", &documents("orders", "sales/orders", "confidential")).await);
    assert_eq!(world.maker.refusals(ADDRESS).await, ["visibility.classified"]);
    world.has_ended(open).await;
}

#[tokio::test]
async fn a_binding_falls_with_the_role_of_whoever_consented_and_an_owner_renews_it() {
    let (world, reader, _, open) = World::shared("internal").await;
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    world.has_ended(open).await;
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.consent_ended"]);
    assert_eq!(refused(world.fin.vends(ADDRESS, Action::Repair).await), ["scope.consent_ended"]);
    assert!(!reader.asks_why(ADDRESS, Action::Read).await.unwrap().unwrap().allowed);

    // Whoever may not consent is told; an owner of both renews it, by the same documents.
    let copy = documents("copy", "sales/orders", "public");
    let Outcome::Done(report) = publish(&world.fin, "fin", &copy).await else { panic!("not taken") };
    assert!(report.warnings.iter().any(|warning| warning.message.contains("consent has ended")), "{report:?}");
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.consent_ended"]);
    let both = [("sales", DomainRole::Owner), ("fin", DomainRole::Publisher)];
    let renewer = world.test.member("renewer", &both).await;
    world.bind(&renewer).await;
    reader.leases(ADDRESS).await;
}

#[tokio::test]
async fn a_binding_falls_while_whoever_consented_is_disabled() {
    let (world, reader, _, open) = World::shared("internal").await;
    let maker = world.maker.id();
    world.test.admin.disables(maker).await.unwrap();
    world.has_ended(open).await;
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.consent_ended"]);
    world.test.admin.enables(maker).await.unwrap();
    reader.leases(ADDRESS).await;
}

#[tokio::test]
async fn the_consent_of_a_service_account_falls_with_the_person_behind_it() {
    let world = World::new("internal").await;
    let person = world.test.principal("person").await;
    world.test.account("robot", &person).await;
    for domain in ["sales", "fin"] {
        world.test.assign("robot", domain, DomainRole::Owner).await;
    }
    world.bind(&world.test.ctx("robot").await).await;
    world.fin.leases(ADDRESS).await;
    world.test.admin.disables(person.id()).await.unwrap();
    assert_eq!(world.fin.refusals(ADDRESS).await, ["scope.consent_ended"]);
}

#[tokio::test]
async fn a_products_own_table_outlives_everybody_who_made_it() {
    let (world, ..) = World::shared("internal").await;
    let next = world.test.member("next", &[("sales", DomainRole::Owner)]).await;
    world.test.admin.unassigns(&world.sales, "sales").await.unwrap();
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    for id in [world.sales.id(), world.maker.id()] {
        world.test.admin.disables(id).await.unwrap();
    }
    next.leases("sales.orders.rows").await;
    world.test.lay("sales/orders", 1, Scene::of("id:integer")).await;
    next.leases("sales.orders.rows").await;
}

/// `sales` without its product.
fn pruned(documents: &[String]) -> DocumentSet {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    DocumentSet { prune: true, ..set("sales", &texts) }
}

#[tokio::test]
async fn a_binding_falls_when_the_owning_product_retires_and_an_owner_takes_the_table_over() {
    let (world, reader, _, open) = World::shared("internal").await;
    taken(&apply(&world.sales, pruned(&[])).await.unwrap());
    world.has_ended(open).await;
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.owner_retired"]);

    let copy = documents("copy", "sales/orders", "public");
    taken(&publish(&world.fin, "fin", &copy).await);
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.owner_retired"]);
    world.bind(&world.maker).await;
    reader.leases(ADDRESS).await;
    // From now on the table is `fin`'s own.
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    reader.leases(ADDRESS).await;
}

#[tokio::test]
async fn a_successor_in_the_same_set_takes_the_table_over_and_consents_are_renewed() {
    let (world, reader, ..) = World::shared("internal").await;
    taken(&apply(&world.sales, pruned(&documents("again", "sales/orders", "internal"))).await.unwrap());
    world.test.settle().await;
    world.sales.leases("sales.again.rows").await;
    assert_eq!(reader.refusals(ADDRESS).await, ["scope.consent_ended"]);
    world.bind(&world.maker).await;
    reader.leases(ADDRESS).await;
}

#[tokio::test]
async fn a_fallen_binding_is_not_inspected_and_blocks_no_other() {
    let (world, reader, ..) = World::shared("internal").await;
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    world.test.lay("sales/orders", 1, Scene::of("id:integer")).await;
    world.sales.leases("sales.orders.rows").await;
    let target = app::table::find_table(&reader, &ADDRESS.parse().unwrap()).await.unwrap().unwrap();
    let mut tx = world.test.app.db.read().await.unwrap();
    let head = target.table.head.unwrap();
    let verdicts = store::binding::list_verdicts_of_snapshots(&mut tx, &[head]).await.unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.binding_id != target.binding.id), "{verdicts:?}");
    drop(tx);

    // Nor is its product asked for when the table is shared again.
    world.test.domain("hr").await;
    let roles = [("sales", DomainRole::Owner), ("hr", DomainRole::Owner)];
    let other = world.test.member("other", &roles).await;
    taken(&publish(&other, "hr", &documents("third", "sales/orders", "public")).await);
}

#[tokio::test]
async fn snapshots_are_shown_through_a_binding_that_stands_to_those_who_may_know_of_the_data() {
    let world = World::new("restricted").await;
    world.bind(&world.maker).await;
    let stranger = world.test.principal("stranger").await;
    let n_seen = async |ctx: &TestActor, address: &str| {
        let target = app::table::find_table(ctx, &address.parse().unwrap()).await.unwrap().unwrap();
        app::table::list_snapshots(ctx, &target, &Seek::first(9)).await.unwrap().items.len()
    };
    assert_eq!(n_seen(&stranger, ADDRESS).await, 0);
    assert_eq!(n_seen(&world.fin, ADDRESS).await, 1);
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    assert_eq!(n_seen(&world.fin, ADDRESS).await, 0);
    assert_eq!(n_seen(&world.sales, "sales.orders.rows").await, 1);
}

#[tokio::test]
async fn owners_of_every_product_on_a_table_see_what_is_about_it_and_revoke() {
    let (world, reader, grant, lease_id) = World::shared("internal").await;
    let first = Seek::first(50);
    let seen = async |ctx: &TestActor| {
        let grants = app::grant::list_grants(ctx, first.clone()).await.unwrap().items;
        let leases = app::lease::list_leases(ctx, Seek::first(50)).await.unwrap().items;
        let decisions = app::gate::list_decisions(ctx, Seek::first(50)).await.unwrap().items;
        (grants.iter().any(|seen| seen.id == grant), leases.iter().any(|seen| seen.id == lease_id), decisions.len())
    };
    assert_eq!(seen(&world.sales).await, (true, true, 1));
    assert_eq!(app::grant::load_grants(&world.sales, &[grant]).await.unwrap().len(), 1);
    assert_eq!(app::lease::load_leases(&world.sales, &[lease_id]).await.unwrap().len(), 1);
    // A publisher there does not, nor do owners elsewhere.
    let publisher = world.test.member("publisher", &[("sales", DomainRole::Publisher)]).await;
    let elsewhere = world.test.domain("hr").await;
    for ctx in [&publisher, &elsewhere] {
        assert_eq!(seen(ctx).await, (false, false, 0));
        let refusal = ctx.revokes(grant).await.unwrap_err();
        assert_eq!(refusal.kind(), Kind::NotFound);
    }

    let revoked = world.sales.revokes(grant).await.unwrap();
    assert!(matches!(revoked, Revoked::Done(_, ended) if ended.len() == 1));
    assert_eq!(world.test.app.open(lease_id).await.unwrap_err(), Denied::Revoked);
    assert_eq!(reader.refusals(ADDRESS).await, ["policy.denied", "grant.revoked"]);
}

#[tokio::test]
async fn owners_of_a_product_whose_consent_ended_see_what_goes_through_it_alone() {
    let (world, _, own, _) = World::shared("internal").await;
    let other = world.test.principal("other").await;
    let grant = world.sales.grants(&other, access_to("sales.orders.rows")).await.unwrap();
    let n_seen = async |id: GrantId| app::grant::load_grants(&world.fin, &[id]).await.unwrap().len();
    assert_eq!((n_seen(own).await, n_seen(grant).await), (1, 1));
    world.test.admin.unassigns(&world.maker, "sales").await.unwrap();
    assert_eq!((n_seen(own).await, n_seen(grant).await), (1, 0));
    let refusal = world.fin.revokes(grant).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::NotFound);
}

#[tokio::test]
async fn what_a_product_does_beside_a_shared_table_is_its_own() {
    let (world, _, _, shared) = World::shared("internal").await;
    // Another port of the same product, with a table of its own.
    let [product, _] = documents("copy", "sales/orders", "public");
    let [_, contract] = documents("own", "fin/own", "internal");
    let port = "  - name: own\n    version: 1.0.0\n    contractId: own-contract\n";
    let contract = contract.replace("- name: rows", "- name: lines");
    taken(&publish(&world.fin, "fin", &[format!("{product}{port}"), contract]).await);
    world.test.lay("fin/own", 0, Scene::of("id:integer")).await;
    let other = world.test.principal("other").await;
    let grant = world.fin.grants(&other, access_to("fin.copy.lines")).await.unwrap();
    other.leases("fin.copy.lines").await;
    let grants = app::grant::list_grants(&world.sales, Seek::first(50)).await.unwrap().items;
    assert!(grants.iter().all(|seen| seen.id != grant), "{grants:?}");
    let refusal = world.sales.revokes(grant).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::NotFound);
    let leases = app::lease::list_leases(&world.sales, Seek::first(50)).await.unwrap().items;
    assert_eq!(leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [shared]);
    assert_eq!(app::gate::list_decisions(&world.sales, Seek::first(50)).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_product_stays_as_sensitive_as_it_was_until_an_owner_lowers_it() {
    let world = World::new("restricted").await;
    let publisher = world.test.member("publisher", &[("sales", DomainRole::Publisher)]).await;
    let stranger = world.test.principal("stranger").await;
    let public = documents("orders", "sales/orders", "public");
    let is_known = async || {
        let (domain, name) = ("sales".parse().unwrap(), "orders".parse().unwrap());
        app::product::find_product(&stranger, &domain, &name).await.unwrap().is_some()
    };
    let Outcome::Done(report) = publish(&publisher, "sales", &public).await else { panic!("not taken") };
    assert!(report.warnings.iter().any(|warning| warning.message.contains("stays `restricted`")), "{report:?}");
    assert!(!is_known().await);
    taken(&publish(&world.sales, "sales", &public).await);
    assert!(is_known().await);
}

#[tokio::test]
async fn a_draft_that_moves_away_gives_its_right_to_the_table_up() {
    let world = World::new("internal").await;
    let [product, contract] = documents("copy", "sales/orders", "public");
    let draft = contract.replace("status: active", "status: draft");
    taken(&publish(&world.maker, "fin", &[product.clone(), draft.clone()]).await);
    assert_eq!(n_sharing(&world.test, "sales/orders").await, 2);
    taken(&publish(&world.fin, "fin", &[product.clone(), draft.replace("sales/orders", "fin/own")]).await);
    assert_eq!(n_sharing(&world.test, "sales/orders").await, 0);
    not_available(&publish(&world.fin, "fin", &[product, draft]).await);
}
