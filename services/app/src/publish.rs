//! Publishing: a set of product and contract documents is planned or applied, all or nothing (docs/rules.md, Interfaces
//! and limits).
//!
//! A set goes through six steps, and each reports everything it finds wrong before the next begins: `set` parses the
//! documents, outside of any transaction; `state` loads what is registered in their domains and asks the policy;
//! `resolve` finds out what each document is a document of; `versions` compares contract versions and enforces the
//! bump that their changes demand; `plan` makes of it a [`Plan`] of all changes, down to what becomes active; `write`
//! executes the plan. [`plan`](fn@plan) reports the plan and ends there. The first four steps read one state of the
//! database beside the writers; applying makes sure that the facts have not moved since, and then plans and writes in
//! one transaction.
//!
//! What a document may do to what is there already:
//!
//! - The same bytes change nothing. An older version's document may stay in the set beside the newer one's.
//! - A product follows its document. Its name in addresses stays, once the product was active.
//! - A contract version never changes once it was active; with only `status` changed, its document is a transition, and
//!   the bytes that were published stay. A draft that was never active may be published anew under its number: nobody
//!   could read by it.
//! - A port's major stays tied to its contract's major for ever: grants hang on it.
//! - An object stays bound to its table; while no version of the major was ever active, a new document moves it.

mod holdings;
mod plan;
mod resolve;
pub(crate) mod review;
mod set;
mod state;
mod versions;
mod write;

use std::sync::Arc;

use domain::change::Finding;
use domain::id::DomainId;
use domain::name::DomainPath;
use domain::overrides::FindingsDigest;
use domain::version::{Bump, Version};
use policy::Action;
use store::{Lock, Tx};

use self::plan::Plan;
use self::set::Set;
use self::state::PublishState;
use self::versions::JudgedSet;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::idempotency::{self, Key};

/// A set of documents to plan or to apply.
#[derive(Clone, Debug)]
pub struct DocumentSet {
    /// The domain of documents that name none. One that names another is refused.
    pub domain: Option<DomainPath>,
    /// The documents, in any order.
    pub documents: Vec<DocumentText>,
    /// Whether products and contracts of the domain that the set does not hold are retired.
    pub prune: bool,
    /// See [`Key`]; of no use to [`plan`].
    pub key: Option<Key>,
}

/// A text of one document, or of several separated by `---`.
#[derive(Clone, Debug)]
pub struct DocumentText {
    /// Its name, for messages.
    pub path: String,
    /// The text.
    pub text: String,
}

/// What became of a set.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It was applied, or could be.
    Done(Report),
    /// Documents cannot be used. Nothing happened.
    Invalid(Vec<Problem>),
    /// Contract versions promise less than their numbers say. Nothing happened.
    Refused(Vec<VersionRefusal>),
}

/// What a set changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// One for each document in the order of the set, then one for each product or contract that was pruned.
    pub changes: Vec<DocumentChange>,
    /// What authors should look at.
    pub warnings: Vec<Problem>,
}

/// What a document changes.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentChange {
    /// What it is.
    pub kind: DocumentKind,
    /// The name the document was given; empty for what was pruned.
    pub document: String,
    /// The product's name in addresses, or the contract's document id.
    pub name: String,
    /// The contract's version.
    pub version: Option<Version>,
    /// What happens to it.
    pub change: ChangeKind,
    /// The word of the state it is in afterwards.
    pub state: String,
    /// What differs from the next lower version of the contract.
    pub findings: Vec<Finding>,
    /// The bump that these differences demand; `None` where there is nothing to compare with.
    pub bump: Option<Bump>,
    /// What a draft waits for.
    pub reasons: Vec<String>,
}

/// What a document is a document of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A data product.
    Product,
    /// A contract version.
    Contract,
}

