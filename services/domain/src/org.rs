//! Domains: the organisational units that own data products.

use crate::clock::Timestamp;
use crate::closed_set;
use crate::id::DomainId;
use crate::name::DomainPath;

closed_set! {
    /// How far a domain's contracts bind its readers (`docs/design.md`, "The gate"). Identity, visibility, policy,
    /// contract, grant and scope bind in all three.
    Enforcement {
        /// Conformance and quality are not judged.
        Off = "off",
        /// They are judged and recorded, and do not refuse access.
        Report = "report",
        /// They bind.
        On = "on",
    }
}

/// A domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its id.
    pub id: DomainId,
    /// Its path; unique.
    pub path: DomainPath,
    /// Its enforcement until `switch_at`.
    pub enforcement: Enforcement,
    /// The day from which enforcement is `on`, whatever it was before.
    pub switch_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Domain {
    /// The enforcement in force at a moment; no timer has to fire for the switch.
    pub fn enforcement_at(&self, now: Timestamp) -> Enforcement {
        match self.switch_at {
            Some(switch_at) if switch_at <= now => Enforcement::On,
            _ => self.enforcement,
        }
    }
}
