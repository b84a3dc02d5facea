//! Registering a schema, and asking whether one could be.

use std::sync::Arc;

use domain::change::level::Level;
use domain::change::message::{Policy, all_compatible};
use domain::registry::{Mode, Schema, SchemaId, Settings, Subject, SubjectVersion};
use policy::Action;
use store::revision::Platform;
use store::{Lock, Tx, outbox};

use super::error::{Error, Incompatibility};
use super::evolve::{self, Evolved};
use super::owner::Owner;
use super::{Draft, Prepared, Registered, VersionRef, cache, model, read, resolve, settings};
use crate::audit::{self, Event};
use crate::ctx::Ctx;

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
    pub given: Given,
}

/// The numbers that a schema brings along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Its id.
    pub id: Option<SchemaId>,
    /// Its version in the subject.
    pub version: Option<u32>,
}

/// How often a registration is judged anew because another one came between.
const MAX_TRIES: usize = 5;

/// Registers a schema in a subject. The same schema again is no change, and gives the version that it has.
///
/// # Errors
/// [`Error::Incompatible`], [`Error::InvalidSchema`], [`Error::NotPermitted`], [`Error::IdMismatch`];
/// [`crate::Error::Forbidden`].
pub async fn register(ctx: &Ctx, command: Register) -> Result<Registered, Error> {
    let Register { subject, draft, normalize, given } = &command;
    for _ in 0..MAX_TRIES {
        // What takes long (reading, comparing) is done before the writer's turn, which then only looks whether all of it
        // still stands.
        let mut tx = ctx.app.db.read().await?;
        let seen = Scene::load(ctx, &mut tx, subject).await?;
        // Whoever may know of the subject may ask for a schema that it has; all else is for its publishers.
        let authorize = || seen.owner.authorize(ctx, Action::Publish, subject, "register schemas in");
        if !seen.owner.may_view() || seen.used().next().is_none() {
            authorize()?;
        }
        let normalize = *normalize || seen.settings.normalize == Some(true);
        let prepared = draft.prepare(ctx, &mut tx, subject, normalize).await?;
        let same = store::registry::find_same(&mut tx, subject.context(), &prepared.digest).await?;
        let mut known = same.and_then(|same| seen.in_use(same));
        if known.is_none() {
            let used: Vec<SubjectVersion> = seen.used().rev().cloned().collect();
            known = read::find_resolved(ctx, &mut tx, &used, draft, &prepared).await?;
        }
        if let Some(known) = known
            && given.id.is_none_or(|id| id == known.schema.id)
        {
            return Ok(known);
        }
        authorize()?;
        seen.may_register(subject, given)?;
        if seen.settings.mode != Some(Mode::Import) {
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
    Err(crate::Error::Unavailable("others register in the subject all the time".to_owned()).into())
}

/// Writes what was judged.
async fn write(
    ctx: &Ctx,
    mut tx: Tx,
    scene: Scene,
    command: &Register,
    prepared: Prepared,
) -> Result<Registered, Error> {
    let Register { subject, draft, given, .. } = command;
    scene.owner.authorize(ctx, Action::Publish, subject, "register schemas in")?;
    if let Owner::Topic { known, binding } = &scene.owner {
        match evolve::evolve(ctx, &mut tx, known, binding, subject, draft).await? {
            Evolved::Done => {}
            Evolved::Waits(why) => {
                let event = Event::done("schema.register", "subject", subject, "its contract waits for a review");
                audit::append(ctx, &mut tx, event.refused(why.clone())).await?;
                tx.commit().await?;
                ctx.app.work.notify_waiters();
                return Err(Error::NotPermitted(why));
            }
        }
    }
    let schema = match store::registry::find_same(&mut tx, subject.context(), &prepared.digest).await? {
        Some(same) if given.id.is_some_and(|id| id != same.id) => return Err(Error::IdMismatch(same.id)),
        Some(same) => same,
        None => {
            // One that it refers to may have been deleted, or hidden, while it was judged.
            resolve(ctx, &mut tx, &prepared.references, true).await?;
            let id = match given.id {
                Some(id) if store::registry::is_taken(&mut tx, id).await? => return Err(Error::IdMismatch(id)),
                Some(id) => id,
                None => {
                    let last = store::registry::last_schema_id(&mut tx).await?;
                    last.checked_add(1).ok_or_else(|| crate::Error::internal("no schema ids are left"))?
                }
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
    let newest = scene.history.iter().map(|version| version.version).max().unwrap_or(0);
    let number = given.version.unwrap_or(newest + 1);
    if scene.history.iter().any(|version| version.version == number) {
        return Err(Error::NotPermitted(format!("version {number} of `{subject}` is taken")));
    }
    let version = SubjectVersion {
        subject: subject.clone(),
        version: number,
        schema_id: schema.id,
        deleted: false,
        registered_by: ctx.actor.principal.id,
        registered_at: ctx.now(),
    };
    store::registry::insert_version(&mut tx, &version).await?;
    let detail = serde_json::json!({ "version": number, "schemaId": schema.id, "format": draft.format.as_str() });
    audit::append(ctx, &mut tx, Event::done("schema.register", "subject", subject, "registered").with(detail.clone()))
        .await?;
    let event = outbox::Event {
        kind: "schema.registered".to_owned(),
        subject: subject.to_string(),
        payload: detail.to_string(),
        at: ctx.now(),
    };
    outbox::push(&mut tx, &event).await?;
    tx.commit().await?;
    ctx.app.work.notify_waiters();
    ctx.app.schemas.keep_model(&schema, &prepared.model);
    Ok(Registered { version, schema: Arc::new(schema) })
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
/// [`Error::SubjectNotFound`] and [`Error::VersionNotFound`] where a version is named; [`Error::InvalidSchema`].
pub async fn check(
    ctx: &Ctx,
    subject: &Subject,
    against: Check,
    draft: &Draft,
    normalize: bool,
) -> Result<(Vec<Incompatibility>, Level), Error> {
    let mut tx = ctx.app.db.read().await?;
    let scene = Scene::load(ctx, &mut tx, subject).await?;
    let compared_with = match against {
        Check::History => scene.compared_with(),
        // Where there is nothing yet, nothing can break.
        Check::Version(VersionRef::Latest) => scene.used().last().cloned().into_iter().collect(),
        Check::Version(version) => vec![read::pick(&scene.history, subject, version, false)?],
    };
    let normalize = normalize || scene.settings.normalize == Some(true);
    let prepared = draft.prepare(ctx, &mut tx, subject, normalize).await?;
    let level = scene.level();
    Ok((scene.incompatibilities(ctx, &mut tx, &prepared, &compared_with).await?, level))
}

/// What a subject is and has. One that the caller may not know of has nothing, like one that there is not.
struct Scene {
    /// The revisions that `owner` was read at. Domains, products and topics do not change while they stand.
    at: Platform,
    owner: Owner,
    settings: Settings,
    history: Vec<SubjectVersion>,
}

impl Scene {
    async fn load(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Self, Error> {
        let at = store::revision::platform(tx).await?;
        let owner = Owner::of(ctx, tx, subject).await?;
        Self::with_owner(tx, subject, at, owner).await
    }

    async fn with_owner(tx: &mut Tx, subject: &Subject, at: Platform, owner: Owner) -> Result<Self, Error> {
        if !owner.may_view() {
            let settings = settings::of_missing(tx, subject).await?;
            return Ok(Self { at, owner, settings, history: Vec::new() });
        }
        let settings = settings::of_subject(tx, subject).await?;
        let history = store::registry::list_versions(tx, subject).await?;
        Ok(Self { at, owner, settings, history })
    }

    /// The same as another transaction sees it, and the caller as it does.
    async fn reload(&self, ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<(Ctx, Self), Error> {
        let at = store::revision::platform(tx).await?;
        let ctx = ctx.fresh_at(tx, at.access).await?;
        let owner = if at == self.at { self.owner.clone() } else { Owner::of(&ctx, tx, subject).await? };
        let scene = Self::with_owner(tx, subject, at, owner).await?;
        Ok((ctx, scene))
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
            level if level.is_transitive() => self.used().rev().cloned().collect(),
            _ => self.used().next_back().cloned().into_iter().collect(),
        }
    }

    /// Whether the mode lets schemas in, with these numbers.
    fn may_register(&self, subject: &Subject, given: &Given) -> Result<(), Error> {
        let mode = self.settings.mode.unwrap_or(Mode::ReadWrite);
        if !mode.allows_writes() {
            return Err(Error::mode(subject, mode));
        }
        if given.id.is_some() && mode != Mode::Import {
            return Err(Error::NotPermitted(format!("subject `{subject}` is not in import mode")));
        }
        if given.id.is_none() && mode == Mode::Import {
            return Err(Error::NotPermitted(format!("subject `{subject}` is in import mode: give the schema's id")));
        }
        Ok(())
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
        let mut broken = Vec::new();
        for version in versions {
            let schema = cache::schema(ctx, tx, version.schema_id).await?;
            let schema = schema.ok_or_else(|| crate::Error::internal("a version has no schema"))?;
            let (old, new) = (model(ctx, tx, &schema).await?, Arc::clone(&new.model));
            let compare = move || {
                let mut differences = Vec::new();
                for (asked, from, to) in [(level.asks_backward(), &old, &new), (level.asks_forward(), &new, &old)] {
                    if asked {
                        let found = from.differences_to(to, policy)?;
                        if !all_compatible(&found) {
                            differences.extend(found.into_iter().filter(|difference| !difference.compatible));
                        }
                    }
                }
                Ok(differences)
            };
            let compared = tokio::task::spawn_blocking(compare).await.map_err(crate::Error::internal)?;
            let differences = compared
                .map_err(|complex: domain::change::message::TooComplex| Error::InvalidSchema(complex.to_string()))?;
            if !differences.is_empty() {
                broken.push(Incompatibility { version: version.version, differences, old_text: schema.text.clone() });
            }
        }
        Ok(broken)
    }
}
