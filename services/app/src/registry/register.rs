//! Registering a schema, and asking whether one could be.

use std::sync::Arc;

use domain::change::level::Level;
use domain::change::message::{Budget, Policy, TooComplex};
use domain::registry::{MAX_NUMBER, Mode, Reference, Schema, SchemaId, Settings, Subject, SubjectVersion};
use policy::Action;
use store::registry::Change;
use store::revision::Platform;
use store::{Lock, Tx, outbox};

use super::draft::{Draft, Prepared, Reach, Registered, Resolved, VersionRef, missing, model, resolve};
use super::error::{Error, Incompatibility, NotPermitted};
use super::evolve::{self, Evolved};
use super::history::{self, steps_to_read, supersede};
use super::owner::Owner;
use super::settings;
use crate::audit::{self, Event, ResourceKind};
use crate::ctx::Ctx;
use crate::error::Unavailable;
use crate::failpoint;

/// Registers a schema.
#[derive(Clone, Debug)]
pub struct Register {
    /// Where.
    pub subject: Subject,
    /// What.
    pub draft: Draft,
    /// Whether it is normalised first; the subject's settings may say so too.
    pub normalize: bool,
    /// Its id and version in the registry that it comes from; only in mode [`Mode::Import`].
    pub numbers: ImportNumbers,
}

/// The id and version of an imported schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportNumbers {
    /// Its id.
    pub id: Option<SchemaId>,
    /// Its version in the subject.
    pub version: Option<u32>,
}

/// How often a registration is judged anew because of a change in between: of settings, or by another server.
const MAX_TRIES: usize = 5;

/// Registers a schema in a subject. The same schema again is no change, and gives the version that it has.
///
/// # Errors
/// [`Error::Incompatible`], [`Error::InvalidSchema`], [`Error::TooLarge`], [`Error::TooMany`], [`Error::NotPermitted`],
/// [`Error::IdMismatch`], [`Error::IdTaken`]; [`crate::Error::Forbidden`].
pub async fn register(ctx: &Ctx, command: Register) -> Result<Registered, Error> {
    let Register { subject, draft, normalize, numbers } = &command;
    // Registrations that change a subject take turns. Those of a schema that it has already do not wait.
    let mut turn = None;
    let mut n_tries = 0;
    while n_tries < MAX_TRIES {
        // What takes long (reading, comparing) is done before the writer's turn, which then only looks whether all of it
        // still stands.
        let mut tx = ctx.app.db.read().await?;
        let seen = SubjectState::load(ctx, &mut tx, subject).await?;
        // Whoever may know of the subject may ask for a schema that it has; all else is for its publishers.
        let authorize = || seen.authorize(ctx, subject);
        if !seen.tells() {
            authorize()?;
        }
        // An imported schema stays as it is in the registry that it comes from.
        let imports = seen.settings.mode == Some(Mode::Import);
        let normalize = !imports && (*normalize || seen.settings.normalize == Some(true));
        let prepared = draft.prepare(ctx, &mut tx, subject, normalize).await?;
        let same = store::registry::find_same(&mut tx, subject.context(), &prepared.digest).await?;
        let mut known = same.and_then(|same| seen.in_use(same));
        if known.is_none() {
            let used: Vec<SubjectVersion> = seen.used().rev().cloned().collect();
            known = history::find_resolved(ctx, &mut tx, &used, draft, &prepared).await?;
        }
        if let Some(known) = known
            && numbers.id.is_none_or(|id| id == known.schema.id)
        {
            return Ok(known);
        }
        authorize()?;
        seen.may_register(subject, numbers)?;
        prepared.refuse_if_out_of_use(numbers)?;
        if turn.is_none() {
            turn = ctx.app.registrations.try_take(subject);
            if turn.is_none() {
                drop(tx);
                turn = Some(ctx.app.registrations.take(subject).await);
                continue;
            }
        }
        n_tries += 1;
        if !imports {
            let broken = seen.incompatibilities(ctx, &mut tx, &prepared, &seen.compared_with()).await?;
            if !broken.is_empty() {
                let reasons = Incompatibility::messages(&broken, seen.level());
                return Err(Error::Incompatible { subject: subject.clone(), reasons });
            }
        }
        drop(tx);

        let mut tx = ctx.app.db.write(Lock::Facts).await?;
        let (ctx, now) = seen.reload(ctx, &mut tx, subject).await?;
        if now.history != seen.history || now.settings != seen.settings {
            continue;
        }
        return write(&ctx, tx, now, &command, prepared).await;
    }
    Err(crate::Error::Unavailable(Unavailable::SubjectContended).into())
}

