//! Principals and their roles.

use domain::clock::Timestamp;
use domain::id::{DomainId, PrincipalId, RoleId};
use domain::identity::{Disabled, DomainRole, PlatformRole, Principal, PrincipalKind, Role, RoleAssignment};

use crate::db::Tx;
use crate::error::Error;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, list, list_in, page};

entity_row! {
    PrincipalRow from "principals" {
        id: Text<PrincipalId>,
        issuer: String,
        subject: String,
        kind: String,
        owner_id: Option<Text<PrincipalId>>,
        enabled: bool,
        disabled_at: Option<i64>,
        disabled_by: Option<Text<PrincipalId>>,
        created_at: i64,
    }
}

impl TryFrom<PrincipalRow> for Principal {
    type Error = Error;

    fn try_from(row: PrincipalRow) -> Result<Self, Error> {
        let kind = match (row.kind.as_str(), row.owner_id) {
            ("user", None) => PrincipalKind::User,
            ("service", Some(owner)) => PrincipalKind::Service { owner: owner.0 },
            ("inspector", None) => PrincipalKind::Inspector,
            _ => return Err(Error::inconsistent("principals", row.id.0, "kind and owner fit no state")),
        };
        let disabled = match (row.disabled_at, row.disabled_by) {
            (None, None) => None,
            (Some(at), Some(by)) => Some(Disabled { at: Timestamp(at), by: by.0 }),
            _ => return Err(Error::inconsistent("principals", row.id.0, "a disabling without its time or principal")),
        };
        Ok(Self {
            id: row.id.0,
            issuer: row.issuer,
            subject: row.subject,
            kind,
            enabled: row.enabled,
            disabled,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Adds a principal.
///
/// # Errors
/// [`crate::Constraint::PrincipalSubject`] if (issuer, subject) is taken; [`Error::LockNeeded`].
pub async fn insert_principal(tx: &mut Tx, principal: &Principal) -> Result<(), Error> {
    tx.require_facts()?;
    let (kind, owner_id) = match principal.kind {
        PrincipalKind::User => ("user", None),
        PrincipalKind::Service { owner } => ("service", Some(owner)),
        PrincipalKind::Inspector => ("inspector", None),
    };
    insert!(
        tx,
        PrincipalRow {
            id: Text(principal.id),
            issuer: principal.issuer.as_str(),
            subject: principal.subject.as_str(),
            kind: kind,
            owner_id: owner_id.map(Text),
            enabled: principal.enabled,
            disabled_at: principal.disabled.map(|disabled| disabled.at.0),
            disabled_by: principal.disabled.map(|disabled| Text(disabled.by)),
            created_at: principal.created_at.0,
        }
    )?;
    Ok(())
}

/// Disables a principal.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn disable(tx: &mut Tx, id: PrincipalId, disabled: Disabled) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE principals SET enabled = $1, disabled_at = $2, disabled_by = $3 WHERE id = $4",
        false,
        disabled.at.0,
        Text(disabled.by),
        Text(id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("principal")) }
}

/// Enables a principal. When it was disabled last stays known.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn enable(tx: &mut Tx, id: PrincipalId) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(tx, "UPDATE principals SET enabled = $1 WHERE id = $2", true, Text(id))?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("principal")) }
}

/// A principal by its id.
pub async fn find_principal(tx: &mut Tx, id: PrincipalId) -> Result<Option<Principal>, Error> {
    find!(tx, PrincipalRow, "WHERE id = $1", Text(id))
}

/// A principal by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_principal(tx: &mut Tx, id: PrincipalId) -> Result<Principal, Error> {
    find_principal(tx, id).await?.ok_or(Error::NotFound("principal"))
}

/// A principal by its issuer and its subject there.
pub async fn find_by_subject(tx: &mut Tx, issuer: &str, subject: &str) -> Result<Option<Principal>, Error> {
    find!(tx, PrincipalRow, "WHERE issuer = $1 AND subject = $2", issuer, subject)
}

/// The principals of these ids that exist.
pub async fn list_principals_by_ids(tx: &mut Tx, ids: &[PrincipalId]) -> Result<Vec<Principal>, Error> {
    list_in!(tx, PrincipalRow, "WHERE id IN ({list})", ids)
}

/// Principals in the order of their ids.
pub async fn list_principals(tx: &mut Tx, seek: &Seek<PrincipalId>) -> Result<Page<Principal>, Error> {
    // Every id is greater than the empty text.
    let after = seek.after.map_or(String::new(), |id| id.to_string());
    page!(tx, seek, PrincipalRow, "WHERE id > $1 ORDER BY id LIMIT $2", after.as_str())
}

