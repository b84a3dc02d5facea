//! The schema registry, as far as its own protocol has no words for it.

use app::registry;
use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::error::{Failure, Result};
use super::input::{idempotency_key, path};
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::Domain;

/// The subject to release.
#[derive(InputObject)]
pub(crate) struct ReleaseSubjectInput {
    /// Its name, such as `orders-value`.
    subject: String,
    /// The domain that may bind its topic.
    domain: String,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct ReleaseSubjectPayload {
    subject: String,
    domain: Domain,
    expires_at: DateTime,
}

#[derive(Default)]
pub(crate) struct RegistryMutation;

#[Object]
impl RegistryMutation {
    /// Releases a subject to a domain, which may then bind its topic for 30 days. For owners of the domain to which the
    /// subject belongs, admins and stewards.
    async fn release_subject(&self, ctx: &Context<'_>, input: ReleaseSubjectInput) -> Result<ReleaseSubjectPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("releaseSubject", &input, input.idempotency_key.as_ref())?;
        let subject = input.subject.parse().map_err(|error| Failure::invalid("subject", error))?;
        let domain = path(&input.domain, "domain")?;
        let released = registry::release_subject(ctx, subject, &domain, key).await?;
        Ok(ReleaseSubjectPayload {
            subject: released.subject.to_string(),
            domain: Domain(released.domain),
            expires_at: released.expires_at.into(),
        })
    }
}
