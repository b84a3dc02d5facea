//! Hidden equals missing in cost: the look-up of an object that does not exist evaluates the policies as often as that of
//! a hidden one, for a stand-in whose answer nothing depends on. (An empty list is queried like any other: see
//! `store::row`.) Otherwise the time of an answer would tell hidden from missing. `api_it -- cost` counts both.

use std::str::FromStr;
use std::sync::LazyLock;

use domain::contract::Classification;
use domain::id::{BindingId, ProductId};
use domain::identity::PrincipalKind;
use domain::name::DomainPath;
use policy::{Action, Party, Product, Resource};

use crate::actor::Actor;
use crate::ctx::{App, Ctx};

static DOMAIN: LazyLock<DomainPath> = LazyLock::new(|| stand_in("missing"));

fn stand_in<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    T::from_str(text).expect("a constant that parses")
}

/// A product that does not exist.
pub(crate) static NO_PRODUCT: LazyLock<ProductId> = LazyLock::new(id);
/// A binding that does not exist.
pub(crate) static NO_BINDING: LazyLock<BindingId> = LazyLock::new(id);

/// An id that no object has.
fn id<T: FromStr>() -> T
where
    T::Err: std::fmt::Debug,
{
    stand_in("00000000-0000-4000-8000-000000000000")
}

fn product() -> Product<'static> {
    Product { id: id(), domain: &DOMAIN, classification: Classification::Restricted }
}

fn party() -> Party {
    Party { id: id(), kind: PrincipalKind::User }
}

/// The kind of a missing object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Missing {
    Domain,
    Product,
    Principal,
    Request,
    Grant,
    Lease,
    Decision,
}

impl Missing {
    fn resource(self) -> Resource<'static> {
        match self {
            Self::Domain => Resource::Domain(&DOMAIN),
            Self::Product => Resource::Product(product()),
            Self::Principal => Resource::Principal(party()),
            Self::Request => Resource::Request { id: id(), product: product(), requester: party() },
            Self::Grant => Resource::Grant { id: id(), product: product(), principal: party(), sharers: &[] },
            Self::Lease => Resource::Lease { id: id(), product: product(), principal: party(), sharers: &[] },
            Self::Decision => Resource::Decision { id: id(), product: product(), principal: party(), sharers: &[] },
        }
    }
}

impl App {
    /// Evaluates the policies for `count` missing objects.
    pub(crate) fn judge_missing(&self, actor: &Actor, action: Action, missing: Missing, count: usize) {
        for _ in 0..count {
            self.allows(actor, action, &missing.resource());
        }
    }
}

impl Ctx {
    /// Evaluates the policies for `count` missing objects.
    pub(crate) fn judge_missing(&self, action: Action, missing: Missing, count: usize) {
        self.app.judge_missing(&self.actor, action, missing, count);
    }
}
