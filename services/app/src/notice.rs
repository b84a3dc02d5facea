//! Change notices: opened when a breaking successor becomes active, answered by those who must move.
//!
//! A notice concerns the holders of grants on the port majors that lead to the old side ([`concerned`]). It moves
//! nothing: grants stay on their major until they end or their holders ask for the next one. Nor does its deadline: the
//! old major goes on until its owner deprecates it and the sunset has come, or retires it.

use std::collections::HashMap;

use domain::clock::Timestamp;
use domain::contract::State;
use domain::event::{self, Succession};
use domain::grant::{Grant, PortMajor};
use domain::id::{AnswerId, ContractId, GrantId, NoticeId, PrincipalId, ProductId};
use domain::identity::PrincipalKind;
use domain::notice::{Answer, ChangeNotice, NewAnswer, Promise, Reply, Side, is_concerned};
use domain::product::Port;
use itertools::Itertools as _;
use policy::{Action, Party, Resource};
use store::{Lock, Page, Seek, Tx, outbox};

use crate::audit::{self, Author, Event, ResourceKind};
use crate::contract::{self, parsed};
use crate::ctx::{App, Ctx};
use crate::error::{Error, Forbidden, Noun};
use crate::grant::visible_grant_ids;
use crate::idempotency::{self, Key};
use crate::missing::Missing;
use crate::paging::VisiblePage;
use crate::parties::Parties;
use crate::product_in_domain::{self, ProductInDomain};

/// A notice that the caller may see.
#[derive(Clone, Debug)]
pub struct NoticeView {
    /// The notice.
    pub notice: ChangeNotice,
    /// The port majors whose readers it concerns.
    pub concerned: Vec<PortMajor>,
    pub(crate) known: ProductInDomain,
}

/// Opens the notices that are missing about the current version of a major, if it is active: one to the readers of every
/// older major of its contract, and of every contract behind an older major of one of its ports, that is still promised.
/// Doing it twice changes nothing.
pub(crate) async fn open_about(
    app: &App,
    tx: &mut Tx,
    contract_id: ContractId,
    major: u64,
    author: &Author,
) -> Result<(), Error> {
    let new = store::contract::find_current(tx, contract_id, major).await?;
    let Some(new) = new.filter(|new| matches!(new.state, State::Active { .. })) else { return Ok(()) };
    let product_id = store::contract::get(tx, contract_id).await?.product_id;
    let existing = store::notice::list_of_major(tx, contract_id, major).await?;
    let successor = (contract_id, major);
    for (from_id, from_major) in predecessors(tx, product_id, contract_id, major).await? {
        let predecessor = (from_id, from_major);
        let is_open =
            existing.iter().any(|notice| notice.to.major() == successor && notice.from.major() == predecessor);
        let Some(old) = store::contract::find_current(tx, from_id, from_major).await?.filter(|_| !is_open) else {
            continue;
        };
        let (old_says, new_says) = (parsed(app, &old.document)?, parsed(app, &new.document)?);
        let id = NoticeId::new(app.clock.as_ref(), app.random.as_ref());
        let old = Promise { side: side(&old), state: &old.state, document: &old_says };
        let new = Promise { side: side(&new), state: &new.state, document: &new_says };
        if let Some(notice) = ChangeNotice::open(id, product_id, old, new, app.now()) {
            store::notice::insert(tx, &notice).await?;
            happened(app, tx, audit::Action::NoticeOpen, event::Event::NoticeOpened, &notice, author).await?;
        }
    }
    Ok(())
}

fn side(version: &domain::contract::Version) -> Side {
    Side { contract_id: version.contract_id, version: version.version }
}

