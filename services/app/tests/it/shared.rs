//! Tables to which several products are bound: who binds them, how their data is judged, and when a binding falls.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests ends the test")]

use app::Ctx;
use app::error::Error;
use app::gate::{Vend, Vended};
use app::grant::{Answer, ApproveRequest, RequestAccess, Revoked};
use app::identity::{CreatePrincipal, NewKind, NewRole};
use app::lease::{Denied, Leases};
use app::publish::{DocumentSet, Outcome, apply};
use app::target::PortTarget;
use domain::error::Kind;
use domain::gate::{Action, LineOutcome};
use domain::grant::Purpose;
use domain::id::{GrantId, LeaseId};
use domain::identity::{DomainRole, PurposeCode};
use domain::lease::{Lease, LeaseState};
use store::{Lock, Seek};
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

async fn publish(ctx: &Ctx, domain: &str, documents: &[String]) -> Outcome {
    let texts: Vec<&str> = documents.iter().map(String::as_str).collect();
    apply(ctx, set(domain, &texts)).await.unwrap()
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

async fn with_roles(test: &TestApp, subject: &str, roles: &[(&str, DomainRole)]) -> Ctx {
    let mut ctx = test.principal(subject).await;
    for (domain, role) in roles {
        ctx = test.assign(subject, NewRole::Domain(domain.parse().unwrap(), *role)).await;
    }
    ctx
}

/// The domains `sales` and `fin`, the table of `sales.orders`, and somebody who owns both.
struct World {
    test: TestApp,
    sales: Ctx,
    fin: Ctx,
    maker: Ctx,
}

impl World {
    async fn new(classification: &str) -> Self {
        let test = TestApp::start().await;
        let (sales, fin) = (test.domain("sales").await, test.domain("fin").await);
        let maker = with_roles(&test, "maker", &[("sales", DomainRole::Owner), ("fin", DomainRole::Owner)]).await;
        taken(&publish(&sales, "sales", &documents("orders", "sales/orders", classification)).await);
        test.lay("sales/orders", 0, Scene::of("id:integer")).await;
        Self { test, sales, fin, maker }
    }

    /// The same, with the table bound into `fin.copy`, and a reader with a grant there and an open lease.
    async fn shared(classification: &str) -> (Self, Ctx, GrantId, LeaseId) {
        let world = Self::new(classification).await;
        world.bind(&world.maker).await;
        let reader = world.test.principal("reader").await;
        let grant = granted(&world.fin, &reader).await.unwrap();
        let lease = lease(&reader).await;
        world.test.app.open(lease).await.unwrap();
        (world, reader, grant, lease)
    }

    /// The stored lease is revoked, and the gateway would refuse it if it were not.
    async fn has_ended(&self, id: LeaseId) {
        let mut tx = self.test.app.db.write(Lock::FactsShared).await.unwrap();
        let lease = store::lease::get(&mut tx, id).await.unwrap();
        assert_eq!(lease.state, LeaseState::Revoked);
        let untouched = Lease { id: LeaseId::random(self.test.random.as_ref()), state: LeaseState::Issued, ..lease };
        store::lease::insert(&mut tx, &untouched).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(self.test.app.open(untouched.id).await.unwrap_err(), Denied::Revoked);
    }

    async fn bind(&self, ctx: &Ctx) {
        taken(&publish(ctx, "fin", &documents("copy", "sales/orders", "public")).await);
        self.test.settle().await;
    }

    /// Takes a role away from somebody.
    async fn unassign(&self, ctx: &Ctx, domain: &str) {
        let domain = app::org::find_domain(ctx, &domain.parse().unwrap()).await.unwrap().unwrap();
        let roles = app::identity::list_own_roles(ctx).await.unwrap();
        let of_domain =
            |role: domain::identity::Role| matches!(role, domain::identity::Role::Domain(id, _) if id == domain.id);
        let role = roles.iter().find(|assignment| of_domain(assignment.role)).unwrap();
        app::identity::unassign_role(&self.test.admin, role.id, None).await.unwrap();
    }
}

async fn granted(owner: &Ctx, reader: &Ctx) -> Result<GrantId, Error> {
    testkit::app::grant(owner, reader, ADDRESS).await
}

async fn vend(ctx: &Ctx, address: &str, action: Action) -> Vended {
    let command = Vend { address: address.parse().unwrap(), action, purpose: None, lifetime: None };
    app::gate::vend(ctx, command).await.unwrap()
}

async fn lease(ctx: &Ctx) -> LeaseId {
    match vend(ctx, ADDRESS, Action::Read).await {
        Vended::Issued(issued) => issued.lease.id,
        Vended::Refused(decision) => panic!("shut: {decision:?}"),
    }
}

/// The codes of what fails.
async fn refused(ctx: &Ctx, address: &str, action: Action) -> Vec<String> {
    match vend(ctx, address, action).await {
        Vended::Issued(_) => panic!("open"),
        Vended::Refused(decision) => {
            let failing = decision.lines.into_iter().filter(|line| line.outcome == LineOutcome::Fails);
            failing.map(|line| line.code.to_string()).collect()
        }
    }
}

#[tokio::test]
async fn a_table_is_bound_into_another_product_by_an_owner_of_every_product_on_it() {
    let world = World::new("restricted").await;
    let copy = documents("copy", "sales/orders", "public");
    let roles = [("sales", DomainRole::Publisher), ("fin", DomainRole::Owner)];
    let publisher = with_roles(&world.test, "publisher", &roles).await;
    not_available(&publish(&publisher, "fin", &copy).await);
    not_available(&publish(&world.fin, "fin", &copy).await);
    world.bind(&world.maker).await;

    // A third product needs an owner of both, not of the table's own product alone.
    world.test.domain("hr").await;
    let third = documents("third", "sales/orders", "public");
    let of_one = [("sales", DomainRole::Owner), ("fin", DomainRole::Publisher), ("hr", DomainRole::Owner)];
    not_available(&publish(&with_roles(&world.test, "of-one", &of_one).await, "hr", &third).await);
    let of_both = [("sales", DomainRole::Owner), ("fin", DomainRole::Owner), ("hr", DomainRole::Publisher)];
    taken(&publish(&with_roles(&world.test, "of-both", &of_both).await, "hr", &third).await);
}

#[tokio::test]
async fn a_publisher_does_not_publish_a_folder_of_its_domain_again_under_another_product() {
    let world = World::new("restricted").await;
    let publisher = with_roles(&world.test, "publisher", &[("sales", DomainRole::Publisher)]).await;
    let again = documents("again", "sales/orders", "public");
    not_available(&publish(&publisher, "sales", &again).await);
    taken(&publish(&world.sales, "sales", &again).await);
    let stranger = world.test.principal("stranger").await;
    assert_eq!(refused(&stranger, "sales.again.rows", Action::Read).await, ["visibility.classified"]);
}

#[tokio::test]
async fn two_products_of_one_set_share_a_new_folder_by_an_owner() {
    let world = World::new("internal").await;
    let publisher = with_roles(&world.test, "publisher", &[("sales", DomainRole::Publisher)]).await;
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
    let publisher = with_roles(&world.test, "publisher", &[("sales", DomainRole::Publisher)]).await;
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
    let refusal = granted(&world.fin, &stranger).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::Forbidden, "{refusal:?}");
    assert_eq!(refused(&stranger, ADDRESS, Action::Read).await, ["visibility.classified"]);
    // Those who may know of restricted data of `fin` are told what is missing.
    let consumer = with_roles(&world.test, "consumer", &[("fin", DomainRole::Consumer)]).await;
    assert_eq!(refused(&consumer, ADDRESS, Action::Read).await, ["visibility.classified"]);
    lease(&world.fin).await;

    taken(&publish(&world.sales, "sales", &documents("orders", "sales/orders", "internal")).await);
    assert_eq!(refused(&stranger, ADDRESS, Action::Read).await, ["policy.denied", "grant.missing"]);
    granted(&world.fin, &stranger).await.unwrap();
    world.test.settle().await;
    lease(&stranger).await;
}

