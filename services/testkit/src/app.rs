//! The whole of `app` on a database in a temporary folder, with a clock and an inspector that the test moves.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::data_dir::DataDir;
use app::identity::{AssignRole, CreatePrincipal, NewKind, NewRole, SignedIn};
use app::issuer::{Claims, Issuer, TokenKind};
use app::org::{CreateDomain, Created};
use app::publish::{DocumentSet, DocumentText, Outcome};
use app::{Actor, App, Ctx, Parts, Settings};
use domain::audit::{self, Record};
use domain::change::message::Format;
use domain::clock::Clock;
use domain::id::{LeaseId, RecordId, TokenId};
use domain::identity::{DomainRole, PlatformRole, Verifier};
use domain::lease::{Lease, Vendor};
use domain::name::DomainPath;
use domain::registry::{Schema, Subject, SubjectVersion};
use domain::token::MAX_CHAIN;
use policy::Policy;
use sqlx::{Connection as _, Executor as _};
use storage::LocalLake;
use store::revision::Revision;
use store::{Db, ListScope, Lock, Options, Seek};
use tempfile::TempDir;

use crate::actor::TestActor;
use crate::clock::{ManualClock, SeededRandom};
use crate::inspector::{FakeInspector, Scene};

/// An application under test.
pub struct TestApp {
    /// The application.
    pub app: Arc<App>,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Where its ids and secrets come from.
    pub random: Arc<SeededRandom>,
    /// Its inspector.
    pub inspector: Arc<FakeInspector>,
    /// The first admin.
    pub admin: TestActor,
    data: TempDir,
    wiring: Wiring,
}

/// The parts of an application under test.
pub struct Wiring {
    /// The database; a SQLite file of its own where there is none.
    pub url: Option<String>,
    /// The database's options.
    pub options: Options,
    /// The settings.
    pub settings: Settings,
    /// The vendor; the gateway's own where there is none.
    pub vendor: Option<Arc<dyn Vendor>>,
    /// The issuers beside the local one.
    pub verifiers: Vec<Arc<dyn Verifier>>,
}

impl Default for Wiring {
    fn default() -> Self {
        Self {
            url: None,
            options: Options::for_testing(),
            settings: Settings::for_testing(),
            vendor: None,
            verifiers: Vec::new(),
        }
    }
}

impl TestApp {
    /// On a SQLite file of its own.
    pub async fn start() -> Self {
        Self::start_on(None).await
    }

    /// On a database, or a SQLite file of its own.
    pub async fn start_on(url: Option<String>) -> Self {
        Self::start_with(url, Options::for_testing(), Settings::for_testing()).await
    }

    /// With settings of its own.
    pub async fn start_configured(settings: Settings) -> Self {
        Self::start_with(None, Options::for_testing(), settings).await
    }

    /// Under policies of its own.
    pub async fn start_under(policy: Policy) -> Self {
        Self::build(Wiring::default(), policy).await
    }

    /// With everything that can be chosen.
    pub async fn start_with(url: Option<String>, options: Options, settings: Settings) -> Self {
        Self::start_wired(Wiring { url, options, settings, ..Wiring::default() }).await
    }

    /// With parts of its own.
    pub async fn start_wired(wiring: Wiring) -> Self {
        Self::build(wiring, embedded()).await
    }

    /// With parts of its own, under policies of its own.
    pub async fn start_wired_under(wiring: Wiring, policy: Policy) -> Self {
        Self::build(wiring, policy).await
    }

    async fn build(wiring: Wiring, policy: Policy) -> Self {
        let data = TempDir::new().expect("a temporary folder");
        let clock = Arc::new(ManualClock::new());
        let inspector = Arc::new(FakeInspector::default());
        let random = Arc::new(SeededRandom::new(7));
        let app = wire(&data, &wiring, policy, &clock, &random, &inspector).await;
        let token = app::token::bootstrap_token(&app).await.expect("an answer").expect("a one-time token");
        let signed_in = app::identity::sign_in(&app, token.expose()).await.expect("a good token");
        let SignedIn::Bootstrap(id) = signed_in else { panic!("the one-time token is somebody's") };
        let token = app::token::redeem_bootstrap(&app, id, "test").await.expect("a first admin").token;
        let admin = sign_in(&app, token.expose()).await;
        Self { app, clock, random, inspector, admin, data, wiring }
    }

