//! Principals, roles and tokens.

use app::identity::{self, AssignRole, CreatePrincipal, NewKind, NewRole};
use app::org::Created;
use app::token::{self, CreateToken};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject, Union};
use domain::identity::{DomainRole, PlatformRole, Role};

use super::error::{Failure, Result};
use super::id::{decode, encode};
use super::input::{idempotency_key, lifetime};
use super::page::{Connection, Page, cost};
use super::relation;
use super::scalar::DateTime;
use super::session::{Caller, SessionExt};
use super::types::{Domain, NameTaken, Principal, RoleAssignment};
use super::words::{NewPrincipalKind, PrincipalKind, PurposeCode, RoleWord};

#[Object]
impl Principal {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    /// The issuer of its identity.
    async fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Its name at the issuer.
    async fn subject(&self) -> &str {
        &self.0.subject
    }

    async fn kind(&self) -> PrincipalKind {
        self.0.kind.into()
    }

    /// Whether it may act.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// The owner of a service account.
    async fn owner(&self, ctx: &Context<'_>) -> Result<Option<Principal>> {
        match self.0.kind {
            domain::identity::PrincipalKind::Service { owner } => relation::find_principal(ctx, owner).await,
            domain::identity::PrincipalKind::User | domain::identity::PrincipalKind::Inspector => Ok(None),
        }
    }

    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

#[Object]
impl RoleAssignment {
    pub(crate) async fn id(&self) -> ID {
        encode(self.0.id)
    }

    async fn role(&self) -> RoleWord {
        self.0.role.into()
    }

    /// The domain where it holds, with all domains below; null for a platform role.
    async fn domain(&self, ctx: &Context<'_>) -> Result<Option<Domain>> {
        match self.0.role {
            Role::Domain(domain_id, _) => Ok(ctx.loaders()?.find(domain_id).await?.map(Domain)),
            Role::Platform(_) => Ok(None),
        }
    }

    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        relation::principal(ctx, self.0.principal_id).await
    }

    async fn assigned_at(&self) -> DateTime {
        self.0.assigned_at.into()
    }
}

/// The caller.
pub(crate) struct Viewer;

#[Object]
impl Viewer {
    async fn principal(&self, ctx: &Context<'_>) -> Result<Principal> {
        Ok(Principal(ctx.ctx()?.actor.principal.clone()))
    }

    /// Its own role assignments.
    #[graphql(complexity = "super::page::SHORT_LIST * child_complexity + 1")]
    async fn roles(&self, ctx: &Context<'_>) -> Result<Vec<RoleAssignment>> {
        let roles = identity::list_own_roles(ctx.ctx()?).await?;
        Ok(roles.into_iter().map(RoleAssignment).collect())
    }

    /// The server's version.
    async fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// The purpose that the token is limited to.
    async fn purpose(&self, ctx: &Context<'_>) -> Result<Option<PurposeCode>> {
        Ok(ctx.ctx()?.actor.purpose.map(PurposeCode::from))
    }
}

#[derive(Default)]
pub(crate) struct IdentityQuery;

#[Object]
impl IdentityQuery {
    /// The caller.
    async fn viewer(&self, ctx: &Context<'_>) -> Result<Viewer> {
        ctx.ctx()?;
        Ok(Viewer)
    }

    /// All principals: for admins, stewards and auditors.
    #[graphql(complexity = "cost(first, child_complexity)")]
    async fn principals(
        &self,
        ctx: &Context<'_>,
        #[graphql(default_with = "Some(super::page::DEFAULT_PAGE)")] first: Option<i32>,
        after: Option<String>,
    ) -> Result<Connection<Principal>> {
        let ctx = ctx.ctx()?;
        let page = Page::new(ctx, "principals", first, after.as_deref())?;
        let found = identity::list_principals(ctx, &page.seek()).await?;
        Ok(page.connection(found, |principal| principal.id, Principal))
    }
}