/// What happens to a product or contract version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// Its document is another one now.
    Changed,
    /// Only its state changes.
    Transition,
    /// Nothing.
    Unchanged,
    /// It was not in the set and is retired.
    Removed,
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name the document was given.
    pub document: String,
    /// The line, from 1, where the text itself is at fault.
    pub line: Option<u64>,
    /// The column in characters, from 1.
    pub column: Option<u64>,
    /// The JSON pointer (RFC 6901) of the value; empty for the document as a whole.
    pub path: String,
    /// What is wrong, for people.
    pub message: String,
}

/// Why a contract version is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionRefusal {
    /// The name the document was given.
    pub document: String,
    /// The contract's document id.
    pub contract: String,
    /// The version that was refused.
    pub version: Version,
    /// The version it was compared with.
    pub compared_with: Version,
    /// The bump that its changes demand.
    pub needed: Bump,
    /// A version that would do.
    pub suggested: Version,
    /// What differs.
    pub findings: Vec<Finding>,
    /// What a steward's override of the refusal names; `None` where none would help.
    pub digest: Option<FindingsDigest>,
    /// The refusal in a sentence.
    pub message: String,
}

/// Tells what [`apply`] would do, and changes nothing.
///
/// # Errors
/// Those of [`apply`].
pub async fn plan(ctx: &Ctx, command: DocumentSet) -> Result<Outcome, Error> {
    publish(ctx, &command, Action::Plan).await
}

/// Applies a set of documents, all or nothing.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] for an unknown domain; [`Error::Invalid`] for a set that is too large or
/// that cannot be pruned.
pub async fn apply(ctx: &Ctx, command: DocumentSet) -> Result<Outcome, Error> {
    publish(ctx, &command, Action::Publish).await
}

async fn publish(ctx: &Ctx, command: &DocumentSet, action: Action) -> Result<Outcome, Error> {
    if command.prune && command.domain.is_none() {
        return Err(Error::invalid("domain", "a set is pruned within one domain: name it"));
    }
    if command.documents.is_empty() && !command.prune {
        return Err(Error::invalid("documents", "the set holds no document"));
    }
    let set = match set::read(ctx, command).await? {
        Ok(set) => set,
        Err(problems) => return Ok(Outcome::Invalid(problems)),
    };

    for _ in 0..N_TRIES {
        let mut tx = ctx.app.db.read().await?;
        let baseline = Baseline::load(ctx, &mut tx, command, &set, action).await?;
        let compared = match baseline.compare(set.clone(), action).await? {
            Ok(compared) => compared,
            Err(outcome) => return Ok(outcome),
        };
        if action == Action::Plan {
            return compared
                .plan(&mut tx, command, &set, action)
                .await
                .map(|planned| planned.map_or_else(Outcome::Invalid, |plan| Outcome::Done(plan.report)));
        }
        drop(tx);
        let mut tx = ctx.app.db.write(Lock::Facts).await?;
        // Everything that was compared moves the revision by which the caller's standing is cached.
        let now = compared.baseline.ctx.fresh(&mut tx).await?;
        if Arc::ptr_eq(&now.actor, &compared.baseline.ctx.actor) {
            return compared.apply(tx, command, set).await;
        }
    }
    // Others change facts faster than this set is compared: for once they wait.
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let baseline = Baseline::load(ctx, &mut tx, command, &set, action).await?;
    match baseline.compare(set.clone(), action).await? {
        Ok(compared) => compared.apply(tx, command, set).await,
        Err(outcome) => Ok(outcome),
    }
}

/// Applies a set as a part of a larger change: the caller commits, if it is done, and calls for the work that follows.
pub(crate) async fn apply_in(ctx: &Ctx, tx: &mut Tx, command: &DocumentSet) -> Result<Outcome, Error> {
    let set = match set::read(ctx, command).await? {
        Ok(set) => set,
        Err(problems) => return Ok(Outcome::Invalid(problems)),
    };
    let baseline = Baseline::load(ctx, tx, command, &set, Action::Publish).await?;
    match baseline.compare(set.clone(), Action::Publish).await? {
        Ok(compared) => compared.apply_in(tx, command, set).await,
        Err(outcome) => Ok(outcome),
    }
}

