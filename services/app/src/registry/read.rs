//! Looking schemas up: by id, by subject and version, by their text.

use std::borrow::Cow;
use std::sync::Arc;

use domain::change::message::Format;
use domain::registry::{DEFAULT_CONTEXT, Prefix, Schema, SchemaId, Subject, SubjectVersion};
use itertools::Itertools as _;
use store::Tx;
use store::revision::Revision;

use super::draft::{Draft, Reach, Registered, Resolved, VersionRef, resolve};
use super::error::Error;
use super::history::{find_resolved, history, in_place, pick, resolved};
use super::owner::{self, Visible};
use super::settings;
use crate::ctx::Ctx;

/// Which of the entries of a list are wanted: those in use, those taken out of it too, or those alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shown {
    /// Those in use.
    #[default]
    InUse,
    /// All.
    All,
    /// Soft-deleted ones.
    Deleted,
}

impl Shown {
    fn shows(self, deleted: bool) -> bool {
        match self {
            Self::InUse => !deleted,
            Self::All => true,
            Self::Deleted => deleted,
        }
    }
}

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct Listing {
    /// How the names of the subjects begin.
    pub prefix: Prefix,
    /// Whether those in use.
    pub shown: Shown,
    /// Only the newest version of each subject.
    pub only_latest: bool,
    /// How many are left out first.
    pub offset: usize,
    /// How many there are at most.
    pub limit: usize,
}

/// The subjects that the caller may know of, in order. One counts as deleted when no version of it is in use.
///
/// # Errors
/// Those of any use case.
pub async fn subjects(ctx: &Ctx, shown: Shown) -> Result<Vec<Subject>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let visible = Visible::load(ctx, &mut tx).await?;
    let all = store::registry::list_subjects(&mut tx).await?;
    let wanted = all.into_iter().filter(|(subject, in_use)| shown.shows(!in_use) && visible.sees(subject));
    Ok(wanted.map(|(subject, _)| subject).collect())
}

/// The contexts of the subjects that the caller may know of, in order. The default one is always there.
///
/// # Errors
/// Those of any use case.
pub async fn contexts(ctx: &Ctx) -> Result<Vec<String>, Error> {
    let mut contexts = vec![DEFAULT_CONTEXT.to_owned()];
    contexts.extend(subjects(ctx, Shown::InUse).await?.iter().map(|subject| subject.context().to_owned()));
    contexts.sort_unstable();
    contexts.dedup();
    Ok(contexts)
}

/// The numbers of a subject's versions, in order.
///
/// # Errors
/// [`Error::SubjectNotFound`].
pub async fn versions(ctx: &Ctx, subject: &Subject, shown: Shown) -> Result<Vec<u32>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let all = history(ctx, &mut tx, subject).await?;
    if shown == Shown::InUse && all.iter().all(|version| version.deleted) {
        return Err(Error::SubjectNotFound(subject.clone()));
    }
    Ok(all.iter().filter(|version| shown.shows(version.deleted)).map(|version| version.version).collect())
}

/// A version of a subject.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::VersionNotFound`].
pub async fn version(
    ctx: &Ctx,
    subject: &Subject,
    version: VersionRef,
    with_deleted: bool,
) -> Result<Registered, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = pick(&history(ctx, &mut tx, subject).await?, subject, version, with_deleted)?;
    in_place(ctx, &mut tx, found).await
}

/// The version of a subject that has a draft's schema.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::SchemaNotFound`], [`Error::InvalidSchema`].
pub async fn lookup(
    ctx: &Ctx,
    subject: &Subject,
    draft: &Draft,
    normalize: bool,
    with_deleted: bool,
) -> Result<Registered, Error> {
    let mut tx = ctx.app.db.read().await?;
    let history = history(ctx, &mut tx, subject).await?;
    if !history.iter().any(|version| with_deleted || !version.deleted) {
        return Err(Error::SubjectNotFound(subject.clone()));
    }
    let normalize = normalize || settings::of_subject(&mut tx, subject).await?.normalize == Some(true);
    let prepared = draft.prepare(ctx, &mut tx, subject, normalize).await?;
    let places: Vec<SubjectVersion> =
        history.into_iter().filter(|version| with_deleted || !version.deleted).rev().collect();
    if let Some(same) = store::registry::find_same(&mut tx, subject.context(), &prepared.digest).await?
        && let Some(place) = places.iter().find(|version| version.schema_id == same.id)
    {
        return Ok(Registered { version: place.clone(), schema: Arc::new(same) });
    }
    find_resolved(ctx, &mut tx, &places, draft, &prepared).await?.ok_or(Error::SchemaNotFound(None))
}

