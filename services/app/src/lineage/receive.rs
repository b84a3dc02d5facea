//! Taking lineage events: who may send them, within which bounds.

use domain::clock::Timestamp;
use lineage::observe::observe;
use lineage::openlineage::{Error as EventError, Event};
use policy::{Action, Resource};
use store::lineage::{MAX_KEPT_EVENT, Received, Refusal};
use store::{Lock, Tx};

use crate::audit::{self, ResourceKind};
use crate::ctx::{App, Ctx};
use crate::error::{Error, Forbidden};

/// What became of a batch of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How many there were.
    pub n_events: usize,
    /// How many were not known before.
    pub n_new: usize,
    /// Those that were not taken, in their order.
    pub refused: Vec<Refused>,
}

/// An event that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the batch.
    pub index: usize,
    /// Why, with a JSON pointer to the place in the event where there is one.
    pub reason: String,
}

/// Goes on only if the caller may send lineage events: whoever has a role in a domain may. What they say is their claim.
///
/// # Errors
/// [`Error::Forbidden`].
pub fn authorize(ctx: &Ctx) -> Result<(), Error> {
    let mut domains = ctx.actor.standing.domain_roles.iter().map(|(domain, _)| domain);
    if domains.any(|domain| ctx.may(Action::SendLineage, &Resource::Domain(domain))) {
        return Ok(());
    }
    Err(Error::Forbidden(Forbidden::Policy(
        "send lineage events: only those who have a role in a domain may".to_owned(),
    )))
}

/// Takes events. Each is judged alone; those that are known change nothing. All that are taken are durable together.
///
/// # Errors
/// [`Error::Forbidden`]; [`Error::TooMany`] beyond the caller's rate, and then none is taken.
pub async fn receive(ctx: &Ctx, batch: Vec<Result<Event, EventError>>) -> Result<Receipt, Error> {
    authorize(ctx)?;
    let n_events = batch.len();
    let speaker = ctx.actor.principal.id;
    let now = ctx.now();
    let counted = ctx.app.lineage_events.take_many(speaker, u32::try_from(n_events).unwrap_or(u32::MAX), now);
    counted.map_err(|retry_after| Error::TooMany { what: "lineage events", retry_after })?;
    let read = tokio::task::spawn_blocking(move || prepare(batch, now)).await;
    let (places, received, mut refused) = read.map_err(Error::internal)?;

    let mut tx = ctx.app.db.write(Lock::Free).await?;
    let ctx = &ctx.fresh(&mut tx).await?;
    authorize(ctx)?;
    let recorded = store::lineage::record(&mut tx, speaker, received, now).await?;
    refused.extend(recorded.refused.iter().filter_map(|(place, refusal)| {
        Some(Refused { index: *places.get(*place)?, reason: reason(*refusal).to_owned() })
    }));
    refused.sort_by_key(|refused| refused.index);
    let receipt = Receipt { n_events, n_new: recorded.n_new, refused };
    if receipt.n_new > 0 {
        append(ctx, &mut tx, &receipt).await?;
        tx.commit().await?;
    }
    Ok(receipt)
}

async fn append(ctx: &Ctx, tx: &mut Tx, receipt: &Receipt) -> Result<(), Error> {
    let detail = serde_json::json!({
        "what": "lineage events",
        "events": receipt.n_events,
        "new": receipt.n_new,
        "refused": receipt.refused.len(),
    });
    let action = audit::Action::LineageReceive;
    let event = audit::Event::done(action, ResourceKind::Principal, ctx.actor.principal.id, "lineage events");
    audit::append(ctx, tx, event.with(detail)).await
}

/// The events that can be taken, with their places in the batch, and those that cannot.
fn prepare(batch: Vec<Result<Event, EventError>>, now: Timestamp) -> (Vec<usize>, Vec<Received>, Vec<Refused>) {
    let (mut places, mut received, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for (index, event) in batch.into_iter().enumerate() {
        match event.and_then(|event| event.check_time(now).map(|()| event)) {
            Ok(event) => {
                let json = event.json.to_string();
                let json = (json.len() <= MAX_KEPT_EVENT).then_some(json);
                places.push(index);
                let observation = observe(&event);
                received.push(Received { digest: event.digest, time: event.time, json, observation });
            }
            Err(error) => refused.push(Refused { index, reason: error.to_string() }),
        }
    }
    (places, received, refused)
}

fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::RunTooLarge => "the run has more inputs, outputs, or pairs of them than one run may have",
        Refusal::BatchTooLarge => "the batch adds more than one batch may: send fewer events at once",
        Refusal::Full => {
            "as much is known of this principal's jobs as may be: let another principal send the events of other jobs"
        }
    }
}

/// Forgets the events and runs that were received last before a time.
///
/// # Errors
/// Those of the database.
pub(crate) async fn forget(app: &App, before: Timestamp) -> Result<(), Error> {
    let speakers = store::lineage::list_speakers(&mut app.db.read().await?).await?;
    for (speaker, _) in speakers {
        let mut tx = app.db.write(Lock::Free).await?;
        store::lineage::forget(&mut tx, speaker, before).await?;
        tx.commit().await?;
    }
    Ok(())
}