/// The majors of contracts that one of a contract succeeds.
async fn predecessors(
    tx: &mut Tx,
    product_id: ProductId,
    contract_id: ContractId,
    major: u64,
) -> Result<Vec<(ContractId, u64)>, Error> {
    let siblings = store::contract::list_versions_of_contracts(tx, &[contract_id]).await?;
    let older = siblings.iter().map(|sibling| sibling.version.major).filter(|older| *older < major);
    let mut found: Vec<(ContractId, u64)> = older.map(|older| (contract_id, older)).collect();
    let ports = store::product::list_ports_of_products(tx, &[product_id]).await?;
    for port in ports.iter().filter(|port| (port.contract_id, port.contract_major) == (contract_id, major)) {
        let older = ports.iter().filter(|older| is_older(older, port) && older.contract_id != contract_id);
        found.extend(older.map(|older| (older.contract_id, older.contract_major)));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Whether a port is an older major of the same line.
fn is_older(port: &Port, newer: &Port) -> bool {
    let (PortMajor { product_id, port, major }, newer) = (&port.port_major, &newer.port_major);
    (product_id, port) == (&newer.product_id, &newer.port) && *major < newer.major
}

/// The port majors whose readers a notice concerns: those that lead to the old side. Where the successor is another
/// contract, only those of lines that it continues.
fn concerned(notice: &ChangeNotice, ports: &[Port]) -> Vec<PortMajor> {
    let leads_to = |port: &Port, side: &Side| (port.contract_id, port.contract_major) == side.major();
    let is_continued = |old: &Port| ports.iter().any(|port| leads_to(port, &notice.to) && is_older(old, port));
    let same_contract = notice.from.contract_id == notice.to.contract_id;
    let old = ports.iter().filter(|port| leads_to(port, &notice.from) && (same_contract || is_continued(port)));
    old.map(|port| port.port_major.clone()).collect()
}

/// The latest deadline that open notices promise to the readers of a major.
pub(crate) async fn deadline_of(tx: &mut Tx, contract_id: ContractId, major: u64) -> Result<Option<Timestamp>, Error> {
    let notices = store::notice::list_of_major(tx, contract_id, major).await?;
    let to_its_readers =
        notices.iter().filter(|notice| notice.from.major() == (contract_id, major) && notice.closed_at.is_none());
    Ok(to_its_readers.map(|notice| notice.deadline).max())
}

/// Closes the notices from and to a major of which no version is promised any more, since it ended.
pub(crate) async fn close_ended(
    app: &App,
    tx: &mut Tx,
    contract_id: ContractId,
    major: u64,
    ended_at: Timestamp,
    author: &Author,
) -> Result<(), Error> {
    let current = store::contract::find_current(tx, contract_id, major).await?;
    if current.is_some_and(|current| current.state.is_promised()) {
        return Ok(());
    }
    for notice in store::notice::list_of_major(tx, contract_id, major).await? {
        let Ok(closed) = notice.close(ended_at) else { continue };
        store::notice::update(tx, &closed).await?;
        happened(app, tx, audit::Action::NoticeClose, event::Event::NoticeClosed, &closed, author).await?;
    }
    Ok(())
}

/// A record and an event about a notice.
async fn happened(
    app: &App,
    tx: &mut Tx,
    action: audit::Action,
    to_event: fn(Succession) -> event::Event,
    notice: &ChangeNotice,
    author: &Author,
) -> Result<(), Error> {
    let what = format!("{} is followed by {}", notice.from.version, notice.to.version);
    let event = Event::done(action, ResourceKind::Notice, notice.id, &what);
    audit::append_as(app, tx, author.actor.clone(), &author.request_id, event).await?;
    outbox::push(tx, &to_event(notice.into()), app.now()).await?;
    Ok(())
}

/// Notices that the caller may see, the newest first: those of a product, or of all.
///
/// # Errors
/// Those of any use case.
pub async fn list_notices(
    ctx: &Ctx,
    product_id: Option<ProductId>,
    seek: Seek<(Timestamp, NoticeId)>,
) -> Result<Page<NoticeView>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let own = own_grants(ctx, &mut tx).await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = store::notice::list(&mut tx, product_id, next).await?;
        let items = views(&mut tx, page.items, ctx.now()).await?;
        visible_page.add(
            Page { items, has_more: page.has_more },
            |view| (view.notice.opened_at, view.notice.id),
            |view| may_view(ctx, &own, view),
        );
    }
    Ok(visible_page.finish())
}

