//! Decisions of the gate, as those who may see them read them.

use domain::clock::Timestamp;
use domain::gate::Explained;
use domain::id::DecisionId;
use policy::{Action, Resource};
use store::{Page, Seek};

use crate::ctx::Ctx;
use crate::error::Error;
use crate::missing::Missing;
use crate::paging::VisiblePage;
use crate::parties::{Kind, VisibilityKey, visible_ids};

/// Decisions that the caller may see, the newest first.
///
/// # Errors
/// Those of any use case.
pub async fn list_decisions(ctx: &Ctx, seek: Seek<(Timestamp, DecisionId)>) -> Result<Page<Explained>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut visible_page = VisiblePage::new(seek);
    while let Some(next) = visible_page.next() {
        let page = store::gate::list_decisions(&mut tx, ctx.list_scope(), next).await?;
        let visible = visible_ids(ctx, &mut tx, &page.items, page.items.len(), DECISIONS).await?;
        visible_page.add(page, |decision| (decision.at, decision.id), |decision| visible.contains(&decision.id));
    }
    Ok(visible_page.finish())
}

/// The decisions of these ids that the caller may see.
///
/// # Errors
/// Those of any use case.
pub async fn load_decisions(ctx: &Ctx, ids: &[DecisionId]) -> Result<Vec<Explained>, Error> {
    let mut tx = ctx.app.db.read().await?;
    let mut decisions = store::gate::list_decisions_by_ids(&mut tx, ids).await?;
    let visible = visible_ids(ctx, &mut tx, &decisions, ids.len(), DECISIONS).await?;
    decisions.retain(|decision| visible.contains(&decision.id));
    Ok(decisions)
}

const DECISIONS: Kind<Explained, DecisionId> =
    Kind { key_of: decision_of, action: Action::ViewDecision, missing: Missing::Decision };

fn decision_of(decision: &Explained) -> VisibilityKey<DecisionId> {
    VisibilityKey {
        id: decision.id,
        binding_id: decision.binding_id,
        principal_id: decision.principal_id,
        resource: |id, product, principal, sharers| Resource::Decision { id, product, principal, sharers },
    }
}
