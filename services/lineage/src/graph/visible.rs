//! Which nodes a caller may know of, and which edges between them.

use std::collections::HashMap;

use crate::edge::{Holder, Kinds, Node};
use crate::graph::base::Bits;
use crate::graph::held::Graph;

/// What was asked belongs to another graph: compute it again for the current one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the visible nodes were computed for another graph")]
pub struct OtherGraph;

/// The nodes that a caller may know of, of one graph. Columns are visible with their holder. A node that was added after
/// this was computed is hidden, until [`Visible::renew`].
#[derive(Clone, Debug)]
pub struct Visible {
    generation: u64,
    n_nodes: usize,
    bits: Bits,
    /// The kinds by which an edge between visible nodes does not exist for the caller, by source and target.
    cut: HashMap<(u32, u32), u8>,
}

impl Visible {
    /// Asks for each holder whether the caller may know of it.
    pub fn of(graph: &Graph, may_know: impl FnMut(&Holder) -> bool) -> Self {
        let mut visible =
            Self { generation: graph.generation(), n_nodes: 0, bits: Bits::new(graph.n_nodes()), cut: HashMap::new() };
        visible.extend(graph, may_know);
        visible
    }

    /// Asks for the holders that were added since, if the graph was not rebuilt.
    ///
    /// # Errors
    /// The graph was rebuilt.
    pub fn renew(&mut self, graph: &Graph, may_know: impl FnMut(&Holder) -> bool) -> Result<(), OtherGraph> {
        self.check(graph)?;
        self.extend(graph, may_know);
        Ok(())
    }

    /// Takes an edge away by these kinds: whoever says so is hidden, and the caller knows both nodes by others. Between two
    /// holders it is that of the holders alone, and not of their columns.
    pub fn cut(&mut self, graph: &Graph, from: &Node, to: &Node, kinds: Kinds) {
        if let (Some(from), Some(to)) = (graph.find(&from.key()), graph.find(&to.key())) {
            *self.cut.entry((from, to)).or_default() |= kinds.0;
        }
    }

    /// Those of an edge's kinds by which the caller may know of it.
    pub(super) fn kinds(&self, from: u32, to: u32, kinds: u8) -> u8 {
        match self.cut.is_empty() {
            true => kinds,
            false => kinds & !self.cut.get(&(from, to)).copied().unwrap_or(0),
        }
    }

    fn extend(&mut self, graph: &Graph, mut may_know: impl FnMut(&Holder) -> bool) {
        self.bits.grow(graph.n_nodes());
        for id in self.n_nodes as u32..graph.n_nodes() as u32 {
            let holder = graph.holder(id);
            let is_visible = if holder == id {
                graph.node(id).is_some_and(|node: Node| may_know(&node.holder))
            } else {
                // A holder has a smaller id than its columns.
                self.bits.contains(holder)
            };
            if is_visible {
                self.bits.insert(id);
            }
        }
        self.n_nodes = self.n_nodes.max(graph.n_nodes());
    }

    pub(super) fn check(&self, graph: &Graph) -> Result<(), OtherGraph> {
        if self.generation == graph.generation() { Ok(()) } else { Err(OtherGraph) }
    }

    /// The visible nodes of a graph, which may have grown.
    pub(super) fn bits(&self, graph: &Graph) -> Bits {
        let mut bits = self.bits.clone();
        bits.grow(graph.n_nodes());
        bits
    }
}
