//! What a caller may see in a search, and what they may do with it.
//!
//! Products of one domain and classification are one class: the policies see no more of a product, unless they name it.
//! So they are asked once for each class, and for each product that a policy or a grant of the caller names.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::contract::Classification;
use domain::grant::PortMajor;
use domain::id::ProductId;
use domain::name::DomainPath;
use itertools::Itertools as _;
use policy::{Action, Policy, Resource};
use search::{Access, Visibility};
use store::Tx;
use store::revision::Revision;

use crate::cache::search::Sight;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::{NO_BINDING, NO_PRODUCT};
use crate::product_in_domain::{self, ProductInDomain};

/// What the caller may see, cached until the visibility revision moves.
pub(super) async fn of(ctx: &Ctx) -> Result<Arc<Sight>, Error> {
    let key = (ctx.actor.principal.id, ctx.actor.purpose.is_some());
    let mut tx = ctx.app.db.read().await?;
    let revision = store::revision::get(&mut tx, Revision::Visibility).await?;
    if let Some(kept) = ctx.app.caches.sights.find(key, revision, ctx.now()) {
        return Ok(kept);
    }
    // The roles and grants of this revision, not those of the sign-in.
    let ctx = &ctx.fresh(&mut tx).await?;
    let visibility = Arc::new(visibility(ctx, &mut tx).await?);
    let sight = Arc::new(Sight { visibility, revision, good_until: ctx.actor.standing.good_until });
    ctx.app.caches.sights.put(key, Arc::clone(&sight));
    Ok(sight)
}

async fn visibility(ctx: &Ctx, tx: &mut Tx) -> Result<Visibility, Error> {
    let mut classes = BTreeMap::new();
    for (domain, classification) in store::product::list_classes(tx).await? {
        let product = policy::Product { id: *NO_PRODUCT, domain: &domain, classification };
        if let Some(access) = seen(ctx, &product, &[]) {
            classes.insert(shared_class(&domain, classification), access);
        }
    }
    let named = ctx.app.policy.named_products().iter().copied();
    let granted = ctx.actor.standing.port_majors.iter().map(|port_major| port_major.product_id);
    let mut products = BTreeMap::new();
    let asked_alone: Vec<ProductId> = named.chain(granted).unique().collect();
    for (id, known) in product_in_domain::load(tx, &asked_alone).await? {
        if let Some(access) = seen(ctx, &known.policy(), grants_on(ctx, id)) {
            products.insert(id.to_string(), access);
        }
    }
    Ok(Visibility::new(classes, products))
}

/// The class that a product is filed under.
pub(super) fn class(policy: &Policy, known: &ProductInDomain) -> String {
    match policy.named_products().contains(&known.product.id) {
        // Its class is itself: no answer about others holds for it.
        true => known.product.id.to_string(),
        false => shared_class(&known.domain.path, known.product.classification),
    }
}

/// A domain's path contains no space.
fn shared_class(domain: &DomainPath, classification: Classification) -> String {
    format!("{domain} {}", classification.as_str())
}

/// What the caller may do with a product that they may know of.
pub fn access(ctx: &Ctx, known: &ProductInDomain) -> Access {
    may(ctx, &known.policy(), grants_on(ctx, known.product.id))
}

/// What the caller may do with a product; `None` if they may not know of it.
fn seen(ctx: &Ctx, product: &policy::Product<'_>, granted: &[PortMajor]) -> Option<Access> {
    ctx.may_view(product).then(|| may(ctx, product, granted))
}

/// By the policies, as far as a role or a grant on one of the product's ports goes: contracts and snapshots are for the
/// gate to judge.
fn may(ctx: &Ctx, product: &policy::Product<'_>, granted: &[PortMajor]) -> Access {
    let data = Resource::Binding { id: *NO_BINDING, product: *product, port_majors: granted };
    if ctx.may(Action::Read, &data) {
        return Access::Read;
    }
    if ctx.may(Action::RequestAccess, &Resource::Product(*product)) { Access::Request } else { Access::Know }
}

/// The port majors of a product on which the caller holds a grant in force.
fn grants_on(ctx: &Ctx, id: ProductId) -> &[PortMajor] {
    let all = &ctx.actor.standing.port_majors;
    let first = all.partition_point(|port_major| port_major.product_id < id);
    let rest = &all[first..];
    &rest[..rest.partition_point(|port_major| port_major.product_id == id)]
}