/// A schema by its id, where the caller may know of a subject that has it. `subject` narrows where it is looked for.
///
/// # Errors
/// [`Error::SchemaNotFound`].
pub async fn find_schema(ctx: &Ctx, id: SchemaId, subject: Option<&Subject>) -> Result<Arc<Schema>, Error> {
    let visibility = ctx.app.revision(Revision::Visibility).await?;
    let schema = match ctx.app.caches.schemas.find_reached(&ctx.actor, visibility, id) {
        Some(schema) => schema,
        None => {
            let mut tx = ctx.app.db.read().await?;
            let at = store::revision::platform(&mut tx).await?;
            if visible_places(ctx, &mut tx, id).await?.is_empty() {
                return Err(Error::SchemaNotFound(Some(id)));
            }
            let schema =
                ctx.app.caches.schemas.find_or_load(&mut tx, id).await?.ok_or(Error::SchemaNotFound(Some(id)))?;
            ctx.app.caches.schemas.put_reached(&ctx.actor, at, id);
            schema
        }
    };
    // A client names the subject of its topic, and may read what another subject has registered; but a context that it
    // names is meant.
    match subject {
        Some(subject) if ![DEFAULT_CONTEXT, &schema.context].contains(&subject.context()) => {
            Err(Error::SchemaNotFound(Some(id)))
        }
        _ => Ok(schema),
    }
}

/// A schema's text in the form that a client asks for: `serialized` is the base64 of a Protobuf file descriptor, and
/// `resolved` an Avro schema with what it refers to written into it; any other word is the text as it is kept.
///
/// # Errors
/// Those of any use case.
pub async fn text_in_format<'a>(ctx: &Ctx, schema: &'a Schema, format: Option<&str>) -> Result<Cow<'a, str>, Error> {
    let mut tx = match (schema.format, format) {
        (Format::Protobuf, Some("serialized")) => ctx.app.db.read().await?,
        (Format::Avro, Some("resolved")) if !schema.references.is_empty() => {
            let resolved = resolved(ctx, &mut ctx.app.db.read().await?, schema).await?;
            return Ok(resolved.map_or(Cow::Borrowed(&schema.text), Cow::Owned));
        }
        _ => return Ok(Cow::Borrowed(&schema.text)),
    };
    let Resolved { texts, .. } = resolve(ctx, &mut tx, &schema.references, Reach::All).await?;
    let text = schema.text.clone();
    let serialized = move || documents::protobuf::serialized(&text, &texts);
    let serialized = tokio::task::spawn_blocking(serialized).await.map_err(crate::Error::internal)?;
    serialized.map(Cow::Owned).map_err(|invalid| crate::Error::internal(invalid.to_string()).into())
}

/// The greatest id of the schemas that the caller may know of; 0 if there are none.
///
/// # Errors
/// Those of any use case.
pub async fn newest_schema_id(ctx: &Ctx) -> Result<SchemaId, Error> {
    let mut tx = ctx.app.db.read().await?;
    let visible = Visible::load(ctx, &mut tx).await?;
    let mut before = i64::MAX;
    loop {
        let page = store::registry::list_versions_by_schema(&mut tx, before, PAGE).await?;
        let Some(last) = page.last() else { return Ok(0) };
        if let Some(place) = page.iter().find(|place| visible.sees(&place.subject)) {
            return Ok(place.schema_id);
        }
        // One schema may have more places than there are on a page.
        before = i64::from(last.schema_id) + i64::from(page[0].schema_id > last.schema_id);
    }
}

