//! The plain facts of a question.

use domain::contract::{Classification, Settings};
use domain::grant::PortMajor;
use domain::id::{AccessRequestId, BindingId, ContractVersionId, DecisionId, GrantId, LeaseId, PrincipalId, ProductId};
use domain::identity::{DomainRole, PlatformRole, Principal, PrincipalKind};
use domain::name::DomainPath;

/// Who asks. Facts that have nothing to do with the resource change no answer; leaving out one that has can only refuse.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The principal. Whether it is enabled is for the gate to check.
    pub principal: Party,
    /// Its roles on the platform.
    pub platform_roles: &'a [PlatformRole],
    /// Its roles in domains: those of the resource's domain and the ones above it matter. For
    /// [`Action::OverrideRefusal`](crate::Action::OverrideRefusal) those of its person and his service accounts together.
    pub domain_roles: &'a [(DomainPath, DomainRole)],
    /// The port majors on which it has a grant in force now, sorted: those of the resource's product matter, and are
    /// found among many by their order.
    pub grants: &'a [PortMajor],
}

/// A principal, as far as policies are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: PrincipalId,
    /// What it is, and who answers for it.
    pub kind: PrincipalKind,
}

impl From<&Principal> for Party {
    fn from(principal: &Principal) -> Self {
        Self { id: principal.id, kind: principal.kind }
    }
}

/// A data product.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    /// Its id.
    pub id: ProductId,
    /// The domain it belongs to.
    pub domain: &'a DomainPath,
    /// The highest of the product and its columns.
    pub classification: Classification,
}

/// What the action is done to.
#[derive(Clone, Copy, Debug)]
pub enum Resource<'a> {
    /// The platform as a whole.
    Platform,
    /// A user or service account.
    Principal(Party),
    /// A domain.
    Domain(&'a DomainPath),
    /// A data product.
    Product(Product<'a>),
    /// A contract version.
    Contract {
        /// Its id.
        id: ContractVersionId,
        /// The domain it belongs to.
        domain: &'a DomainPath,
        /// The highest of its columns.
        classification: Classification,
        /// Its settings of the gate.
        settings: &'a Settings,
    },
    /// The data behind a contract's major.
    Binding {
        /// Its id.
        id: BindingId,
        /// The product it is read through.
        product: Product<'a>,
        /// The product's port majors that lead to it.
        port_majors: &'a [PortMajor],
    },
    /// A request for access.
    Request {
        /// Its id.
        id: AccessRequestId,
        /// The product it is about.
        product: Product<'a>,
        /// Who asked.
        requester: Party,
    },
    /// A grant, or one about to be given.
    Grant {
        /// Its id.
        id: GrantId,
        /// The product it is about.
        product: Product<'a>,
        /// Who may read.
        principal: Party,
    },
    /// A lease.
    Lease {
        /// Its id.
        id: LeaseId,
        /// The product it is about.
        product: Product<'a>,
        /// Who holds it.
        principal: Party,
    },
    /// A decision of the gate.
    Decision {
        /// Its id.
        id: DecisionId,
        /// The product it is about.
        product: Product<'a>,
        /// Who asked.
        principal: Party,
    },
}
