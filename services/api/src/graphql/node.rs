//! Look-up of any object by its global id, under the rules of visibility that hold for it everywhere. A hidden object is
//! null, like one that does not exist.

use async_graphql::{Context, ID, Interface, Object};
use domain::id::{
    AccessRequestId, BindingId, ContractId, ContractVersionId, DecisionId, DomainId, GrantId, LeaseId, NoticeId,
    OverrideId, PrincipalId, ProductId, RecordId, RoleId, TokenId,
};

use super::audit::AuditEntry;
use super::error::Result;
use super::id::{Kind, SnapshotOfTable, decode, not_an_id, split};
use super::relation;
use super::session::SessionExt;
use super::types::{
    AccessRequest, BrokenRecord, ChangeNotice, Contract, ContractOverride, ContractVersion, Decision, Domain, Grant,
    Lease, Principal, Product, Record, RoleAssignment, Snapshot, Table, Token,
};

/// Anything with a global id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID"))]
pub(crate) enum Node {
    Principal(Principal),
    RoleAssignment(RoleAssignment),
    Domain(Domain),
    Product(Product),
    Contract(Contract),
    ContractVersion(ContractVersion),
    Table(Table),
    Snapshot(Snapshot),
    AccessRequest(AccessRequest),
    Grant(Grant),
    ChangeNotice(ChangeNotice),
    ContractOverride(ContractOverride),
    Decision(Decision),
    Lease(Lease),
    Record(Record),
    BrokenRecord(BrokenRecord),
    Token(Token),
}

#[derive(Default)]
pub(crate) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// An object by its global id; null if the caller may not see it.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        let loaders = ctx.loaders()?;
        let Some((kind, _)) = split(&id) else { return Err(not_an_id("id")) };
        Ok(match kind {
            Kind::Principal => {
                let found = loaders.find(decode::<PrincipalId>(&id, "id")?).await?;
                app::identity::visible(ctx.ctx()?, found).map(|principal| Node::Principal(Principal(principal)))
            }
            Kind::RoleAssignment => {
                let found = app::identity::find_role(ctx.ctx()?, decode::<RoleId>(&id, "id")?).await?;
                found.map(|assignment| Node::RoleAssignment(RoleAssignment(assignment)))
            }
            Kind::Domain => {
                let found = loaders.find(decode::<DomainId>(&id, "id")?).await?;
                found.map(|domain| Node::Domain(Domain(domain)))
            }
            Kind::Product => {
                let found = loaders.find(decode::<ProductId>(&id, "id")?).await?;
                found.map(|known| Node::Product(Product(known)))
            }
            Kind::Contract => {
                let found = loaders.find(decode::<ContractId>(&id, "id")?).await?;
                found.map(|contract| Node::Contract(Contract(contract)))
            }
            Kind::ContractVersion => {
                let found = loaders.find(decode::<ContractVersionId>(&id, "id")?).await?;
                found.map(|view| Node::ContractVersion(ContractVersion(view)))
            }
            Kind::Table => {
                let found = loaders.find(decode::<BindingId>(&id, "id")?).await?;
                found.map(|target| Node::Table(Table(target)))
            }
            Kind::Snapshot => {
                let seen: SnapshotOfTable = decode(&id, "id")?;
                match loaders.find(seen.binding_id).await? {
                    Some(target) => relation::find_snapshot(ctx, seen.snapshot_id, &target).await?.map(Node::Snapshot),
                    None => None,
                }
            }
            Kind::AccessRequest => {
                let found = loaders.find(decode::<AccessRequestId>(&id, "id")?).await?;
                found.map(|request| Node::AccessRequest(AccessRequest(request)))
            }
            Kind::Grant => {
                let found = loaders.find(decode::<GrantId>(&id, "id")?).await?;
                found.map(|grant| Node::Grant(Grant(grant)))
            }
            Kind::ChangeNotice => {
                let found = loaders.find(decode::<NoticeId>(&id, "id")?).await?;
                found.map(|view| Node::ChangeNotice(ChangeNotice(view)))
            }
            Kind::ContractOverride => {
                let found = loaders.find(decode::<OverrideId>(&id, "id")?).await?;
                found.map(|accepted| Node::ContractOverride(ContractOverride(accepted)))
            }
            Kind::Decision => {
                let found = loaders.find(decode::<DecisionId>(&id, "id")?).await?;
                found.map(|decision| Node::Decision(Decision(decision)))
            }
            Kind::Lease => {
                let found = loaders.find(decode::<LeaseId>(&id, "id")?).await?;
                found.map(|lease| Node::Lease(Lease(lease)))
            }
            Kind::Token => {
                let found = app::token::find_token(ctx.ctx()?, decode::<TokenId>(&id, "id")?).await?;
                found.map(|token| Node::Token(Token(token)))
            }
            Kind::Record => {
                let found = app::audit::find_record(ctx.ctx()?, decode::<RecordId>(&id, "id")?).await?;
                found.map(|entry| match AuditEntry::from(entry) {
                    AuditEntry::Record(record) => Node::Record(record),
                    AuditEntry::BrokenRecord(record) => Node::BrokenRecord(record),
                })
            }
        })
    }
}
