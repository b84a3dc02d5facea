//! From events to claims, in any order and any number of times.
//!
//! - Events of runs add up: a claim is never taken back, it only carries when it was made first and last, so that the
//!   reader decides how old a claim may be. A run is the union of its events, because a START may name inputs and the
//!   COMPLETE outputs.
//! - Events without a run are statements: of those about one job, or about one facet of one dataset, the newest holds,
//!   by the time in the event, then by the event's digest.
//!
//! Both are joins of semilattices, so duplicates and order change nothing. A store keeps what [`Ledger`] keeps: one row
//! for each run, claim and statement.

use std::collections::{BTreeMap, BTreeSet};

use domain::clock::Timestamp;
use domain::closed_set;
use uuid::Uuid;

use crate::claim::{Claim, End, Seen};
use crate::edge::{Basis, Speaker};
use crate::name::{Dataset, Job};
use crate::openlineage::{
    DatasetFacts, Design, Digest, Event, Explicit, ExplicitTarget, Facet, MAX_DATASETS, MAX_PAIRS, Source, Subject,
};

/// What one event adds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The event's part of its run, to be merged with what is known of it ([`RunState::merge`]); then the run's claims
    /// ([`RunState::claims`]) are added to the job's.
    pub run: Option<(Uuid, RunState)>,
    /// The job that the claims are by; `None` for an event about a dataset.
    pub job: Option<Job>,
    /// What is added to the job's claims.
    pub claims: BTreeSet<Claim>,
    /// What replaces older statements.
    pub statements: Vec<(About, Statement)>,
}

closed_set! {
    /// A facet of a dataset that is a statement by itself.
    Stated {
        /// Other names of the dataset.
        Symlinks = "symlinks",
        /// Which columns its columns are made from.
        ColumnLineage = "columnLineage",
        /// What it is made from.
        Lineage = "lineage",
        /// Who uses it without being a run.
        Exposures = "dbt_exposures",
    }
}

/// What a statement is about. A newer one about the same replaces an older one by the same speaker.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The design of a job.
    Design(Job),
    /// One facet of a dataset.
    Facet(Dataset, Stated),
}

/// What a producer states outside of any run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// When; the newest holds.
    pub time: Timestamp,
    /// Of two events of one time, the one with the greater digest holds.
    pub digest: Digest,
    /// What is claimed: nothing, if the facet was withdrawn.
    pub claims: BTreeSet<Claim>,
}

/// What the events of one run have named so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunState {
    /// When its events happened.
    pub seen: Seen,
    /// What it read.
    pub inputs: BTreeSet<Dataset>,
    /// What it wrote.
    pub outputs: BTreeSet<Dataset>,
}

/// Why an event is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The events of its run name too much together.
    #[error("the run has more than {MAX_DATASETS} inputs or outputs, or more than {MAX_PAIRS} pairs of them")]
    RunTooLarge,
}

impl RunState {
    /// Adds the part of another event.
    ///
    /// # Errors
    /// The run would have too many inputs or outputs; it is unchanged then.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        let n_inputs = self.inputs.union(&other.inputs).count();
        let n_outputs = self.outputs.union(&other.outputs).count();
        if n_inputs.max(n_outputs) > MAX_DATASETS || n_inputs * n_outputs > MAX_PAIRS {
            return Err(Error::RunTooLarge);
        }
        self.seen = self.seen.merged(other.seen);
        self.inputs.extend(other.inputs.iter().cloned());
        self.outputs.extend(other.outputs.iter().cloned());
        Ok(())
    }

    /// What the run claims: each output is made from each input, and the job reads each input.
    pub fn claims<'a>(&'a self, job: &'a Job) -> impl Iterator<Item = Claim> + 'a {
        pairs(self.inputs.iter(), self.outputs.iter(), job)
    }
}

