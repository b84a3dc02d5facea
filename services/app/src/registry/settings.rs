//! Levels and modes: for the registry, a context, a subject.

use domain::registry::{Mode, Part, Scope, Settings, Subject};
use policy::{Action, Resource};
use store::{Lock, Tx};

use super::error::{Error, NotPermitted};
use super::owner::{Owner, Visible};
use crate::audit::{self, Event, ResourceKind};
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
        Scope::Subject(subject) => {
            let owner = Owner::of(ctx, &mut tx, subject).await?;
            of_owned(&mut tx, subject, &owner).await
        }
        Scope::Global | Scope::Context(_) => effective(&mut tx, scope).await,
    }
}

/// What a scope says of itself, with the level that holds there where it says something else alone.
///
/// # Errors
/// [`Error::NoLevel`], [`Error::NoMode`].
pub async fn own_settings(ctx: &Ctx, scope: &Scope, part: Part) -> Result<Settings, Error> {
    let mut tx = ctx.app.db.read().await?;
    let may_view = match scope {
        Scope::Subject(subject) => Owner::of(ctx, &mut tx, subject).await?.may_view(),
        Scope::Global | Scope::Context(_) => true,
    };
    let said = Some(said(&mut tx, scope, part).await?).filter(|_| may_view).unwrap_or_default();
    if said == Settings::default() {
        let scope = scope.clone();
        return Err(if part == Part::Levels { Error::NoLevel(scope) } else { Error::NoMode(scope) });
    }
    match part {
        Part::Levels => Ok(Settings { level: said.level.or(effective(&mut tx, scope).await?.level), ..said }),
        Part::Mode => Ok(said),
    }
}

/// What a scope says of one part; of the top, where it says nothing, the defaults.
async fn said(tx: &mut Tx, scope: &Scope, part: Part) -> Result<Settings, Error> {
    let said = store::registry::settings(tx, scope).await?.part(part);
    Ok(if scope.is_top() { said.or(Settings::DEFAULT.part(part)) } else { said })
}

/// Changes what a scope says of itself.
#[derive(Clone, Debug)]
pub struct ChangeSettings {
    /// The scope.
    pub scope: Scope,
    /// What it says from now on; what this leaves out stays.
    pub change: Settings,
    /// Whether schemas that are there already are no obstacle to [`Mode::Import`].
    pub force: bool,
}

/// Changes what a scope says of itself. Gives what it says then.
///
/// # Errors
/// [`crate::Error::Forbidden`], [`Error::NotPermitted`], [`Error::TooMany`].
pub async fn change_settings(ctx: &Ctx, command: &ChangeSettings) -> Result<Settings, Error> {
    let ChangeSettings { scope, change, force } = command;
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let owner = Configured::of(ctx, &mut tx, scope).await?;
    let imports = change.mode == Some(Mode::Import);
    if imports {
        // Ids are the whole registry's: whoever may choose them could use them up.
        let what = "import schemas with their ids";
        ctx.authorize(Action::ConfigureSchemas, &Resource::Platform, what)?;
    } else {
        owner.authorize(ctx)?;
    }
    let in_force = effective(&mut tx, scope).await?;
    if *change != change.part(Part::Mode) {
        refuse_if_read_only(scope, in_force)?;
    }
    if imports && in_force.mode != Some(Mode::Import) && !force {
        let visible = Visible::load(ctx, &mut tx).await?;
        let subjects = store::registry::list_subjects(&mut tx).await?;
        let is_there = |subject: &Subject| scope.contains(subject) && visible.sees(subject);
        if subjects.iter().any(|(subject, in_use)| *in_use && is_there(subject)) {
            return Err(NotPermitted::HasSchemas(scope.clone()).into());
        }
    }
    let old = store::registry::settings(&mut tx, scope).await?;
    if old == Settings::default()
        && let Configured::Subject(_, owner) = &owner
    {
        owner.refuse_beyond(ctx, store::registry::count_settings(&mut tx).await? + 1)?;
    }
    let new = change.or(old);
    write(ctx, tx, scope, &new).await?;
    Ok(new)
}

/// Takes back what a scope says of one part. Gives what it said.
///
/// # Errors
/// [`Error::NothingToClear`], [`Error::NotPermitted`]; [`crate::Error::Forbidden`].
pub async fn clear_settings(ctx: &Ctx, scope: &Scope, part: Part) -> Result<Settings, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let owner = Configured::of(ctx, &mut tx, scope).await?;
    let said = Some(said(&mut tx, scope, part).await?).filter(|_| owner.may_view()).unwrap_or_default();
    if said == Settings::default() {
        return Err(Error::NothingToClear(scope.clone()));
    }
    owner.authorize(ctx)?;
    let rest = match part {
        Part::Levels => {
            refuse_if_read_only(scope, effective(&mut tx, scope).await?)?;
            Part::Mode
        }
        Part::Mode => Part::Levels,
    };
    let old = store::registry::settings(&mut tx, scope).await?;
    write(ctx, tx, scope, &old.part(rest)).await?;
    Ok(said)
}

/// What settings are of.
enum Configured {
    Registry,
    Subject(Subject, Owner),
}

impl Configured {
    async fn of(ctx: &Ctx, tx: &mut Tx, scope: &Scope) -> Result<Self, Error> {
        Ok(match scope {
            Scope::Subject(subject) => Self::Subject(subject.clone(), Owner::of(ctx, tx, subject).await?),
            Scope::Global | Scope::Context(_) => Self::Registry,
        })
    }

    fn may_view(&self) -> bool {
        match self {
            Self::Registry => true,
            Self::Subject(_, owner) => owner.may_view(),
        }
    }

    fn authorize(&self, ctx: &Ctx) -> Result<(), Error> {
        match self {
            Self::Subject(subject, owner) => {
                owner.authorize(ctx, Action::ConfigureSchemas, subject, "configure the subject")
            }
            Self::Registry => {
                let what = "configure the schema registry";
                Ok(ctx.authorize(Action::ConfigureSchemas, &Resource::Platform, what)?)
            }
        }
    }
}

fn refuse_if_read_only(scope: &Scope, in_force: Settings) -> Result<(), Error> {
    match in_force.mode {
        Some(mode) if !mode.allows_writes() => Err(Error::mode(scope, mode)),
        _ => Ok(()),
    }
}

async fn write(ctx: &Ctx, mut tx: Tx, scope: &Scope, new: &Settings) -> Result<(), Error> {
    store::registry::put_settings(&mut tx, scope, new).await?;
    let what = serde_json::json!({
        "level": new.level.map(|level| level.as_str()),
        "policy": new.policy.map(|policy| policy.as_str()),
        "normalize": new.normalize,
        "mode": new.mode.map(|mode| mode.as_str()),
    });
    let event =
        Event::done(audit::Action::RegistryConfigure, ResourceKind::Subject, scope, "settings changed").with(what);
    audit::append(ctx, &mut tx, event).await?;
    tx.commit().await.map_err(crate::Error::from)?;
    Ok(())
}

/// What holds for a subject.
pub(super) async fn of_subject(tx: &mut Tx, subject: &Subject) -> Result<Settings, Error> {
    effective(tx, &Scope::Subject(subject.clone())).await
}

/// The settings in force for a subject; for a hidden one, those of its context, as for a missing one.
pub(super) async fn of_owned(tx: &mut Tx, subject: &Subject, owner: &Owner) -> Result<Settings, Error> {
    let scope = match owner.may_view() {
        true => Scope::Subject(subject.clone()),
        false => Scope::Context(subject.context().to_owned()),
    };
    effective(tx, &scope).await
}
