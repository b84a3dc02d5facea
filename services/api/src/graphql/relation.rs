//! Relations that more than one type has: the related object by its id, if the caller may see it.

use std::sync::Arc;

use app::error::Noun;
use app::target::Target;
use async_graphql::Context;
use domain::grant::Decided;
use domain::id::{ContractId, PrincipalId, ProductId, SnapshotId};

use super::error::{Failure, Result};
use super::scalar::DateTime;
use super::session::SessionExt;
use super::types::{Contract, Principal, Product, Snapshot};

/// A relation that cannot be hidden from a caller who sees its start. The object may be gone meanwhile.
pub(super) fn required<T>(found: Option<T>, noun: Noun) -> Result<T> {
    found.ok_or_else(|| Failure::not_found(noun))
}

pub(super) async fn find_principal(ctx: &Context<'_>, id: PrincipalId) -> Result<Option<Principal>> {
    Ok(ctx.loaders()?.find(id).await?.map(Principal))
}

/// A principal that everyone who sees the start of the relation may see.
pub(super) async fn principal(ctx: &Context<'_>, id: PrincipalId) -> Result<Principal> {
    required(find_principal(ctx, id).await?, Noun::Principal)
}

pub(super) async fn find_product(ctx: &Context<'_>, id: ProductId) -> Result<Option<Product>> {
    Ok(ctx.loaders()?.find(id).await?.map(Product))
}

pub(super) async fn find_contract(ctx: &Context<'_>, id: ContractId) -> Result<Option<Contract>> {
    Ok(ctx.loaders()?.find(id).await?.map(Contract))
}

/// A snapshot, seen through the binding of a table.
pub(super) async fn find_snapshot(ctx: &Context<'_>, id: SnapshotId, target: &Arc<Target>) -> Result<Option<Snapshot>> {
    if !app::table::may_view_snapshots(ctx.ctx()?, target).await? {
        return Ok(None);
    }
    let found = ctx.loaders()?.find(id).await?.filter(|snapshot| snapshot.table_id == target.table.id);
    Ok(found.map(|snapshot| Snapshot { snapshot, target: Arc::clone(target) }))
}

/// The principal who decided.
pub(super) async fn find_decider(ctx: &Context<'_>, decided: Option<&Decided>) -> Result<Option<Principal>> {
    match decided {
        Some(decided) => find_principal(ctx, decided.by).await,
        None => Ok(None),
    }
}

/// The time of a decision.
pub(super) fn decided_at(decided: Option<&Decided>) -> Option<DateTime> {
    decided.map(|decided| DateTime(decided.at))
}

/// The reason for a decision.
pub(super) fn reason_of(decided: Option<&Decided>) -> Option<&str> {
    decided.and_then(|decided| decided.reason.as_deref())
}
