//! Who asks: a principal with its roles and grants.

use std::collections::HashMap;
use std::sync::Arc;

use domain::clock::Timestamp;
use domain::grant::{Grant, PortMajor};
use domain::identity::{DomainRole, PlatformRole, Principal, PrincipalKind, PurposeCode, Role, RoleAssignment};
use domain::name::DomainPath;
use domain::token::Bearer;
use policy::{Caller, Party};
use store::Tx;
use store::revision::Revision;

use crate::error::Error;

/// Who asks, with what it holds.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The principal.
    pub principal: Principal,
    /// Its roles and grants.
    pub standing: Arc<Standing>,
    /// The purpose that the token was made for.
    pub purpose: Option<PurposeCode>,
    /// The token that it signed in with.
    pub bearer: Bearer,
}

impl Actor {
    /// A principal as it would be with a token of its own: for what rests on the rights of one who is not asking.
    pub(crate) fn without_token(principal: Principal, standing: Arc<Standing>, now: Timestamp) -> Self {
        let bearer = Bearer { token_id: None, issued_at: now, expires_at: now, chain_ends_at: now };
        Self { principal, standing, purpose: None, bearer }
    }

    /// Whether the token that it signed in with is valid, as a transaction sees it: registered and not revoked, or
    /// another issuer's and issued after the principal was disabled last.
    pub(crate) async fn token_is_valid(&self, tx: &mut Tx) -> Result<bool, Error> {
        let principal = store::identity::get_principal(tx, self.principal.id).await?;
        match self.bearer.token_id {
            Some(id) => {
                let token = store::token::find(tx, id).await?;
                Ok(token.is_some_and(|token| token.revoked.is_none() && token.principal_id == principal.id))
            }
            None => Ok(principal.disabled.is_none_or(|disabled| self.bearer.issued_at > disabled.at)),
        }
    }

    /// The actor as the policy sees it.
    pub fn caller(&self) -> Caller<'_> {
        Caller {
            principal: Party::from(&self.principal),
            platform_roles: &self.standing.platform_roles,
            domain_roles: &self.standing.domain_roles,
            grants: &self.standing.port_majors,
            limited: self.purpose.is_some(),
        }
    }
}

/// A principal's roles and grants at one access revision.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The access revision.
    pub revision: i64,
    /// Whether it may act at all.
    pub enabled: bool,
    /// Its roles on the platform.
    pub platform_roles: Vec<PlatformRole>,
    /// Its roles in domains.
    pub domain_roles: Vec<(DomainPath, DomainRole)>,
    /// Its grants that stand now or will.
    pub grants: Vec<Grant>,
    /// The port majors on which it has a grant in force, sorted.
    pub port_majors: Vec<PortMajor>,
    /// The first moment at which a grant begins or ends.
    pub good_until: Timestamp,
}

impl Standing {
    /// Whether it is what the principal has at this access revision and moment.
    pub(crate) fn holds(&self, access: i64, now: Timestamp) -> bool {
        self.revision == access && now < self.good_until
    }

    pub(crate) async fn load(tx: &mut Tx, principal: &Principal, now: Timestamp) -> Result<Self, Error> {
        let revision = store::revision::get(tx, Revision::Access).await?;
        let mut enabled = store::identity::get_principal(tx, principal.id).await?.enabled;
        if let PrincipalKind::Service { owner } = principal.kind {
            // Nobody answers for the account of a person who may not act.
            enabled &= store::identity::get_principal(tx, owner).await?.enabled;
        }
        let assignments = store::identity::list_roles(tx, principal.id).await?;
        let (platform_roles, domain_roles) = roles_of(tx, assignments).await?;
        let grants = store::grant::list_standing(tx, principal.id, now).await?;
        let in_force = grants.iter().filter(|grant| grant.covers(now));
        let mut port_majors: Vec<PortMajor> = in_force.map(|grant| grant.port_major.clone()).collect();
        port_majors.sort_unstable();
        let edges = grants.iter().flat_map(|grant| [grant.window.from, grant.window.until]);
        let good_until = edges.filter(|edge| *edge > now).min().unwrap_or(Timestamp(i64::MAX));
        Ok(Self { revision, enabled, platform_roles, domain_roles, grants, port_majors, good_until })
    }
}

/// Roles on the platform, and roles in domains by their paths.
pub(crate) type Roles = (Vec<PlatformRole>, Vec<(DomainPath, DomainRole)>);

pub(crate) async fn roles_of(tx: &mut Tx, assignments: Vec<RoleAssignment>) -> Result<Roles, Error> {
    let domain_ids: Vec<_> = assignments
        .iter()
        .filter_map(|assignment| match assignment.role {
            Role::Domain(domain_id, _) => Some(domain_id),
            Role::Platform(_) => None,
        })
        .collect();
    let paths: HashMap<_, _> =
        store::org::list_by_ids(tx, &domain_ids).await?.into_iter().map(|domain| (domain.id, domain.path)).collect();
    let mut platform_roles = Vec::new();
    let mut domain_roles = Vec::new();
    for assignment in assignments {
        match assignment.role {
            Role::Platform(role) => platform_roles.push(role),
            Role::Domain(domain_id, role) => {
                domain_roles.extend(paths.get(&domain_id).map(|path| (path.clone(), role)));
            }
        }
    }
    Ok((platform_roles, domain_roles))
}
