//! What each contract document does to its contract: versions compared, bumps enforced, transitions found.

use std::sync::Arc;

use domain::change::{self, Finding, Refusal, required_bump};
use domain::contract::{self, DeprecateError, State, StateName, Wish, WrongState};
use domain::id::{ContractVersionId, OverrideId};
use domain::name::DomainPath;
use domain::overrides::{FindingsDigest, Override, judge_under};
use domain::version::{Bump, Version};
use policy::{Action, Resource};

use super::model::{Breaking, Outcome, Problem, VersionRefusal};
use super::resolve::{ContractDocuments, ProductDocument, Resolved};
use super::set::{ContractEntry, Entry};
use super::state::PublishState;
use crate::contract::{parsed, proof};
use crate::ctx::{App, Ctx};
use crate::error::Error;

/// A set that can be written.
#[derive(Debug)]
pub(super) struct JudgedSet {
    pub(super) products: Vec<ProductDocument>,
    pub(super) contracts: Vec<JudgedContract>,
}

/// A contract, and what its documents do, the oldest version first.
#[derive(Debug)]
pub(super) struct JudgedContract {
    pub(super) contract: contract::Contract,
    pub(super) is_new: bool,
    pub(super) domain: DomainPath,
    pub(super) versions: Vec<JudgedVersion>,
}

/// A contract document, and what it does.
#[derive(Debug)]
pub(super) struct JudgedVersion {
    pub(super) entry: Entry<ContractEntry>,
    pub(super) step: Step,
    /// What differs from the next lower version.
    pub(super) findings: Vec<Finding>,
    /// What that breaks for readers, where a version is published or released.
    pub(super) breaking: Option<Breaking>,
    /// The bump that this demands, where there is a lower version.
    pub(super) bump: Option<Bump>,
    /// The overrides without which it would be refused.
    pub(super) overrides: Vec<OverrideId>,
}

/// What a contract document does. The version is as it is before.
#[derive(Debug)]
pub(super) enum Step {
    /// It is a new version.
    Add(contract::Version),
    /// It takes the place of a draft's document; `true` if only its status is new.
    Replace(contract::Version, bool),
    /// It deprecates the version.
    Deprecate(contract::Version),
    /// It retires the version.
    Retire(contract::Version),
    /// Nothing.
    Keep(contract::Version),
}

impl JudgedVersion {
    /// Whether its objects are bound to what its servers name: it says something new.
    pub(super) fn binds(&self) -> bool {
        match &self.step {
            Step::Add(_) | Step::Replace(_, false) => true,
            Step::Replace(_, true) | Step::Deprecate(_) | Step::Retire(_) | Step::Keep(_) => false,
        }
    }
}

impl Step {
    /// The version as it is before the step.
    pub(super) fn version(&self) -> &contract::Version {
        match self {
            Self::Add(version)
            | Self::Replace(version, _)
            | Self::Deprecate(version)
            | Self::Retire(version)
            | Self::Keep(version) => version,
        }
    }
}

/// Judges every contract document of the set, and reports all problems, or else all refusals, at once.
pub(super) fn judge(
    ctx: &Ctx,
    state: &PublishState,
    resolved: Resolved,
    action: Action,
) -> Result<Result<JudgedSet, Outcome>, Error> {
    let mut judging = Judging { ctx, action, problems: Vec::new(), refusals: Vec::new() };
    let mut contracts = Vec::with_capacity(resolved.contracts.len());
    for documents in resolved.contracts {
        let ContractDocuments { contract, is_new, domain, entries } = documents;
        let domain_state = state.domain(&domain)?;
        let mut history = existing_versions(&ctx.app, domain_state.versions_of(contract.id))?;
        let mut versions = Vec::with_capacity(entries.len());
        let of_contract = |signed: &&Override| signed.contract_id == contract.id;
        let overrides = Overrides {
            usable: domain_state.overrides.iter().filter(of_contract).collect(),
            own: domain_state.own_overrides.iter().filter(of_contract).collect(),
        };
        for entry in entries {
            versions.extend(judging.version(&contract, &overrides, &mut history, entry)?);
        }
        contracts.push(JudgedContract { contract, is_new, domain, versions });
    }
    let Judging { problems, refusals, .. } = judging;
    Ok(if !problems.is_empty() {
        Err(Outcome::Invalid(problems))
    } else if !refusals.is_empty() {
        Err(Outcome::Refused(refusals))
    } else {
        Ok(JudgedSet { products: resolved.products, contracts })
    })
}