/// Goes on only if the caller may send a schema to register in a subject: before a large one is read.
///
/// # Errors
/// Those that [`register`] gives the caller for any schema.
pub async fn authorize(ctx: &Ctx, subject: &Subject) -> Result<(), Error> {
    let mut tx = ctx.app.db.read().await?;
    let seen = SubjectState::load(ctx, &mut tx, subject).await?;
    if seen.tells() { Ok(()) } else { seen.authorize(ctx, subject) }
}

/// Writes what was judged.
async fn write(
    ctx: &Ctx,
    mut tx: Tx,
    state: SubjectState,
    command: &Register,
    prepared: Prepared,
) -> Result<Registered, Error> {
    let Register { subject, draft, numbers, .. } = command;
    state.authorize(ctx, subject)?;
    let same = store::registry::find_same(&mut tx, subject.context(), &prepared.digest).await?;
    if let Some(same) = &same
        && let Some(given) = numbers.id.filter(|id| *id != same.id)
    {
        return Err(Error::IdMismatch { known: same.id, given });
    }
    let number = state.number(ctx, subject, numbers, same.as_ref())?;
    if !prepared.references.is_empty() {
        // One that it refers to may have been deleted, or hidden, while it was judged.
        let Resolved { out_of_use, .. } = resolve(ctx, &mut tx, &prepared.references, Reach::Callers).await?;
        refuse_if_out_of_use(out_of_use.as_ref(), numbers)?;
    }
    if let Owner::Topic { known, binding } = &state.owner {
        let schema = evolve::foreign(draft, &prepared.texts);
        match evolve::evolve(ctx, &mut tx, known, binding, subject, schema).await? {
            Evolved::Done => {}
            Evolved::Waits(why) => {
                let event = Event::done(
                    audit::Action::SchemaRegister,
                    ResourceKind::Subject,
                    subject,
                    "its contract waits for a review",
                );
                audit::append(ctx, &mut tx, event.refused(why.to_string())).await?;
                tx.commit().await?;
                ctx.app.work.notify_waiters();
                return Err(why.into());
            }
        }
    }
    failpoint::pass("register.followed");
    let schema = match same {
        Some(same) => same,
        None => {
            let id = match numbers.id {
                Some(id) if store::registry::is_taken(&mut tx, id).await? => return Err(Error::IdTaken(id)),
                Some(id) => id,
                None => next_id(&mut tx).await?,
            };
            let schema = Schema {
                id,
                context: subject.context().to_owned(),
                format: draft.format,
                text: prepared.text,
                references: prepared.references,
                digest: prepared.digest,
            };
            store::registry::insert_schema(&mut tx, &schema).await?;
            schema
        }
    };
    let restored = state.history.iter().find(|version| version.version == number).cloned();
    let version = match restored {
        Some(restored) => {
            store::registry::set_deleted(&mut tx, subject, number, false).await?;
            SubjectVersion { deleted: false, ..restored }
        }
        None => {
            supersede(&mut tx, &state.history, schema.id).await?;
            let version = SubjectVersion {
                subject: subject.clone(),
                version: number,
                schema_id: schema.id,
                deleted: false,
                registered_by: ctx.actor.principal.id,
                registered_at: ctx.now(),
            };
            store::registry::insert_version(&mut tx, &version).await?;
            version
        }
    };
    if state.history.is_empty() {
        let n_subjects = store::registry::count_subject(&mut tx, Change::Came).await?;
        state.owner.refuse_beyond(ctx, n_subjects)?;
    }
    failpoint::pass("register.stored");
    let detail = serde_json::json!({ "version": number, "schemaId": schema.id, "format": draft.format.as_str() });
    audit::append(
        ctx,
        &mut tx,
        Event::done(audit::Action::SchemaRegister, ResourceKind::Subject, subject, "registered").with(detail),
    )
    .await?;
    let event = domain::event::Event::SchemaRegistered {
        subject: subject.clone(),
        version: number,
        schema_id: schema.id,
        format: draft.format,
    };
    outbox::push(&mut tx, &event, ctx.now()).await?;
    failpoint::pass("register.written");
    tx.commit().await?;
    failpoint::pass("register.committed");
    ctx.app.work.notify_waiters();
    ctx.app.caches.schemas.put_model(&schema, &prepared.model);
    Ok(Registered { version, schema: Arc::new(schema) })
}

/// An id that no schema has had.
async fn next_id(tx: &mut Tx) -> Result<SchemaId, Error> {
    match store::registry::last_schema_id(tx).await? {
        last if last >= MAX_NUMBER => Err(NotPermitted::IdsExhausted.into()),
        last => Ok(last + 1),
    }
}