#[tokio::test]
async fn the_policies_are_asked_with_the_highest_classification() {
    let rule = r#"@id("restricted-is-not-read")
        forbid (principal is Principal, action == Action::"read", resource is Binding)
        when { resource.product.classification == Classification::"restricted" };"#;
    let policy = policy::Policy::with_files(&[("rule.cedar", rule)]).unwrap();
    let test = TestApp::start_under(policy).await;
    let (sales, _) = (test.domain("sales").await, test.domain("fin").await);
    let maker = with_roles(&test, "maker", &[("sales", DomainRole::Owner), ("fin", DomainRole::Owner)]).await;
    taken(&publish(&sales, "sales", &documents("orders", "sales/orders", "internal")).await);
    test.lay("sales/orders", 0, Scene::of("id:integer")).await;
    taken(&publish(&maker, "fin", &documents("copy", "sales/orders", "public")).await);
    test.settle().await;
    let open = lease(&maker).await;
    taken(&publish(&sales, "sales", &documents("orders", "sales/orders", "restricted")).await);
    assert_eq!(refused(&maker, ADDRESS, Action::Read).await, ["policy.denied"]);
    World { test, sales: sales.clone(), fin: maker.clone(), maker }.has_ended(open).await;
}

#[tokio::test]
async fn leases_end_whose_holder_may_not_know_of_the_classification_that_another_product_brings() {
    let rule = r#"@id("confidential-is-hidden")
        forbid (principal is Principal, action == Action::"viewProduct", resource is Product)
        when { resource.classification == Classification::"confidential" };"#;
    let policy = policy::Policy::with_files(&[("rule.cedar", rule)]).unwrap();
    let test = TestApp::start_under(policy).await;
    let (sales, fin) = (test.domain("sales").await, test.domain("fin").await);
    let maker = with_roles(&test, "maker", &[("sales", DomainRole::Owner), ("fin", DomainRole::Owner)]).await;
    taken(&publish(&sales, "sales", &documents("orders", "sales/orders", "internal")).await);
    test.lay("sales/orders", 0, Scene::of("id:integer")).await;
    taken(&publish(&maker, "fin", &documents("copy", "sales/orders", "public")).await);
    test.settle().await;
    let open = lease(&maker).await;
    taken(&publish(&sales, "sales", &documents("orders", "sales/orders", "confidential")).await);
    assert_eq!(refused(&maker, ADDRESS, Action::Read).await, ["visibility.classified"]);
    World { test, sales, fin, maker }.has_ended(open).await;
}

