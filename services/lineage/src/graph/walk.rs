//! Impact: everything downstream or upstream, counted by distance and domain.

use std::collections::HashSet;

use domain::closed_set;
use domain::id::DomainId;

use crate::edge::{Holder, Kinds, Node};
use crate::graph::base::Bits;
use crate::graph::held::Graph;
use crate::graph::visible::{OtherGraph, Visible};

closed_set! {
    /// Which way to follow edges.
    Direction {
        /// To what is made from the start: who is affected if it changes.
        Downstream = "downstream",
        /// To what the start is made from.
        Upstream = "upstream",
    }
}

closed_set! {
    /// Why an answer is not complete.
    Cut {
        /// There is more beyond the depth that was asked for.
        Depth = "depth",
        /// There is more, and the answer has reached its limit.
        Limit = "limit",
        /// Edges are known that the graph does not hold yet.
        Behind = "behind",
    }
}

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    /// Where to begin: columns, or holders as a whole. Nodes that do not exist or are hidden add nothing.
    pub start: &'a [Node],
    /// Which way.
    pub direction: Direction,
    /// Which edges count.
    pub kinds: Kinds,
    /// The farthest distance.
    pub depth: u32,
    /// The search ends after the distance at which this many holders are reached.
    pub most: usize,
}

/// How many holders are reached first at one distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Edges from the nearest start.
    pub distance: u32,
    /// How many.
    pub n_holders: usize,
    /// How many of each domain, in the order of ids; `None` for what no domain owns.
    pub by_domain: Vec<(Option<DomainId>, usize)>,
}

/// The answer: counts now, pages on demand ([`Impact::page`]).
#[derive(Debug)]
pub struct Impact<'g> {
    pub(super) graph: &'g Graph,
    /// The nodes that were reached, the start included.
    pub(super) reached: Bits,
    /// The holders first reached at each distance, from 1, by id.
    pub(super) levels: Vec<Vec<u32>>,
    cut: Option<Cut>,
}

impl Impact<'_> {
    /// Why the answer lacks something; `None` if it is complete.
    pub fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// Whether nothing is missing.
    pub fn is_complete(&self) -> bool {
        self.cut.is_none()
    }

    /// How many holders are reached.
    pub fn n_holders(&self) -> usize {
        self.levels.iter().map(Vec::len).sum()
    }

    /// The holders that are reached, nearest first, each with its distance.
    pub fn holders(&self) -> impl Iterator<Item = (u32, Holder)> + '_ {
        let levels = self.levels.iter().zip(1..);
        let holders = levels.flat_map(|(holders, distance)| holders.iter().map(move |holder| (distance, *holder)));
        holders.filter_map(|(distance, holder)| Some((distance, self.graph.node(holder)?.holder)))
    }

    /// The counts, nearest first; distances at which nothing is first reached are left out.
    pub fn distances(&self) -> Vec<Distance> {
        let none = self.graph.n_domains();
        let levels = self.levels.iter().enumerate().filter(|(_, holders)| !holders.is_empty());
        levels
            .map(|(level, holders)| {
                let mut counts = vec![0; none + 1];
                holders.iter().for_each(|holder| counts[self.graph.domain_index(*holder)] += 1);
                let of_domains = counts.into_iter().enumerate().filter(|(_, count)| *count > 0);
                let mut by_domain: Vec<_> =
                    of_domains.map(|(index, count)| (self.graph.domain_id(index), count)).collect();
                by_domain.sort_unstable();
                Distance { distance: level as u32 + 1, n_holders: holders.len(), by_domain }
            })
            .collect()
    }
}