entity_row! {
    RoleRow from "role_assignments" {
        id: Text<RoleId>,
        principal_id: Text<PrincipalId>,
        role: String,
        domain_id: Option<Text<DomainId>>,
        assigned_by: Text<PrincipalId>,
        assigned_at: i64,
    }
}

impl TryFrom<RoleRow> for RoleAssignment {
    type Error = Error;

    fn try_from(row: RoleRow) -> Result<Self, Error> {
        let role = match row.domain_id {
            Some(domain_id) => row.role.parse::<DomainRole>().map(|role| Role::Domain(domain_id.0, role)),
            None => row.role.parse::<PlatformRole>().map(Role::Platform),
        };
        let role = role.map_err(|error| Error::inconsistent("role_assignments", row.id.0, error.to_string()))?;
        Ok(Self {
            id: row.id.0,
            principal_id: row.principal_id.0,
            role,
            assigned_by: row.assigned_by.0,
            assigned_at: Timestamp(row.assigned_at),
        })
    }
}

/// Assigns a role.
///
/// # Errors
/// [`crate::Constraint::DomainRole`] or [`crate::Constraint::PlatformRole`] if the principal has it;
/// [`Error::LockNeeded`].
pub async fn insert_role(tx: &mut Tx, assignment: &RoleAssignment) -> Result<(), Error> {
    tx.require_facts()?;
    let (role, domain_id) = match assignment.role {
        Role::Domain(domain_id, role) => (role.as_str(), Some(domain_id)),
        Role::Platform(role) => (role.as_str(), None),
    };
    insert!(
        tx,
        RoleRow {
            id: Text(assignment.id),
            principal_id: Text(assignment.principal_id),
            role: role,
            domain_id: domain_id.map(Text),
            assigned_by: Text(assignment.assigned_by),
            assigned_at: assignment.assigned_at.0,
        }
    )?;
    Ok(())
}

/// Removes a role.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn delete_role(tx: &mut Tx, id: RoleId) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(tx, "DELETE FROM role_assignments WHERE id = $1", Text(id))?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("role")) }
}

/// A role by its id.
pub async fn find_role(tx: &mut Tx, id: RoleId) -> Result<Option<RoleAssignment>, Error> {
    find!(tx, RoleRow, "WHERE id = $1", Text(id))
}

/// The roles of a principal, in the order of their ids.
pub async fn list_roles(tx: &mut Tx, principal_id: PrincipalId) -> Result<Vec<RoleAssignment>, Error> {
    list!(tx, RoleRow, "WHERE principal_id = $1 ORDER BY id", Text(principal_id))
}

/// The roles of these principals.
pub async fn list_roles_of_principals(tx: &mut Tx, ids: &[PrincipalId]) -> Result<Vec<RoleAssignment>, Error> {
    list_in!(tx, RoleRow, "WHERE principal_id IN ({list}) ORDER BY id", ids)
}

/// The roles of a person and of their service accounts, in the order of their ids.
pub async fn list_roles_of_person(tx: &mut Tx, person: PrincipalId) -> Result<Vec<RoleAssignment>, Error> {
    list!(
        tx,
        RoleRow,
        "WHERE principal_id = $1
             OR principal_id IN (SELECT principals.id FROM principals WHERE principals.owner_id = $1)
         ORDER BY id",
        Text(person)
    )
}

/// The roles in a domain itself, not above it, in the order of their ids.
pub async fn list_roles_in_domain(tx: &mut Tx, domain_id: DomainId) -> Result<Vec<RoleAssignment>, Error> {
    list!(tx, RoleRow, "WHERE domain_id = $1 ORDER BY id", Text(domain_id))
}

/// The assignments of a platform role, in the order of their ids.
pub async fn list_platform_role(tx: &mut Tx, role: PlatformRole) -> Result<Vec<RoleAssignment>, Error> {
    list!(tx, RoleRow, "WHERE domain_id IS NULL AND role = $1 ORDER BY id", Text(role))
}

/// Whether a platform role is assigned at all. None is before the first sign-in.
pub async fn has_platform_role(tx: &mut Tx, role: PlatformRole) -> Result<bool, Error> {
    let role: Option<RoleAssignment> =
        find!(tx, RoleRow, "WHERE domain_id IS NULL AND role = $1 ORDER BY id LIMIT 1", Text(role))?;
    Ok(role.is_some())
}