#[tokio::test]
async fn a_binding_falls_with_the_role_of_whoever_consented_and_an_owner_renews_it() {
    let (world, reader, _, open) = World::shared("internal").await;
    world.unassign(&world.maker, "sales").await;
    world.has_ended(open).await;
    assert_eq!(world.test.app.open(open).await.unwrap_err(), Denied::Revoked);
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.consent_ended"]);
    assert_eq!(refused(&world.fin, ADDRESS, Action::Repair).await, ["scope.consent_ended"]);
    let why = app::gate::why(&reader, &ADDRESS.parse().unwrap(), Action::Read, None).await.unwrap().unwrap();
    assert!(!why.allowed);

    // Whoever may not consent is told; an owner of both renews it, by the same documents.
    let copy = documents("copy", "sales/orders", "public");
    let Outcome::Done(report) = publish(&world.fin, "fin", &copy).await else { panic!("not taken") };
    assert!(report.warnings.iter().any(|warning| warning.message.contains("consent has ended")), "{report:?}");
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.consent_ended"]);
    let both = [("sales", DomainRole::Owner), ("fin", DomainRole::Publisher)];
    let renewer = with_roles(&world.test, "renewer", &both).await;
    world.bind(&renewer).await;
    lease(&reader).await;
}

#[tokio::test]
async fn a_binding_falls_while_whoever_consented_is_disabled() {
    let (world, reader, _, open) = World::shared("internal").await;
    let maker = world.maker.actor.principal.id;
    app::identity::set_enabled(&world.test.admin, maker, false, None).await.unwrap();
    world.has_ended(open).await;
    assert_eq!(world.test.app.open(open).await.unwrap_err(), Denied::Revoked);
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.consent_ended"]);
    app::identity::set_enabled(&world.test.admin, maker, true, None).await.unwrap();
    lease(&reader).await;
}

#[tokio::test]
async fn the_consent_of_a_service_account_falls_with_the_person_behind_it() {
    let world = World::new("internal").await;
    let person = world.test.principal("person").await;
    let kind = NewKind::Service(Some(person.actor.principal.id));
    let command = CreatePrincipal { subject: "robot".to_owned(), kind, key: None };
    app::identity::create_principal(&world.test.admin, command).await.unwrap();
    for domain in ["sales", "fin"] {
        world.test.assign("robot", NewRole::Domain(domain.parse().unwrap(), DomainRole::Owner)).await;
    }
    world.bind(&world.test.ctx("robot").await).await;
    lease(&world.fin).await;
    app::identity::set_enabled(&world.test.admin, person.actor.principal.id, false, None).await.unwrap();
    assert_eq!(refused(&world.fin, ADDRESS, Action::Read).await, ["scope.consent_ended"]);
}