/// The notices of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_notices(ctx: &Ctx, ids: &[NoticeId]) -> Result<Vec<NoticeView>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let notices = store::notice::list_by_ids(&mut tx, ids).await?;
    visible(ctx, &mut tx, notices, ids.len()).await
}

async fn get(ctx: &Ctx, tx: &mut Tx, id: NoticeId) -> Result<NoticeView, Error> {
    let notice = store::notice::find(tx, id).await?;
    visible(ctx, tx, notice.into_iter().collect(), 1).await?.pop().ok_or(Error::NotFound(Noun::Notice))
}

/// The visible ones of the notices, which were found for `n_requested` ids.
async fn visible(
    ctx: &Ctx,
    tx: &mut Tx,
    notices: Vec<ChangeNotice>,
    n_requested: usize,
) -> Result<Vec<NoticeView>, Error> {
    let own = own_grants(ctx, tx).await?;
    let mut views = views(tx, notices, ctx.now()).await?;
    let n_missing = n_requested.saturating_sub(views.len());
    ctx.judge_missing(Action::ViewProduct, Missing::Product, n_missing);
    ctx.judge_missing(Action::ViewNotice, Missing::Product, n_missing);
    views.retain(|view| may_view(ctx, &own, view));
    Ok(views)
}

/// The notices as they stand at a moment: nothing waits for a timer to close what a sunset has ended.
async fn views(tx: &mut Tx, notices: Vec<ChangeNotice>, now: Timestamp) -> Result<Vec<NoticeView>, Error> {
    let product_ids = notices.iter().map(|notice| notice.product_id).unique().collect_vec();
    let products = product_in_domain::load(tx, &product_ids).await?;
    let ports = store::product::list_ports_of_products(tx, &product_ids).await?;
    let contracts =
        notices.iter().flat_map(|notice| [notice.from.contract_id, notice.to.contract_id]).unique().collect_vec();
    let ended = store::contract::list_ended(tx, &contracts, now).await?;
    let ended: HashMap<_, _> = ended.into_iter().map(|(contract, major, sunset)| ((contract, major), sunset)).collect();
    let views = notices.into_iter().filter_map(|notice| {
        let notice = notice.settled(|major| ended.get(&major).copied());
        let known = products.get(&notice.product_id)?.clone();
        Some(NoticeView { concerned: concerned(&notice, &ports), known, notice })
    });
    Ok(views.collect())
}