fn pairs<'a>(
    inputs: impl Iterator<Item = &'a Dataset> + Clone + 'a,
    outputs: impl Iterator<Item = &'a Dataset> + Clone + 'a,
    job: &'a Job,
) -> impl Iterator<Item = Claim> + 'a {
    inputs.flat_map(move |input| {
        let from = End::dataset(input);
        let end = Claim::Flow { from: from.clone(), to: End::job(job), basis: Basis::Ends };
        let flows = outputs.clone().filter(move |output| *output != input).map(move |output| Claim::Flow {
            from: from.clone(),
            to: End::dataset(output),
            basis: Basis::Together,
        });
        std::iter::once(end).chain(flows)
    })
}

/// What an event adds.
pub fn observe(event: &Event) -> Observation {
    let mut claims = BTreeSet::new();
    let statement = |claims| Statement { time: event.time, digest: event.digest, claims };
    match &event.subject {
        Subject::Run(run) => {
            let job = &run.design.job;
            design_claims(&run.design, &mut claims);
            if let Some(application) = &run.parent {
                claims.insert(Claim::PartOf { application: application.clone() });
            }
            if !run.tests.is_empty() {
                claims.insert(Claim::Tests);
            }
            let names = |side: &[DatasetFacts]| side.iter().map(|facts| facts.dataset.clone()).collect();
            let (inputs, outputs) = (names(&run.design.inputs), names(&run.design.outputs));
            let part = RunState { seen: Seen::at(event.time), inputs, outputs };
            Observation { run: Some((run.id, part)), job: Some(job.clone()), claims, statements: Vec::new() }
        }
        Subject::Job(design) => {
            let job = &design.job;
            design_claims(design, &mut claims);
            let names = |side: &'_ [DatasetFacts]| -> BTreeSet<Dataset> {
                side.iter().map(|facts| facts.dataset.clone()).collect()
            };
            let (inputs, outputs) = (names(&design.inputs), names(&design.outputs));
            claims.extend(pairs(inputs.iter(), outputs.iter(), job));
            let statements = vec![(About::Design(job.clone()), statement(claims))];
            Observation { run: None, job: Some(job.clone()), claims: BTreeSet::new(), statements }
        }
        Subject::Dataset(facts) => {
            let statements = Stated::ALL
                .iter()
                .filter_map(|stated| {
                    let mut claims = BTreeSet::new();
                    let is_mentioned = facet_claims(facts, *stated, None, &mut claims);
                    is_mentioned.then(|| (About::Facet(facts.dataset.clone(), *stated), statement(claims)))
                })
                .collect();
            Observation { run: None, job: None, claims, statements }
        }
    }
}

fn design_claims(design: &Design, claims: &mut BTreeSet<Claim>) {
    for facts in design.inputs.iter().chain(&design.outputs) {
        for stated in Stated::ALL {
            facet_claims(facts, *stated, Some(&design.job), claims);
        }
        if !facts.assertions.is_empty() {
            claims.insert(Claim::Tests);
        }
    }
    for explicit in design.lineage.given().into_iter().flatten() {
        explicit_claims(explicit, Some(&design.job), claims);
    }
}

/// Adds what a facet claims; gives whether the event mentions the facet.
fn facet_claims(facts: &DatasetFacts, stated: Stated, job: Option<&Job>, claims: &mut BTreeSet<Claim>) -> bool {
    let dataset = &facts.dataset;
    match stated {
        Stated::Symlinks => {
            let others = facts.symlinks.given().into_iter().flatten().filter(|other| *other != dataset);
            claims.extend(others.map(|other| Claim::Alias { dataset: dataset.clone(), other: other.clone() }));
            facts.symlinks != Facet::Absent
        }
        Stated::ColumnLineage => {
            for influence in facts.columns.given().into_iter().flatten() {
                let to = End { column: influence.column.clone(), ..End::dataset(dataset) };
                for source in &influence.sources {
                    let from = End::column(&source.dataset, &source.column);
                    flows(&from, &to, &source.ways, claims);
                }
            }
            facts.columns != Facet::Absent
        }
        Stated::Lineage => {
            if let Some(explicit) = facts.lineage.given() {
                explicit_claims(explicit, job, claims);
            }
            facts.lineage != Facet::Absent
        }
        Stated::Exposures => {
            for exposure in facts.exposures.given().into_iter().flatten() {
                flows(&End::dataset(dataset), &End::job(exposure), &[Source::Direct].into(), claims);
            }
            facts.exposures != Facet::Absent
        }
    }
}

