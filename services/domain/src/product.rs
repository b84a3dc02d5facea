//! Data products: a [`Product`] and its [`Port`]s as they are registered, the [`Document`] (ODPS) that describes one,
//! and the life cycle.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::contract::{Classification, Fields, Wish};
use crate::error::Kind;
use crate::grant::PortMajor;
use crate::id::{ContractId, DomainId, ProductId};
use crate::name::{DomainPath, Name};
use crate::version::Version;

/// A data product as it is registered. What its document says in full is in the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// The domain that offers it.
    pub domain_id: DomainId,
    /// Its name in addresses; unique in the domain.
    pub name: Name,
    /// Its document's `id`; unique in the domain.
    pub document_id: String,
    /// Its title for people.
    pub title: Option<String>,
    /// Its state.
    pub state: State,
    /// The highest classification of the product and its columns: what visibility goes by.
    pub classification: Classification,
    /// The digest of its current document.
    pub digest: String,
    /// When it was first applied.
    pub created_at: Timestamp,
    /// When it last changed. Updates name the one they saw.
    pub updated_at: Timestamp,
}

/// One major of an output port, and the contract behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Product, name and major.
    pub port_major: PortMajor,
    /// The contract.
    pub contract_id: ContractId,
    /// The contract's major.
    pub contract_major: u64,
}

/// One ODPS document.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The document's `id`.
    pub document_id: String,
    /// The version of the standard, such as `v1.0.0`; 0.9 is read as 1.0.
    pub api_version: String,
    /// The title for people.
    pub name: Option<String>,
    /// The name in addresses: custom property `slug`, else the lowered title, else the lowered id.
    pub slug: Name,
    /// The product's own version, as it was written.
    pub version: Option<String>,
    /// The author's wish.
    pub wish: Wish,
    /// The domain it says it belongs to.
    pub domain: Option<DomainPath>,
    /// Custom property `classification`. The product is as sensitive as this or its most sensitive column.
    pub classification: Classification,
    /// Custom property `medallion`.
    pub medallion: Option<Medallion>,
    /// How it is read.
    pub output_ports: Vec<OutputPort>,
    /// What it reads.
    pub input_ports: Vec<InputPort>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

/// The custom property that names the product which replaces this one.
const SUCCESSOR: &str = "successor";

/// A custom property `successor` that names no product.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the custom property `successor` has no effect: it must be the address of a data product, `domain.product`")]
pub struct WrongSuccessor;

impl Document {
    /// The product that replaces this one: the custom property `successor`.
    ///
    /// # Errors
    /// [`WrongSuccessor`] if it is no address.
    pub fn successor(&self) -> Result<Option<(DomainPath, Name)>, WrongSuccessor> {
        let Some(value) = self.other.get("customProperties").and_then(|custom| custom.get(SUCCESSOR)) else {
            return Ok(None);
        };
        let (domain, product) = value.as_str().and_then(|text| text.split_once('.')).ok_or(WrongSuccessor)?;
        let address = domain.parse().ok().zip(product.parse().ok());
        address.map(Some).ok_or(WrongSuccessor)
    }
}

closed_set! {
    /// The layer of a product.
    Medallion {
        /// As it came.
        Bronze = "bronze",
        /// Cleaned.
        Silver = "silver",
        /// Ready for use.
        Gold = "gold",
    }
}

/// How a product is read. Ports of one name are one line of majors; a major appears once.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPort {
    /// The port's name.
    pub name: Name,
    /// The port's version; 1.0.0 if the document names none.
    pub version: Version,
    /// The document id of the contract behind it.
    pub contract_id: Option<String>,
    /// What it is: `tables`, `topic`, ...
    pub kind: Option<String>,
    /// The contracts that this port is made from.
    pub input_contracts: Vec<ContractReference>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

/// A contract in some version, named by another document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractReference {
    /// The contract's document id.
    pub id: String,
    /// Its version, as it was written.
    pub version: String,
}

/// What a product reads.
#[derive(Clone, Debug, PartialEq)]
pub struct InputPort {
    /// The port's name as written; it belongs to another product.
    pub name: String,
    /// The port's version, as it was written.
    pub version: Option<String>,
    /// The document id of the contract behind it.
    pub contract_id: Option<String>,
    /// For people.
    pub documentary: Fields,
    /// Everything else.
    pub other: Fields,
}

/// The state of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is proposed and does not exist yet.
    Proposed,
    /// It is being made.
    Draft,
    /// It is offered.
    Active {
        /// When it became so.
        since: Timestamp,
    },
    /// It goes on for those who use it.
    Deprecated {
        /// When it was deprecated.
        since: Timestamp,
    },
    /// It is offered no more.
    Retired {
        /// When it was retired.
        since: Timestamp,
    },
}

/// A transition that the product's state does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a product that is `{state}` cannot become `{wanted}`")]
pub struct WrongState {
    /// The state it is in.
    pub state: &'static str,
    /// The state that was asked for.
    pub wanted: &'static str,
}

impl WrongState {
    /// What a caller can conclude.
    pub fn kind(&self) -> Kind {
        Kind::Conflict
    }
}

impl State {
    /// The state of a product whose first document expresses this wish.
    pub fn initial(wish: &Wish, now: Timestamp) -> Self {
        match wish {
            Wish::Hold(Some(word)) if word == "proposed" => Self::Proposed,
            Wish::Hold(_) => Self::Draft,
            Wish::Activate => Self::Active { since: now },
            Wish::Deprecate => Self::Deprecated { since: now },
            Wish::Retire => Self::Retired { since: now },
        }
    }

    /// The state's word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Draft => "draft",
            Self::Active { .. } => "active",
            Self::Deprecated { .. } => "deprecated",
            Self::Retired { .. } => "retired",
        }
    }

    /// Whether the gate's contract check may hold for its contracts.
    pub fn serves(&self) -> bool {
        matches!(self, Self::Active { .. } | Self::Deprecated { .. })
    }

    /// The state after a document with this wish was applied. A wish for the present state, or a word that holds a
    /// product which is already out of draft, changes nothing.
    ///
    /// # Errors
    /// If the product is retired and the wish is another.
    pub fn follow(self, wish: &Wish, now: Timestamp) -> Result<Self, WrongState> {
        match (self, wish) {
            (state @ Self::Active { .. }, Wish::Activate | Wish::Hold(_))
            | (state @ Self::Deprecated { .. }, Wish::Deprecate | Wish::Hold(_))
            | (state @ Self::Retired { .. }, Wish::Retire | Wish::Hold(_)) => Ok(state),
            (Self::Proposed | Self::Draft, wish) => Ok(Self::initial(wish, now)),
            (Self::Active { .. } | Self::Deprecated { .. }, wish) => Ok(Self::initial(wish, now)),
            (state @ Self::Retired { .. }, wish) => {
                let wanted = Self::initial(wish, now).as_str();
                Err(WrongState { state: state.as_str(), wanted })
            }
        }
    }
}
