//! Who asks, and whether their lease is live: what `s3s` asks us between parsing a request and acting on it.
//!
//! `s3s` checks the signature with the secret that [`Access`] derives. Only then is the session token compared and the
//! lease looked up, so nobody learns anything about a lease whose secret they do not have.

use std::sync::Arc;

use app::lease::{Denied, Leases, OpenLease};
use async_trait::async_trait;
use domain::clock::Clock;
use domain::id::LeaseId;
use http::HeaderMap;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3ErrorCode, S3Result};

const TOKEN: &str = "x-amz-security-token";

/// Checks credentials and leases.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Access {
    /// The lease, if it is live now.
    async fn open(&self, id: LeaseId) -> Result<Arc<OpenLease>, Denied> {
        let lease = self.leases.open(id).await?;
        lease.at(self.clock.now())?;
        Ok(lease)
    }

    /// Whether a lease that was opened before is live now.
    pub(crate) async fn still_open(&self, lease: &OpenLease) -> bool {
        lease.at(self.clock.now()).is_ok() && self.leases.still_open(lease.id).await
    }

    fn has_token(&self, id: LeaseId, headers: &HeaderMap) -> bool {
        let mut tokens = headers.get_all(TOKEN).iter();
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => self.leases.secrets().is_token(id, token.as_bytes()),
            _ => false,
        }
    }
}

#[async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let id = lease_id(access_key)?;
        Ok(SecretKey::from(self.leases.secrets().secret(id).expose()))
    }
}

#[async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = cx.credentials() else {
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "a signature is needed"));
        };
        let id = lease_id(&credentials.access_key)?;
        if !self.has_token(id, cx.headers()) {
            let message = "the session token of the lease is needed, exactly once";
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        }
        let lease = self.open(id).await.map_err(answer)?;
        cx.extensions_mut().insert(lease);
        Ok(())
    }
}

fn lease_id(access_key: &str) -> S3Result<LeaseId> {
    access_key.parse().map_err(|_| S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, "not the id of a lease"))
}

/// Everything that ends a lease is a 403: clients give up on it at once, and ask for a new lease.
fn answer(denied: Denied) -> S3Error {
    let code = match denied {
        Denied::Unknown | Denied::Ended | Denied::Revoked | Denied::Expired => S3ErrorCode::AccessDenied,
        Denied::Unavailable => S3ErrorCode::ServiceUnavailable,
    };
    S3Error::with_message(code, denied.to_string())
}