    /// Closes the application and starts another on its data, as a restarted server does.
    pub async fn restart(self) -> Self {
        self.restart_with(embedded(), |_| {}).await
    }

    /// The same, under other policies.
    pub async fn restart_under(self, policy: Policy) -> Self {
        self.restart_with(policy, |_| {}).await
    }

    /// The same; in between the database's file is the test's.
    pub async fn restart_after(self, meanwhile: impl FnOnce(&Path)) -> Self {
        self.restart_with(embedded(), meanwhile).await
    }

    async fn restart_with(self, policy: Policy, meanwhile: impl FnOnce(&Path)) -> Self {
        let Self { app, clock, random, inspector, data, wiring, .. } = self;
        app.close().await;
        drop(app);
        meanwhile(&data.path().join("charter.db"));
        let app = wire(&data, &wiring, policy, &clock, &random, &inspector).await;
        let token = app::token::recover_admin(&app).await.expect("a first admin").token;
        let admin = sign_in(&app, token.expose()).await;
        Self { app, clock, random, inspector, admin, data, wiring }
    }

    /// Closes the application and gives its data directory, for a server to be started on.
    pub async fn into_data(self) -> TempDir {
        self.app.close().await;
        self.data
    }

    /// Makes a domain; gives its owner.
    pub async fn domain(&self, path: &str) -> TestActor {
        let domain: DomainPath = path.parse().expect("a domain's path");
        app::org::create_domain(&self.admin, CreateDomain { path: domain, key: None }).await.expect("a domain");
        self.member(&format!("owner-{}", path.replace('/', "-")), &[(path, DomainRole::Owner)]).await
    }

    /// Makes a user.
    pub async fn principal(&self, subject: &str) -> TestActor {
        self.create(subject, NewKind::User).await
    }

    /// Makes a service account of a person.
    pub async fn account(&self, subject: &str, owner: &TestActor) -> TestActor {
        self.create(subject, NewKind::Service(Some(owner.id()))).await
    }

    async fn create(&self, subject: &str, kind: NewKind) -> TestActor {
        let command = CreatePrincipal { subject: subject.to_owned(), kind, key: None };
        let created = app::identity::create_principal(&self.admin, command).await.expect("a principal");
        assert!(matches!(created, Created::Made(_)), "`{subject}` is taken");
        self.ctx(subject).await
    }

    /// Makes a user with roles in domains.
    pub async fn member(&self, subject: &str, roles: &[(&str, DomainRole)]) -> TestActor {
        let mut member = self.principal(subject).await;
        for (domain, role) in roles {
            member = self.assign(subject, domain, *role).await;
        }
        member
    }

    /// Makes a user with a role on the platform.
    pub async fn officer(&self, subject: &str, role: PlatformRole) -> TestActor {
        self.principal(subject).await;
        self.assign_platform(subject, role).await
    }

    /// Assigns a role in a domain; gives the actor with it.
    pub async fn assign(&self, subject: &str, domain: &str, role: DomainRole) -> TestActor {
        self.assign_role(subject, NewRole::Domain(domain.parse().expect("a domain's path"), role)).await
    }

    /// Assigns a role on the platform; gives the actor with it.
    pub async fn assign_platform(&self, subject: &str, role: PlatformRole) -> TestActor {
        self.assign_role(subject, NewRole::Platform(role)).await
    }

    async fn assign_role(&self, subject: &str, role: NewRole) -> TestActor {
        let command = AssignRole { subject: subject.to_owned(), role, key: None };
        app::identity::assign_role(&self.admin, command).await.expect("a role");
        self.ctx(subject).await
    }

