//! Callers kept by the digests of their tokens, so that a signature is checked and a principal looked up once and not
//! with each request. One stands while the access revision does, no grant of his begins or ends, and his token is good.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use domain::clock::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::actor::Actor;
use crate::cache::lock;
use crate::issuer::Claims;

/// How many tokens are kept.
const MAX_TOKENS: usize = 10_000;

/// The SHA-256 of a token: tokens are secrets, and not kept.
pub(crate) type Digest = [u8; 32];

pub(crate) fn digest(token: &str) -> Digest {
    Sha256::digest(token).into()
}

/// Callers by their tokens.
#[derive(Default)]
pub(crate) struct SignedInCache(Mutex<HashMap<Digest, (Claims, Arc<Actor>)>>);

impl SignedInCache {
    pub(crate) fn find(&self, token: &Digest, access: i64, now: Timestamp) -> Option<Arc<Actor>> {
        let kept = lock(&self.0);
        let (claims, actor) = kept.get(token)?;
        (claims.check_time(now).is_ok() && actor.standing.holds(access, now)).then(|| Arc::clone(actor))
    }

    /// Keeps a caller. When there are too many, all are dropped: they are cheap to sign in again.
    pub(crate) fn keep(&self, token: Digest, claims: Claims, actor: &Arc<Actor>) {
        let mut kept = lock(&self.0);
        if kept.len() >= MAX_TOKENS {
            kept.clear();
        }
        kept.insert(token, (claims, Arc::clone(actor)));
    }
}
