//! Building the compressed graph.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::id::DomainId;

use crate::edge::{Kind, Kinds, Node};
use crate::graph::base::{Adjacency, Base, Bits, NO_DOMAIN, holder_key};
use crate::graph::held::Graph;

/// Tells the nodes given to one builder apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(u32);

/// The graph would not fit its numbers: 2^32 nodes, edges or bytes of names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the graph has more than 2^32 nodes, edges or bytes of names")]
pub struct TooLarge;

/// Collects nodes and edges. A node may be given many times, and nothing depends on the order.
#[derive(Debug, Default)]
pub struct Builder {
    keys: Vec<u8>,
    key_ends: Vec<u32>,
    domains: Vec<u32>,
    domain_ids: Vec<DomainId>,
    domain_index: HashMap<DomainId, u32>,
    edges: Vec<(u32, u32)>,
    kinds: Vec<u8>,
}

static GENERATIONS: AtomicU64 = AtomicU64::new(1);

impl Builder {
    /// A builder with room for so many nodes and edges.
    pub fn with_capacity(n_nodes: usize, n_edges: usize) -> Self {
        Self {
            key_ends: Vec::with_capacity(n_nodes),
            domains: Vec::with_capacity(n_nodes),
            edges: Vec::with_capacity(n_edges),
            kinds: Vec::with_capacity(n_edges),
            ..Self::default()
        }
    }

    /// Adds a node, and the domain that owns its holder.
    ///
    /// # Errors
    /// There are too many nodes, or bytes of names.
    pub fn node(&mut self, node: &Node, domain: Option<DomainId>) -> Result<Handle, TooLarge> {
        let handle = u32::try_from(self.key_ends.len()).ok().filter(|handle| *handle < NO_DOMAIN).ok_or(TooLarge)?;
        self.keys.extend_from_slice(&node.key());
        self.key_ends.push(u32::try_from(self.keys.len()).map_err(|_| TooLarge)?);
        let domain = domain.map_or(NO_DOMAIN, |domain| {
            let ids = &mut self.domain_ids;
            *self.domain_index.entry(domain).or_insert_with(|| {
                ids.push(domain);
                ids.len() as u32 - 1
            })
        });
        self.domains.push(domain);
        Ok(Handle(handle))
    }

    /// Adds an edge. One between columns is also one between their holders.
    pub fn edge(&mut self, from: Handle, to: Handle, kind: Kind) {
        self.edges.push((from.0, to.0));
        self.kinds.push(Kinds::of(&[kind]).0);
    }

    /// The graph.
    ///
    /// # Errors
    /// It has too many edges.
    pub fn build(self) -> Result<Graph, TooLarge> {
        let (mut base, ids) = self.sorted_nodes()?;
        let Self { edges, kinds, .. } = self;
        base.forward = forward(&base.holders, &edges, &kinds, &ids)?;
        drop((edges, kinds, ids));
        base.backward = transposed(&base.forward);
        Ok(Graph::of(Arc::new(base)))
    }

    fn key(&self, handle: u32) -> &[u8] {
        let start = handle.checked_sub(1).map_or(0, |before| self.key_ends[before as usize]);
        &self.keys[start as usize..self.key_ends[handle as usize] as usize]
    }

    /// The nodes in order, each once, with holders that only their columns named; and the id of each handle.
    fn sorted_nodes(&self) -> Result<(Base, Vec<u32>), TooLarge> {
        let mut order: Vec<(u128, u32)> =
            (0..self.key_ends.len() as u32).map(|handle| (beginning(self.key(handle)), handle)).collect();
        order.sort_unstable_by(|(one, of_one), (two, of_two)| {
            one.cmp(two).then_with(|| self.key(*of_one).cmp(self.key(*of_two)))
        });
        let mut base = Base {
            key_starts: Vec::with_capacity(order.len() + 1),
            keys: Vec::with_capacity(self.keys.len()),
            holders: Vec::with_capacity(order.len()),
            domains: Vec::with_capacity(order.len()),
            columns: Bits::default(),
            domain_ids: self.domain_ids.clone(),
            forward: Adjacency::default(),
            backward: Adjacency::default(),
            generation: GENERATIONS.fetch_add(1, Ordering::Relaxed),
        };
        base.key_starts.push(0);
        let mut ids = vec![0; order.len()];
        let mut holder: Option<u32> = None;
        for (_, handle) in order {
            let key = self.key(handle);
            let of_holder = holder_key(key);
            let known = holder.filter(|holder| base.key(*holder) == of_holder);
            let of_node = match known {
                Some(known) => known,
                None => push(&mut base, of_holder, None)?,
            };
            holder = Some(of_node);
            let last = base.n_nodes() as u32 - 1;
            ids[handle as usize] = if base.key(last) == key { last } else { push(&mut base, key, Some(of_node))? };
            let (owner, domain) = (&mut base.domains[of_node as usize], self.domains[handle as usize]);
            // Callers that disagree about the owner get the same one, whatever their order.
            let id = |index: u32| self.domain_ids.get(index as usize);
            if id(domain) > id(*owner) {
                *owner = domain;
            }
        }
        base.columns = Bits::new(base.n_nodes());
        for (id, holder) in base.holders.iter().enumerate().filter(|(id, holder)| *id as u32 != **holder) {
            debug_assert!(*holder < id as u32);
            base.columns.insert(id as u32);
        }
        base.keys.shrink_to_fit();
        base.key_starts.shrink_to_fit();
        Ok((base, ids))
    }
}