/// Follows edges from the start, breadth first. Only visible nodes are entered: a path through a hidden one is cut.
///
/// From a column, the search follows the column's own edges; an edge between the two holders as wholes only if no
/// visible edge of the kinds asked for says which columns it is about. From a holder as a whole it follows all edges of
/// the holder, and what it reaches counts as a whole.
///
/// # Errors
/// `visible` was computed for another graph.
pub fn impact<'g>(graph: &'g Graph, visible: &Visible, question: &Question<'_>) -> Result<Impact<'g>, OtherGraph> {
    visible.check(graph)?;
    let edges = visible;
    let visible = visible.bits(graph);
    // Nodes that are not entered: those that were, and the hidden ones.
    let mut closed = visible.complement();
    let mut counted = Bits::new(graph.n_nodes());
    let mut scratch = Bits::new(graph.n_nodes());
    let mut frontier = Vec::new();
    let mut ways = Ways { graph, question, visible: edges, opened: HashSet::new(), any_column_of: Vec::new() };
    for node in question.start {
        let find = |key: &[u8]| graph.find(key).filter(|id| visible.contains(*id));
        let Some(holder) = find(&node.holder.key()) else { continue };
        counted.insert(holder);
        match find(&node.key()) {
            Some(id) if closed.insert(id) => frontier.push(id),
            Some(_) => {}
            // A column that no edge names still has the edges of its holder.
            None => ways.any_column_of.push(holder),
        }
    }
    let mut levels: Vec<Vec<u32>> = Vec::new();
    let mut n_holders = 0;
    let mut cut = graph.is_behind().then_some(Cut::Behind);
    while !(frontier.is_empty() && ways.any_column_of.is_empty()) {
        let limit = if levels.len() >= question.depth as usize {
            Some(Cut::Depth)
        } else if n_holders >= question.most {
            Some(Cut::Limit)
        } else {
            None
        };
        if let Some(limit) = limit {
            let mut has_more = false;
            ways.each(&frontier, &mut |id| {
                has_more = has_more || !closed.contains(id) && !closed.contains(graph.holder(id))
            });
            if has_more {
                cut = Some(cut.unwrap_or(limit));
            }
            break;
        }
        let (mut next, mut level) = (Vec::new(), Vec::new());
        ways.each(&frontier, &mut |id| {
            if closed.contains(id) {
                return;
            }
            let holder = graph.holder(id);
            // The holder was reached as a whole: all that its columns reach is reached from there.
            if holder != id && closed.contains(holder) {
                return;
            }
            closed.insert(id);
            next.push(id);
            if counted.insert(holder) {
                level.push(holder);
            }
        });
        // In order, so that the next step goes through the lists from one end to the other.
        scratch.sort(&mut next);
        scratch.sort(&mut level);
        n_holders += level.len();
        levels.push(level);
        frontier = next;
    }
    Ok(Impact { graph, reached: closed.intersection(&visible), levels, cut })
}

struct Ways<'a> {
    graph: &'a Graph,
    question: &'a Question<'a>,
    visible: &'a Visible,
    /// The holders whose edges without columns were followed for one of their columns.
    opened: HashSet<u32>,
    /// Holders of which a column without edges is to be followed.
    any_column_of: Vec<u32>,
}

impl Ways<'_> {
    fn each(&mut self, frontier: &[u32], visit: &mut impl FnMut(u32)) {
        for holder in std::mem::take(&mut self.any_column_of) {
            self.open(holder, visit);
        }
        for id in frontier {
            self.edges(*id, visit);
            let holder = self.graph.holder(*id);
            if holder != *id {
                self.open(holder, visit);
            }
        }
    }

    fn edges(&self, id: u32, visit: &mut impl FnMut(u32)) {
        let kinds = self.question.kinds.0;
        match self.question.direction {
            Direction::Downstream => self.graph.each_forward(id, &mut |to, of_edge| {
                if self.visible.kinds(id, to, of_edge) & kinds != 0 {
                    visit(to);
                }
            }),
            Direction::Upstream => self.graph.each_backward(id, &mut |from, of_edge| {
                if self.visible.kinds(from, id, of_edge) & kinds != 0 {
                    visit(from);
                }
            }),
        }
    }

    /// The edges of a holder that hold for any of its columns.
    fn open(&mut self, holder: u32, visit: &mut impl FnMut(u32)) {
        if !self.opened.insert(holder) {
            return;
        }
        let mut described: HashSet<u32> = HashSet::new();
        for column in self.graph.columns(holder) {
            self.edges(column, &mut |id| {
                described.insert(self.graph.holder(id));
            });
        }
        let mut of_holder = Vec::new();
        self.edges(holder, &mut |id| of_holder.push(id));
        // An edge from the whole holder to a column says which column, too.
        let columns = of_holder.iter().filter(|id| self.graph.holder(**id) != **id);
        described.extend(columns.map(|id| self.graph.holder(*id)));
        for id in of_holder {
            if self.graph.holder(id) != id || !described.contains(&id) {
                visit(id);
            }
        }
    }
}
