//! From claims to edges: names are resolved, and of what was said the weaker is left out.

use std::collections::{BTreeMap, BTreeSet};

use domain::id::TableId;

use crate::claim::{Claim, End, Seen, Thing};
use crate::edge::{Basis, Edge, Holder, Kind, Node, Speaker};
use crate::name::{Dataset, Job};
use crate::resolve::{Aliases, Directory};

/// A claim, the job that it is by, and when it was made.
pub type Said<'a> = (Option<&'a Job>, &'a Claim, Seen);

/// The observed edges of one speaker's claims.
///
/// - A dataset that resolves to a table of ours is that table; another one stays a dataset until it does.
/// - What changes a dataset in place is left out, except where one column is made from another.
/// - Where a job names all that a dataset is made from, what it merely read in the same run is left out.
/// - A job that names no target is an end of its own, under its application's name if it is part of one. It is left out
///   if it only tests, or if another job of the application makes something from the same source: engines report one
///   statement as several jobs, of which some name no output.
///
/// The claims must be all those of the speaker, or all those of one application of theirs with its aliases.
pub fn settle(speaker: Speaker, said: &[Said<'_>], directory: &Directory) -> BTreeMap<Edge, Seen> {
    settle_each(speaker, said, directory, directory)
}

/// The same, with a directory for where data comes from and one for where it goes. For whoever may not know of a table, its
/// names mean none: [`settle_all`] has the edges for every caller.
fn settle_each(speaker: Speaker, said: &[Said<'_>], sources: &Directory, targets: &Directory) -> BTreeMap<Edge, Seen> {
    let aliases = aliases_of(said);
    let holder_of = |dataset: &Dataset, directory: &Directory| match directory.resolve(dataset, &aliases) {
        Some(table) => Holder::Table(table),
        None => Holder::Dataset(dataset.clone()),
    };
    let node = |end: &End, directory: &Directory| {
        let holder = match &end.thing {
            Thing::Dataset(dataset) => holder_of(dataset, directory),
            Thing::Job(job) => Holder::Job(job.clone()),
        };
        Node { holder, column: end.column.clone() }
    };
    let mut explicit: BTreeSet<(Option<&Job>, Holder)> = BTreeSet::new();
    let mut applications: BTreeMap<&Job, BTreeSet<&Job>> = BTreeMap::new();
    let mut tests: BTreeSet<&Job> = BTreeSet::new();
    for (job, claim, _) in said {
        match (claim, job) {
            (Claim::Explicit { to }, job) => {
                explicit.insert((*job, holder_of(to, targets)));
            }
            (Claim::PartOf { application }, Some(job)) => {
                applications.entry(job).or_default().insert(application);
            }
            (Claim::Tests, Some(job)) => {
                tests.insert(job);
            }
            (Claim::PartOf { .. } | Claim::Tests, None) | (Claim::Flow { .. } | Claim::Alias { .. }, _) => {}
        }
    }
    let applications_of = |job| match applications.get(job) {
        Some(applications) => applications.clone(),
        None => BTreeSet::from([job]),
    };

    let mut edges = BTreeMap::new();
    let mut made_from: BTreeSet<(&Job, Holder)> = BTreeSet::new();
    let mut ends = Vec::new();
    for (job, claim, seen) in said {
        let Claim::Flow { from, to, basis } = claim else { continue };
        if *basis == Basis::Ends {
            ends.extend(job.map(|job| (job, node(from, sources), *seen)));
            continue;
        }
        let (from, to) = (node(from, sources), node(to, targets));
        let is_superseded = *basis == Basis::Together && explicit.contains(&(*job, to.holder.clone()));
        // What changes a table in place is no lineage, whatever names it has; one column made from another is.
        let is_in_place = from.holder == to.holder && (from.column == to.column || to.column.is_none());
        if is_superseded || is_in_place {
            continue;
        }
        if from.holder != to.holder {
            for application in job.iter().flat_map(|job| applications_of(job)) {
                made_from.insert((application, from.holder.clone()));
            }
        }
        add(&mut edges, Edge { speaker, kind: Kind::Observed, job: job.cloned(), from, to, basis: *basis }, *seen);
    }
    for (job, from, seen) in ends.into_iter().filter(|(job, ..)| !tests.contains(*job)) {
        for application in applications_of(job) {
            if !made_from.contains(&(application, from.holder.clone())) {
                let (from, to) = (from.clone(), Node::whole(Holder::Job(application.clone())));
                let edge = Edge { speaker, kind: Kind::Observed, job: Some(job.clone()), from, to, basis: Basis::Ends };
                add(&mut edges, edge, seen);
            }
        }
    }
    edges
}

/// What one speaker's claims mean to every caller.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// The edges: with each end as the table that it means, and as the dataset that it is for whoever may not know of the
    /// table. Which of them exist for a caller follows from the nodes that do.
    pub edges: BTreeMap<Edge, Seen>,
    /// The datasets that the claims name, each with the table that it means.
    pub means: BTreeMap<Dataset, Option<TableId>>,
}

/// The edges of one speaker's claims, for callers who may know of all tables, of some, or of none ([`settle`]).
pub fn settle_all(speaker: Speaker, said: &[Said<'_>], directory: &Directory) -> Settled {
    let none = Directory::default();
    let mut edges = settle(speaker, said, directory);
    let aliases = aliases_of(said);
    let mut means = BTreeMap::new();
    let mut mention = |dataset: &Dataset| {
        means.entry(dataset.clone()).or_insert_with_key(|dataset| directory.resolve(dataset, &aliases));
    };
    for (_, claim, _) in said {
        if let Claim::Flow { from, to, .. } = claim {
            for end in [from, to] {
                match &end.thing {
                    Thing::Dataset(dataset) => mention(dataset),
                    Thing::Job(_) => {}
                }
            }
        }
    }
    if means.values().any(Option::is_some) {
        for (sources, targets) in [(directory, &none), (&none, directory), (&none, &none)] {
            for (edge, seen) in settle_each(speaker, said, sources, targets) {
                add(&mut edges, edge, seen);
            }
        }
    }
    Settled { edges, means }
}

/// The other names that the speaker gives datasets.
fn aliases_of(said: &[Said<'_>]) -> Aliases {
    let mut aliases = Aliases::default();
    for (_, claim, _) in said {
        if let Claim::Alias { dataset, other } = claim {
            aliases.insert(dataset.clone(), other.clone());
        }
    }
    aliases
}

fn add(edges: &mut BTreeMap<Edge, Seen>, edge: Edge, seen: Seen) {
    edges.entry(edge).and_modify(|known| *known = known.merged(seen)).or_insert(seen);
}
