//! Idempotency keys: a call that changes something happens once, however often it is sent (docs/rules.md, Interfaces
//! and limits: kept 24 h).

use std::str::FromStr;
use std::time::Duration;

use sha2::{Digest, Sha256};
use store::Tx;
use store::idempotency::Done;

use crate::ctx::Ctx;
use crate::error::{Error, Unavailable};

/// How long a key is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// The longest key.
const MAX_BYTES: usize = 128;

/// A caller's key, with what it was sent for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    key: String,
    operation: &'static str,
    digest: String,
}

impl Key {
    /// A key of 1 to 128 printable ASCII characters, for an operation and its input without the key.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn new(key: String, operation: &'static str, input: &[u8]) -> Result<Self, Error> {
        let printable = key.bytes().all(|byte| byte.is_ascii_graphic());
        if key.is_empty() || key.len() > MAX_BYTES || !printable {
            return Err(Error::invalid(
                "idempotencyKey",
                "a key has 1 to 128 printable ASCII characters without spaces",
            ));
        }
        Ok(Self { key, operation, digest: hex::encode(Sha256::digest(input)) })
    }
}

/// What the call made when it was sent before, if it was.
///
/// # Errors
/// [`Error::KeyReused`] if the key was used for something else.
pub(crate) async fn find<T: FromStr>(ctx: &Ctx, tx: &mut Tx, key: Option<&Key>) -> Result<Option<T>, Error> {
    let Some(key) = key else { return Ok(None) };
    let now = ctx.now();
    let Some(done) = store::idempotency::find(tx, ctx.actor.principal.id, &key.key, now).await? else {
        return Ok(None);
    };
    if done.operation != key.operation || done.digest != key.digest {
        return Err(Error::KeyReused);
    }
    done.subject.parse().map(Some).map_err(|_| Error::internal("an idempotency key's subject is not an id"))
}

/// Keeps what the call made, in the transaction that made it.
pub(crate) async fn record(ctx: &Ctx, tx: &mut Tx, key: Option<&Key>, subject: impl ToString) -> Result<(), Error> {
    let Some(key) = key else { return Ok(()) };
    let now = ctx.now();
    let done = Done {
        operation: key.operation.to_owned(),
        digest: key.digest.clone(),
        subject: subject.to_string(),
        expires_at: now.plus(KEPT),
    };
    match store::idempotency::record(tx, ctx.actor.principal.id, &key.key, &done, now).await? {
        true => Ok(()),
        false => Err(Error::Unavailable(Unavailable::CallInProgress)),
    }
}
