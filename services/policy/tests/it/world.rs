//! A product in `sales/emea`, and the people around it.

use domain::contract::{Classification, Settings};
use domain::grant::PortMajor;
use domain::id::{AccessRequestId, BindingId, ContractVersionId, DecisionId, GrantId, LeaseId, PrincipalId, ProductId};
use domain::identity::PrincipalKind;
use domain::name::DomainPath;
use policy::{Party, Product, Resource};
use uuid::Uuid;

/// Facts that live as long as a test.
pub(crate) struct World {
    pub(crate) domain: DomainPath,
    pub(crate) settings: Settings,
    /// The port majors that lead to the binding.
    pub(crate) port_majors: Vec<PortMajor>,
    /// The domain of another product, where one is bound to the same table.
    pub(crate) sharers: Vec<DomainPath>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            domain: path("sales/emea"),
            settings: Settings::default(),
            port_majors: vec![port_major("orders", 1)],
            sharers: vec![path("finance")],
        }
    }

    pub(crate) fn product(&self, classification: Classification) -> Product<'_> {
        Product { id: ProductId(uuid(100)), domain: &self.domain, classification }
    }

    pub(crate) fn binding(&self, classification: Classification) -> Resource<'_> {
        let id = BindingId(uuid(101));
        Resource::Binding { id, product: self.product(classification), port_majors: &self.port_majors }
    }

    pub(crate) fn contract(&self) -> Resource<'_> {
        let id = ContractVersionId(uuid(102));
        let classification = Classification::Internal;
        Resource::Contract { id, domain: &self.domain, classification, settings: &self.settings }
    }

    pub(crate) fn request(&self, requester: Party) -> Resource<'_> {
        let id = AccessRequestId(uuid(103));
        Resource::Request { id, product: self.product(Classification::Internal), requester }
    }

    pub(crate) fn grant(&self, principal: Party) -> Resource<'_> {
        let id = GrantId(uuid(104));
        Resource::Grant { id, product: self.product(Classification::Internal), principal, sharers: &[] }
    }

    pub(crate) fn lease(&self, principal: Party) -> Resource<'_> {
        let id = LeaseId(uuid(105));
        Resource::Lease { id, product: self.product(Classification::Internal), principal, sharers: &[] }
    }

    pub(crate) fn decision(&self, principal: Party) -> Resource<'_> {
        let id = DecisionId(uuid(106));
        Resource::Decision { id, product: self.product(Classification::Internal), principal, sharers: &[] }
    }

    /// The same, about a table that a product of another domain is bound to as well.
    pub(crate) fn shared<'a>(&'a self, resource: Resource<'a>) -> Resource<'a> {
        let sharers = self.sharers.as_slice();
        match resource {
            Resource::Grant { id, product, principal, .. } => Resource::Grant { id, product, principal, sharers },
            Resource::Lease { id, product, principal, .. } => Resource::Lease { id, product, principal, sharers },
            Resource::Decision { id, product, principal, .. } => Resource::Decision { id, product, principal, sharers },
            Resource::Platform
            | Resource::Principal(_)
            | Resource::Domain(_)
            | Resource::Product(_)
            | Resource::Contract { .. }
            | Resource::Binding { .. }
            | Resource::Request { .. } => resource,
        }
    }
}

pub(crate) fn port_major(port: &str, major: u64) -> PortMajor {
    PortMajor { product_id: ProductId(uuid(100)), port: port.parse().unwrap(), major }
}

pub(crate) fn path(text: &str) -> DomainPath {
    text.parse().unwrap()
}

pub(crate) fn user(number: u128) -> Party {
    Party { id: PrincipalId(uuid(number)), kind: PrincipalKind::User }
}

pub(crate) fn service(number: u128, owner: Party) -> Party {
    Party { id: PrincipalId(uuid(number)), kind: PrincipalKind::Service { owner: owner.id } }
}

pub(crate) fn inspector() -> Party {
    Party { id: PrincipalId(uuid(9)), kind: PrincipalKind::Inspector }
}

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}
