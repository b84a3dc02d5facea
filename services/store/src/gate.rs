//! Decisions, kept for later reading. Nothing can be opened with one.

use domain::clock::Timestamp;
use domain::gate::{Action, Explained};
use domain::id::{BindingId, DecisionId, PrincipalId, SnapshotId};

use crate::db::Tx;
use crate::error::Error;
use crate::json;
use crate::page::{Page, Seek, all};
use crate::row::{Text, affected, list_in, on_both, page_by_time, row};
use crate::whose::{Whose, in_reach_by_binding};

row! {
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

macro_rules! select_decisions {
    ($rest:expr) => {
        concat!(
            "SELECT
                 id,
                 principal_id,
                 action,
                 binding_id,
                 at,
                 allowed,
                 lines,
                 served,
                 retry_at
             FROM decisions ",
            $rest
        )
    };
}

/// Keeps a decision.
///
/// # Errors
/// Those of any query.
pub async fn insert_decision(tx: &mut Tx, decision: &Explained) -> Result<(), Error> {
    affected!(
        tx,
        sqlx::query(
            "INSERT INTO decisions (id, principal_id, action, binding_id, at, allowed, lines, served, retry_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
        )
        .bind(Text(decision.id))
        .bind(Text(decision.principal_id))
        .bind(Text(decision.action))
        .bind(Text(decision.binding_id))
        .bind(decision.at.0)
        .bind(decision.allowed)
        .bind(json::lines_to_text(&decision.lines))
        .bind(decision.served.map(Text))
        .bind(decision.retry_at.map(|at| at.0))
    )?;
    Ok(())
}

/// A decision by its id.
///
/// # Errors
/// Those of any query.
pub async fn find_decision(tx: &mut Tx, id: DecisionId) -> Result<Option<Explained>, Error> {
    let row = on_both!(tx, |c| sqlx::query_as::<_, DecisionRow>(select_decisions!("WHERE id = $1"))
        .bind(Text(id))
        .fetch_optional(c))?;
    row.map(Explained::try_from).transpose()
}

/// The decisions of these ids that exist.
///
/// # Errors
/// Those of any query.
pub async fn list_decisions_by_ids(tx: &mut Tx, ids: &[DecisionId]) -> Result<Vec<Explained>, Error> {
    all(list_in!(tx, DecisionRow, select_decisions!("WHERE id IN ({list})"), ids))
}

/// Decisions, the newest first.
///
/// # Errors
/// Those of any query.
pub async fn list_decisions(
    tx: &mut Tx,
    whose: Whose,
    seek: &Seek<(Timestamp, DecisionId)>,
) -> Result<Page<Explained>, Error> {
    macro_rules! page {
        ($whose:expr, $principal:expr) => {
            page_by_time!(
                tx,
                seek,
                DecisionRow,
                select_decisions!(concat!(
                    "WHERE (at, id) < ($1, $2) AND ",
                    $whose,
                    " ORDER BY at DESC, id DESC LIMIT $4"
                )),
                $principal
            )
        };
    }
    match whose {
        Whose::Everybodys => page!("$3 = ''", ""),
        Whose::Of(principal) => page!("principal_id = $3", Text(principal)),
        Whose::InReachOf(principal) => page!(in_reach_by_binding!(), Text(principal)),
    }
}
