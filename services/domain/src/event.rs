//! What happened, for the jobs that follow it: the events of the outbox.
//!
//! An event carries what a reader needs to decide whether it is concerned; the rest is read from the database. To add an
//! event: a variant of [`Event`], its word in [`Kind`], its payload's form in `store::outbox`, and the place in `app` that
//! pushes it.

use crate::change::message::Format;
use crate::clock::Timestamp;
use crate::closed_set;
use crate::contract::StateName;
use crate::id::{ContractId, ContractVersionId, NoticeId, ProductId, TableId};
use crate::name::Name;
use crate::notice::{ChangeNotice, Side};
use crate::registry::{SchemaId, Subject};
use crate::version::Version;

closed_set! {
    /// What happened. The words are stable: the outbox keeps them.
    Kind {
        /// A data product was published or changed.
        ProductPublished = "product.published",
        /// A data product was retired.
        ProductRetired = "product.retired",
        /// A contract version was published.
        ContractPublished = "contract.published",
        /// A contract version changed its state.
        ContractStateChanged = "contract.state_changed",
        /// A notice of a breaking successor was opened.
        NoticeOpened = "notice.opened",
        /// The deadline or the migration note of a notice was changed.
        NoticeUpdated = "notice.updated",
        /// A notice was closed.
        NoticeClosed = "notice.closed",
        /// A schema was registered under a subject.
        SchemaRegistered = "schema.registered",
        /// A snapshot of a table was inspected, and judged for each binding.
        TableInspected = "table.inspected",
    }
}

/// Something that happened, with its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// [`Kind::ProductPublished`]
    ProductPublished(NamedProduct),
    /// [`Kind::ProductRetired`]
    ProductRetired(NamedProduct),
    /// [`Kind::ContractPublished`]
    ContractPublished {
        /// The version.
        version_id: ContractVersionId,
        /// The document's id and version, and the overrides that let the version in, for people.
        summary: String,
    },
    /// [`Kind::ContractStateChanged`]
    ContractStateChanged {
        /// The version.
        version_id: ContractVersionId,
        /// Its contract.
        contract_id: ContractId,
        /// Its number.
        version: Version,
        /// Its new state.
        state: StateName,
    },
    /// [`Kind::NoticeOpened`]
    NoticeOpened(Succession),
    /// [`Kind::NoticeUpdated`]
    NoticeUpdated(Succession),
    /// [`Kind::NoticeClosed`]
    NoticeClosed(Succession),
    /// [`Kind::SchemaRegistered`]
    SchemaRegistered {
        /// The subject.
        subject: Subject,
        /// The schema's number in the subject.
        version: u32,
        /// The schema.
        schema_id: SchemaId,
        /// Its format.
        format: Format,
    },
    /// [`Kind::TableInspected`]
    TableInspected {
        /// The table.
        table_id: TableId,
    },
}

/// A data product and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedProduct {
    /// The product.
    pub product_id: ProductId,
    /// Its name within its domain.
    pub name: Name,
}

/// What a notice is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The notice.
    pub notice_id: NoticeId,
    /// The product of both sides.
    pub product_id: ProductId,
    /// The version that is succeeded.
    pub from: Side,
    /// The version that succeeds it.
    pub to: Side,
    /// Until when the old major serves.
    pub deadline: Timestamp,
}

impl From<&ChangeNotice> for Succession {
    fn from(notice: &ChangeNotice) -> Self {
        Self {
            notice_id: notice.id,
            product_id: notice.product_id,
            from: notice.from,
            to: notice.to,
            deadline: notice.deadline,
        }
    }
}

impl Event {
    /// What happened.
    pub fn kind(&self) -> Kind {
        match self {
            Self::ProductPublished(_) => Kind::ProductPublished,
            Self::ProductRetired(_) => Kind::ProductRetired,
            Self::ContractPublished { .. } => Kind::ContractPublished,
            Self::ContractStateChanged { .. } => Kind::ContractStateChanged,
            Self::NoticeOpened(_) => Kind::NoticeOpened,
            Self::NoticeUpdated(_) => Kind::NoticeUpdated,
            Self::NoticeClosed(_) => Kind::NoticeClosed,
            Self::SchemaRegistered { .. } => Kind::SchemaRegistered,
            Self::TableInspected { .. } => Kind::TableInspected,
        }
    }
}
