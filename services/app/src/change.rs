//! Changes of the facts that decisions rest on: the one place where they move revisions and end leases.
//!
//! A use case that has changed facts calls [`announce`] once, in the same transaction, after the last of its changes: the
//! open leases that a change can end are judged by what the transaction leaves behind. To add a kind of change: a variant
//! of [`Change`]; the compiler then asks for its revisions and its reach.

use domain::id::{ContractId, PrincipalId, ProductId, TableId};
use store::Tx;
use store::lease::Reach;
use store::revision::Revision;

use crate::audit::Author;
use crate::ctx::App;
use crate::error::Error;
use crate::lease::review;

/// A change of facts.
#[must_use = "announce it, after the last change of the transaction"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// There is a new domain.
    DomainCreated,
    /// A domain's enforcement, or the day from which it is on.
    EnforcementSet,
    /// There is a new principal.
    PrincipalCreated,
    /// A principal may act again.
    PrincipalEnabled,
    /// A principal may not act any more, nor the service accounts that it answers for.
    PrincipalDisabled(PrincipalId),
    /// A token was revoked. The leases that were requested with it are revoked with it.
    TokenRevoked,
    /// A principal has another role. A policy may forbid something to those who hold it.
    RoleAssigned(PrincipalId),
    /// A principal has lost a role.
    RoleTaken(PrincipalId),
    /// A principal has another grant. A policy may forbid something to those who hold it.
    AccessGranted(PrincipalId),
    /// A principal has lost a grant. The leases that hang on it are revoked with it.
    AccessRevoked(PrincipalId),
    /// There is a new product.
    ProductAdded,
    /// A product's document or state.
    ProductPublished(ProductId),
    /// A product's classification.
    ProductClassified(ProductId),
    /// There is a new contract version, or a draft has another document.
    VersionPublished,
    /// A contract version's state or sunset.
    VersionState(ContractId),
    /// A port leads to a contract.
    PortTied,
    /// A table is bound to another object.
    Bound(TableId),
    /// A table is no longer bound to an object.
    Unbound(TableId),
    /// The rights of the products that are bound to a shared table.
    Shared(TableId),
    /// A topic is bound to an object.
    TopicBound,
    /// An override was signed or revoked: what is compared beside the writers is compared under those of one revision.
    OverrideSigned,
    /// A schema was deleted for good: some may have known of others by it alone.
    SchemaErased,
}

impl Change {
    /// The revisions that it moves.
    fn revisions(self) -> &'static [Revision] {
        match self {
            Self::DomainCreated
            | Self::EnforcementSet
            | Self::PrincipalCreated
            | Self::PrincipalEnabled
            | Self::PrincipalDisabled(_)
            | Self::TokenRevoked
            | Self::ProductPublished(_)
            | Self::VersionPublished
            | Self::VersionState(_)
            | Self::PortTied
            | Self::Bound(_)
            | Self::Unbound(_)
            | Self::Shared(_)
            | Self::OverrideSigned => &[Revision::Access],
            Self::RoleAssigned(_)
            | Self::RoleTaken(_)
            | Self::AccessGranted(_)
            | Self::AccessRevoked(_)
            | Self::ProductAdded
            | Self::ProductClassified(_) => &[Revision::Access, Revision::Visibility],
            Self::TopicBound | Self::SchemaErased => &[Revision::Visibility],
        }
    }

    /// The open leases that it can end; none if it shuts the gate for none of them.
    fn reaches(self) -> Vec<Reach> {
        match self {
            Self::PrincipalDisabled(id)
            | Self::RoleAssigned(id)
            | Self::RoleTaken(id)
            | Self::AccessGranted(id)
            | Self::AccessRevoked(id) => vec![Reach::Principal(id), Reach::ConsentsOf(id)],
            Self::ProductPublished(id) | Self::ProductClassified(id) => vec![Reach::Product(id)],
            Self::VersionState(id) => vec![Reach::Contract(id)],
            Self::Bound(id) | Self::Unbound(id) | Self::Shared(id) => vec![Reach::Table(id)],
            Self::DomainCreated
            | Self::EnforcementSet
            | Self::PrincipalCreated
            | Self::PrincipalEnabled
            | Self::TokenRevoked
            | Self::ProductAdded
            | Self::VersionPublished
            | Self::PortTied
            | Self::TopicBound
            | Self::OverrideSigned
            | Self::SchemaErased => Vec::new(),
        }
    }
}

/// Moves the revisions of the changes, once each, and ends the open leases that the gate would not give any more, each with
/// a record (`docs/rules.md`, "Open leases").
pub(crate) async fn announce(app: &App, tx: &mut Tx, changes: &[Change], author: &Author) -> Result<(), Error> {
    for revision in [Revision::Access, Revision::Visibility] {
        if changes.iter().any(|change| change.revisions().contains(&revision)) {
            #[expect(clippy::disallowed_methods, reason = "the one place that moves them")]
            store::revision::bump(tx, revision).await?;
        }
    }
    let reaches: Vec<Reach> = changes.iter().flat_map(|change| change.reaches()).collect();
    review::review(app, tx, &reaches, author).await
}
