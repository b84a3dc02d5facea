//! Levels and modes: for the registry, a context, a subject.

use domain::registry::{Scope, Settings, Subject};
use policy::{Action, Resource};
use store::{Lock, Tx};

use super::error::Error;
use super::owner::Owner;
use crate::audit::{self, Event};
use crate::ctx::Ctx;

/// What holds for a scope: what it says, and what the wider ones say where it does not.
pub(super) async fn effective(tx: &mut Tx, scope: &Scope) -> Result<Settings, Error> {
    let said = store::registry::list_settings(tx, &scope.and_wider()).await?;
    Ok(said.into_iter().fold(Settings::default(), Settings::or).or(Settings::DEFAULT))
}

/// What holds for a scope; for a subject that the caller may not know of, what holds for one that there is not.
///
/// # Errors
/// Those of any use case.
pub async fn effective_settings(ctx: &Ctx, scope: &Scope) -> Result<Settings, Error> {
    let mut tx = ctx.app.db.read().await?;
    match scope {
        Scope::Subject(subject) if !knows(ctx, &mut tx, scope).await? => of_missing(&mut tx, subject).await,
        _ => effective(&mut tx, scope).await,
    }
}

/// What a scope says of itself.
///
/// # Errors
/// Those of any use case.
pub async fn own_settings(ctx: &Ctx, scope: &Scope) -> Result<Settings, Error> {
    let mut tx = ctx.app.db.read().await?;
    if !knows(ctx, &mut tx, scope).await? {
        return Ok(Settings::default());
    }
    Ok(store::registry::settings(&mut tx, scope).await?)
}

/// Changes what a scope says of itself: what the change names. Gives what it says then.
///
/// # Errors
/// [`crate::Error::Forbidden`], [`Error::NotPermitted`].
pub async fn change_settings(ctx: &Ctx, scope: &Scope, change: Settings) -> Result<Settings, Error> {
    write(ctx, scope, |old| change.or(old)).await
}

/// Takes back what a scope says of itself: what `clear` names by any value. Gives what it said.
///
/// # Errors
/// [`crate::Error::Forbidden`], [`Error::NotPermitted`].
pub async fn clear_settings(ctx: &Ctx, scope: &Scope, clear: Settings) -> Result<Settings, Error> {
    let mut said = Settings::default();
    write(ctx, scope, |old| {
        said = old;
        Settings {
            level: old.level.filter(|_| clear.level.is_none()),
            policy: old.policy.filter(|_| clear.policy.is_none()),
            normalize: old.normalize.filter(|_| clear.normalize.is_none()),
            mode: old.mode.filter(|_| clear.mode.is_none()),
        }
    })
    .await?;
    Ok(said)
}

async fn write(ctx: &Ctx, scope: &Scope, change: impl FnOnce(Settings) -> Settings) -> Result<Settings, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    match scope {
        Scope::Subject(subject) => {
            let owner = Owner::of(ctx, &mut tx, subject).await?;
            owner.authorize(ctx, Action::ConfigureSchemas, subject, "configure the subject")?;
        }
        Scope::Global | Scope::Context(_) => {
            ctx.authorize(Action::ConfigureSchemas, &Resource::Platform, "configure the schema registry")?;
        }
    }
    let old = store::registry::settings(&mut tx, scope).await?;
    let new = change(old);
    store::registry::put_settings(&mut tx, scope, &new).await?;
    let what = serde_json::json!({
        "level": new.level.map(|level| level.as_str()),
        "policy": new.policy.map(|policy| policy.as_str()),
        "normalize": new.normalize,
        "mode": new.mode.map(|mode| mode.as_str()),
    });
    let event = Event::done("registry.configure", "subject", scope, "settings changed").with(what);
    audit::append(ctx, &mut tx, event).await?;
    tx.commit().await.map_err(crate::Error::from)?;
    Ok(new)
}

async fn knows(ctx: &Ctx, tx: &mut Tx, scope: &Scope) -> Result<bool, Error> {
    match scope {
        Scope::Subject(subject) => Ok(Owner::of(ctx, tx, subject).await?.may_view()),
        Scope::Global | Scope::Context(_) => Ok(true),
    }
}

/// What holds for a subject.
pub(super) async fn of_subject(tx: &mut Tx, subject: &Subject) -> Result<Settings, Error> {
    effective(tx, &Scope::Subject(subject.clone())).await
}

/// What holds for a subject that there is not.
pub(super) async fn of_missing(tx: &mut Tx, subject: &Subject) -> Result<Settings, Error> {
    effective(tx, &Scope::Context(subject.context().to_owned())).await
}