#[tokio::test]
async fn a_products_own_table_outlives_everybody_who_made_it() {
    let (world, ..) = World::shared("internal").await;
    let next = with_roles(&world.test, "next", &[("sales", DomainRole::Owner)]).await;
    world.unassign(&world.sales, "sales").await;
    world.unassign(&world.maker, "sales").await;
    for id in [world.sales.actor.principal.id, world.maker.actor.principal.id] {
        app::identity::set_enabled(&world.test.admin, id, false, None).await.unwrap();
    }
    assert!(matches!(vend(&next, "sales.orders.rows", Action::Read).await, Vended::Issued(_)));
    world.test.lay("sales/orders", 1, Scene::of("id:integer")).await;
    assert!(matches!(vend(&next, "sales.orders.rows", Action::Read).await, Vended::Issued(_)));
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
    assert_eq!(world.test.app.open(open).await.unwrap_err(), Denied::Revoked);
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.owner_retired"]);

    let copy = documents("copy", "sales/orders", "public");
    taken(&publish(&world.fin, "fin", &copy).await);
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.owner_retired"]);
    world.bind(&world.maker).await;
    lease(&reader).await;
    // From now on the table is `fin`'s own.
    world.unassign(&world.maker, "sales").await;
    lease(&reader).await;
}

#[tokio::test]
async fn a_successor_in_the_same_set_takes_the_table_over_and_consents_are_renewed() {
    let (world, reader, ..) = World::shared("internal").await;
    taken(&apply(&world.sales, pruned(&documents("again", "sales/orders", "internal"))).await.unwrap());
    world.test.settle().await;
    assert!(matches!(vend(&world.sales, "sales.again.rows", Action::Read).await, Vended::Issued(_)));
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["scope.consent_ended"]);
    world.bind(&world.maker).await;
    lease(&reader).await;
}

#[tokio::test]
async fn a_fallen_binding_is_not_inspected_and_blocks_no_other() {
    let (world, reader, ..) = World::shared("internal").await;
    world.unassign(&world.maker, "sales").await;
    world.test.lay("sales/orders", 1, Scene::of("id:integer")).await;
    assert!(matches!(vend(&world.sales, "sales.orders.rows", Action::Read).await, Vended::Issued(_)));
    let target = app::table::find_table(&reader, &ADDRESS.parse().unwrap()).await.unwrap().unwrap();
    let mut tx = world.test.app.db.read().await.unwrap();
    let head = target.table.head.unwrap();
    let verdicts = store::binding::list_verdicts_of_snapshots(&mut tx, &[head]).await.unwrap();
    assert!(verdicts.iter().all(|verdict| verdict.binding_id != target.binding.id), "{verdicts:?}");
    drop(tx);

    // Nor is its product asked for when the table is shared again.
    world.test.domain("hr").await;
    let roles = [("sales", DomainRole::Owner), ("hr", DomainRole::Owner)];
    let other = with_roles(&world.test, "other", &roles).await;
    taken(&publish(&other, "hr", &documents("third", "sales/orders", "public")).await);
}

#[tokio::test]
async fn snapshots_are_shown_through_a_binding_that_stands_to_those_who_may_know_of_the_data() {
    let world = World::new("restricted").await;
    world.bind(&world.maker).await;
    let stranger = world.test.principal("stranger").await;
    let n_seen = async |ctx: &Ctx, address: &str| {
        let target = app::table::find_table(ctx, &address.parse().unwrap()).await.unwrap().unwrap();
        app::table::list_snapshots(ctx, &target, &Seek::first(9)).await.unwrap().items.len()
    };
    assert_eq!(n_seen(&stranger, ADDRESS).await, 0);
    assert_eq!(n_seen(&world.fin, ADDRESS).await, 1);
    world.unassign(&world.maker, "sales").await;
    assert_eq!(n_seen(&world.fin, ADDRESS).await, 0);
    assert_eq!(n_seen(&world.sales, "sales.orders.rows").await, 1);
}