impl Prepared {
    fn refuse_if_out_of_use(&self, numbers: &ImportNumbers) -> Result<(), Error> {
        refuse_if_out_of_use(self.out_of_use.as_ref(), numbers)
    }
}

/// What is registered anew refers to versions in use alone. What is brought over with its id is as it was elsewhere.
fn refuse_if_out_of_use(out_of_use: Option<&Reference>, numbers: &ImportNumbers) -> Result<(), Error> {
    match out_of_use {
        Some(Reference { name, subject, version }) if numbers.id.is_none() => {
            Err(missing(name, subject, &format!("{version} (it was deleted)")))
        }
        _ => Ok(()),
    }
}

/// What a new schema is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// One version.
    Version(VersionRef),
    /// What the subject's level asks for.
    History,
}

/// Tells what would break if a schema were registered; nothing, if it may be.
///
/// # Errors
/// [`Error::VersionNotFound`] where a version is named; [`Error::InvalidSchema`].
pub async fn check(
    ctx: &Ctx,
    subject: &Subject,
    against: Check,
    draft: &Draft,
    normalize: bool,
) -> Result<(Vec<Incompatibility>, Level), Error> {
    let mut tx = ctx.app.db.read().await?;
    let state = SubjectState::load(ctx, &mut tx, subject).await?;
    let compared_with = match against {
        Check::History => state.compared_with(),
        // Where there is nothing yet, nothing can break.
        Check::Version(VersionRef::Latest) => state.used().next_back().cloned().into_iter().collect(),
        Check::Version(VersionRef::Number(number)) => {
            let found = state.used().find(|version| version.version == number).cloned();
            vec![found.ok_or_else(|| Error::VersionNotFound(number.to_string()))?]
        }
    };
    let normalize = normalize || state.settings.normalize == Some(true);
    let prepared = draft.prepare(ctx, &mut tx, subject, normalize).await?;
    prepared.refuse_if_out_of_use(&ImportNumbers::default())?;
    let level = state.level();
    Ok((state.incompatibilities(ctx, &mut tx, &prepared, &compared_with).await?, level))
}

/// What a subject is and has. One that the caller may not know of has nothing, like one that there is not.
struct SubjectState {
    /// The revisions that `owner` was read at. Domains, products and topics do not change while they stand.
    at: Platform,
    owner: Owner,
    settings: Settings,
    history: Vec<SubjectVersion>,
}