/// Why a document would be refused as a version of a contract that has these versions, none of them that version or
/// only as a draft; `None` if it would not be, with these overrides.
pub(super) fn refusal(
    app: &App,
    versions: &[contract::Version],
    overrides: &[Override],
    entry: &Entry<ContractEntry>,
) -> Result<Option<VersionRefusal>, Error> {
    let overrides = Overrides { usable: overrides.iter().collect(), own: Vec::new() };
    Ok(accepted(app, &existing_versions(app, versions)?, &overrides, entry).err().map(|refusal| *refusal))
}

/// A version that is there, before the set or through it.
struct ExistingVersion {
    version: contract::Version,
    document: Arc<contract::Document>,
}

fn existing_versions(app: &App, versions: &[contract::Version]) -> Result<Vec<ExistingVersion>, Error> {
    let known = |version: &contract::Version| {
        Ok(ExistingVersion { version: version.clone(), document: parsed(app, &version.document)? })
    };
    versions.iter().map(known).collect()
}

/// The overrides of a contract that stand.
struct Overrides<'a> {
    /// Those that may be used.
    usable: Vec<&'a Override>,
    /// Those signed by the publisher, which do not count.
    own: Vec<&'a Override>,
}

struct Judging<'a> {
    ctx: &'a Ctx,
    action: Action,
    problems: Vec<Problem>,
    refusals: Vec<VersionRefusal>,
}