    /// A token of a subject.
    pub async fn token(&self, subject: &str) -> String {
        self.renewed_admin().creates_token(subject).await.expect("a token").token.expose().to_owned()
    }

    /// The first admin, as if signed in with a token that was issued just now: tokens that it makes are not shortened by
    /// the time that the test has let pass.
    pub fn renewed_admin(&self) -> TestActor {
        let mut actor = Actor::clone(&self.admin.actor);
        actor.bearer.expires_at = self.clock.now().plus(TokenKind::User.lifetime());
        actor.bearer.chain_ends_at = self.clock.now().plus(MAX_CHAIN);
        Ctx { actor: Arc::new(actor), ..Ctx::clone(&self.admin) }.into()
    }

    /// The one-time token of a first start, though an admin is there.
    pub async fn one_time_token(&self) -> String {
        let id = TokenId::new(self.clock.as_ref(), self.random.as_ref());
        let token = self.app.issuer.issue(&Claims::bootstrap(id, self.app.now())).expect("a token");
        let mut tx = self.app.db.write(Lock::Facts).await.expect("a transaction");
        store::token::put_bootstrap(&mut tx, id, self.app.now()).await.expect("the only one");
        tx.commit().await.expect("a commit");
        token.expose().to_owned()
    }

    /// The bearer of a token.
    pub async fn bearer(&self, token: &str) -> TestActor {
        sign_in(&self.app, token).await
    }

    /// Whether a token is refused as unknown.
    pub async fn refuses(&self, token: &str) -> bool {
        matches!(app::identity::sign_in(&self.app, token).await, Err(app::Error::Unauthenticated))
    }

    /// A subject with its present rights.
    pub async fn ctx(&self, subject: &str) -> TestActor {
        sign_in(&self.app, &self.token(subject).await).await
    }

    /// Publishes documents into a domain and expects that all of them are taken; then runs what follows.
    pub async fn publish(&self, actor: &TestActor, domain: &str, documents: &[impl AsRef<str>]) {
        match actor.publishes(domain, documents).await.expect("an answer") {
            Outcome::Done(_) => {}
            refused @ (Outcome::Invalid(_) | Outcome::Refused(_)) => panic!("not taken: {refused:?}"),
        }
        self.settle().await;
    }

    /// Puts schemas into the registry as they are, each in its place, as one subject.
    pub async fn lay_schemas(&self, ctx: &Ctx, schemas: impl IntoIterator<Item = (Subject, u32, String)>) {
        let mut tx = self.app.db.write(Lock::Facts).await.expect("a transaction");
        let mut id = store::registry::last_schema_id(&mut tx).await.expect("an id");
        for (subject, version, text) in schemas {
            id += 1;
            let schema = Schema {
                id,
                context: subject.context().to_owned(),
                format: Format::Avro,
                text,
                references: Vec::new(),
                digest: id.to_string(),
            };
            store::registry::insert_schema(&mut tx, &schema).await.expect("a schema");
            let version = SubjectVersion {
                subject,
                version,
                schema_id: id,
                deleted: false,
                registered_by: ctx.actor.principal.id,
                registered_at: self.clock.now(),
            };
            store::registry::insert_version(&mut tx, &version).await.expect("a version");
        }
        tx.commit().await.expect("a commit");
    }

    /// A lease as it is stored.
    pub async fn lease(&self, id: LeaseId) -> Lease {
        store::lease::get(&mut self.app.db.read().await.expect("a transaction"), id).await.expect("a lease")
    }

    /// Stores a lease as it is, under an id of its own: one that no change has ended, and that the gate may not give.
    pub async fn insert_lease(&self, lease: Lease) -> Lease {
        let lease = Lease { id: LeaseId::random(self.random.as_ref()), ..lease };
        let mut tx = self.app.db.write(Lock::FactsShared).await.expect("a transaction");
        store::lease::insert(&mut tx, &lease).await.expect("a lease");
        tx.commit().await.expect("a commit");
        lease
    }