fn push(base: &mut Base, key: &[u8], holder: Option<u32>) -> Result<u32, TooLarge> {
    let id = u32::try_from(base.holders.len()).ok().filter(|id| *id < u32::MAX - 1).ok_or(TooLarge)?;
    base.keys.extend_from_slice(key);
    base.key_starts.push(u32::try_from(base.keys.len()).map_err(|_| TooLarge)?);
    base.holders.push(holder.unwrap_or(id));
    base.domains.push(NO_DOMAIN);
    Ok(id)
}

/// The first bytes of a key as a number of the same order, so that most comparisons need no look into the buffer.
fn beginning(key: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    let n_bytes = key.len().min(16);
    bytes[..n_bytes].copy_from_slice(&key[..n_bytes]);
    u128::from_be_bytes(bytes)
}

fn forward(holders: &[u32], edges: &[(u32, u32)], kinds: &[u8], ids: &[u32]) -> Result<Adjacency, TooLarge> {
    // An edge, and that of its holders.
    let each = |visit: &mut dyn FnMut(u32, u32, u8)| {
        for ((from, to), kinds) in edges.iter().zip(kinds) {
            let (from, to) = (ids[*from as usize], ids[*to as usize]);
            let (from_holder, to_holder) = (holders[from as usize], holders[to as usize]);
            if from != to {
                visit(from, to, *kinds);
            }
            if (from_holder, to_holder) != (from, to) && from_holder != to_holder {
                visit(from_holder, to_holder, *kinds);
            }
        }
    };
    let mut starts = vec![0_u32; holders.len() + 1];
    let mut n_edges = 0_u64;
    each(&mut |from, _, _| {
        n_edges += 1;
        starts[from as usize + 1] = starts[from as usize + 1].wrapping_add(1);
    });
    u32::try_from(n_edges).map_err(|_| TooLarge)?;
    sum_up(&mut starts);
    let mut next = starts.clone();
    let mut packed = vec![0_u64; n_edges as usize];
    each(&mut |from, to, kinds| {
        let place = &mut next[from as usize];
        packed[*place as usize] = u64::from(to) << 8 | u64::from(kinds);
        *place += 1;
    });
    drop(next);
    let mut adjacency = Adjacency {
        starts: Vec::with_capacity(starts.len()),
        targets: Vec::with_capacity(packed.len()),
        kinds: Vec::with_capacity(packed.len()),
    };
    adjacency.starts.push(0);
    for node in 0..holders.len() {
        let of_node = &mut packed[starts[node] as usize..starts[node + 1] as usize];
        of_node.sort_unstable();
        let first = adjacency.targets.len();
        for edge in of_node {
            let (to, kinds) = ((*edge >> 8) as u32, *edge as u8);
            match adjacency.kinds.last_mut() {
                Some(last) if adjacency.targets.len() > first && adjacency.targets.last() == Some(&to) => {
                    *last |= kinds
                }
                _ => {
                    adjacency.targets.push(to);
                    adjacency.kinds.push(kinds);
                }
            }
        }
        adjacency.starts.push(adjacency.targets.len() as u32);
    }
    adjacency.targets.shrink_to_fit();
    adjacency.kinds.shrink_to_fit();
    Ok(adjacency)
}

fn transposed(forward: &Adjacency) -> Adjacency {
    let n_nodes = forward.starts.len() - 1;
    let mut starts = vec![0_u32; n_nodes + 1];
    for to in &forward.targets {
        starts[*to as usize + 1] += 1;
    }
    sum_up(&mut starts);
    let mut next = starts.clone();
    let mut targets = vec![0; forward.targets.len()];
    let mut kinds = vec![0; forward.targets.len()];
    for node in 0..n_nodes as u32 {
        for (to, of_edge) in forward.of(node) {
            let place = &mut next[to as usize];
            targets[*place as usize] = node;
            kinds[*place as usize] = of_edge;
            *place += 1;
        }
    }
    Adjacency { starts, targets, kinds }
}

/// Counts become starts.
fn sum_up(starts: &mut [u32]) {
    let mut sum = 0_u32;
    for start in starts {
        sum = sum.wrapping_add(*start);
        *start = sum;
    }
}