fn explicit_claims(explicit: &Explicit, job: Option<&Job>, claims: &mut BTreeSet<Claim>) {
    // An event about a dataset has no job of its own: there is nothing to name then.
    let end = |target: &ExplicitTarget| match target {
        ExplicitTarget::Dataset(dataset) => Some(End::dataset(dataset)),
        ExplicitTarget::Job(named) => named.as_ref().or(job).map(End::job),
    };
    let Some(to) = end(&explicit.target) else { return };
    if let (ExplicitTarget::Dataset(dataset), true) = (&explicit.target, explicit.is_given) {
        claims.insert(Claim::Explicit { to: dataset.clone() });
    }
    for source in &explicit.sources {
        let Some(from) = end(&source.from) else { continue };
        let from = End { column: source.column.clone(), ..from };
        flows(&from, &End { column: source.to_column.clone(), ..to.clone() }, &source.ways, claims);
    }
}

fn flows(from: &End, to: &End, ways: &BTreeSet<Source>, claims: &mut BTreeSet<Claim>) {
    if from == to {
        return;
    }
    claims.extend(ways.iter().map(|way| {
        let basis = match way {
            Source::Direct => Basis::Direct,
            Source::Masked => Basis::Masked,
            Source::Indirect => Basis::Indirect,
        };
        Claim::Flow { from: from.clone(), to: to.clone(), basis }
    }));
}

/// All that events have said, in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    runs: BTreeMap<(Speaker, Job, Uuid), RunState>,
    claims: BTreeMap<(Speaker, Option<Job>, Claim), Seen>,
    statements: BTreeMap<(Speaker, About), Statement>,
}

impl Ledger {
    /// Takes an event by the principal who sent it.
    ///
    /// # Errors
    /// A run that has become too large; nothing has changed then.
    pub fn apply(&mut self, speaker: Speaker, event: &Event) -> Result<(), Error> {
        let Observation { run, job, claims, statements } = observe(event);
        if let (Some((id, part)), Some(job)) = (run, &job) {
            let state = match self.runs.entry((speaker, job.clone(), id)) {
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(part),
                std::collections::btree_map::Entry::Occupied(entry) => {
                    let state = entry.into_mut();
                    state.merge(&part)?;
                    state
                }
            };
            for claim in state.claims(job) {
                add(&mut self.claims, (speaker, Some(job.clone()), claim), state.seen);
            }
        }
        for claim in claims {
            add(&mut self.claims, (speaker, job.clone(), claim), Seen::at(event.time));
        }
        for (about, statement) in statements {
            let known = self.statements.entry((speaker, about)).or_insert_with(|| statement.clone());
            if *known < statement {
                *known = statement;
            }
        }
        Ok(())
    }

    /// Who has said anything.
    pub fn speakers(&self) -> BTreeSet<Speaker> {
        let of_claims = self.claims.keys().map(|(speaker, ..)| *speaker);
        of_claims.chain(self.statements.keys().map(|(speaker, _)| *speaker)).collect()
    }

    /// What a speaker claims, by which job, and when.
    pub fn claims(&self, speaker: Speaker) -> impl Iterator<Item = (Option<&Job>, &Claim, Seen)> {
        let by_jobs = self.claims.iter().filter(move |((by, ..), _)| *by == speaker);
        let by_jobs = by_jobs.map(|((_, job, claim), seen)| (job.as_ref(), claim, *seen));
        let stated = self.statements.iter().filter(move |((by, _), _)| *by == speaker);
        by_jobs.chain(stated.flat_map(|((_, about), statement)| {
            let job = match about {
                About::Design(job) => Some(job),
                About::Facet(..) => None,
            };
            statement.claims.iter().map(move |claim| (job, claim, Seen::at(statement.time)))
        }))
    }
}

fn add(claims: &mut BTreeMap<(Speaker, Option<Job>, Claim), Seen>, key: (Speaker, Option<Job>, Claim), seen: Seen) {
    claims.entry(key).and_modify(|known| *known = known.merged(seen)).or_insert(seen);
}
