//! The versions of a subject: reading them, and which of them a schema has.

use documents::message::References;
use domain::change::message::{Budget, Format};
use domain::registry::{Schema, SchemaId, Subject, SubjectVersion};
use store::Tx;

use super::draft::{Draft, Prepared, Reach, Registered, Resolved, VersionRef, resolve};
use super::error::Error;
use super::owner::Owner;
use crate::ctx::Ctx;

/// All versions of a subject that the caller may know of; none for one that it may not.
pub(super) async fn history(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Vec<SubjectVersion>, Error> {
    let owner = Owner::of(ctx, tx, subject).await?;
    let all = store::registry::list_versions(tx, subject).await?;
    if all.is_empty() || !owner.may_view() {
        return Err(Error::SubjectNotFound(subject.clone()));
    }
    Ok(all)
}

/// The version that is meant. The latest is always one in use.
pub(super) fn pick(
    history: &[SubjectVersion],
    subject: &Subject,
    version: VersionRef,
    with_deleted: bool,
) -> Result<SubjectVersion, Error> {
    let is_shown = |version: &&SubjectVersion| with_deleted || !version.deleted;
    if !history.iter().any(|version| is_shown(&version)) {
        return Err(Error::SubjectNotFound(subject.clone()));
    }
    let found = match version {
        VersionRef::Latest => history.iter().rfind(|version| !version.deleted),
        VersionRef::Number(number) => history.iter().filter(is_shown).find(|version| version.version == number),
    };
    found.cloned().ok_or_else(|| Error::VersionNotFound(version.to_string()))
}

/// The first of some versions whose schema is a draft's once what it refers to is written into it: clients of Avro that
/// know nothing of the references have and send it like that. It is looked for as far as the budget of a history reaches,
/// for whoever may read a subject may ask this.
pub(super) async fn find_resolved(
    ctx: &Ctx,
    tx: &mut Tx,
    versions: &[SubjectVersion],
    draft: &Draft,
    prepared: &Prepared,
) -> Result<Option<Registered>, Error> {
    if draft.format != Format::Avro || !draft.references.is_empty() {
        return Ok(None);
    }
    let mut budget = Budget::HISTORY;
    for version in versions {
        let registered = in_place(ctx, tx, version.clone()).await?;
        let schema = &registered.schema;
        if schema.format != Format::Avro || schema.references.is_empty() {
            continue;
        }
        let Some(whole) = resolved(ctx, tx, schema).await? else { continue };
        if budget.take(steps_to_read(whole.len(), schema.references.len())).is_err() {
            break;
        }
        let print = prepared.print;
        let printed = move || print(Format::Avro, &whole, &References::new());
        let printed = tokio::task::spawn_blocking(printed).await.map_err(crate::Error::internal)?;
        if printed.is_ok_and(|text| text == prepared.text) {
            return Ok(Some(registered));
        }
    }
    Ok(None)
}

/// An Avro schema with what it refers to written into it; `None` where the caller may not know of all that.
pub(super) async fn resolved(ctx: &Ctx, tx: &mut Tx, schema: &Schema) -> Result<Option<String>, Error> {
    let texts = match resolve(ctx, tx, &schema.references, Reach::Callers).await {
        Ok(Resolved { texts, .. }) => texts,
        Err(Error::InvalidSchema(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = schema.text.clone();
    let resolved = move || documents::avro::resolved(&text, &texts);
    Ok(tokio::task::spawn_blocking(resolved).await.map_err(crate::Error::internal)?.ok())
}

pub(super) async fn in_place(ctx: &Ctx, tx: &mut Tx, version: SubjectVersion) -> Result<Registered, Error> {
    let schema = ctx.app.caches.schemas.find_or_load(tx, version.schema_id).await?;
    let schema = schema.ok_or_else(|| crate::Error::internal("a version has no schema"))?;
    Ok(Registered { version, schema })
}

/// Removes the versions of a subject out of use whose schema is registered there again, but for those that another schema
/// refers to.
pub(super) async fn supersede(tx: &mut Tx, history: &[SubjectVersion], schema_id: SchemaId) -> Result<(), Error> {
    for version in history.iter().filter(|version| version.deleted && version.schema_id == schema_id) {
        if !is_referred_to(tx, version, true, None).await? {
            store::registry::delete_version(tx, &version.subject, version.version).await?;
        }
    }
    Ok(())
}

/// Whether a schema in use refers to a version; or any, before the version is gone for good.
pub(super) async fn is_referred_to(
    tx: &mut Tx,
    version: &SubjectVersion,
    permanent: bool,
    but_by: Option<&Subject>,
) -> Result<bool, Error> {
    for id in store::registry::list_referrers(tx, &version.subject, version.version).await? {
        let places = store::registry::list_versions_of_schema(tx, id).await?;
        if places.iter().any(|place| (permanent || !place.deleted) && Some(&place.subject) != but_by) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What reading an earlier schema takes of the comparisons' budget: a step for some of its bytes, and for each reference.
pub(super) fn steps_to_read(n_bytes: usize, n_references: usize) -> u32 {
    const BYTES_IN_A_STEP: usize = 8;
    u32::try_from((n_bytes / BYTES_IN_A_STEP).saturating_add(n_references)).unwrap_or(u32::MAX)
}
