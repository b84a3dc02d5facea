//! A role that was taken away, as the idempotency key of that call keeps it: nothing else does, and a replay answers it.

use std::fmt;
use std::str::FromStr;

use domain::clock::Timestamp;
use domain::identity::{Role, RoleAssignment};

/// The assignment, as words with a blank between them.
#[derive(Debug)]
pub(super) struct Taken(pub(super) RoleAssignment);

/// Stands for the domain of a role on the platform.
const PLATFORM: &str = "-";

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RoleAssignment { id, principal_id, role, assigned_by, assigned_at: Timestamp(at) } = &self.0;
        match role {
            Role::Domain(domain_id, role) => write!(f, "{id} {principal_id} {role} {domain_id} {assigned_by} {at}"),
            Role::Platform(role) => write!(f, "{id} {principal_id} {role} {PLATFORM} {assigned_by} {at}"),
        }
    }
}

/// A text that is none.
#[derive(Debug)]
pub(super) struct NotTaken;

impl FromStr for Taken {
    type Err = NotTaken;

    fn from_str(text: &str) -> Result<Self, NotTaken> {
        let words: Vec<&str> = text.split(' ').collect();
        let [id, principal_id, role, domain_id, assigned_by, at] = words[..] else { return Err(NotTaken) };
        let role = match domain_id {
            PLATFORM => Role::Platform(word(role)?),
            domain_id => Role::Domain(word(domain_id)?, word(role)?),
        };
        Ok(Self(RoleAssignment {
            id: word(id)?,
            principal_id: word(principal_id)?,
            role,
            assigned_by: word(assigned_by)?,
            assigned_at: Timestamp(word(at)?),
        }))
    }
}

fn word<T: FromStr>(word: &str) -> Result<T, NotTaken> {
    word.parse().map_err(|_| NotTaken)
}