/// How often a set is compared beside the writers before it keeps them waiting.
const N_TRIES: usize = 3;

/// What is registered before a set, and the caller with the roles of the same moment.
struct Baseline {
    ctx: Ctx,
    state: PublishState,
    /// The same call was answered before.
    is_replay: bool,
}

/// A set that may be written, if nothing has moved since.
struct ComparedSet {
    baseline: Baseline,
    judged: JudgedSet,
}

impl Baseline {
    async fn load(ctx: &Ctx, tx: &mut Tx, command: &DocumentSet, set: &Set, action: Action) -> Result<Self, Error> {
        let ctx = ctx.fresh(tx).await?;
        let state = PublishState::load(&ctx, tx, command, set, action).await?;
        let is_replay = is_replay(&ctx, tx, command, action).await?;
        Ok(Self { ctx, state, is_replay })
    }

    /// Compares the set with what is registered. Inner error: the answer is known without writing.
    async fn compare(self, set: Set, action: Action) -> Result<Result<ComparedSet, Outcome>, Error> {
        if self.is_replay {
            return Ok(Err(Outcome::Done(self.state.replayed(set))));
        }
        let comparing = tokio::task::spawn_blocking(move || {
            let judged = match resolve::resolve(&self.ctx, &self.state, set) {
                Ok(resolved) => versions::judge(&self.ctx, &self.state, resolved, action)?,
                Err(problems) => Err(Outcome::Invalid(problems)),
            };
            Ok(judged.map(|judged| ComparedSet { baseline: self, judged }))
        });
        comparing.await.map_err(Error::internal)?
    }
}

impl ComparedSet {
    /// Plans what the set changes. Inner error: everything that is wrong with it.
    async fn plan(
        &self,
        tx: &mut Tx,
        command: &DocumentSet,
        set: &Set,
        action: Action,
    ) -> Result<Result<Plan, Vec<Problem>>, Error> {
        let Self { baseline: Baseline { ctx, state, .. }, judged } = self;
        let planned = plan::plan(ctx, tx, command, state, judged, action).await?;
        Ok(planned.map(|mut plan| {
            plan.report.warnings.splice(0..0, set.warnings.iter().cloned());
            plan
        }))
    }

    async fn apply(self, mut tx: Tx, command: &DocumentSet, set: Set) -> Result<Outcome, Error> {
        let app = Arc::clone(&self.baseline.ctx.app);
        let outcome = self.apply_in(&mut tx, command, set).await?;
        if matches!(outcome, Outcome::Done(_)) {
            crate::failpoint::pass("publish.written");
            tx.commit().await?;
            crate::failpoint::pass("publish.committed");
            app.work.notify_waiters();
        }
        Ok(outcome)
    }

    /// Plans and executes the set without the commit; unless it is done, the transaction is not to be committed.
    async fn apply_in(self, tx: &mut Tx, command: &DocumentSet, set: Set) -> Result<Outcome, Error> {
        let ctx = &self.baseline.ctx;
        if is_replay(ctx, tx, command, Action::Publish).await? {
            return Ok(Outcome::Done(self.baseline.state.replayed(set)));
        }
        let plan = match self.plan(tx, command, &set, Action::Publish).await? {
            Ok(plan) => plan,
            Err(problems) => return Ok(Outcome::Invalid(problems)),
        };
        write::write(ctx, tx, &plan).await?;
        if let Some(domain) = self.baseline.state.domains.values().next() {
            idempotency::record(ctx, tx, command.key.as_ref(), domain.domain.id).await?;
        }
        Ok(Outcome::Done(plan.report))
    }
}

/// Whether the call with this idempotency key was applied before.
async fn is_replay(ctx: &Ctx, tx: &mut Tx, command: &DocumentSet, action: Action) -> Result<bool, Error> {
    Ok(action == Action::Publish && idempotency::find::<DomainId>(ctx, tx, command.key.as_ref()).await?.is_some())
}
