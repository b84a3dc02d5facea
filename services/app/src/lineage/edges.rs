//! All edges with who says so, in little memory: nodes once and in order, edges as numbers.

use std::collections::{BTreeMap, HashMap};

use domain::clock::Timestamp;
use domain::id::TableId;
use lineage::claim::Seen;
use lineage::edge::{Basis, Edge, Holder, Kind, Node, Speaker};
use lineage::graph::{Builder, Graph, Handle, TooLarge};
use lineage::name::{Dataset, Job};

/// The tables that datasets mean to each of those who name them. To whoever may know of such a table the dataset is that
/// table; to everyone else it is a dataset like any other, as if there were no table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Means(HashMap<Dataset, Vec<Vec<TableId>>>);

impl Means {
    /// Notes what a dataset means to one who names it.
    pub(super) fn mention(&mut self, dataset: &Dataset, tables: &[TableId]) {
        let meanings = self.0.entry(dataset.clone()).or_default();
        if !meanings.iter().any(|meaning| meaning == tables) {
            meanings.push(tables.to_vec());
        }
    }

    pub(super) fn extend(&mut self, other: &Self) {
        for (dataset, meanings) in &other.0 {
            meanings.iter().for_each(|tables| self.mention(dataset, tables));
        }
    }

    /// Whether a dataset exists beside our tables, for a caller who may know of some tables: someone who names it means
    /// none of these.
    pub(super) fn is_apart(&self, dataset: &Dataset, mut may_know: impl FnMut(TableId) -> bool) -> bool {
        let meanings = self.0.get(dataset).into_iter().flatten();
        meanings.into_iter().any(|tables| !tables.iter().any(|table| may_know(*table)))
    }
}

/// An edge with when it was said first and last; no times for what is so now.
pub(super) type Said = (Edge, Option<Seen>);

#[derive(Clone, Copy, Debug)]
struct Row {
    from: u32,
    to: u32,
    speaker: u32,
    /// One more than the job's number; 0 for none.
    job: u32,
    kind: Kind,
    basis: Basis,
    /// [`NEVER`] for none.
    first: Timestamp,
    last: Timestamp,
}

const NEVER: Timestamp = Timestamp(i64::MIN);

/// Edges that do not change any more.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    nodes: Vec<Node>,
    speakers: Vec<Speaker>,
    jobs: Vec<Job>,
    /// In the order of sources, then targets.
    rows: Vec<Row>,
    /// The rows in the order of targets.
    by_target: Vec<u32>,
}

impl Edges {
    /// These edges, in any order.
    pub(super) fn of(said: Vec<Said>) -> Self {
        let mut nodes: Vec<Node> = said.iter().flat_map(|(edge, _)| [edge.from.clone(), edge.to.clone()]).collect();
        nodes.sort_unstable();
        nodes.dedup();
        let mut speakers: BTreeMap<Speaker, u32> = BTreeMap::new();
        let mut jobs: BTreeMap<Job, u32> = BTreeMap::new();
        for (edge, _) in &said {
            let (n_speakers, n_jobs) = (number(speakers.len()), number(jobs.len()));
            speakers.entry(edge.speaker).or_insert(n_speakers);
            if let Some(job) = &edge.job {
                jobs.entry(job.clone()).or_insert(n_jobs);
            }
        }
        let find = |node: &Node| number(nodes.binary_search(node).unwrap_or_default());
        let row = |(edge, seen): Said| Row {
            from: find(&edge.from),
            to: find(&edge.to),
            speaker: speakers.get(&edge.speaker).copied().unwrap_or_default(),
            job: edge.job.as_ref().and_then(|job| jobs.get(job)).map_or(0, |job| job + 1),
            kind: edge.kind,
            basis: edge.basis,
            first: seen.map_or(NEVER, |seen| seen.first),
            last: seen.map_or(NEVER, |seen| seen.last),
        };
        let mut rows: Vec<Row> = said.into_iter().map(row).collect();
        rows.sort_unstable_by_key(|row| (row.from, row.to));
        let mut by_target: Vec<u32> = (0..number(rows.len())).collect();
        by_target.sort_unstable_by_key(|place| rows[*place as usize].to);
        Self { nodes, speakers: in_order(speakers), jobs: in_order(jobs), rows, by_target }
    }

    /// The compressed graph of them.
    pub(super) fn graph(&self) -> Result<Graph, TooLarge> {
        let mut builder = Builder::with_capacity(self.nodes.len(), self.rows.len());
        // Who owns a shared table depends on who asks: domains are counted when a question is answered.
        let handles: Vec<Handle> = self.nodes.iter().map(|node| builder.node(node, None)).collect::<Result<_, _>>()?;
        for row in &self.rows {
            builder.edge(handles[row.from as usize], handles[row.to as usize], row.kind);
        }
        builder.build()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Said> + '_ {
        self.rows.iter().map(|row| self.said(row))
    }

    /// The edges by one speaker.
    pub(super) fn by(&self, speaker: Speaker) -> impl Iterator<Item = Said> + '_ {
        let number = self.speakers.iter().position(|known| *known == speaker).map(number);
        self.rows.iter().filter(move |row| Some(row.speaker) == number).map(|row| self.said(row))
    }

    /// The edges that begin at a holder or one of its columns.
    pub(super) fn from(&self, holder: &Holder) -> impl Iterator<Item = Said> + '_ {
        let (first, end) = self.range(holder);
        let start = self.rows.partition_point(|row| row.from < first);
        self.rows[start..].iter().take_while(move |row| row.from < end).map(|row| self.said(row))
    }

    /// The edges that end at a holder or one of its columns.
    pub(super) fn to(&self, holder: &Holder) -> impl Iterator<Item = Said> + '_ {
        let (first, end) = self.range(holder);
        let start = self.by_target.partition_point(|place| self.rows[*place as usize].to < first);
        let rows = self.by_target[start..].iter().map(|place| &self.rows[*place as usize]);
        rows.take_while(move |row| row.to < end).map(|row| self.said(row))
    }

    /// The columns of a holder that edges name.
    pub(super) fn columns(&self, holder: &Holder) -> impl Iterator<Item = &str> {
        let (first, end) = self.range(holder);
        self.nodes[first as usize..end as usize].iter().filter_map(|node| node.column.as_deref())
    }

    /// The numbers of a holder's nodes: the columns follow their holder.
    fn range(&self, holder: &Holder) -> (u32, u32) {
        let first = self.nodes.partition_point(|node| node.holder < *holder);
        let n_nodes = self.nodes[first..].partition_point(|node| node.holder == *holder);
        (number(first), number(first + n_nodes))
    }

    fn said(&self, row: &Row) -> Said {
        let edge = Edge {
            speaker: self.speakers[row.speaker as usize],
            kind: row.kind,
            job: row.job.checked_sub(1).map(|job| self.jobs[job as usize].clone()),
            from: self.nodes[row.from as usize].clone(),
            to: self.nodes[row.to as usize].clone(),
            basis: row.basis,
        };
        let seen = (row.last > NEVER).then_some(Seen { first: row.first, last: row.last });
        (edge, seen)
    }
}

/// The keys in the order of their numbers, which have no gaps.
fn in_order<K>(numbers: BTreeMap<K, u32>) -> Vec<K> {
    let mut keys: Vec<(u32, K)> = numbers.into_iter().map(|(key, number)| (number, key)).collect();
    keys.sort_unstable_by_key(|(number, _)| *number);
    keys.into_iter().map(|(_, key)| key).collect()
}

/// A place as a number. The graph has fewer than 2^32 nodes and edges, else it is not built.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