    /// The folder of a location in the lake.
    pub fn table_folder(&self, location: &str) -> PathBuf {
        self.data.path().canonicalize().expect("the data directory").join("lake").join(location)
    }

    /// Lays a version of a Delta table, by name alone, and says what an inspection finds there; then runs what follows.
    pub async fn lay(&self, location: &str, version: u64, scene: Scene) {
        let folder = self.table_folder(location);
        let log = folder.join("_delta_log");
        std::fs::create_dir_all(&log).expect("a folder");
        std::fs::write(log.join(format!("{version:020}.json")), b"{}").expect("a log entry");
        self.inspector.set(folder, scene);
        self.settle().await;
    }

    /// Runs a statement past the store, as whoever can write the database might.
    pub async fn execute(&self, statement: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        match &self.wiring.url {
            Some(url) => {
                let mut connection = sqlx::PgConnection::connect(url).await.expect("a connection");
                connection.execute(statement).await.expect("a good statement");
            }
            None => {
                let file = format!("sqlite:{}", self.data.path().join("charter.db").display());
                let mut connection = sqlx::SqliteConnection::connect(&file).await.expect("a connection");
                connection.execute(statement).await.expect("a good statement");
            }
        }
    }

    /// Everything that is kept and that a refused call must not change, as text: all but the records of refusals.
    pub async fn dump(&self) -> String {
        let mut tx = self.app.db.read().await.expect("a transaction");
        let mut dump = String::new();
        let all = 10_000;
        for revision in [Revision::Access, Revision::Visibility] {
            let value = store::revision::get(&mut tx, revision).await.expect("a revision");
            let _ = writeln!(dump, "{revision:?} {value}");
        }
        macro_rules! rows {
            ($($page:expr),* $(,)?) => {$(
                for row in $page.await.expect("rows").items {
                    let _ = writeln!(dump, "{row:?}");
                }
            )*};
        }
        let everything = ListScope::All;
        rows!(
            store::org::list(&mut tx, &Seek::first(all)),
            store::identity::list_principals(&mut tx, &Seek::first(all)),
            store::product::list(&mut tx, &Seek::first(all)),
            store::table::list(&mut tx, &Seek::first(all)),
            store::notice::list(&mut tx, None, &Seek::first(all)),
            store::grant::list_requests(&mut tx, everything, None, &Seek::first(all)),
            store::lease::list(&mut tx, everything, &Seek::first(all)),
            store::gate::list_decisions(&mut tx, everything, &Seek::first(all)),
            store::grant::list(&mut tx, everything, &Seek::first(all)),
        );
        for principal in store::identity::list_principals(&mut tx, &Seek::first(all)).await.expect("rows").items {
            let roles = store::identity::list_roles(&mut tx, principal.id).await.expect("roles");
            let _ = writeln!(dump, "{roles:?}");
        }
        let products = store::product::list(&mut tx, &Seek::first(all)).await.expect("rows").items;
        let products: Vec<_> = products.into_iter().map(|product| product.id).collect();
        let contracts = store::contract::list_of_products(&mut tx, &products).await.expect("rows");
        let contracts: Vec<_> = contracts.into_iter().map(|contract| contract.id).collect();
        let versions = store::contract::list_versions_of_contracts(&mut tx, &contracts).await.expect("rows");
        let _ = writeln!(dump, "{versions:?}");
        let overrides = store::overrides::list_of_contracts(&mut tx, &contracts).await.expect("rows");
        let _ = writeln!(dump, "{overrides:?}");
        for event in store::outbox::list_after(&mut tx, 0, all).await.expect("rows") {
            let _ = writeln!(dump, "{event:?}");
        }
        let speakers = store::lineage::list_speakers(&mut tx).await.expect("rows");
        let _ = writeln!(dump, "{speakers:?}");
        let filter = store::audit::Filter::default();
        for stored in store::audit::list(&mut tx, filter, &Seek::first(all)).await.expect("rows").items {
            let record = Record::from_canonical(&stored.bytes).expect("a record");
            if record.outcome != audit::Outcome::Refused {
                let _ = writeln!(dump, "{record:?}");
            }
        }
        dump
    }