impl SubjectState {
    async fn load(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Self, Error> {
        let at = store::revision::platform(tx).await?;
        let owner = Owner::of(ctx, tx, subject).await?;
        Self::with_owner(tx, subject, at, owner).await
    }

    async fn with_owner(tx: &mut Tx, subject: &Subject, at: Platform, owner: Owner) -> Result<Self, Error> {
        let settings = settings::of_owned(tx, subject, &owner).await?;
        let mut history = store::registry::list_versions(tx, subject).await?;
        if !owner.may_view() {
            history.clear();
        }
        Ok(Self { at, owner, settings, history })
    }

    /// The same as another transaction sees it, and the caller as it does.
    async fn reload(&self, ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<(Ctx, Self), Error> {
        let at = store::revision::platform(tx).await?;
        let ctx = ctx.fresh_at(tx, at.access).await?;
        let owner = if at == self.at { self.owner.clone() } else { Owner::of(&ctx, tx, subject).await? };
        let state = Self::with_owner(tx, subject, at, owner).await?;
        Ok((ctx, state))
    }

    /// Whether a caller may learn the id of a schema of the subject without the right to register.
    fn tells(&self) -> bool {
        self.owner.may_view() && self.used().next().is_some()
    }

    fn authorize(&self, ctx: &Ctx, subject: &Subject) -> Result<(), Error> {
        self.owner.authorize(ctx, Action::Publish, subject, "register schemas in")
    }

    fn level(&self) -> Level {
        self.settings.level.unwrap_or(Level::Backward)
    }

    /// The versions in use, in order.
    fn used(&self) -> impl DoubleEndedIterator<Item = &SubjectVersion> {
        self.history.iter().filter(|version| !version.deleted)
    }

    /// The place that a schema has already.
    fn in_use(&self, schema: Schema) -> Option<Registered> {
        let version = self.used().find(|version| version.schema_id == schema.id)?.clone();
        Some(Registered { version, schema: Arc::new(schema) })
    }

    /// The versions that the level protects.
    fn compared_with(&self) -> Vec<SubjectVersion> {
        match self.level() {
            Level::None => Vec::new(),
            Level::BackwardTransitive | Level::ForwardTransitive | Level::FullTransitive => {
                self.used().rev().cloned().collect()
            }
            Level::Backward | Level::Forward | Level::Full => self.used().next_back().cloned().into_iter().collect(),
        }
    }

    /// Whether the mode lets schemas in, with these numbers.
    fn may_register(&self, subject: &Subject, numbers: &ImportNumbers) -> Result<(), Error> {
        let mode = self.settings.mode.unwrap_or(Mode::ReadWrite);
        if !mode.allows_writes() {
            return Err(Error::mode(subject, mode));
        }
        if numbers.id.is_some() && mode != Mode::Import {
            return Err(NotPermitted::NotImporting(subject.clone()).into());
        }
        if numbers.id.is_none() && mode == Mode::Import {
            return Err(NotPermitted::IdMissing(subject.clone()).into());
        }
        Ok(())
    }

    /// The number of the next version: the one given, if the mode lets it in, or one more than there was.
    fn number(
        &self,
        ctx: &Ctx,
        subject: &Subject,
        numbers: &ImportNumbers,
        same: Option<&Schema>,
    ) -> Result<u32, Error> {
        // What is registered anew takes the place of what was deleted.
        let stays =
            |version: &&SubjectVersion| !(version.deleted && Some(version.schema_id) == same.map(|same| same.id));
        let limit = ctx.app.settings.max_versions;
        if self.history.iter().filter(stays).count() >= usize::try_from(limit).unwrap_or(usize::MAX) {
            let what = format!("subject `{subject}`");
            return Err(Error::TooMany { what, of: "versions", limit, setting: "versions" });
        }
        let next = self.history.iter().map(|version| version.version).max().unwrap_or(0) + 1;
        match numbers.version {
            Some(number) if self.settings.mode == Some(Mode::Import) => {
                // A soft-deleted version comes back under its own number.
                let is_taken = |version: &SubjectVersion| {
                    version.version == number
                        && !(version.deleted && same.is_some_and(|same| same.id == version.schema_id))
                };
                if self.history.iter().any(is_taken) {
                    return Err(NotPermitted::VersionTaken { subject: subject.clone(), version: number }.into());
                }
                Ok(number)
            }
            Some(number) if number != next => {
                let message = format!("version {number} of `{subject}` is not one more than the newest, {}", next - 1);
                Err(Error::InvalidSchema(message))
            }
            _ if next > MAX_NUMBER => Err(NotPermitted::VersionsExhausted(subject.clone()).into()),
            _ => Ok(next),
        }
    }

    /// Which of the versions a new schema breaks.
    async fn incompatibilities(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        new: &Prepared,
        versions: &[SubjectVersion],
    ) -> Result<Vec<Incompatibility>, Error> {
        let (level, policy) = (self.level(), self.settings.policy.unwrap_or(Policy::Strict));
        let too_complex = |complex: TooComplex| match versions.len() {
            0 | 1 => Error::InvalidSchema(complex.to_string()),
            n_versions => Error::InvalidSchema(format!(
                "with {n_versions} earlier versions, {complex}; or choose a level that is not transitive"
            )),
        };
        let mut budget = Budget::HISTORY;
        let mut broken = Vec::new();
        for version in versions {
            let schema = ctx.app.caches.schemas.find_or_load(tx, version.schema_id).await?;
            let schema = schema.ok_or_else(|| crate::Error::internal("a version has no schema"))?;
            // To read it takes time as well, and so does reading what it refers to.
            budget.take(steps_to_read(schema.text.len(), schema.references.len())).map_err(too_complex)?;
            let (old, new) = (model(ctx, tx, &schema).await?, Arc::clone(&new.model));
            let mut left = budget;
            let compare = move || {
                let mut differences = Vec::new();
                for (is_protected, from, to) in
                    [(level.asks_backward(), &old, &new), (level.asks_forward(), &new, &old)]
                {
                    if is_protected {
                        let found = left.compare(|budget| from.differences_within(to, policy, budget))?;
                        differences.extend(found.into_iter().filter(|difference| !difference.compatible));
                    }
                }
                Ok((differences, left))
            };
            let compared = tokio::task::spawn_blocking(compare).await.map_err(crate::Error::internal)?;
            let differences;
            (differences, budget) = compared.map_err(too_complex)?;
            if !differences.is_empty() {
                broken.push(Incompatibility { version: version.version, differences, old_text: schema.text.clone() });
            }
        }
        Ok(broken)
    }
}
