//! The life of contract versions: activation and what it waits for, deprecation, retirement (SPEC section 4).

use domain::binding::Binding;
use domain::change::Proof;
use domain::clock::Timestamp;
use domain::contract::{self, GateMode, SERVING_ENVIRONMENT, SchemaObject, State, StateName, Wish, WrongState};
use domain::id::{ContractId, ContractVersionId};
use domain::overrides::{Override, judge_under};
use domain::quality::Verdict;
use domain::table::SnapshotState;
use policy::{Action, Resource};
use store::outbox;
use store::revision::{self, Revision};
use store::{Lock, Seek, Tx};

use super::cache::parsed;
use super::judge::rule_set;
use super::proof;
use super::reads::VersionView;
use crate::audit::{self, Event, ResourceKind};
use crate::ctx::{App, Ctx};
use crate::error::{Conflict, Error};
use crate::failpoint;
use crate::idempotency::{self, Key};
use crate::jobs;
use crate::known::{self, Known};
use crate::notice;
use crate::overrides;
use crate::table;

/// How many snapshots back the newest that was looked at is searched: skipped ones lie between two inspections.
const N_SNAPSHOTS: u32 = 200;

/// Who changes a version's state, for the records.
#[derive(Clone, Debug)]
pub(crate) struct Author {
    pub(crate) actor: String,
    pub(crate) request_id: String,
}

impl Author {
    /// The server by itself.
    pub(crate) fn server() -> Self {
        Self { actor: jobs::SERVER.to_owned(), request_id: String::new() }
    }
}

impl From<&Ctx> for Author {
    fn from(ctx: &Ctx) -> Self {
        Self { actor: ctx.actor.principal.id.to_string(), request_id: ctx.request_id.to_string() }
    }
}

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
    let reasons = match &document.wish {
        Wish::Activate => obstacles(app, tx, &version, &document).await?,
        _ if released_at.is_some() => obstacles(app, tx, &version, &document).await?,
        wish => vec![held(wish)],
    };
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
    let reasons = obstacles(&ctx.app, &mut tx, &view.version, &view.document).await?;
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

/// Starts a version's way to its end, which is no sooner than its readers were told by a notice. Outer error: of ours;
/// inner: its state does not allow it.
pub(crate) async fn deprecate(
    app: &App,
    tx: &mut Tx,
    version: &contract::Version,
    document: &contract::Document,
    author: &Author,
) -> Result<Result<State, WrongState>, Error> {
    match version.state.clone().deprecate(app.now(), document.end_of_support()) {
        Ok(state) => {
            let told = notice::deadline_of(tx, version.contract_id, version.version.major).await?;
            let state = told.into_iter().fold(state, State::serve_until);
            change(app, tx, version, state, audit::Action::ContractDeprecate, author).await.map(Ok)
        }
        Err(wrong) => Ok(Err(wrong)),
    }
}

/// Ends a version. Outer error: of ours; inner: its state does not allow it.
pub(crate) async fn retire(
    app: &App,
    tx: &mut Tx,
    version: &contract::Version,
    author: &Author,
) -> Result<Result<State, WrongState>, Error> {
    match version.state.clone().retire(app.now()) {
        Ok(state) => {
            let state = change(app, tx, version, state, audit::Action::ContractRetire, author).await?;
            let ended_at = version.state.sunset().map_or(app.now(), |sunset| sunset.min(app.now()));
            notice::close_ended(app, tx, version.contract_id, version.version.major, ended_at, author).await?;
            Ok(Ok(state))
        }
        Err(wrong) => Ok(Err(wrong)),
    }
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
        change(app, tx, &version, state, audit::Action::ContractExtend, author).await?;
    }
    Ok(())
}

async fn activate(app: &App, tx: &mut Tx, version: &contract::Version, author: &Author) -> Result<(), Error> {
    let now = app.now();
    let wrong = |wrong: WrongState| Error::from(Conflict::WrongState(wrong));
    // First the others: a major has one active version at any moment.
    for other in store::contract::list_versions_of_contracts(tx, &[version.contract_id]).await? {
        if other.state.is_promised() && other.version.major == version.version.major {
            let state = other.state.clone().supersede(now).map_err(wrong)?;
            change(app, tx, &other, state, audit::Action::ContractSupersede, author).await?;
        }
    }
    let state = version.state.clone().activate(now).map_err(wrong)?;
    change(app, tx, version, state, audit::Action::ContractActivate, author).await?;
    notice::open_about(app, tx, version.contract_id, version.version.major, author).await
}

/// Writes a transition, with its record and its event.
async fn change(
    app: &App,
    tx: &mut Tx,
    version: &contract::Version,
    state: State,
    action: audit::Action,
    author: &Author,
) -> Result<State, Error> {
    store::contract::set_state(tx, version.id, &version.state, &state).await?;
    revision::bump(tx, Revision::Access).await?;
    audit::append_as(app, tx, author.actor.clone(), &author.request_id, event(action, version)).await?;
    let event = domain::event::Event::ContractStateChanged {
        version_id: version.id,
        contract_id: version.contract_id,
        version: version.version,
        state: state.name(),
    };
    outbox::push(tx, &event, app.now()).await?;
    Ok(state)
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
        other => Activation::Waits(vec![format!("the version is {}", other.as_str())]),
    }
}

fn held(wish: &Wish) -> String {
    match wish {
        Wish::Hold(Some(word)) => format!("its document's status is `{word}`: `activateVersion` makes it active"),
        _ => "its document does not say that it is active: `activateVersion` makes it so".to_owned(),
    }
}