/// The grants of the caller, and of the service accounts that it answers for, that stand now or will.
async fn own_grants(ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Grant>, Error> {
    let mut grants = ctx.actor.standing.grants.clone();
    grants.extend(store::grant::list_standing_of_accounts(tx, ctx.actor.principal.id, ctx.now()).await?);
    Ok(grants)
}

/// Whether the caller may see a notice: as one of the product's people, or by a grant of its `own`.
fn may_view(ctx: &Ctx, own: &[Grant], view: &NoticeView) -> bool {
    let product = view.known.policy();
    let caller = &ctx.actor.principal;
    let by_grant = |grant: &Grant| {
        let principal = match grant.principal_id {
            id if id == caller.id => Party::from(caller),
            id => Party { id, kind: PrincipalKind::Service { owner: caller.id } },
        };
        ctx.may(Action::ViewNotice, &Resource::Grant { id: grant.id, product, principal, sharers: &[] })
    };
    let mut grants = own.iter().filter(|grant| is_concerned(grant, &view.concerned, ctx.now()));
    // Both are asked in any case, as for a missing notice.
    let by_product = || [ctx.may_view(&product), ctx.may(Action::ViewNotice, &Resource::Product(product))];
    grants.any(by_grant) || by_product() == [true, true]
}

/// One whom a notice concerns. [`crate::lineage::reads_of_holders`] says which of the changed columns it reads.
#[derive(Clone, Debug)]
pub struct Consumer {
    /// Its grant on the old major.
    pub grant: Grant,
    /// What its holder answered, the oldest first; the last one counts.
    pub answers: Vec<Answer>,
}

/// Those whom a notice concerns, by their grants, the newest first: all of them to those who may see their grants, and
/// to everybody else its own. Empty where the caller may not see the notice.
///
/// # Errors
/// Those of any use case.
pub async fn list_consumers(
    ctx: &Ctx,
    id: NoticeId,
    seek: Seek<(Timestamp, GrantId)>,
) -> Result<Page<Consumer>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let view = match get(ctx, &mut tx, id).await {
        Err(Error::NotFound(_)) => return Ok(Page { items: Vec::new(), has_more: false }),
        view => view?,
    };
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = readers(&mut tx, &view.concerned, ctx.now(), next).await?;
        let visible = visible_grant_ids(ctx, &mut tx, &page.items).await?;
        visible_page.add(page, |grant| (grant.granted_at, grant.id), |grant| visible.contains(&grant.id));
    }
    let Page { items: grants, has_more } = visible_page.finish();
    let holders = grants.iter().map(|grant| grant.principal_id).unique().collect_vec();
    let answers = store::notice::list_answers(&mut tx, id, &holders).await?;
    let items = grants.into_iter().map(|grant| {
        let own = answers.iter().filter(|answer| answer.principal_id == grant.principal_id);
        Consumer { answers: own.cloned().collect(), grant }
    });
    Ok(Page { items: items.collect(), has_more })
}

/// The grants that stand on any of these port majors, the newest first.
async fn readers(
    tx: &mut Tx,
    port_majors: &[PortMajor],
    now: Timestamp,
    seek: &Seek<(Timestamp, GrantId)>,
) -> Result<Page<Grant>, Error> {
    let (mut items, mut has_more) = (Vec::new(), false);
    for port_major in port_majors {
        let page = store::grant::list_standing_on_port(tx, port_major, now, seek).await?;
        items.extend(page.items);
        has_more |= page.has_more;
    }
    items.sort_by_key(|grant| std::cmp::Reverse((grant.granted_at, grant.id)));
    let limit = usize::try_from(seek.limit).unwrap_or(usize::MAX);
    has_more |= items.len() > limit;
    items.truncate(limit);
    Ok(Page { items, has_more })
}

/// What became of an answer to a notice, or of a change of it.
#[derive(Debug)]
pub enum Outcome<T> {
    /// It counts.
    Done(T),
    /// The notice was closed before.
    Closed(Box<NoticeView>),
}

