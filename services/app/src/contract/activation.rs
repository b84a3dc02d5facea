//! The life of contract versions: activation and what it waits for, deprecation, retirement (docs/rules.md, Names and
//! states).

use domain::clock::Timestamp;
use domain::contract::{self, State, StateName, WrongState};
use domain::id::{ContractId, ContractVersionId};
use policy::{Action, Resource};
use store::{Lock, Tx, outbox};

use super::documents::parsed;
use super::readiness::{self, ActivationFacts};
use super::reads::VersionView;
use crate::audit::{self, Author, Event, ResourceKind};
use crate::change::{Change, announce};
use crate::ctx::{App, Ctx};
use crate::error::{Conflict, Error};
use crate::idempotency::{self, Key};
use crate::{failpoint, notice};

/// What became of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Activation {
    /// The version is the current one of its major.
    Activated,
    /// It is not; why, for people.
    Waits(Vec<String>),
}

/// Makes a draft whose author wishes it the current version of its major, if everything is in order; else keeps the
/// reasons with it. Changes nothing about a version that is no draft. The server's own act: after each publish and each
/// inspection of one of its tables.
pub(crate) async fn try_activate(app: &App, tx: &mut Tx, id: ContractVersionId) -> Result<Activation, Error> {
    let version = store::contract::get_version(tx, id).await?;
    let State::Draft { reasons: known_reasons, released_at } = &version.state else {
        return Ok(standing(&version.state));
    };
    let document = parsed(app, &version.document)?;
    let siblings = store::contract::list_versions_of_contracts(tx, &[version.contract_id]).await?;
    let facts = ActivationFacts::load(app, tx, &version, &document).await?;
    let reasons = readiness::reasons_to_wait(app, &facts, &siblings, &version, &document)?;
    if reasons.is_empty() {
        activate(app, tx, &version, &Author::server()).await?;
        return Ok(Activation::Activated);
    }
    if *known_reasons != reasons {
        wait(tx, &version, reasons.clone(), *released_at).await?;
    }
    Ok(Activation::Waits(reasons))
}

/// Asks for a draft to become active, whatever its document's status.
#[derive(Debug)]
pub struct Activate {
    /// The version.
    pub id: ContractVersionId,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// What became of [`Activate`].
#[derive(Debug)]
pub enum Activated {
    /// It is active.
    Done(VersionView),
    /// It stays a draft until its reasons, which its state has, are settled. Its document's status holds it back no more.
    Waits(VersionView),
}

/// Makes a draft the current version of its major, at once or as soon as everything is in order.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Conflict`] for a version that was active before.
pub async fn activate_version(ctx: &Ctx, command: Activate) -> Result<Activated, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let view = VersionView::get(ctx, &mut tx, command.id).await?;
    ctx.authorize(Action::Activate, &view.resource(), "activate versions of this contract")?;
    let replayed = idempotency::find::<ContractVersionId>(ctx, &mut tx, command.key.as_ref()).await?.is_some();
    match &view.version.state {
        State::Active { .. } => return Ok(Activated::Done(view)),
        State::Draft { .. } if replayed => return Ok(Activated::Waits(view)),
        State::Draft { .. } => {}
        State::Superseded { .. } | State::Deprecated { .. } | State::Retired { .. } => {
            let wrong = WrongState { state: view.version.state.name(), wanted: StateName::Active };
            return Err(Conflict::WrongState(wrong).into());
        }
    }
    let siblings = store::contract::list_versions_of_contracts(&mut tx, &[view.version.contract_id]).await?;
    let facts = ActivationFacts::load(&ctx.app, &mut tx, &view.version, &view.document).await?;
    let reasons = readiness::obstacles(&ctx.app, &facts, &siblings, &view.version, &view.document)?;
    let waits = !reasons.is_empty();
    if waits {
        wait(&mut tx, &view.version, reasons.clone(), Some(ctx.now())).await?;
        let event = event(audit::Action::ContractActivate, &view.version).refused(reasons.join("; "));
        audit::append(ctx, &mut tx, event).await?;
    } else {
        activate(&ctx.app, &mut tx, &view.version, &Author::from(ctx)).await?;
    }
    idempotency::record(ctx, &mut tx, command.key.as_ref(), command.id).await?;
    let version = store::contract::get_version(&mut tx, command.id).await?;
    failpoint::pass("activate.written");
    tx.commit().await?;
    failpoint::pass("activate.committed");
    let view = VersionView { version, ..view };
    Ok(if waits { Activated::Waits(view) } else { Activated::Done(view) })
}

