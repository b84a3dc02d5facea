//! Intended leases: from the committed intent to an issued lease, or to its end.
//!
//! Between the two a provider is asked, outside of any transaction. Nothing is handed out before the stored lease has
//! become issued in a transaction of its own, and it becomes issued only if it is still intended: a revoke cancels
//! intents like it ends leases. An intent that a crash leaves behind opens nothing and is ended by [`end_abandoned`].

use std::time::Duration;

use domain::clock::Timestamp;
use domain::lease::{Credentials, Lease, LeaseIntent, MAX_VENDOR_DEADLINE, Order, VendError, VendorDeadline};
use domain::table::Location;
use store::Lock;

use crate::audit::{self, Action, Event, ResourceKind};
use crate::ctx::{App, Ctx};
use crate::error::{Error, Unavailable};

/// The age from which an intended lease counts as abandoned: no provider is asked for that long.
pub(crate) const ABANDONED_AFTER: Duration = MAX_VENDOR_DEADLINE.saturating_mul(5);

/// Asks the vendor for the credentials of an intent that is committed, and makes its lease issued. `None` if the lease
/// was revoked or has ended meanwhile: the credentials are dropped. `event` is the record of the vend, without its outcome.
///
/// # Errors
/// [`Error::Unavailable`] if the vendor made no credentials in time; the lease has ended then.
pub(crate) async fn fulfil(
    ctx: &Ctx,
    intent: LeaseIntent,
    location: &Location,
    deadline: VendorDeadline,
    event: Event,
) -> Result<Option<(Lease, Credentials)>, Error> {
    let (id, expires_at) = (intent.lease().id, intent.lease().expires_at);
    let deadline = deadline.get();
    let order = Order { lease: intent.lease(), location };
    let made = tokio::time::timeout(deadline, ctx.app.vendor.vend(order)).await;
    let made = made.unwrap_or(Err(VendError::Deadline(deadline)));

    let mut tx = ctx.app.db.write(Lock::FactsShared).await?;
    let made = if ctx.now() < expires_at { made } else { made.and(Err(VendError::Expired)) };
    match made {
        Ok(credentials) => {
            let is_issued = store::lease::issue(&mut tx, id).await?;
            let event = match is_issued {
                true => event,
                false => event.refused(Unavailable::LeaseOver.to_string()),
            };
            audit::append(ctx, &mut tx, event).await?;
            tx.commit().await?;
            Ok(is_issued.then(|| (intent.into_issued(), credentials)))
        }
        Err(error) => {
            tracing::warn!(lease.id = %id, %error, "vending credentials failed");
            store::lease::abandon(&mut tx, id).await?;
            audit::append(ctx, &mut tx, event.failed(error.to_string())).await?;
            tx.commit().await?;
            Err(Error::Unavailable(Unavailable::Provider))
        }
    }
}

/// Ends the leases that were intended before a moment and never issued, each with a record; returns their number.
///
/// # Errors
/// Those of the database.
pub(crate) async fn end_abandoned(app: &App, before: Timestamp) -> Result<usize, Error> {
    let abandoned = {
        let mut tx = app.db.read().await?;
        store::lease::list_intended(&mut tx, before).await?
    };
    if abandoned.is_empty() {
        return Ok(0);
    }
    let mut tx = app.db.write(Lock::Free).await?;
    let mut n_ended = 0;
    for lease in abandoned {
        if store::lease::abandon(&mut tx, lease.id).await? {
            n_ended += 1;
            let event = Event::done(
                Action::CredentialVend,
                ResourceKind::Decision,
                lease.decision_id,
                &lease.action.to_string(),
            );
            let event = event.failed(format!("the lease {} was intended and never issued", lease.id));
            audit::append_as(app, &mut tx, audit::SERVER.to_owned(), "", event).await?;
        }
    }
    tx.commit().await?;
    Ok(n_ended)
}