impl Judging<'_> {
    fn version(
        &mut self,
        contract: &contract::Contract,
        overrides: &Overrides<'_>,
        history: &mut Vec<ExistingVersion>,
        mut entry: Entry<ContractEntry>,
    ) -> Result<Option<JudgedVersion>, Error> {
        let mut needed = Vec::new();
        let lower = history.iter().filter(|known| known.version.version < entry.model.contract.version);
        let predecessor = lower.max_by_key(|known| known.version.version);
        if let Some(known) = predecessor {
            entry.model.contract.share_columns(&known.document);
        }
        let new = &entry.model.contract;
        let options = &self.ctx.app.settings.comparison;
        let findings = predecessor.map(|known| change::compare_with(&known.document, new, options));
        let bump = findings.as_deref().map(required_bump);
        let breaking = predecessor.zip(findings.as_deref());
        let breaking = breaking
            .and_then(|(known, findings)| Breaking::of(known.version.contract_id, &known.document, new, findings));

        let found = history.iter().position(|known| known.version.version == new.version);
        let step = match found.map(|at| &history[at]) {
            None => self.accepted(history, overrides, &entry).map(|overrides| {
                needed = overrides;
                self.added(contract, &entry)
            }),
            Some(known) if known.version.document.digest == entry.document.digest => {
                Some(Step::Keep(known.version.clone()))
            }
            Some(known) => {
                let only_status = says_the_same(&known.document, new);
                match &known.version.state {
                    State::Draft { .. } if only_status && new.wish == Wish::Retire => {
                        Some(Step::Retire(known.version.clone()))
                    }
                    State::Draft { .. } if only_status => Some(Step::Replace(known.version.clone(), true)),
                    State::Draft { .. } => self.accepted(history, overrides, &entry).map(|overrides| {
                        needed = overrides;
                        Step::Replace(known.version.clone(), false)
                    }),
                    State::Active { .. }
                    | State::Superseded { .. }
                    | State::Deprecated { .. }
                    | State::Retired { .. } => match only_status {
                        true => self.transition(known, &entry),
                        false => {
                            self.refuse_other_content(history, known, &entry);
                            None
                        }
                    },
                }
            }
        };
        let Some(step) = step else { return Ok(None) };
        self.authorize(&step, &entry)?;
        let breaking = breaking.filter(|_| match &step {
            Step::Add(_) | Step::Replace(..) => true,
            Step::Deprecate(_) | Step::Retire(_) | Step::Keep(_) => false,
        });
        if let Step::Add(version) = &step {
            history.push(ExistingVersion { version: version.clone(), document: Arc::new(new.clone()) });
        }
        let findings = findings.unwrap_or_default();
        Ok(Some(JudgedVersion { step, findings, breaking, bump, overrides: needed, entry }))
    }

    fn added(&self, contract: &contract::Contract, entry: &Entry<ContractEntry>) -> Step {
        Step::Add(contract::Version {
            id: ContractVersionId::new(self.ctx.app.clock.as_ref(), self.ctx.app.random.as_ref()),
            contract_id: contract.id,
            version: entry.model.contract.version,
            state: State::NEW,
            document: entry.document.clone(),
        })
    }

    fn accepted(
        &mut self,
        history: &[ExistingVersion],
        overrides: &Overrides<'_>,
        entry: &Entry<ContractEntry>,
    ) -> Option<Vec<OverrideId>> {
        accepted(&self.ctx.app, history, overrides, entry).map_err(|refusal| self.refusals.push(*refusal)).ok()
    }

    /// What a document does to a version that is no draft and says the same but for its status.
    fn transition(&mut self, known: &ExistingVersion, entry: &Entry<ContractEntry>) -> Option<Step> {
        let version = known.version.clone();
        let wrong = match (&entry.model.contract.wish, &version.state) {
            (Wish::Hold(_), _)
            | (Wish::Activate, State::Active { .. } | State::Superseded { .. })
            | (Wish::Deprecate, State::Deprecated { .. })
            | (Wish::Retire, State::Retired { .. }) => return Some(Step::Keep(version)),
            (Wish::Deprecate, state) => return self.deprecation(version.clone(), state.clone(), entry),
            (Wish::Retire, _) => return Some(Step::Retire(version)),
            (Wish::Activate, state) => WrongState { state: state.name(), wanted: StateName::Active },
        };
        self.problems.push(entry.problem("/status", format!("{wrong}; publish a new version")));
        None
    }

    fn deprecation(&mut self, version: contract::Version, state: State, entry: &Entry<ContractEntry>) -> Option<Step> {
        let contract = &entry.model.contract;
        let (pointer, message) = match state.deprecate(self.ctx.now(), contract.end_of_support()) {
            Ok(_) => return Some(Step::Deprecate(version)),
            Err(DeprecateError::WrongState(wrong)) => ("/status".to_owned(), format!("{wrong}; publish a new version")),
            Err(passed @ DeprecateError::SunsetPassed { .. }) => {
                let n_sla = contract.end_of_support_index().unwrap_or_default();
                (format!("/slaProperties/{n_sla}/value"), format!("a version cannot be deprecated: {passed}"))
            }
        };
        self.problems.push(entry.problem(pointer, message));
        None
    }

    fn refuse_other_content(
        &mut self,
        history: &[ExistingVersion],
        known: &ExistingVersion,
        entry: &Entry<ContractEntry>,
    ) {
        let new = &entry.model.contract;
        let findings = change::compare_with(&known.document, new, &self.ctx.app.settings.comparison);
        let needed = required_bump(&findings).max(Bump::Patch);
        let message = format!(
            "version {} was published with other content, and what was promised does not change: \
             it needs a {needed} bump",
            new.version
        );
        self.refusals.push(refused(history, entry, new.version, needed, findings, message));
    }

    fn authorize(&self, step: &Step, entry: &Entry<ContractEntry>) -> Result<(), Error> {
        let contract = &entry.model.contract;
        let (action, verb) = match step {
            Step::Keep(_) => return Ok(()),
            Step::Add(_) | Step::Replace(..) => (self.action, "publish"),
            Step::Deprecate(_) => (Action::Deprecate, "deprecate"),
            Step::Retire(_) => (Action::Retire, "retire"),
        };
        let resource = Resource::Contract {
            id: step.version().id,
            domain: &entry.domain,
            classification: contract.classification(),
            settings: &contract.settings,
        };
        self.ctx.authorize(action, &resource, &format!("{verb} `{}` {}", contract.document_id, contract.version))
    }
}

