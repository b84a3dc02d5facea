//! Secrets of leases. They are derived from one key, never stored.

use std::fmt;

use domain::id::LeaseId;
use domain::lease::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The credentials of a gateway lease, as S3 clients name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseCredentials {
    /// The access key: the lease's id as it is spelled everywhere.
    pub access_key_id: String,
    /// What requests are signed with.
    pub secret_access_key: Secret,
    /// What is sent with each request.
    pub session_token: Secret,
}

/// Derives the secrets of leases: HMAC-SHA-256 under one key, over label, NUL and the lease's id, in hex.
#[derive(Clone)]
pub struct LeaseSecrets {
    key: [u8; 32],
}

impl LeaseSecrets {
    /// From the key in the data directory. Another key makes every lease's secrets other ones.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// What to hand out with a lease.
    pub fn credentials(&self, id: LeaseId) -> LeaseCredentials {
        LeaseCredentials {
            access_key_id: id.to_string(),
            secret_access_key: self.secret(id),
            session_token: self.derive("token", id),
        }
    }

    /// What requests under a lease are signed with.
    pub fn secret(&self, id: LeaseId) -> Secret {
        self.derive("secret", id)
    }

    /// Whether this is the lease's session token. Takes as long for a wrong token as for the right one.
    pub fn is_token(&self, id: LeaseId, presented: &[u8]) -> bool {
        self.derive("token", id).expose().as_bytes().ct_eq(presented).into()
    }

    fn derive(&self, label: &str, id: LeaseId) -> Secret {
        #[expect(clippy::unwrap_used, reason = "HMAC takes a key of any length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).unwrap();
        mac.update(label.as_bytes());
        mac.update(&[0]);
        mac.update(id.to_string().as_bytes());
        Secret::new(hex::encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for LeaseSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LeaseSecrets(..)")
    }
}
