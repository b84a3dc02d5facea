//! The facts that a question is decided by.

use domain::contract::{Classification, Settings};
use domain::grant::PortMajor;
use domain::id::{AccessRequestId, BindingId, ContractVersionId, DecisionId, GrantId, LeaseId, PrincipalId, ProductId};
use domain::identity::{DomainRole, PlatformRole, Principal, PrincipalKind};
use domain::name::DomainPath;

/// The caller. Facts that do not concern the resource change no answer; leaving out one that does can only refuse.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The principal. Whether it is enabled is for the gate to check.
    pub principal: Party,
    /// Its roles on the platform.
    pub platform_roles: &'a [PlatformRole],
    /// Its roles in domains, of which those in the resource's domain and above it matter. For
    /// [`Action::OverrideRefusal`](crate::Action::OverrideRefusal), those of its person and of their service accounts
    /// together.
    pub domain_roles: &'a [(DomainPath, DomainRole)],
    /// The port majors on which it has a valid grant, sorted so that those of the resource's product are found quickly.
    pub grants: &'a [PortMajor],
}

/// The part of a principal that policies see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its id.
    pub id: PrincipalId,
    /// Its kind, with the owner of a service account.
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
    /// The highest classification of the product and its columns.
    pub classification: Classification,
}

/// The resource of an action.
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
        /// The highest classification of its columns.
        classification: Classification,
        /// Its gate settings.
        settings: &'a Settings,
    },
    /// The data of a contract's major.
    Binding {
        /// Its id.
        id: BindingId,
        /// The product through which it is read.
        product: Product<'a>,
        /// The product's port majors that lead to it.
        port_majors: &'a [PortMajor],
    },
    /// An access request.
    Request {
        /// Its id.
        id: AccessRequestId,
        /// The product it is about.
        product: Product<'a>,
        /// The requester.
        requester: Party,
    },
    /// A grant, existing or about to be created.
    Grant {
        /// Its id.
        id: GrantId,
        /// The product it is about.
        product: Product<'a>,
        /// The holder.
        principal: Party,
        /// The domains of the other products that are bound to the same table.
        sharers: &'a [DomainPath],
    },
    /// A lease.
    Lease {
        /// Its id.
        id: LeaseId,
        /// The product it is about.
        product: Product<'a>,
        /// The holder.
        principal: Party,
        /// The domains of the other products that are bound to the same table.
        sharers: &'a [DomainPath],
    },
    /// A decision of the gate.
    Decision {
        /// Its id.
        id: DecisionId,
        /// The product it is about.
        product: Product<'a>,
        /// The principal that it is about.
        principal: Party,
        /// The domains of the other products that are bound to the same table.
        sharers: &'a [DomainPath],
    },
}