/// Answers a notice.
#[derive(Debug)]
pub struct AnswerNotice {
    /// The notice.
    pub id: NoticeId,
    /// For whom: a service account of the caller; the caller itself where it is not said.
    pub principal_id: Option<PrincipalId>,
    /// The answer.
    pub reply: Reply,
    /// Why.
    pub reason: Option<String>,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Answers a notice for the holder of a grant on the old major. The last answer counts.
///
/// # Errors
/// [`Error::NotFound`] for a notice that the caller may not see; [`Error::Forbidden`] unless the holder is the caller or
/// a service account of it, with a valid grant; [`Error::Invalid`] without a reason where one is required, and for a
/// time before the deadline.
pub async fn answer_notice(ctx: &Ctx, command: AnswerNotice) -> Result<Outcome<(NoticeView, Answer)>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let view = get(ctx, &mut tx, command.id).await?;
    let by = ctx.actor.principal.id;
    let principal_id = command.principal_id.unwrap_or(by);
    let now = ctx.now();
    let grants = store::grant::list_standing(&mut tx, principal_id, now).await?;
    let mut may_answer = false;
    if let Some(grant) = grants.iter().find(|grant| is_concerned(grant, &view.concerned, now)) {
        let parties = Parties::load(&mut tx, view.notice.product_id, principal_id).await?;
        may_answer = ctx.may(Action::AnswerNotice, &parties.grant(grant.id, &[]));
    }
    if !may_answer {
        return Err(Error::Forbidden(Forbidden::NotConcerned));
    }
    if let Some(id) = idempotency::find::<AnswerId>(ctx, &mut tx, command.key.as_ref()).await? {
        let answer = store::notice::get_answer(&mut tx, id).await?;
        return Ok(Outcome::Done((view, answer)));
    }
    if view.notice.closed_at.is_some() {
        return Ok(Outcome::Closed(Box::new(view)));
    }
    let id = AnswerId::new(ctx.app.clock.as_ref(), ctx.app.random.as_ref());
    let given = NewAnswer { principal_id, by, reply: command.reply, reason: command.reason };
    let answer = view.notice.answer(id, &grants, &view.concerned, given, now)?;

    store::notice::insert_answer(&mut tx, &answer).await?;
    let event =
        Event::done(audit::Action::NoticeAnswer, ResourceKind::Notice, view.notice.id, answer.reply.kind().as_str());
    let detail = serde_json::json!({
        "what": answer.reply.kind().as_str(),
        "principal": principal_id.to_string(),
        "until": answer.reply.until().map(|until| until.to_string()),
    });
    audit::conclude(ctx, tx, event.with(detail).because(answer.reason.as_deref()), command.key.as_ref(), answer.id)
        .await?;
    Ok(Outcome::Done((view, answer)))
}

/// Changes a notice.
#[derive(Debug)]
pub struct UpdateNotice {
    /// The notice.
    pub id: NoticeId,
    /// Another migration note.
    pub migration_note: Option<String>,
    /// A later deadline.
    pub deadline: Option<Timestamp>,
    /// See [`Key`].
    pub key: Option<Key>,
}

/// Changes a notice's migration note, or gives its readers more time: then the old major serves until the new deadline at
/// least.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Invalid`] if there is nothing to change, and for a deadline that
/// is not later.
pub async fn update_notice(ctx: &Ctx, command: UpdateNotice) -> Result<Outcome<NoticeView>, Error> {
    let mut tx = ctx.app.db.write(Lock::Facts).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    let view = get(ctx, &mut tx, command.id).await?;
    let product = Resource::Product(view.known.policy());
    ctx.authorize(Action::UpdateNotice, &product, "change notices of this product")?;
    if idempotency::find::<NoticeId>(ctx, &mut tx, command.key.as_ref()).await?.is_some() {
        return Ok(Outcome::Done(view));
    }
    if view.notice.closed_at.is_some() {
        return Ok(Outcome::Closed(Box::new(view)));
    }
    if command.migration_note.is_none() && command.deadline.is_none() {
        return Err(Error::invalid("migrationNote", "give a new note, a new deadline, or both"));
    }
    let mut notice = view.notice.clone();
    if let Some(note) = &command.migration_note {
        notice = notice.with_note(note)?;
    }
    if let Some(deadline) = command.deadline {
        notice = notice.extend(deadline)?;
        let Side { contract_id, version } = notice.from;
        contract::extend(&ctx.app, &mut tx, contract_id, version.major, deadline, &Author::from(ctx)).await?;
    }
    store::notice::update(&mut tx, &notice).await?;
    happened(&ctx.app, &mut tx, audit::Action::NoticeUpdate, event::Event::NoticeUpdated, &notice, &Author::from(ctx))
        .await?;
    idempotency::record(ctx, &mut tx, command.key.as_ref(), notice.id).await?;
    tx.commit().await?;
    Ok(Outcome::Done(NoticeView { notice, ..view }))
}
