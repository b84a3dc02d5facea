//! The product and the principal of a request, a grant, a lease or a decision: what says who may see it.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use domain::id::{AccessRequestId, BindingId, GrantId, PrincipalId, ProductId};
use domain::identity::Principal;
use domain::name::DomainPath;
use itertools::Itertools as _;
use policy::{Party, Resource};
use store::Tx;

use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::Missing;
use crate::product_in_domain::{self, ProductInDomain};
use crate::table::sharing::Sharers;

/// A product and the principal that something about it belongs to: what requests, grants, leases and decisions are
/// judged by.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) known: ProductInDomain,
    pub(crate) principal: Principal,
}

impl Parties {
    pub(crate) async fn load(tx: &mut Tx, product_id: ProductId, principal_id: PrincipalId) -> Result<Self, Error> {
        let loaded = Self::load_all(tx, vec![(product_id, principal_id)]).await?;
        loaded.into_values().next().ok_or_else(|| Error::internal("a product or principal is gone"))
    }

    pub(crate) async fn load_all(
        tx: &mut Tx,
        pairs: Vec<(ProductId, PrincipalId)>,
    ) -> Result<HashMap<(ProductId, PrincipalId), Self>, Error> {
        let products =
            product_in_domain::load(tx, &pairs.iter().map(|(product_id, _)| *product_id).collect::<Vec<_>>()).await?;
        let principals = pairs.iter().map(|(_, principal_id)| *principal_id).unique().collect_vec();
        let principals: HashMap<_, _> = store::identity::list_principals_by_ids(tx, &principals)
            .await?
            .into_iter()
            .map(|principal| (principal.id, principal))
            .collect();
        let parties_by_pair = pairs.into_iter().filter_map(|pair| {
            let known = products.get(&pair.0)?.clone();
            let principal = principals.get(&pair.1)?.clone();
            Some((pair, Self { known, principal }))
        });
        Ok(parties_by_pair.collect())
    }

    pub(crate) fn request(&self, id: AccessRequestId) -> Resource<'_> {
        Resource::Request { id, product: self.known.policy(), requester: Party::from(&self.principal) }
    }

    /// A grant; `sharers` as in [`Sharers`].
    pub(crate) fn grant<'a>(&'a self, id: GrantId, sharers: &'a [DomainPath]) -> Resource<'a> {
        Resource::Grant { id, product: self.known.policy(), principal: Party::from(&self.principal), sharers }
    }
}

/// What of a lease or a decision says who may see it.
pub(crate) struct VisibilityKey<I> {
    pub(crate) id: I,
    pub(crate) binding_id: BindingId,
    pub(crate) principal_id: PrincipalId,
    pub(crate) resource: for<'a> fn(I, policy::Product<'a>, Party, &'a [DomainPath]) -> Resource<'a>,
}

/// Leases or decisions: how they are judged.
pub(crate) struct Kind<T, I> {
    pub(crate) key_of: fn(&T) -> VisibilityKey<I>,
    /// The action of seeing one.
    pub(crate) action: policy::Action,
    pub(crate) missing: Missing,
}

/// The visible ones of the leases or decisions, which were found for `n_requested` ids.
pub(crate) async fn visible_ids<T, I: Copy + Eq + Hash>(
    ctx: &Ctx,
    tx: &mut Tx,
    items: &[T],
    n_requested: usize,
    kind: Kind<T, I>,
) -> Result<HashSet<I>, Error> {
    let Kind { key_of, action, missing } = kind;
    let keys: Vec<VisibilityKey<I>> = items.iter().map(key_of).collect();
    let products = load_product_ids(tx, keys.iter().map(|key| key.binding_id)).await?;
    let pairs = keys.iter().filter_map(|key| Some((*products.get(&key.binding_id)?, key.principal_id)));
    let parties_by_pair = Parties::load_all(tx, pairs.collect()).await?;
    let sharers = Sharers::load(&ctx.app, tx, &products.values().copied().unique().collect_vec()).await?;
    let may = |key: &&VisibilityKey<I>| {
        let parties = products.get(&key.binding_id).and_then(|id| parties_by_pair.get(&(*id, key.principal_id)));
        parties.is_some_and(|parties| {
            let principal = Party::from(&parties.principal);
            let sharers = sharers.of_binding(key.binding_id);
            ctx.may(action, &(key.resource)(key.id, parties.known.policy(), principal, sharers))
        })
    };
    ctx.judge_missing(action, missing, n_requested.saturating_sub(keys.len()));
    Ok(keys.iter().filter(may).map(|key| key.id).collect())
}

async fn load_product_ids(
    tx: &mut Tx,
    binding_ids: impl Iterator<Item = BindingId>,
) -> Result<HashMap<BindingId, ProductId>, Error> {
    let bindings = store::binding::list_by_ids(tx, &binding_ids.unique().collect_vec()).await?;
    let contract_ids = bindings.iter().map(|binding| binding.contract_id).unique().collect_vec();
    let contracts: HashMap<_, _> = store::contract::list_by_ids(tx, &contract_ids)
        .await?
        .into_iter()
        .map(|contract| (contract.id, contract.product_id))
        .collect();
    let pairs = bindings.into_iter().filter_map(|binding| Some((binding.id, *contracts.get(&binding.contract_id)?)));
    Ok(pairs.collect())
}
