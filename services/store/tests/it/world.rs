//! A database with as much in it as a test needs, and things to put in.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::binding::Binding;
use domain::clock::{Clock, Random, Timestamp};
use domain::contract::{self, Classification, Contract, State};
use domain::document::StoredDocument;
use domain::event::Event;
use domain::gate::Action;
use domain::grant::{AccessRequest, Grant, PortMajor, Purpose, RequestState, Window};
use domain::id::*;
use domain::identity::{LOCAL_ISSUER, Principal, PrincipalKind, PurposeCode};
use domain::lease::{Lease, LeaseState};
use domain::org::{Domain, Enforcement};
use domain::product::{self, Port, Product};
use domain::table::{Format, Table};
use domain::version::Version;
use sqlx::{Connection, Executor};
use store::{Db, Error, Lock, Options, Tx};

/// The moment at which everything happens, unless a test says otherwise.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// A database of its own.
pub(crate) struct World {
    pub(crate) db: Db,
    url: String,
    _folder: Option<tempfile::TempDir>,
}

impl World {
    pub(crate) async fn on_sqlite() -> Self {
        Self::on_sqlite_with(Options::for_testing()).await
    }

    pub(crate) async fn on_sqlite_with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("charter.db").display());
        Self { db: Db::open(&url, options).await.unwrap(), url, _folder: Some(folder) }
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) async fn on_postgres() -> Option<Self> {
        let url = crate::postgres::Server::shared()?.database();
        Some(Self { db: Db::open(&url, Options::for_testing()).await.unwrap(), url, _folder: None })
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// A transaction that may change facts.
    pub(crate) async fn facts(&self) -> Tx {
        self.db.write(Lock::Facts).await.unwrap()
    }

    pub(crate) async fn read(&self) -> Tx {
        self.db.read().await.unwrap()
    }

    /// Runs a statement past the store, as whoever can write the database might.
    pub(crate) async fn execute(&self, statement: &str) {
        let statement = sqlx::raw_sql(sqlx::AssertSqlSafe(statement));
        if self.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            connection.execute(statement).await.unwrap();
        }
    }

    /// The one text that a query past the store gives.
    pub(crate) async fn text(&self, query: &'static str) -> String {
        if self.is_sqlite() {
            let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
        } else {
            let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
            sqlx::query_scalar(query).fetch_one(&mut connection).await.unwrap()
        }
    }

    /// Everything that a lease hangs on.
    pub(crate) async fn catalog(&self) -> Catalog {
        let mut tx = self.facts().await;
        let catalog = Catalog::insert(&mut tx).await.unwrap();
        tx.commit().await.unwrap();
        catalog
    }
}

/// One product with one contract, bound to one table, and one reader with a grant.
pub(crate) struct Catalog {
    pub(crate) owner: Principal,
    pub(crate) reader: Principal,
    pub(crate) product: Product,
    pub(crate) contract: Contract,
    pub(crate) port: Port,
    pub(crate) table: Table,
    pub(crate) binding: Binding,
    pub(crate) request: AccessRequest,
    pub(crate) grant: Grant,
}

impl Catalog {
    async fn insert(tx: &mut Tx) -> Result<Self, Error> {
        let (owner, reader, domain) = (user("owner"), user("reader"), domain("sales"));
        let product = product(&domain, "orders");
        let contract =
            Contract { id: id(ContractId::new), product_id: product.id, document_id: "orders".into(), created_at: NOW };
        let port = Port {
            port_major: PortMajor { product_id: product.id, port: "files".parse().unwrap(), major: 1 },
            contract_id: contract.id,
            contract_major: 1,
        };
        let table = table("sales/orders");
        let binding = Binding {
            id: id(BindingId::new),
            contract_id: contract.id,
            major: 1,
            object: "orders".parse().unwrap(),
            environment: "prod".into(),
            table_id: table.id,
        };
        let request = request(&reader, &port.port_major);
        let grant = grant(&request, &owner);
        store::identity::insert_principal(tx, &owner).await?;
        store::identity::insert_principal(tx, &reader).await?;
        store::org::insert(tx, &domain).await?;
        store::product::insert(tx, &product).await?;
        store::contract::insert(tx, &contract).await?;
        store::product::insert_port(tx, &port).await?;
        store::table::insert(tx, &table).await?;
        store::binding::insert(tx, &binding).await?;
        store::grant::insert_request(tx, &request).await?;
        store::grant::insert(tx, &grant).await?;
        Ok(Self { owner, reader, product, contract, port, table, binding, request, grant })
    }

