//! What an address or a port names, for one caller: plain data.

use domain::binding::Binding;
use domain::contract::{self, Classification};
use domain::grant::PortMajor;
use domain::name::{Address, DomainPath, Name};
use domain::table::Table;
use policy::Resource;

use crate::product_in_domain::ProductInDomain;

/// A port major, named by the address of one of its tables or by itself.
#[derive(Clone, Debug)]
pub enum PortTarget {
    /// `domain.product.table`, with or without a major.
    Table(Address),
    /// A port's name; the newest major where none is named.
    Port {
        /// The domain.
        domain: DomainPath,
        /// The product.
        product: Name,
        /// The port.
        port: Name,
        /// The major.
        major: Option<u64>,
    },
}

/// A table as an address names it, for one caller.
#[derive(Clone, Debug)]
pub struct Target {
    pub(crate) known: ProductInDomain,
    /// The binding.
    pub binding: Binding,
    /// The table.
    pub table: Table,
    /// The port major that the address was taken to mean.
    pub port_major: PortMajor,
    /// Every port major that leads to the binding.
    pub(crate) port_majors: Vec<PortMajor>,
    /// The contract version in question; `None` while the major has only drafts.
    pub version: Option<contract::Version>,
}

impl Target {
    /// Its full address.
    pub fn address(&self) -> String {
        format!("{}.{}__v{}", self.known.address(), self.binding.object, self.port_major.major)
    }

    /// The product it is read through.
    pub fn product(&self) -> &domain::product::Product {
        &self.known.product
    }

    pub(crate) fn resource(&self) -> Resource<'_> {
        self.resource_as(self.known.product.classification)
    }

    /// The same with the classification of a table that is shared.
    pub(crate) fn resource_as(&self, classification: Classification) -> Resource<'_> {
        let product = policy::Product { classification, ..self.known.policy() };
        Resource::Binding { id: self.binding.id, product, port_majors: &self.port_majors }
    }
}