    /// The audit records of an action, the newest first, each of them intact.
    pub async fn records(&self, action: audit::Action) -> Vec<Record> {
        let filter = app::audit::Filter { action: Some(action), ..app::audit::Filter::default() };
        let page = app::audit::list_records(&self.admin, filter, &Seek::first(100)).await.expect("records");
        let intact = |(_, entry)| match entry {
            app::audit::Entry::Record { record, .. } => record,
            app::audit::Entry::Broken { fault, .. } => panic!("a broken record: {fault}"),
        };
        page.items.into_iter().map(intact).collect()
    }

    /// Adds an audit record that has the MAC of another key, as a modified one has.
    pub async fn forge_record(&self, action: audit::Action) -> RecordId {
        let id = RecordId::new(self.clock.as_ref(), self.random.as_ref());
        let record = Record {
            id,
            at: self.clock.now(),
            actor: String::new(),
            action,
            resource: audit::Resource { kind: audit::ResourceKind::Domain, id: "forged".to_owned() },
            outcome: audit::Outcome::Done,
            reason: None,
            request_id: String::new(),
            detail: "{}".to_owned(),
        };
        let mut tx = self.app.db.write(Lock::Free).await.expect("a transaction");
        store::audit::append(&mut tx, &record, &audit::Key::new([0; 32])).await.expect("a row");
        tx.commit().await.expect("a commit");
        id
    }

    /// Looks at all tables and runs every job that is due.
    pub async fn settle(&self) {
        app::jobs::poll_once(&self.app).await.expect("a look");
        app::jobs::run_due(&self.app).await.expect("jobs");
    }
}

/// A set of documents for one domain, named after their places.
pub fn set(domain: &str, documents: &[impl AsRef<str>]) -> DocumentSet {
    let documents = documents.iter().enumerate();
    let documents = documents
        .map(|(index, text)| DocumentText { path: format!("document-{index}.yaml"), text: text.as_ref().to_owned() });
    DocumentSet { domain: domain.parse().ok(), documents: documents.collect(), prune: false, key: None }
}

fn embedded() -> Policy {
    Policy::embedded().expect("the embedded policies")
}

async fn wire(
    data: &TempDir,
    wiring: &Wiring,
    policy: Policy,
    clock: &Arc<ManualClock>,
    random: &Arc<SeededRandom>,
    inspector: &Arc<FakeInspector>,
) -> Arc<App> {
    let folder = DataDir::open(data.path()).expect("a data directory");
    let of_its_own = || format!("sqlite:{}", folder.root().join("charter.db").display());
    let url = wiring.url.clone().unwrap_or_else(of_its_own);
    let parts = Parts {
        db: Db::open(&url, wiring.options).await.expect("a database"),
        policy,
        issuer: Issuer::open(folder.root(), random.as_ref()).expect("an issuer"),
        clock: clock.clone(),
        random: random.clone(),
        inspector: inspector.clone(),
        lake: Arc::new(LocalLake::open(&folder.lake()).expect("a lake")),
        folder,
        vendor: wiring.vendor.clone(),
        verifiers: wiring.verifiers.clone(),
        settings: wiring.settings.clone(),
    };
    App::new(parts).expect("an application")
}

async fn sign_in(app: &Arc<App>, token: &str) -> TestActor {
    match app::identity::sign_in(app, token).await.expect("a good token") {
        SignedIn::Actor(actor) => Ctx { app: Arc::clone(app), actor, request_id: "test".into() }.into(),
        SignedIn::Bootstrap(_) => panic!("the one-time token has no principal"),
    }
}
