//! From claims to edges: names are resolved, and of what was said the weaker is left out.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut aliases = Aliases::default();
    for (_, claim, _) in said {
        if let Claim::Alias { dataset, other } = claim {
            aliases.insert(dataset.clone(), other.clone());
        }
    }
    let holder_of = |dataset: &Dataset| match directory.resolve(dataset, &aliases) {
        Some(table) => Holder::Table(table),
        None => Holder::Dataset(dataset.clone()),
    };
    let node = |end: &End| {
        let holder = match &end.thing {
            Thing::Dataset(dataset) => holder_of(dataset),
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
                explicit.insert((*job, holder_of(to)));
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
            ends.extend(job.map(|job| (job, node(from), *seen)));
            continue;
        }
        let (from, to) = (node(from), node(to));
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

fn add(edges: &mut BTreeMap<Edge, Seen>, edge: Edge, seen: Seen) {
    edges.entry(edge).and_modify(|known| *known = known.merged(seen)).or_insert(seen);
}
