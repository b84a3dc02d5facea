//! Taking versions out of use, and removing them for good. A version that other schemas refer to stays.

use domain::registry::{Mode, SchemaId, Scope, Settings, Subject, SubjectVersion};
use policy::Action;
use store::revision::{self, Revision};
use store::{Lock, Tx};

use super::error::Error;
use super::owner::Owner;
use super::{VersionRef, read, settings};
use crate::audit::{self, Event};
use crate::ctx::Ctx;

/// Deletes a subject: takes its versions out of use, or removes those that are. Gives their numbers.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::SubjectSoftDeleted`], [`Error::SubjectNotSoftDeleted`],
/// [`Error::ReferenceExists`], [`Error::NotPermitted`]; [`crate::Error::Forbidden`].
pub async fn delete_subject(ctx: &Ctx, subject: &Subject, permanent: bool) -> Result<Vec<u32>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let history = may_delete(ctx, &mut tx, subject).await?;
    let in_use = history.iter().any(|version| !version.deleted);
    match (permanent, in_use) {
        (true, true) => return Err(Error::SubjectNotSoftDeleted(subject.clone())),
        (false, false) => return Err(Error::SubjectSoftDeleted(subject.clone())),
        _ => {}
    }
    let wanted: Vec<SubjectVersion> = history.into_iter().filter(|version| permanent || !version.deleted).collect();
    for version in &wanted {
        refuse_if_referred_to(&mut tx, version).await?;
    }
    for version in &wanted {
        remove(ctx, &mut tx, version, permanent).await?;
    }
    if !permanent {
        // A subject of this name that comes later begins with the defaults.
        store::registry::put_settings(&mut tx, &Scope::Subject(subject.clone()), &Settings::default()).await?;
    }
    finish(ctx, tx, subject, &wanted, permanent).await
}

/// Deletes a version: takes it out of use, or removes it if it is. Gives its number.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::VersionNotFound`], [`Error::VersionSoftDeleted`],
/// [`Error::VersionNotSoftDeleted`], [`Error::ReferenceExists`], [`Error::NotPermitted`]; [`crate::Error::Forbidden`].
pub async fn delete_version(ctx: &Ctx, subject: &Subject, version: VersionRef, permanent: bool) -> Result<u32, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let history = may_delete(ctx, &mut tx, subject).await?;
    // `latest` is the newest in use; a number may name one that is not.
    let with_deleted = permanent || matches!(version, VersionRef::Number(_));
    let version = read::pick(&history, subject, version, with_deleted)?;
    match (permanent, version.deleted) {
        (true, false) => return Err(Error::VersionNotSoftDeleted(subject.clone(), version.version)),
        (false, true) => return Err(Error::VersionSoftDeleted(subject.clone(), version.version)),
        _ => {}
    }
    refuse_if_referred_to(&mut tx, &version).await?;
    remove(ctx, &mut tx, &version, permanent).await?;
    let number = version.version;
    finish(ctx, tx, subject, &[version], permanent).await?;
    Ok(number)
}

async fn may_delete(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Vec<SubjectVersion>, Error> {
    let history = read::history(ctx, tx, subject).await?;
    let owner = Owner::of(ctx, tx, subject).await?;
    owner.authorize(ctx, Action::Retire, subject, "delete schemas of")?;
    let mode = settings::of_subject(tx, subject).await?.mode.unwrap_or(Mode::ReadWrite);
    if mode.allows_writes() { Ok(history) } else { Err(Error::mode(subject, mode)) }
}

async fn refuse_if_referred_to(tx: &mut Tx, version: &SubjectVersion) -> Result<(), Error> {
    for id in store::registry::list_referrers(tx, &version.subject, version.version).await? {
        if store::registry::list_versions_of_schema(tx, id).await?.iter().any(|place| !place.deleted) {
            return Err(Error::ReferenceExists(version.subject.clone(), version.version));
        }
    }
    Ok(())
}

async fn remove(ctx: &Ctx, tx: &mut Tx, version: &SubjectVersion, permanent: bool) -> Result<(), Error> {
    if !permanent {
        return Ok(store::registry::set_deleted(tx, &version.subject, version.version, true).await?);
    }
    store::registry::delete_version(tx, &version.subject, version.version).await?;
    forget_if_unused(ctx, tx, version.schema_id).await
}

async fn forget_if_unused(ctx: &Ctx, tx: &mut Tx, id: SchemaId) -> Result<(), Error> {
    if store::registry::list_versions_of_schema(tx, id).await?.is_empty() {
        store::registry::forget_schema(tx, id).await?;
        ctx.app.schemas.forget(id);
    }
    Ok(())
}

async fn finish(
    ctx: &Ctx,
    mut tx: Tx,
    subject: &Subject,
    versions: &[SubjectVersion],
    permanent: bool,
) -> Result<Vec<u32>, Error> {
    let numbers: Vec<u32> = versions.iter().map(|version| version.version).collect();
    if permanent {
        // Some may have known of a schema by this place alone, and what they were seen to reach hangs on this revision.
        revision::bump(&mut tx, Revision::Visibility).await?;
    }
    let what = if permanent { "deleted for good" } else { "taken out of use" };
    let event = Event::done("schema.delete", "subject", subject, what)
        .with(serde_json::json!({ "versions": numbers, "permanent": permanent }));
    audit::append(ctx, &mut tx, event).await?;
    tx.commit().await?;
    Ok(numbers)
}