/// The places of a schema that the caller may know of.
///
/// # Errors
/// [`Error::SchemaNotFound`].
pub async fn places_of_schema(ctx: &Ctx, id: SchemaId, with_deleted: bool) -> Result<Vec<SubjectVersion>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let places = visible_places(ctx, &mut tx, id).await?;
    if places.is_empty() {
        return Err(Error::SchemaNotFound(Some(id)));
    }
    Ok(places.into_iter().filter(|place| with_deleted || !place.deleted).collect())
}

/// The place of a schema that is asked for by id and subject: its newest in the subject, else its first in the subject's
/// context. Places in use come before deleted ones.
///
/// # Errors
/// Those of any use case.
pub async fn place_of_schema(ctx: &Ctx, id: SchemaId, subject: &Subject) -> Result<Option<SubjectVersion>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let places = visible_places(ctx, &mut tx, id).await?;
    let in_context = places.into_iter().filter(|place| place.subject.context() == subject.context());
    Ok(in_context.min_by_key(|place| match place.subject == *subject {
        true => (false, place.deleted, u32::MAX - place.version),
        false => (true, place.deleted, 0),
    }))
}

/// The schemas that refer to a version.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::VersionNotFound`].
pub async fn referrers(
    ctx: &Ctx,
    subject: &Subject,
    version: VersionRef,
    with_deleted: bool,
) -> Result<Vec<SchemaId>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let found = pick(&history(ctx, &mut tx, subject).await?, subject, version, true)?;
    let mut ids = Vec::new();
    for id in store::registry::list_referrers(&mut tx, subject, found.version).await? {
        if visible_places(ctx, &mut tx, id).await?.iter().any(|place| with_deleted || !place.deleted) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Versions of the subjects that the caller may know of, in order. No more are read than are wanted.
///
/// # Errors
/// Those of any use case.
pub async fn schemas(ctx: &Ctx, listing: &Listing) -> Result<Vec<Registered>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut registered = Vec::new();
    for version in listed(ctx, &mut tx, listing).await? {
        registered.push(in_place(ctx, &mut tx, version).await?);
    }
    Ok(registered)
}

async fn listed(ctx: &Ctx, tx: &mut Tx, listing: &Listing) -> Result<Vec<SubjectVersion>, Error> {
    let visible = Visible::load(ctx, tx).await?;
    let is_wanted = |version: &SubjectVersion| {
        listing.shown.shows(version.deleted)
            && listing.prefix.matches(&version.subject)
            && visible.sees(&version.subject)
    };
    // The last of a subject is known once there is one of the next.
    let n_wanted = listing.offset.saturating_add(listing.limit).saturating_add(1);
    let mut wanted: Vec<SubjectVersion> = Vec::new();
    let mut after: Option<(Subject, u32)> = None;
    while wanted.len() < n_wanted {
        let from = after.as_ref().map(|(subject, version)| (subject, *version));
        let page = store::registry::list_all_versions(tx, from, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some((last.subject.clone(), last.version));
        for version in page.into_iter().filter(is_wanted) {
            match wanted.last_mut() {
                Some(older) if listing.only_latest && older.subject == version.subject => *older = version,
                _ => wanted.push(version),
            }
        }
    }
    Ok(wanted.into_iter().skip(listing.offset).take(listing.limit).collect())
}

/// How many rows are read at a time.
const PAGE: u32 = 1_000;

async fn visible_places(ctx: &Ctx, tx: &mut Tx, id: SchemaId) -> Result<Vec<SubjectVersion>, Error> {
    let places = store::registry::list_versions_of_schema(tx, id).await?;
    // All subjects at once: a hidden schema with many places costs what a missing one costs.
    let subjects = places.iter().map(|place| place.subject.clone()).unique().collect_vec();
    let visible = owner::visible_subjects(ctx, tx, &subjects).await?;
    Ok(places.into_iter().filter(|place| visible.contains(&place.subject)).collect())
}
