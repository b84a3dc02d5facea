//! The caller of a request and their lease: what `s3s` asks between parsing a request and handling it.
//!
//! `s3s` checks the signature with the secret that [`Access`] derives. The session token is compared and the lease looked up
//! only after that, so a caller without the secret of a lease learns nothing about it.

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

/// The check of credentials and leases.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) leases: Arc<dyn Leases>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Access {
    /// The lease, if it is valid now.
    async fn open(&self, id: LeaseId) -> Result<Arc<OpenLease>, Denied> {
        let lease = self.leases.open(id).await?;
        lease.at(self.clock.now())?;
        Ok(lease)
    }

    /// Whether a lease that was opened earlier is still valid.
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
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "the request is not signed"));
        };
        let id = lease_id(&credentials.access_key)?;
        if !self.has_token(id, cx.headers()) {
            let message = "exactly one session token, that of the lease, is required";
            return Err(S3Error::with_message(S3ErrorCode::AccessDenied, message));
        }
        let lease = self.open(id).await.map_err(s3_error)?;
        cx.extensions_mut().insert(lease);
        Ok(())
    }
}

fn lease_id(access_key: &str) -> S3Result<LeaseId> {
    access_key.parse().map_err(|_| S3Error::with_message(S3ErrorCode::InvalidAccessKeyId, "not a lease id"))
}

/// A lease that is not valid is a 403: clients do not retry it, and request a new lease.
fn s3_error(denied: Denied) -> S3Error {
    let code = match denied {
        Denied::Unknown | Denied::Ended | Denied::Revoked | Denied::Expired => S3ErrorCode::AccessDenied,
        Denied::Unavailable => S3ErrorCode::ServiceUnavailable,
    };
    S3Error::with_message(code, denied.to_string())
}
