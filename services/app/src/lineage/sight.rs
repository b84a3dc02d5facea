//! What a caller may see of the graph (`docs/rules.md`, Lineage).
//!
//! Products of one domain and classification have one answer, unless a policy or a grant of the caller names them, as in
//! [`crate::search`].

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use domain::id::{ProductId, TableId};
use lineage::edge::{Edge, Holder, Kind, Kinds, Node, Speaker};
use lineage::graph::Visible;
use store::revision::Revision;

use super::held::{Held, Sight};
use crate::cache::lineage::KeptSight;
use crate::ctx::Ctx;
use crate::error::Error;
use crate::product_in_domain::ProductInDomain;

/// What the caller may see, cached until the visibility revision moves.
pub(super) async fn of(ctx: &Ctx, held: &Arc<Held>) -> Result<Arc<Sight>, Error> {
    let key = (ctx.actor.principal.id, ctx.actor.purpose.is_some());
    let mut tx = ctx.app.db.read().await?;
    let revision = store::revision::get(&mut tx, Revision::Visibility).await?;
    if let Some(kept) = ctx.app.caches.lineage.sight(key, held.serial, revision, ctx.now()) {
        return Ok(kept);
    }
    // The roles and grants of this revision, not those of the sign-in.
    let ctx = ctx.fresh(&mut tx).await?;
    drop(tx);
    let good_until = ctx.actor.standing.good_until;
    let (of, caches) = (Arc::clone(held), Arc::clone(&ctx.app));
    let made = tokio::task::spawn_blocking(move || Arc::new(sight(&ctx, &of))).await;
    let sight = made.map_err(Error::internal)?;
    let kept = KeptSight { sight: Arc::clone(&sight), serial: held.serial, revision, good_until };
    caches.caches.lineage.put_sight(key, kept);
    Ok(sight)
}

fn sight(ctx: &Ctx, held: &Held) -> Sight {
    let catalog = &held.catalog;
    let knows = knows(ctx, &catalog.products);
    let may_know = |table: TableId| catalog.bindings_of(table).any(|bound| knows.contains(&bound.product_id));
    let mut visible = Visible::of(&held.graph, |holder| match holder {
        Holder::Table(table) => may_know(*table),
        Holder::Dataset(dataset) => held.means.is_apart(dataset, may_know),
        Holder::Job(_) => true,
        Holder::Principal(_) => false,
    });
    cut(held, &knows, &mut visible);
    Sight { visible, knows }
}

fn knows(ctx: &Ctx, products: &HashMap<ProductId, ProductInDomain>) -> HashSet<ProductId> {
    let named = ctx.app.policy.named_products();
    let granted: HashSet<ProductId> =
        ctx.actor.standing.port_majors.iter().map(|port_major| port_major.product_id).collect();
    let mut classes = HashMap::new();
    let mut found = HashSet::new();
    for (id, known) in products {
        let may_know = if named.contains(id) || granted.contains(id) {
            ctx.may_view(&known.policy())
        } else {
            let class = (known.domain.id, known.product.classification);
            *classes.entry(class).or_insert_with(|| ctx.may_view(&known.policy()))
        };
        if may_know {
            found.insert(*id);
        }
    }
    found
}

/// Takes away what only hidden products declare about tables that the caller knows by others.
fn cut(held: &Held, knows: &HashSet<ProductId>, visible: &mut Visible) {
    let is_said = |edge: &Edge| match edge.speaker {
        Speaker::Product(product) => knows.contains(&product),
        Speaker::Principal(_) | Speaker::House => true,
    };
    let whole = |node: &Node| Node::whole(node.holder.clone());
    let pairs = |edge: &Edge| [(edge.from.clone(), edge.to.clone()), (whole(&edge.from), whole(&edge.to))];
    let (said, hidden): (Vec<&Edge>, Vec<&Edge>) = held.contested.iter().partition(|edge| is_said(edge));
    let said: HashSet<(Node, Node)> = said.into_iter().flat_map(pairs).collect();
    for (from, to) in hidden.into_iter().flat_map(pairs).filter(|pair| !said.contains(pair)) {
        visible.cut(&held.graph, &from, &to, Kinds::of(&[Kind::Declared]));
    }
}