/// The overrides that are needed to accept a version: none, if its number says what it changes.
fn accepted(
    app: &App,
    history: &[ExistingVersion],
    overrides: &Overrides<'_>,
    entry: &Entry<ContractEntry>,
) -> Result<Vec<OverrideId>, Box<VersionRefusal>> {
    let new = &entry.model.contract;
    // Drafts beyond one that is published anew wait like it; what counts is what was promised.
    let is_draft = history.iter().any(|known| known.version.version == new.version);
    let taken = history.iter().map(|known| known.version.version);
    let taken: Vec<Version> = taken.filter(|other| !is_draft || *other < new.version).collect();
    let promised: Vec<&contract::Document> =
        history.iter().filter(|known| known.version.state.is_promised()).map(|known| known.document.as_ref()).collect();
    // What the data may prove is settled when the version is to become active, by its inspection.
    let options = &app.settings.comparison;
    let proofs = proof::demanded(new, &promised, options);
    let judged = judge_under(new, &promised, &overrides.usable, |promised| {
        proof::judge(new, &taken, promised, proofs.clone(), options)
    });
    let why = match judged {
        Ok(needed) => return Ok(needed.into_iter().map(|signed| signed.id).collect()),
        Err(why) => why,
    };
    let digest = FindingsDigest::of_refusal(&why);
    let mut message = why.to_string();
    if overrides.own.iter().any(|signed| signed.accepts(new.version, &why)) {
        message.push_str("; the steward who signed an override for it cannot publish it themselves");
    }
    let (compared_with, needed, findings) = match why {
        Refusal::Bump { since, needed, findings, .. } => (since, needed, findings),
        Refusal::NotGreater { newest, .. } => {
            let newest_says = history.iter().find(|known| known.version.version == newest);
            let findings = newest_says.map(|known| change::compare_with(&known.document, new, options));
            let findings = findings.unwrap_or_default();
            (newest, required_bump(&findings).max(Bump::Patch), findings)
        }
    };
    Err(Box::new(VersionRefusal { digest, ..refused(history, entry, compared_with, needed, findings, message) }))
}

/// A refusal that no override accepts.
fn refused(
    history: &[ExistingVersion],
    entry: &Entry<ContractEntry>,
    compared_with: Version,
    needed: Bump,
    findings: Vec<Finding>,
    message: String,
) -> VersionRefusal {
    let taken = history.iter().map(|known| known.version.version);
    let suggested = match needed {
        Bump::Major => taken.max().unwrap_or(compared_with).next(Bump::Major),
        Bump::None | Bump::Patch | Bump::Minor => {
            let newest = taken.filter(|version| version.major == compared_with.major).max();
            compared_with.next(needed).max(newest.unwrap_or(compared_with).next(needed))
        }
    };
    let new = &entry.model.contract;
    let known = history.iter().find(|known| known.version.version == compared_with);
    let breaking = known.and_then(|known| Breaking::of(known.version.contract_id, &known.document, new, &findings));
    VersionRefusal {
        document: entry.path.clone(),
        contract: new.document_id.clone(),
        version: new.version,
        compared_with,
        needed,
        suggested,
        findings,
        breaking,
        digest: None,
        message,
    }
}

/// Whether two documents of a version differ in nothing but their status.
fn says_the_same(old: &contract::Document, new: &contract::Document) -> bool {
    let without_wish =
        |contract: &contract::Document| contract::Document { wish: Wish::Hold(None), ..contract.clone() };
    without_wish(old) == without_wish(new)
}
