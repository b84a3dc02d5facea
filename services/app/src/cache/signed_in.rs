//! Signed-in callers by the digests of their tokens, so that a signature is not checked and a principal not looked up
//! with each request. An entry is valid until the access revision moves, a grant of the caller begins or ends, or the
//! token expires.

use std::sync::Arc;

use domain::clock::Timestamp;
use domain::identity::VerifiedToken;
use sha2::{Digest as _, Sha256};

use crate::actor::Actor;
use crate::cache::bounded::Cache;

/// The most tokens whose callers are cached.
const MAX_TOKENS: usize = 10_000;

/// The SHA-256 of a token: tokens are secrets, and not stored.
pub(crate) type Digest = [u8; 32];

pub(crate) fn digest(token: &str) -> Digest {
    Sha256::digest(token).into()
}

/// Callers by their tokens.
pub(crate) struct SignedInCache(Cache<Digest, Arc<(VerifiedToken, Arc<Actor>)>>);

impl Default for SignedInCache {
    fn default() -> Self {
        Self(Cache::of_entries(MAX_TOKENS))
    }
}

impl SignedInCache {
    pub(crate) fn find(&self, token: &Digest, access: i64, now: Timestamp) -> Option<Arc<Actor>> {
        let cached = self.0.get(token)?;
        let (verified, actor) = &*cached;
        (verified.check_time(now).is_ok() && actor.standing.holds(access, now)).then(|| Arc::clone(actor))
    }

    /// Whether a caller has signed in with the token, whatever has changed since.
    pub(crate) fn contains(&self, token: &Digest) -> bool {
        self.0.get(token).is_some()
    }

    pub(crate) fn put(&self, token: Digest, verified: VerifiedToken, actor: &Arc<Actor>) {
        self.0.insert(token, Arc::new((verified, Arc::clone(actor))));
    }
}