    pub(crate) fn lease(&self, state: LeaseState) -> Lease {
        Lease {
            id: id(LeaseId::new),
            principal_id: self.reader.id,
            action: Action::Read,
            binding_id: self.binding.id,
            table_id: self.table.id,
            snapshot_id: Some(id(SnapshotId::new)),
            grant_id: Some(self.grant.id),
            purpose: PurposeCode::Analytics,
            token_id: None,
            decision_id: id(DecisionId::new),
            state,
            issued_at: NOW,
            expires_at: Timestamp(NOW.0 + 1_000_000),
        }
    }
}

pub(crate) fn user(subject: &str) -> Principal {
    Principal {
        id: id(PrincipalId::new),
        issuer: LOCAL_ISSUER.into(),
        subject: subject.into(),
        kind: PrincipalKind::User,
        enabled: true,
        disabled: None,
        created_at: NOW,
    }
}

pub(crate) fn domain(path: &str) -> Domain {
    Domain {
        id: id(DomainId::new),
        path: path.parse().unwrap(),
        enforcement: Enforcement::Report,
        switch_at: None,
        created_at: NOW,
    }
}

pub(crate) fn product(domain: &Domain, name: &str) -> Product {
    Product {
        id: id(ProductId::new),
        domain_id: domain.id,
        name: name.parse().unwrap(),
        document_id: name.into(),
        title: Some(name.to_uppercase()),
        state: product::State::Active { since: NOW },
        classification: Classification::Internal,
        digest: "d1".into(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn version(contract: &Contract, number: &str, state: State) -> contract::Version {
    contract::Version {
        id: id(ContractVersionId::new),
        contract_id: contract.id,
        version: number.parse::<Version>().unwrap(),
        state,
        document: document(number),
    }
}

pub(crate) fn document(text: &str) -> StoredDocument {
    StoredDocument {
        digest: format!("digest of {text}"),
        format: domain::document::Format::Yaml,
        bytes: format!("version: {text}\r\n\0é").into_bytes(),
        published_by: id(PrincipalId::new),
        published_at: NOW,
    }
}

pub(crate) fn table(location: &str) -> Table {
    Table {
        id: id(TableId::new),
        format: Format::Delta,
        location: location.parse().unwrap(),
        revision: 0,
        head: None,
        shared: false,
        created_at: NOW,
    }
}

pub(crate) fn request(requester: &Principal, port_major: &PortMajor) -> AccessRequest {
    AccessRequest {
        id: id(AccessRequestId::new),
        requester: requester.id,
        port_major: port_major.clone(),
        purpose: Purpose::new(PurposeCode::Analytics, "to learn").unwrap(),
        window: Window { from: NOW, until: Timestamp(NOW.0 + 10_000_000) },
        state: RequestState::Pending,
        decided: None,
        created_at: NOW,
    }
}

pub(crate) fn grant(request: &AccessRequest, granted_by: &Principal) -> Grant {
    Grant {
        id: id(GrantId::new),
        request_id: request.id,
        principal_id: request.requester,
        port_major: request.port_major.clone(),
        purpose: request.purpose.clone(),
        window: request.window,
        granted_by: granted_by.id,
        granted_at: NOW,
        revoked: None,
    }
}

/// An event that is told from others by its text.
pub(crate) fn event(summary: &str) -> Event {
    let version_id = "00000000-0000-4000-8000-000000000001".parse().unwrap();
    Event::ContractPublished { version_id, summary: summary.to_owned() }
}

/// The same table for the same letter.
pub(crate) fn table_id(letter: &str) -> TableId {
    format!("00000000-0000-4000-8000-00000000000{letter}").parse().unwrap()
}

/// A new id that sorts after those made before it: `id(GrantId::new)`.
pub(crate) fn id<T>(new: fn(&dyn Clock, &dyn Random) -> T) -> T {
    new(&Still, &Counter)
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

struct Counter;

impl Random for Counter {
    fn fill(&self, buffer: &mut [u8]) {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        let count = COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        buffer.fill(0);
        let end = buffer.len() - count.len();
        buffer[end..].copy_from_slice(&count);
    }
}
