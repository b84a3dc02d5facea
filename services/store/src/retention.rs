//! Which snapshots have stored files, and what still refers to a stored file. The rule is [`domain::retention`].

use std::collections::HashSet;

use domain::clock::Timestamp;
use domain::id::{BindingId, SnapshotId, TableId};
use domain::quality::Verdict;
use domain::retention::{Judgement, Kept, Plan};

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row, rows_in};

/// A kind of stored file, each under its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredFile {
    /// A file list.
    List,
    /// Our own checkpoint.
    Checkpoint,
    /// Where the columns lie in the files of a list. It is stored under the digest of the list, and goes with it.
    Chunks,
}

row! { KeptRow from "snapshots" { id: Text<SnapshotId>, ordinal: i64, unneeded_since: Option<i64>, } }
row! {
    JudgementRow from "verdicts" {
        snapshot_id: Text<SnapshotId>,
        binding_id: Text<BindingId>,
        rule_hash: String,
        verdict: Text<Verdict>,
        conforms: bool,
    }
}
row! { DigestRow from "snapshots" { digest: String, } }
row! { ListRow from "snapshots" { id: Text<SnapshotId>, digest: String, } }
row! { LeasedRow from "leases" { snapshot_id: Text<SnapshotId>, } }

/// The snapshots of a table that have files, with their verdicts.
pub async fn list_kept(tx: &mut Tx, table_id: TableId) -> Result<Vec<Kept>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, KeptRow>(
        "SELECT id, ordinal, unneeded_since FROM snapshots
         WHERE table_id = $1 AND file_list IS NOT NULL ORDER BY ordinal"
    )
    .bind(Text(table_id))
    .fetch_all(c))?;
    if rows.len() < 2 {
        // A single one is needed whatever its verdicts.
        return Ok(rows.into_iter().map(|row| kept(row, Vec::new())).collect());
    }
    let judgements = on_both!(tx, |c| sqlx::query_as::<_, JudgementRow>(
        "SELECT verdicts.snapshot_id, verdicts.binding_id, verdicts.rule_hash, verdicts.verdict, verdicts.conforms
         FROM snapshots
         JOIN bindings ON bindings.table_id = snapshots.table_id
         JOIN verdicts ON verdicts.binding_id = bindings.id AND verdicts.snapshot_id = snapshots.id
         WHERE snapshots.table_id = $1 AND snapshots.file_list IS NOT NULL
         ORDER BY verdicts.id"
    )
    .bind(Text(table_id))
    .fetch_all(c))?;
    let mut of_snapshots = std::collections::HashMap::<SnapshotId, Vec<Judgement>>::new();
    for JudgementRow { snapshot_id, binding_id, rule_hash, verdict, conforms } in judgements {
        let judgement = Judgement { binding_id: binding_id.0, rule_hash, verdict: verdict.0, conforms };
        of_snapshots.entry(snapshot_id.0).or_default().push(judgement);
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let judgements = of_snapshots.remove(&row.id.0).unwrap_or_default();
            kept(row, judgements)
        })
        .collect())
}

fn kept(row: KeptRow, judgements: Vec<Judgement>) -> Kept {
    Kept { id: row.id.0, ordinal: row.ordinal, unneeded_since: row.unneeded_since.map(Timestamp), judgements }
}

/// Carries a plan out: a collected snapshot names no files any more. The caller must call [`crate::table::bump`].
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn carry_out(tx: &mut Tx, plan: &Plan, now: Timestamp) -> Result<(), Error> {
    tx.require_facts()?;
    for id in &plan.unneeded {
        affected!(tx, "UPDATE snapshots SET unneeded_since = $1 WHERE id = $2", now.0, Text(*id))?;
    }
    for id in &plan.needed {
        affected!(tx, "UPDATE snapshots SET unneeded_since = NULL WHERE id = $1", Text(*id))?;
    }
    for id in &plan.collect {
        affected!(
            tx,
            "UPDATE snapshots SET file_list = NULL, checkpoint = NULL, unneeded_since = NULL WHERE id = $1",
            Text(*id)
        )?;
    }
    Ok(())
}

/// The snapshots of leases that were issued at or after a time and are open now.
pub async fn list_leased(tx: &mut Tx, issued_from: Timestamp, now: Timestamp) -> Result<HashSet<SnapshotId>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, LeasedRow>(
        "SELECT DISTINCT snapshot_id FROM leases
         WHERE issued_at >= $1 AND expires_at > $2 AND state IN ('intended', 'issued') AND snapshot_id IS NOT NULL"
    )
    .bind(issued_from.0)
    .bind(now.0)
    .fetch_all(c))?;
    Ok(rows.into_iter().map(|row| row.snapshot_id.0).collect())
}

/// Those of these digests that a snapshot names.
pub async fn list_named(tx: &mut Tx, kind: StoredFile, digests: &[&str]) -> Result<HashSet<String>, Error> {
    let rows = match kind {
        StoredFile::List | StoredFile::Chunks => {
            rows_in!(tx, DigestRow, "SELECT file_list AS digest FROM snapshots WHERE file_list IN ({list})", digests)
        }
        StoredFile::Checkpoint => {
            rows_in!(tx, DigestRow, "SELECT checkpoint AS digest FROM snapshots WHERE checkpoint IN ({list})", digests)
        }
    };
    Ok(rows.into_iter().map(|row| row.digest).collect())
}

/// How many snapshots [`list_without_checkpoint`] gives at most.
const MAX_WITHOUT: i64 = 100;

/// Snapshots of Delta tables, and their file lists, that were inspected before checkpoints were named beside lists.
pub async fn list_without_checkpoint(tx: &mut Tx) -> Result<Vec<(SnapshotId, String)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, ListRow>(
        "SELECT id, file_list AS digest FROM snapshots
         WHERE file_list IS NOT NULL AND checkpoint IS NULL AND key > $1 AND key < $2 ORDER BY id LIMIT $3"
    )
    .bind("delta:")
    // The character after `:`.
    .bind("delta;")
    .bind(MAX_WITHOUT)
    .fetch_all(c))?;
    Ok(rows.into_iter().map(|row| (row.id.0, row.digest)).collect())
}

/// Names the checkpoint of a file list; an empty name where the list names none.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn set_checkpoint(tx: &mut Tx, id: SnapshotId, file_list: &str, checkpoint: &str) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "UPDATE snapshots SET checkpoint = $1 WHERE id = $2 AND file_list = $3 AND checkpoint IS NULL",
        checkpoint,
        Text(id),
        file_list
    )?;
    Ok(())
}
