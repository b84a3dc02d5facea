//! Nodes and edges: the resolved form of lineage.

use domain::closed_set;
use domain::id::{PrincipalId, ProductId, TableId};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::name::{Dataset, Job};

/// What has a place of its own in the graph. Columns belong to one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A table of ours.
    Table(TableId),
    /// A dataset that resolves to none of our tables.
    Dataset(Dataset),
    /// A job or an exposure that uses data without naming what it writes, or one that is named as a source.
    Job(Job),
    /// A consumer, at the end of `read` and `granted` edges.
    Principal(PrincipalId),
}

/// A holder, or one column of it. Ordered so that the columns follow their holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// The table, dataset, job or principal.
    pub holder: Holder,
    /// The column, of a table or a dataset.
    pub column: Option<String>,
}

impl Node {
    /// The node of a holder as a whole.
    pub fn whole(holder: Holder) -> Self {
        Self { holder, column: None }
    }

    /// The node of one column.
    pub fn column(holder: Holder, column: impl Into<String>) -> Self {
        Self { holder, column: Some(column.into()) }
    }

    /// The node as bytes, for a store: in the order of nodes, and those of a holder begin those of its columns.
    pub fn key(&self) -> Vec<u8> {
        let mut key = self.holder.key();
        key.extend_from_slice(self.column.as_deref().unwrap_or_default().as_bytes());
        key
    }

    /// The node of such bytes.
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let (tag, rest) = key.split_first()?;
        let (holder, column) = match *tag {
            TABLE => (Holder::Table(TableId(uuid(rest)?)), &rest[ID_BYTES..]),
            PRINCIPAL => (Holder::Principal(PrincipalId(uuid(rest)?)), &rest[ID_BYTES..]),
            NAMED | PLACE => {
                let mut parts = rest.splitn(3, |byte| *byte == 0);
                let (namespace, name, column) = (text(parts.next()?)?, text(parts.next()?)?, parts.next()?);
                (Holder::Dataset(Dataset::from_parts(*tag == PLACE, namespace, name)), column)
            }
            JOB => {
                let mut parts = rest.splitn(3, |byte| *byte == 0);
                let (namespace, name, column) = (text(parts.next()?)?, text(parts.next()?)?, parts.next()?);
                (Holder::Job(Job::new(namespace, name).ok()?), column)
            }
            _ => return None,
        };
        let column = if column.is_empty() { None } else { Some(text(column)?.to_owned()) };
        Some(Self { holder, column })
    }
}

const TABLE: u8 = 1;
/// A dataset that is not named by its place.
const NAMED: u8 = 2;
const PLACE: u8 = 3;
const JOB: u8 = 4;
const PRINCIPAL: u8 = 5;
const ID_BYTES: usize = 16;

impl Holder {
    pub(crate) fn key(&self) -> Vec<u8> {
        let of_names =
            |tag, namespace: &str, name: &str| [&[tag][..], namespace.as_bytes(), &[0], name.as_bytes(), &[0]].concat();
        match self {
            Self::Table(id) => [&[TABLE], &id.0.as_bytes()[..]].concat(),
            Self::Dataset(dataset) => {
                let tag = if dataset.is_place() { PLACE } else { NAMED };
                of_names(tag, dataset.namespace(), dataset.name())
            }
            Self::Job(job) => of_names(JOB, job.namespace(), job.name()),
            Self::Principal(id) => [&[PRINCIPAL], &id.0.as_bytes()[..]].concat(),
        }
    }
}

/// How many bytes of a node's key are its holder's.
pub(crate) fn holder_bytes(key: &[u8]) -> usize {
    match key.first() {
        Some(&(TABLE | PRINCIPAL)) => 1 + ID_BYTES,
        _ => key.iter().enumerate().filter(|(_, byte)| **byte == 0).nth(1).map_or(key.len(), |(end, _)| end + 1),
    }
}

fn uuid(bytes: &[u8]) -> Option<Uuid> {
    Uuid::from_slice(bytes.get(..ID_BYTES)?).ok()
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

closed_set! {
    /// How an edge is known.
    Kind {
        /// A document declares it: an input port, an input contract, a source of a transformation.
        Declared = "declared",
        /// An event of a job reported it.
        Observed = "observed",
        /// A lease read the data.
        Read = "read",
        /// A grant permits reading the data.
        Granted = "granted",
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kinds(pub(crate) u8);

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self(0b1111);

    /// Exactly these kinds.
    pub fn of(kinds: &[Kind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | 1 << *kind as u8))
    }

    /// Whether the kind is one of them.
    pub fn contains(self, kind: Kind) -> bool {
        self.0 & Self::of(&[kind]).0 != 0
    }
}

/// Who says so. A source never overwrites what another says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Speaker {
    /// The principal who sent the event.
    Principal(PrincipalId),
    /// The product whose documents declare it.
    Product(ProductId),
    /// Charterhouse itself: leases and grants.
    House,
}

closed_set! {
    /// What an edge rests on.
    Basis {
        /// The target is computed from the source's values.
        Direct = "direct",
        /// The target is computed from the source's values, which cannot be seen in it any more.
        Masked = "masked",
        /// The source decides which rows there are or how they are grouped or ordered.
        Indirect = "indirect",
        /// One run read the source and wrote the target; the producer does not say that they belong together.
        Together = "together",
        /// A job reads the source and names no target.
        Ends = "ends",
    }
}

/// As its word.
impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Basis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// One statement by one source: data flows from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edge {
    /// Who says so.
    pub speaker: Speaker,
    /// How it is known.
    pub kind: Kind,
    /// The job that moves the data, where a job was observed.
    pub job: Option<Job>,
    /// Where data comes from.
    pub from: Node,
    /// What is made from it.
    pub to: Node,
    /// What it rests on.
    pub basis: Basis,
}

closed_set! {
    /// Whose table an edge is about. An edge says how its target is made.
    Standing {
        /// The speaker speaks for the target's domain, or no domain owns the target.
        Own = "own",
        /// The target belongs to another domain: it is the speaker's claim.
        Claim = "claim",
    }
}

impl Standing {
    /// The standing of an edge whose target's owner is known: whether the speaker speaks for that owner, and `None` if
    /// no domain owns the target.
    pub fn of(speaks_for_owner: Option<bool>) -> Self {
        if speaks_for_owner == Some(false) { Self::Claim } else { Self::Own }
    }
}