#[tokio::test]
async fn owners_of_every_product_on_a_table_see_what_is_about_it_and_revoke() {
    let (world, reader, grant, lease_id) = World::shared("internal").await;
    let first = Seek::first(50);
    let seen = async |ctx: &Ctx| {
        let grants = app::grant::list_grants(ctx, first.clone()).await.unwrap().items;
        let leases = app::lease::list_leases(ctx, Seek::first(50)).await.unwrap().items;
        let decisions = app::gate::list_decisions(ctx, Seek::first(50)).await.unwrap().items;
        (grants.iter().any(|seen| seen.id == grant), leases.iter().any(|seen| seen.id == lease_id), decisions.len())
    };
    assert_eq!(seen(&world.sales).await, (true, true, 1));
    assert_eq!(app::grant::load_grants(&world.sales, &[grant]).await.unwrap().len(), 1);
    assert_eq!(app::lease::load_leases(&world.sales, &[lease_id]).await.unwrap().len(), 1);
    // A publisher there does not, nor do owners elsewhere.
    let publisher = with_roles(&world.test, "publisher", &[("sales", DomainRole::Publisher)]).await;
    let elsewhere = world.test.domain("hr").await;
    for ctx in [&publisher, &elsewhere] {
        assert_eq!(seen(ctx).await, (false, false, 0));
        let refusal = app::grant::revoke_grant(ctx, grant, "not mine", None).await.unwrap_err();
        assert_eq!(refusal.kind(), Kind::NotFound);
    }

    let revoked = app::grant::revoke_grant(&world.sales, grant, "not with this data", None).await.unwrap();
    assert!(matches!(revoked, Revoked::Done(_, ended) if ended.len() == 1));
    assert_eq!(world.test.app.open(lease_id).await.unwrap_err(), Denied::Revoked);
    assert_eq!(refused(&reader, ADDRESS, Action::Read).await, ["policy.denied", "grant.revoked"]);
}

#[tokio::test]
async fn owners_of_a_product_whose_consent_ended_see_what_goes_through_it_alone() {
    let (world, _, own, _) = World::shared("internal").await;
    let other = world.test.principal("other").await;
    let grant = testkit::app::grant(&world.sales, &other, "sales.orders.rows").await.unwrap();
    let n_seen = async |id: GrantId| app::grant::load_grants(&world.fin, &[id]).await.unwrap().len();
    assert_eq!((n_seen(own).await, n_seen(grant).await), (1, 1));
    world.unassign(&world.maker, "sales").await;
    assert_eq!((n_seen(own).await, n_seen(grant).await), (1, 0));
    let refusal = app::grant::revoke_grant(&world.fin, grant, "not mine", None).await.unwrap_err();
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
    let command = RequestAccess {
        target: PortTarget::Table("fin.copy.lines".parse().unwrap()),
        purpose: Purpose::new(PurposeCode::Analytics, "to learn").unwrap(),
        from: None,
        until: None,
        key: None,
    };
    let request = app::grant::request_access(&other, command).await.unwrap();
    let approve = ApproveRequest { id: request.id, until: None, reason: None, key: None };
    let Answer::Done((_, grant)) = app::grant::approve_request(&world.fin, approve).await.unwrap() else {
        panic!("a fresh request is pending")
    };
    assert!(matches!(vend(&other, "fin.copy.lines", Action::Read).await, Vended::Issued(_)));
    let grants = app::grant::list_grants(&world.sales, Seek::first(50)).await.unwrap().items;
    assert!(grants.iter().all(|seen| seen.id != grant.id), "{grants:?}");
    let refusal = app::grant::revoke_grant(&world.sales, grant.id, "not mine", None).await.unwrap_err();
    assert_eq!(refusal.kind(), Kind::NotFound);
    let leases = app::lease::list_leases(&world.sales, Seek::first(50)).await.unwrap().items;
    assert_eq!(leases.iter().map(|lease| lease.id).collect::<Vec<_>>(), [shared]);
    assert_eq!(app::gate::list_decisions(&world.sales, Seek::first(50)).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn a_product_stays_as_sensitive_as_it_was_until_an_owner_lowers_it() {
    let world = World::new("restricted").await;
    let publisher = with_roles(&world.test, "publisher", &[("sales", DomainRole::Publisher)]).await;
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
