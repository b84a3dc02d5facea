//! Neglected parts of the catalog.

use std::sync::Arc;

use app::rot::{Finding, Subject};
use async_graphql::{Context, Object};

use super::closed_set::RotKind;
use super::error::Result;
use super::input::path;
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{ContractVersion, Domain, Grant, Product};

/// How many findings an answer usually has.
const N_USUAL: usize = 100;

/// Neglected parts of the catalog.
struct Rot(app::rot::Rot);

#[Object]
impl Rot {
    /// By kind, then by address; at most 1,000 of a kind.
    #[graphql(complexity = "N_USUAL * child_complexity + 1")]
    async fn findings(&self) -> Vec<RotFinding<'_>> {
        self.0.findings.iter().map(RotFinding).collect()
    }

    /// Whether that is all.
    async fn complete(&self) -> bool {
        self.0.is_complete
    }
}

/// A neglected domain, product, grant or contract.
struct RotFinding<'a>(&'a Finding);

#[Object]
impl RotFinding<'_> {
    async fn kind(&self) -> RotKind {
        RotKind(self.0.kind)
    }

    /// What it is about, as people know it.
    async fn address(&self) -> String {
        self.0.subject.address()
    }

    /// Since when; for a domain, its creation.
    async fn since(&self) -> DateTime {
        self.0.since.into()
    }

    async fn domain(&self) -> Domain {
        Domain(self.0.subject.domain().clone())
    }

    /// The product; null for a domain.
    async fn product(&self) -> Option<Product> {
        self.0.subject.product().cloned().map(Product)
    }

    /// The version whose newest snapshot does not pass.
    async fn contract_version(&self) -> Option<ContractVersion> {
        match &self.0.subject {
            Subject::Version(view) => Some(ContractVersion(Arc::new((**view).clone()))),
            Subject::Domain(_) | Subject::Product(_) | Subject::Grant(..) => None,
        }
    }

    /// The grant that was never used.
    async fn grant(&self) -> Option<Grant> {
        match &self.0.subject {
            Subject::Grant(grant, _) => Some(Grant((**grant).clone())),
            Subject::Domain(_) | Subject::Product(_) | Subject::Version(_) => None,
        }
    }
}

/// Queries about neglected parts of the catalog.
#[derive(Default)]
pub(crate) struct RotQuery;

#[Object]
impl RotQuery {
    /// Neglected parts of the catalog, in the domains of the caller's roles, and for platform roles in all: domains
    /// without an owner or without enforcement, products that are not read, grants that are not used, contracts whose
    /// newest snapshot does not pass.
    async fn rot(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only this domain.")] domain: Option<String>,
    ) -> Result<Rot> {
        let domain = domain.map(|domain| path(&domain, "domain")).transpose()?;
        Ok(Rot(app::rot::find_rot(ctx.ctx()?, domain.as_ref()).await?))
    }
}