/// Lets a major serve at least until a moment: moves the sunset of its current version, if that has an earlier one.
pub(crate) async fn extend(
    app: &App,
    tx: &mut Tx,
    contract_id: ContractId,
    major: u64,
    moment: Timestamp,
    author: &Author,
) -> Result<(), Error> {
    let Some(version) = store::contract::find_current(tx, contract_id, major).await? else { return Ok(()) };
    let state = version.state.clone().serve_until(moment);
    if state != version.state {
        let change = set_state(app, tx, &version, state, audit::Action::ContractExtend, author).await?;
        announce(app, tx, &[change], author).await?;
    }
    Ok(())
}

async fn activate(app: &App, tx: &mut Tx, version: &contract::Version, author: &Author) -> Result<(), Error> {
    let now = app.now();
    let wrong = |wrong: WrongState| Error::from(Conflict::WrongState(wrong));
    let mut changes = Vec::new();
    // First the others: a major has one active version at any moment.
    for other in store::contract::list_versions_of_contracts(tx, &[version.contract_id]).await? {
        if other.state.is_promised() && other.version.major == version.version.major {
            let state = other.state.clone().supersede(now).map_err(wrong)?;
            changes.push(set_state(app, tx, &other, state, audit::Action::ContractSupersede, author).await?);
        }
    }
    let state = version.state.clone().activate(now).map_err(wrong)?;
    changes.push(set_state(app, tx, version, state, audit::Action::ContractActivate, author).await?);
    announce(app, tx, &changes, author).await?;
    notice::open_about(app, tx, version.contract_id, version.version.major, author).await
}

/// Writes a transition, with its record and its event. The change is for the caller to announce.
pub(crate) async fn set_state(
    app: &App,
    tx: &mut Tx,
    version: &contract::Version,
    state: State,
    action: audit::Action,
    author: &Author,
) -> Result<Change, Error> {
    store::contract::set_state(tx, version.id, &version.state, &state).await?;
    audit::append_as(app, tx, author.actor.clone(), &author.request_id, event(action, version)).await?;
    let event = domain::event::Event::ContractStateChanged {
        version_id: version.id,
        contract_id: version.contract_id,
        version: version.version,
        state: state.name(),
    };
    outbox::push(tx, &event, app.now()).await?;
    Ok(Change::VersionState(version.contract_id))
}

async fn wait(
    tx: &mut Tx,
    version: &contract::Version,
    reasons: Vec<String>,
    released_at: Option<Timestamp>,
) -> Result<(), Error> {
    let state = State::Draft { reasons, released_at };
    Ok(store::contract::set_state(tx, version.id, &version.state, &state).await?)
}

fn event(action: audit::Action, version: &contract::Version) -> Event {
    Event::done(action, ResourceKind::ContractVersion, version.id, &version.version.to_string())
}

fn standing(state: &State) -> Activation {
    match state {
        State::Active { .. } => Activation::Activated,
        State::Draft { .. } | State::Superseded { .. } | State::Deprecated { .. } | State::Retired { .. } => {
            Activation::Waits(vec![format!("the version is {}", state.as_str())])
        }
    }
}

impl VersionView {
    /// The version as the policy sees it.
    pub(crate) fn resource(&self) -> Resource<'_> {
        Resource::Contract {
            id: self.version.id,
            domain: &self.known.domain.path,
            classification: self.document.classification(),
            settings: &self.document.settings,
        }
    }
}
