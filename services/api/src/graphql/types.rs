//! The object types that more than one context refers to: what each is resolved from. Their fields are in the module of
//! their context (`#[Object] impl Product` in `product`), so that contexts refer to types and not to each other.

use std::sync::Arc;

use app::contract::VersionView;
use app::notice::NoticeView;
use app::overrides::Shown;
use app::product_in_domain::ProductInDomain;
use app::target::Target;
use async_graphql::SimpleObject;
use domain::change::FindingRecord;
use domain::gate::Explained;

use super::id::SnapshotOfTable;
use super::words::Bump;

/// A user or service account.
pub(super) struct Principal(pub(super) domain::identity::Principal);

/// A role that a principal holds.
pub(super) struct RoleAssignment(pub(super) domain::identity::RoleAssignment);

/// A token that was issued. Its text is not stored.
pub(super) struct Token(pub(super) domain::token::Token);

/// A part of the organisation that owns products.
pub(super) struct Domain(pub(super) domain::org::Domain);

/// A data product of a domain.
pub(super) struct Product(pub(super) ProductInDomain);

/// One major of an output port.
pub(super) struct Port(pub(super) domain::product::Port);

/// A contract, all its versions.
pub(super) struct Contract(pub(super) domain::contract::Contract);

/// A version of a contract. Its document never changes once it was active.
pub(super) struct ContractVersion(pub(super) Arc<VersionView>);

/// A table as a major of a contract binds it.
pub(super) struct Table(pub(super) Arc<Target>);

/// Who read a table, by what the gateway sent of its files.
pub(super) struct TableReaders(pub(super) app::column_reads::TableReaders);

/// The readers of a column.
pub(super) struct ColumnReaders(pub(super) app::column_reads::ColumnReaders);

/// A reader of a column, or of any.
pub(super) struct ColumnReader(pub(super) app::column_reads::ReaderOfColumn);

/// A committed state of a table, seen through one of its bindings.
pub(super) struct Snapshot {
    pub(super) snapshot: domain::table::Snapshot,
    pub(super) target: Arc<Target>,
}

impl Snapshot {
    pub(super) fn key_of_verdict(&self) -> SnapshotOfTable {
        SnapshotOfTable { snapshot_id: self.snapshot.id, binding_id: self.target.binding.id }
    }
}

/// A request for access to one major of an output port.
pub(super) struct AccessRequest(pub(super) domain::grant::AccessRequest);

/// A standing permission: a principal may read one major of an output port for a purpose, for a while.
pub(super) struct Grant(pub(super) domain::grant::Grant);

/// A notice to the readers of a major about its breaking successor. Their grants stay as they are.
pub(super) struct ChangeNotice(pub(super) Arc<NoticeView>);

/// A steward's acceptance of one version whose number is too small for its changes.
pub(super) struct ContractOverride(pub(super) Shown);

/// The gate's answer.
pub(super) struct Decision(pub(super) Explained);

/// Issued credentials: their action, holder and lifetime. It holds no secret.
pub(super) struct Lease(pub(super) domain::lease::Lease);

/// An entry of the audit log that is as it was written.
pub(super) struct Record {
    pub(super) record: domain::audit::Record,
    pub(super) mac: String,
}

/// An entry of the audit log that was modified, or that a newer version of the server wrote.
pub(super) struct BrokenRecord {
    pub(super) stored: app::audit::Stored,
    pub(super) fault: domain::audit::Fault,
}

/// A document, byte for byte.
#[derive(SimpleObject)]
pub(super) struct Document {
    /// SHA-256 over the bytes, in hex.
    digest: String,
    /// `application/yaml` or `application/json`.
    media_type: String,
    text: String,
}

impl Document {
    /// From its stored parts.
    pub(super) fn new(digest: &str, format: &str, bytes: &[u8]) -> Self {
        Self {
            digest: digest.to_owned(),
            media_type: format!("application/{format}"),
            text: String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}

/// One difference between two versions.
#[derive(SimpleObject)]
pub(super) struct Finding {
    /// The path of the difference, by names.
    path: String,
    /// The kind of difference; a stable word.
    rule: String,
    /// Whether a reader of the new version can read data written under the old.
    history_safe: bool,
    /// Whether a reader of the old version can still read data written under the new.
    consumer_safe: bool,
    /// The bump that it requires.
    bump: Bump,
    message: String,
    /// The value before, shortened. Null if there was none, or if none is known.
    before: Option<String>,
    /// The value after, shortened. Null if there is none, or if none is known.
    after: Option<String>,
    /// A statement that settles it if it holds for every row of the table: then a MINOR bump is enough.
    proof: Option<String>,
}

impl From<&domain::change::Finding> for Finding {
    fn from(finding: &domain::change::Finding) -> Self {
        Self::from(FindingRecord::from(finding))
    }
}

impl From<FindingRecord> for Finding {
    fn from(finding: FindingRecord) -> Self {
        let FindingRecord { path, rule, history_safe, consumer_safe, bump, message, before, after, proof } = finding;
        Self { path, rule, history_safe, consumer_safe, bump: bump.into(), message, before, after, proof }
    }
}

/// A name is in use.
#[derive(SimpleObject)]
pub(super) struct NameTaken {
    message: String,
}

impl NameTaken {
    /// With a message that names what is in use.
    pub(super) fn of(message: &str) -> Self {
        Self { message: message.to_owned() }
    }
}
