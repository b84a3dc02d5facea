//! Taking versions out of use, and removing them for good. A version that other schemas refer to stays.

use domain::registry::{Mode, SchemaId, Scope, Settings, Subject, SubjectVersion};
use policy::Action;
use store::registry::Change;
use store::{Lock, Tx};

use super::draft::VersionRef;
use super::error::Error;
use super::history::{self, is_referred_to};
use super::owner::Owner;
use super::settings;
use crate::audit::{self, Author, Event, ResourceKind};
use crate::change;
use crate::ctx::Ctx;
use crate::failpoint;

/// Deletes a subject: takes its versions out of use, or removes those that are. Gives their numbers.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::SubjectSoftDeleted`], [`Error::SubjectNotSoftDeleted`],
/// [`Error::ReferenceExists`], [`Error::NotPermitted`]; [`crate::Error::Forbidden`].
pub async fn delete_subject(ctx: &Ctx, subject: &Subject, permanent: bool) -> Result<Vec<u32>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let history = authorized(ctx, &mut tx, subject).await?;
    let in_use = history.iter().any(|version| !version.deleted);
    if !permanent && !in_use {
        return Err(Error::SubjectSoftDeleted(subject.clone()));
    }
    refuse_if_read_only(&mut tx, subject).await?;
    let wanted: Vec<SubjectVersion> = history.into_iter().filter(|version| permanent || !version.deleted).collect();
    for version in &wanted {
        // Its versions go together, so they may refer to each other.
        refuse_if_referred_to(&mut tx, version, permanent, Some(subject)).await?;
    }
    if permanent && in_use {
        return Err(Error::SubjectNotSoftDeleted(subject.clone()));
    }
    remove_all(ctx, tx, subject, &wanted, permanent).await
}

/// Deletes a version: takes it out of use, or removes it if it is. Gives its number.
///
/// # Errors
/// [`Error::SubjectNotFound`], [`Error::VersionNotFound`], [`Error::VersionSoftDeleted`],
/// [`Error::VersionNotSoftDeleted`], [`Error::ReferenceExists`], [`Error::NotPermitted`]; [`crate::Error::Forbidden`].
pub async fn delete_version(ctx: &Ctx, subject: &Subject, version: VersionRef, permanent: bool) -> Result<u32, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let history = authorized(ctx, &mut tx, subject).await?;
    let version = history::pick(&history, subject, version, true)?;
    if !permanent && version.deleted {
        return Err(Error::VersionSoftDeleted(subject.clone(), version.version));
    }
    refuse_if_read_only(&mut tx, subject).await?;
    refuse_if_referred_to(&mut tx, &version, permanent, None).await?;
    if permanent && !version.deleted {
        return Err(Error::VersionNotSoftDeleted(subject.clone(), version.version));
    }
    let number = version.version;
    remove_all(ctx, tx, subject, &[version], permanent).await?;
    Ok(number)
}

/// The versions of a subject whose schemas the caller may delete.
async fn authorized(ctx: &Ctx, tx: &mut Tx, subject: &Subject) -> Result<Vec<SubjectVersion>, Error> {
    let history = history::history(ctx, tx, subject).await?;
    let owner = Owner::of(ctx, tx, subject).await?;
    owner.authorize(ctx, Action::Retire, subject, "delete schemas of")?;
    Ok(history)
}

async fn refuse_if_read_only(tx: &mut Tx, subject: &Subject) -> Result<(), Error> {
    let mode = settings::of_subject(tx, subject).await?.mode.unwrap_or(Mode::ReadWrite);
    if mode.allows_writes() { Ok(()) } else { Err(Error::mode(subject, mode)) }
}

/// Goes on only if no schema refers to a version, but for those of a subject.
async fn refuse_if_referred_to(
    tx: &mut Tx,
    version: &SubjectVersion,
    permanent: bool,
    but_by: Option<&Subject>,
) -> Result<(), Error> {
    if is_referred_to(tx, version, permanent, but_by).await? {
        return Err(Error::ReferenceExists(version.subject.clone(), version.version));
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
        ctx.app.caches.schemas.remove(id);
    }
    Ok(())
}

async fn remove_all(
    ctx: &Ctx,
    mut tx: Tx,
    subject: &Subject,
    versions: &[SubjectVersion],
    permanent: bool,
) -> Result<Vec<u32>, Error> {
    for version in versions {
        remove(ctx, &mut tx, version, permanent).await?;
    }
    if permanent {
        if store::registry::list_versions(&mut tx, subject).await?.is_empty() {
            // A subject of this name that comes later begins with the defaults.
            store::registry::put_settings(&mut tx, &Scope::Subject(subject.clone()), &Settings::default()).await?;
            store::registry::count_subject(&mut tx, Change::Went).await?;
        }
        change::announce(&ctx.app, &mut tx, &[change::Change::SchemaErased], &Author::from(ctx)).await?;
        failpoint::pass("erase.removed");
    }
    let numbers: Vec<u32> = versions.iter().map(|version| version.version).collect();
    let what = if permanent { "permanently deleted" } else { "soft deleted" };
    let event = Event::done(audit::Action::SchemaDelete, ResourceKind::Subject, subject, what)
        .with(serde_json::json!({ "versions": numbers, "permanent": permanent }));
    audit::append(ctx, &mut tx, event).await?;
    if permanent {
        failpoint::pass("erase.written");
    }
    tx.commit().await?;
    if permanent {
        failpoint::pass("erase.committed");
    }
    Ok(numbers)
}