/// The user or service account to create.
#[derive(InputObject)]
pub(crate) struct CreatePrincipalInput {
    /// Its name: starts with a lower-case letter or digit, followed by those and `.`, `_`, `-`, `@`, `+`.
    subject: String,
    #[graphql(default_with = "Some(NewPrincipalKind::User)")]
    kind: Option<NewPrincipalKind>,
    /// The owner of a service account; default: the caller.
    owner: Option<ID>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct CreatePrincipalPayload {
    principal: Principal,
}

#[derive(Union)]
pub(crate) enum CreatePrincipalResult {
    Made(CreatePrincipalPayload),
    NameTaken(NameTaken),
}

#[derive(InputObject)]
pub(crate) struct SetPrincipalEnabledInput {
    principal: ID,
    enabled: bool,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct SetPrincipalEnabledPayload {
    principal: Principal,
}

/// The token to create.
#[derive(InputObject)]
pub(crate) struct CreateTokenInput {
    /// The principal; default: the caller. Others: for admins, and for owners of service accounts.
    subject: Option<String>,
    /// The lifetime; default: the maximum, one hour for users and 90 days for service accounts. A token for a user
    /// cannot outlive the token that creates it.
    lifetime_seconds: Option<i32>,
    /// The only purpose that the token can be used for; default: that of the caller's token. Such a token reads data
    /// and requests access for this purpose; it cannot publish, decide or assign roles.
    purpose: Option<PurposeCode>,
}

#[derive(SimpleObject)]
pub(crate) struct CreateTokenPayload {
    /// The token. It is not stored and not shown again.
    token: String,
    /// The id of the token, for `revokeToken`.
    token_id: ID,
    expires_at: DateTime,
    principal: Principal,
}

/// The role to assign.
#[derive(InputObject)]
pub(crate) struct AssignRoleInput {
    subject: String,
    role: RoleWord,
    /// The domain of `OWNER`, `PUBLISHER` and `CONSUMER`.
    domain: Option<String>,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct AssignRolePayload {
    assignment: RoleAssignment,
}

#[derive(InputObject)]
pub(crate) struct UnassignRoleInput {
    assignment: ID,
    idempotency_key: Option<String>,
}

#[derive(SimpleObject)]
pub(crate) struct UnassignRolePayload {
    assignment: RoleAssignment,
}

#[derive(Default)]
pub(crate) struct IdentityMutation;

#[Object]
impl IdentityMutation {
    /// Creates a user or service account: admins.
    async fn create_principal(&self, ctx: &Context<'_>, input: CreatePrincipalInput) -> Result<CreatePrincipalResult> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("createPrincipal", &input, input.idempotency_key.as_ref())?;
        let owner = input.owner.as_ref().map(|owner| decode(owner, "owner")).transpose()?;
        let kind = match (input.kind.unwrap_or(NewPrincipalKind::User), owner) {
            (NewPrincipalKind::User, None) => NewKind::User,
            (NewPrincipalKind::User, Some(_)) => {
                return Err(Failure::invalid("owner", "only a service account has an owner"));
            }
            (NewPrincipalKind::Service, owner) => NewKind::Service(owner),
        };
        let command = CreatePrincipal { subject: input.subject, kind, key };
        Ok(match identity::create_principal(ctx, command).await? {
            Created::Made(principal) => {
                CreatePrincipalResult::Made(CreatePrincipalPayload { principal: Principal(principal) })
            }
            Created::NameTaken => CreatePrincipalResult::NameTaken(NameTaken::of("the subject is in use")),
        })
    }

    /// Disables or enables a principal. Disabling revokes its tokens and leases and those of its service accounts.
    async fn set_principal_enabled(
        &self,
        ctx: &Context<'_>,
        input: SetPrincipalEnabledInput,
    ) -> Result<SetPrincipalEnabledPayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("setPrincipalEnabled", &input, input.idempotency_key.as_ref())?;
        let id = decode(&input.principal, "principal")?;
        let principal = identity::set_enabled(ctx, id, input.enabled, key).await?;
        Ok(SetPrincipalEnabledPayload { principal: Principal(principal) })
    }

    /// Creates a token. Without a subject it also redeems the one-time token of the first start.
    async fn create_token(&self, ctx: &Context<'_>, input: CreateTokenInput) -> Result<CreateTokenPayload> {
        let session = ctx.session()?;
        let made = match &session.caller {
            Caller::Bootstrap(id) if input.subject.is_none() => {
                token::redeem_bootstrap(&session.app, *id, &session.request_id).await?
            }
            Caller::Bootstrap(_) => return Err(Failure::bootstrap()),
            Caller::Actor(caller) => {
                let command = CreateToken {
                    subject: input.subject,
                    lifetime: lifetime(input.lifetime_seconds)?,
                    purpose: input.purpose.map(Into::into),
                };
                token::create_token(&caller.ctx, command).await?
            }
        };
        Ok(CreateTokenPayload {
            token: made.token.expose().to_owned(),
            token_id: encode(made.registered.id),
            expires_at: made.registered.expires_at.into(),
            principal: Principal(made.principal),
        })
    }

    /// Assigns a role. Assigning it again changes nothing.
    async fn assign_role(&self, ctx: &Context<'_>, input: AssignRoleInput) -> Result<AssignRolePayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("assignRole", &input, input.idempotency_key.as_ref())?;
        let role = new_role(input.role, input.domain.as_deref())?;
        let assignment = identity::assign_role(ctx, AssignRole { subject: input.subject, role, key }).await?;
        Ok(AssignRolePayload { assignment: RoleAssignment(assignment) })
    }

    /// Removes a role assignment and revokes the leases based on it.
    async fn unassign_role(&self, ctx: &Context<'_>, input: UnassignRoleInput) -> Result<UnassignRolePayload> {
        let ctx = ctx.ctx()?;
        let key = idempotency_key("unassignRole", &input, input.idempotency_key.as_ref())?;
        let assignment = identity::unassign_role(ctx, decode(&input.assignment, "assignment")?, key).await?;
        Ok(UnassignRolePayload { assignment: RoleAssignment(assignment) })
    }
}

fn new_role(role: RoleWord, domain: Option<&str>) -> Result<NewRole> {
    let in_domain = |role: DomainRole| {
        let path =
            domain.ok_or_else(|| Failure::invalid("domain", format!("`{role}` is a role in a domain: name it")))?;
        let path = path.parse().map_err(|error| Failure::invalid("domain", error))?;
        Ok(NewRole::Domain(path, role))
    };
    let on_platform = |role: PlatformRole| match domain {
        None => Ok(NewRole::Platform(role)),
        Some(_) => Err(Failure::invalid("domain", format!("`{role}` is a role on the platform and has no domain"))),
    };
    match role {
        RoleWord::Owner => in_domain(DomainRole::Owner),
        RoleWord::Publisher => in_domain(DomainRole::Publisher),
        RoleWord::Consumer => in_domain(DomainRole::Consumer),
        RoleWord::Admin => on_platform(PlatformRole::Admin),
        RoleWord::Steward => on_platform(PlatformRole::Steward),
        RoleWord::Auditor => on_platform(PlatformRole::Auditor),
    }
}
