//! The edges of this process at one moment, and what one caller may see of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use domain::id::{PrincipalId, ProductId};
use lineage::edge::{Edge, Holder, Speaker};
use lineage::graph::{Graph, Visible};
use store::Tx;
use store::revision::Revision;

use super::catalog::Catalog;
use super::declared::Declared;
use super::edges::{Edges, Means, Said};
use crate::error::Error;

/// What the graph was made from: where the facts of the catalog and the claims of speakers stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At {
    /// The access revision: it moves with all that declared edges and the names of tables rest on.
    pub(super) access: i64,
    pub(super) speakers: BTreeMap<PrincipalId, i64>,
}

impl At {
    pub(super) async fn newest(tx: &mut Tx) -> Result<Self, Error> {
        let access = store::revision::get(tx, Revision::Access).await?;
        let speakers = store::lineage::list_speakers(tx).await?.into_iter().collect();
        Ok(Self { access, speakers })
    }

    /// Whether it lacks nothing of what another has.
    pub(super) fn is_after(&self, other: &Self) -> bool {
        let has =
            |(speaker, revision): (&PrincipalId, &i64)| self.speakers.get(speaker).is_some_and(|own| own >= revision);
        self.access >= other.access && other.speakers.iter().all(has)
    }
}

/// What cannot be read and is left out: damaged rows, or those of a newer program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeftOut {
    /// Products of which something cannot be read.
    pub(super) products: BTreeSet<ProductId>,
    /// How many bindings and ports.
    pub(super) n_rows: usize,
    /// How many claims, by speaker.
    pub(super) claims: BTreeMap<PrincipalId, usize>,
}

impl LeftOut {
    /// How many rows and products.
    pub(crate) fn n(&self) -> usize {
        self.products.len() + self.n_rows + self.claims.values().sum::<usize>()
    }
}

/// All edges at one moment.
pub(crate) struct Held {
    /// Tells this value from others.
    pub(crate) serial: u64,
    pub(super) at: At,
    /// How far the outbox was read.
    pub(super) outbox: i64,
    pub(super) catalog: Arc<Catalog>,
    pub(super) declared: Arc<HashMap<ProductId, Declared>>,
    /// The edges of the compressed graph.
    pub(super) edges: Arc<Edges>,
    /// Those beside it.
    pub(super) fresh: Arc<Vec<Said>>,
    /// What names in documents mean.
    pub(super) of_documents: Arc<Means>,
    /// Whether no product declares more than it may.
    pub(super) declares_all: bool,
    pub(crate) left_out: LeftOut,
    /// What names in claims mean, by speaker.
    pub(super) of_speakers: BTreeMap<PrincipalId, Arc<Means>>,
    pub(super) means: Means,
    pub(super) graph: Graph,
    /// Declared edges to tables of several products: a caller may know of the table and not of who declares it.
    pub(super) contested: Arc<Vec<Edge>>,
}

impl Held {
    /// Whether no edge is left out.
    pub(super) fn is_whole(&self) -> bool {
        self.declares_all && self.left_out.n() == 0
    }

    /// The edges that begin at a holder.
    pub(super) fn edges_from<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = Said> + 'a {
        self.edges.from(holder).chain(self.fresh.iter().filter(|(edge, _)| edge.from.holder == *holder).cloned())
    }

    /// The edges that end at a holder.
    pub(super) fn edges_to<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = Said> + 'a {
        self.edges.to(holder).chain(self.fresh.iter().filter(|(edge, _)| edge.to.holder == *holder).cloned())
    }

    /// The columns of a holder that edges name.
    pub(super) fn columns<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = &'a str> {
        let fresh = self.fresh.iter().flat_map(|(edge, _)| [&edge.from, &edge.to]);
        let fresh = fresh.filter(move |node| node.holder == *holder).filter_map(|node| node.column.as_deref());
        self.edges.columns(holder).chain(fresh)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Said> + '_ {
        self.edges.iter().chain(self.fresh.iter().cloned())
    }
}

/// What one caller may see of one graph.
pub(crate) struct Sight {
    pub(super) visible: Visible,
    pub(super) knows: HashSet<ProductId>,
}

impl Sight {
    /// Whether the caller may know of a product.
    pub(super) fn knows(&self, product: ProductId) -> bool {
        self.knows.contains(&product)
    }

    /// Whether the caller may know who says so. Between nodes that they know, an edge that only others declare is none.
    pub(super) fn shows(&self, edge: &Edge) -> bool {
        match edge.speaker {
            Speaker::Product(product) => self.knows(product),
            Speaker::Principal(_) | Speaker::House => true,
        }
    }
}
