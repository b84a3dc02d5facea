//! Decisions, stored for later reading. A stored decision gives no access.

use domain::audit::{Key, Record};
use domain::clock::Timestamp;
use domain::gate::{Action, Explained};
use domain::id::{BindingId, DecisionId, PrincipalId, SnapshotId};
use domain::lease::Lease;

use crate::audit;
use crate::db::Tx;
use crate::error::Error;
use crate::insertion::Insertion;
use crate::json;
use crate::lease;
use crate::page::{Page, Seek};
use crate::row::{Text, entity_row, find, insert_together, insertion, list_in};
use crate::scope::{ListScope, in_reach_by_binding, page_in_scope};

entity_row! {
    DecisionRow from "decisions" {
        id: Text<DecisionId>,
        principal_id: Text<PrincipalId>,
        action: Text<Action>,
        binding_id: Text<BindingId>,
        at: i64,
        allowed: bool,
        lines: String,
        served: Option<Text<SnapshotId>>,
        retry_at: Option<i64>,
    }
}

impl TryFrom<DecisionRow> for Explained {
    type Error = Error;

    fn try_from(row: DecisionRow) -> Result<Self, Error> {
        let id = row.id.0;
        Ok(Self {
            id,
            principal_id: row.principal_id.0,
            action: row.action.0,
            binding_id: row.binding_id.0,
            at: Timestamp(row.at),
            allowed: row.allowed,
            lines: json::lines_from_text(&row.lines)
                .map_err(|problem| Error::inconsistent("decisions", id, problem))?,
            served: row.served.map(|id| id.0),
            retry_at: row.retry_at.map(Timestamp),
        })
    }
}

/// Stores the outcome of a question to the gate: the decision, the lease that it allowed, if any, and the audit record,
/// in one round trip.
///
/// # Errors
/// As [`lease::insert`].
pub async fn insert_outcome(
    tx: &mut Tx,
    decision: &Explained,
    lease: Option<&Lease>,
    record: &Record,
    key: &Key,
) -> Result<(), Error> {
    if lease.is_some() {
        tx.require_facts_shared()?;
    }
    let lease = lease.map(lease::insertion);
    insert_together(
        tx,
        [Some(insertion(decision)), lease, Some(audit::insertion(record, key))].into_iter().flatten().collect(),
    )
    .await
}

/// Stores a decision alone, for tests: a program stores it with its record ([`insert_outcome`]).
pub async fn insert_decision(tx: &mut Tx, decision: &Explained) -> Result<(), Error> {
    insert_together(tx, vec![insertion(decision)]).await
}

fn insertion(decision: &Explained) -> Insertion {
    insertion!("decisions" {
        id: Text(decision.id),
        principal_id: Text(decision.principal_id),
        action: Text(decision.action),
        binding_id: Text(decision.binding_id),
        at: decision.at.0,
        allowed: decision.allowed,
        lines: Text(json::lines_to_text(&decision.lines)),
        served: decision.served.map(Text),
        retry_at: decision.retry_at.map(|at| at.0),
    })
}

/// A decision by its id.
pub async fn find_decision(tx: &mut Tx, id: DecisionId) -> Result<Option<Explained>, Error> {
    find!(tx, DecisionRow, "WHERE id = $1", Text(id))
}

/// The decisions of these ids that exist.
pub async fn list_decisions_by_ids(tx: &mut Tx, ids: &[DecisionId]) -> Result<Vec<Explained>, Error> {
    list_in!(tx, DecisionRow, "WHERE id IN ({list})", ids)
}

/// Decisions, the newest first.
pub async fn list_decisions(
    tx: &mut Tx,
    scope: ListScope,
    seek: &Seek<(Timestamp, DecisionId)>,
) -> Result<Page<Explained>, Error> {
    page_in_scope!(tx, scope, seek, DecisionRow by "at", "principal_id", in_reach_by_binding!())
}
