//! What can be asked of the gate, and which checks bind it: the table in `docs/design.md`, "The gate".

use crate::closed_set;

closed_set! {
    /// An action on a table.
    Action {
        /// Read the served snapshot.
        Read = "read",
        /// Read the head as it is, in order to fix it.
        Repair = "repair",
        /// Write to the table, and read its head.
        Write = "write",
        /// Inspect a snapshot: for the server's inspector only.
        Inspect = "inspect",
    }
}

closed_set! {
    /// The checks, in the order in which a decision lists them.
    Check {
        /// The principal is known and enabled.
        Identity = "identity",
        /// The principal may know that the product exists.
        Visibility = "visibility",
        /// The policies allow the action.
        Policy = "policy",
        /// The contract version is in force.
        Contract = "contract",
        /// A grant covers port, major, purpose and moment.
        Grant = "grant",
        /// The served snapshot has the contract's columns.
        Conformance = "conformance",
        /// The served snapshot's verdict is good.
        Quality = "quality",
        /// The credentials reach this table alone, for a bounded time.
        Scope = "scope",
    }
}

/// Whether a check binds an action.
pub fn binds(action: Action, check: Check) -> bool {
    use Check::{Conformance, Contract, Grant, Identity, Policy, Quality, Scope, Visibility};
    match action {
        Action::Read => true,
        Action::Repair => match check {
            Identity | Visibility | Policy | Scope => true,
            Contract | Grant | Conformance | Quality => false,
        },
        Action::Write => match check {
            Identity | Visibility | Policy | Scope | Contract => true,
            Grant | Conformance | Quality => false,
        },
        Action::Inspect => match check {
            Policy | Scope => true,
            Identity | Visibility | Contract | Grant | Conformance | Quality => false,
        },
    }
}
