//! Publishing: a set of product and contract documents is planned or applied, all or nothing (docs/rules.md, Interfaces
//! and limits).
//!
//! A set goes through six steps, and each reports everything it finds wrong before the next begins: `set` parses the
//! documents, outside of any transaction; `state` loads what is registered in their domains and asks the policy;
//! `resolve` finds out what each document is a document of; `versions` compares contract versions and enforces the
//! bump that their changes demand; `plan` makes of it a [`Plan`] of all changes, down to what becomes active; `write`
//! executes the plan. [`plan`](fn@plan) reports the plan and ends there. The first four steps read one state of the
//! database beside the writers; applying makes sure that the facts have not moved since, and then plans and writes in
//! one transaction. `place` gives problems the lines of the sent texts.
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
mod impact;
mod model;
mod place;
mod plan;
mod resolve;
pub(crate) mod review;
mod set;
mod state;
mod versions;
mod write;

use std::sync::Arc;

use domain::id::DomainId;
use domain::identity::PlatformRole;
use policy::{Action, Resource};
use store::{Lock, Tx};

pub use self::impact::{Impact, impact};
pub use self::model::{
    Breaking, ChangeKind, DocumentChange, DocumentKind, DocumentSet, DocumentText, Outcome, Problem, Report,
    VersionRefusal,
};
use self::plan::Plan;
use self::set::Set;
use self::state::PublishState;
use self::versions::JudgedSet;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::idempotency;

/// Reports what [`apply`] would do, and changes nothing.
///
/// # Errors
/// Those of [`apply`].
pub async fn plan(ctx: &Ctx, command: DocumentSet) -> Result<Outcome, Error> {
    place::locate(&command, publish(ctx, &command, Action::Plan).await?).await
}

/// Whether the caller may publish in a domain, or accept what is refused there: of others no large documents are read.
pub fn may_send_documents(ctx: &Ctx) -> bool {
    let standing = &ctx.actor.standing;
    let publishes = |path| ctx.may(Action::Plan, &Resource::Domain(path));
    standing.platform_roles.contains(&PlatformRole::Steward)
        || standing.domain_roles.iter().any(|(path, _)| publishes(path))
}

/// Applies a set of documents, all or nothing.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::NotFound`] for an unknown domain; [`Error::Invalid`] for a set that is too large or
/// that cannot be pruned.
pub async fn apply(ctx: &Ctx, command: DocumentSet) -> Result<Outcome, Error> {
    place::locate(&command, publish(ctx, &command, Action::Publish).await?).await
}

async fn publish(ctx: &Ctx, command: &DocumentSet, action: Action) -> Result<Outcome, Error> {
    if command.prune && command.domain.is_none() {
        return Err(Error::invalid("domain", "pruning needs the set's `domain`"));
    }
    if command.documents.is_empty() && !command.prune {
        return Err(Error::invalid("documents", "the set contains no documents"));
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