/// Why a draft cannot become active now; empty if it can. They name no column, value or path: whoever may know of the
/// product reads them.
async fn obstacles(
    app: &App,
    tx: &mut Tx,
    version: &contract::Version,
    document: &contract::Document,
) -> Result<Vec<String>, Error> {
    let mut reasons = Vec::new();
    let siblings = store::contract::list_versions_of_contracts(tx, &[version.contract_id]).await?;
    let newer = siblings.iter().find(|other| {
        other.version.major == version.version.major
            && other.version > version.version
            && !matches!(other.state, State::Draft { .. } | State::Retired { .. })
    });
    if let Some(newer) = newer {
        reasons.push(format!("{} is {} already", newer.version, newer.state.as_str()));
    }
    let contract = store::contract::get(tx, version.contract_id).await?;
    let known = known::get(tx, contract.product_id).await?;
    let bindings = store::binding::list_of_major(tx, version.contract_id, version.version.major).await?;
    // Versions that waited side by side were not compared when they were published; and what was accepted because the
    // data may prove it has to be proven now.
    let promised = siblings.iter().filter(|other| other.state.is_promised() && other.version < version.version);
    let promised = promised.map(|other| parsed(app, &other.document)).collect::<Result<Vec<_>, _>>()?;
    let promised: Vec<&contract::Document> = promised.iter().map(AsRef::as_ref).collect();
    let demanded = proof::demanded(document, &promised);
    let held = proof::held(tx, &known, document, &bindings, demanded.clone()).await?;
    // An override counts where it stood when the version was published, or stands now; not once it was taken back, and
    // not for what its steward published himself.
    let overrides = overrides::of_contracts(app, tx, &[version.contract_id]).await?;
    let (overrides, _) = overrides::by_others(tx, version.document.published_by, overrides).await?;
    let stood = |says: &&Override| says.stands(app.now()) || says.stands(version.document.published_at);
    let overrides: Vec<&Override> = overrides.iter().filter(stood).collect();
    let judge = |proofs: Vec<Proof>| {
        judge_under(document, &promised, &overrides, |promised| proof::judge(document, &[], promised, proofs.clone()))
    };
    if let Err(refused) = judge(held) {
        reasons.push(match judge(demanded) {
            Ok(_) => "its number needs proofs that the data does not give: see the findings and the newest verdict"
                .to_owned(),
            Err(_) => refused.to_string(),
        });
    }
    let topics = store::binding::list_topics_of_contracts(tx, &[version.contract_id]).await?;
    for object in &document.objects {
        if object.is_topic() {
            // What a topic's messages must look like is judged when a schema is registered.
            let is_bound = topics.iter().any(|topic| {
                topic.major == version.version.major
                    && topic.environment == SERVING_ENVIRONMENT
                    && object.table_name().as_ref() == Ok(&topic.object)
            });
            if !is_bound {
                reasons.push(format!(
                    "the topic `{}` has no server of type `kafka` in environment `{SERVING_ENVIRONMENT}`",
                    object.name
                ));
            }
            continue;
        }
        let binding = bindings.iter().find(|binding| {
            binding.environment == SERVING_ENVIRONMENT && object.table_name().as_ref() == Ok(&binding.object)
        });
        let reason = match binding {
            Some(binding) => table_obstacle(tx, &known, document, object, binding).await?,
            None => Some(format!(
                "`{}` has no server of type `local` in environment `{SERVING_ENVIRONMENT}`, \
                 and no other kind of table can be bound",
                object.name
            )),
        };
        reasons.extend(reason);
    }
    Ok(reasons)
}

/// Why the table behind an object is not good enough.
async fn table_obstacle(
    tx: &mut Tx,
    known: &Known,
    document: &contract::Document,
    object: &SchemaObject,
    binding: &Binding,
) -> Result<Option<String>, Error> {
    let name = &object.name;
    // What came after the head counts no more: a table may have gone back to an earlier state.
    let up_to = table::head(tx, binding.table_id).await?.map_or(0, |head| head.ordinal);
    let seek = Seek { after: Some(up_to.saturating_add(1)), limit: N_SNAPSHOTS };
    let snapshots = store::table::list_snapshots(tx, binding.table_id, &seek).await?;
    let looked_at = snapshots
        .items
        .iter()
        .find(|snapshot| matches!(snapshot.state, SnapshotState::Inspected | SnapshotState::Error));
    let Some(snapshot) = looked_at else {
        return Ok(Some(format!("the table of `{name}` has not been inspected yet")));
    };
    if snapshot.state == SnapshotState::Error {
        return Ok(Some(format!("the table of `{name}` could not be inspected")));
    }
    let rules = rule_set(document, object, known.product.classification)?;
    let verdicts = store::binding::list_newest_verdicts(tx, binding.id, &rules.hash, up_to, 1).await?;
    let Some(verdict) = verdicts.first().filter(|verdict| verdict.snapshot_id == snapshot.id) else {
        return Ok(Some(format!("the table of `{name}` has not been inspected by this version's rules yet")));
    };
    let may_fail = document.settings.gate_mode == GateMode::Warn;
    Ok(match verdict.verdict {
        _ if !verdict.conforms => Some(format!("the table of `{name}` does not conform: see its verdict")),
        Verdict::Pass | Verdict::Warn => None,
        Verdict::Fail if may_fail => None,
        Verdict::Fail => Some(format!("the table of `{name}` breaks quality rules: see its verdict")),
        Verdict::Error => Some(format!("the rules of `{name}` could not all be measured: see its verdict")),
    })
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
