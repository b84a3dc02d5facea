//! Who read which column of a table on which day, and since when that is known.

use domain::clock::Timestamp;
use domain::column_reads::{Extent, ReadColumn, Reading, Recording, day_of};
use domain::id::{BindingId, PrincipalId, TableId};

use crate::db::Tx;
use crate::error::Error;
use crate::row::{Text, affected, on_both, row, rows_in};

row! {
    ReadingRow from "column_reads" {
        binding_id: Text<BindingId>,
        principal_id: Text<PrincipalId>,
        everything: bool,
        column_name: String,
        n_leases: i64,
        last_at: i64,
    }
}
row! {
    ReadRow from "column_reads" {
        table_id: Text<TableId>,
        principal_id: Text<PrincipalId>,
        everything: bool,
        column_name: String,
        n_leases: i64,
        last_at: i64,
    }
}
row! { BeganRow from "column_read_runs" { began_at: Option<i64>, } }
row! { LossRow from "column_read_losses" { at: i64, } }

fn column(everything: bool, name: String) -> ReadColumn {
    if everything { ReadColumn::Everything } else { ReadColumn::Named(name) }
}

fn name_of(column: &ReadColumn) -> (bool, &str) {
    match column {
        ReadColumn::Everything => (true, ""),
        ReadColumn::Named(name) => (false, name),
    }
}

fn extent(n_leases: i64, last_at: i64) -> Extent {
    Extent { n_leases: u64::try_from(n_leases).unwrap_or(0), last_at: Timestamp(last_at) }
}

/// Adds what was read on a day to what is known of it.
pub async fn add(tx: &mut Tx, day: i64, reading: &Reading, extent: Extent) -> Result<(), Error> {
    let (everything, name) = name_of(&reading.column);
    affected!(
        tx,
        "INSERT INTO column_reads
             (table_id, day, principal_id, binding_id, everything, column_name, n_leases, last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (table_id, day, principal_id, binding_id, everything, column_name) DO UPDATE
         SET n_leases = column_reads.n_leases + excluded.n_leases,
             last_at = CASE
                 WHEN excluded.last_at > column_reads.last_at THEN excluded.last_at
                 ELSE column_reads.last_at
             END",
        Text(reading.table_id),
        day,
        Text(reading.principal_id),
        Text(reading.binding_id),
        everything,
        name,
        i64::try_from(extent.n_leases).unwrap_or(i64::MAX),
        extent.last_at.0
    )?;
    Ok(())
}

/// Who read what of a table since a day, the last first; at most `limit`.
pub async fn list_of_table(
    tx: &mut Tx,
    table_id: TableId,
    since: i64,
    limit: usize,
) -> Result<Vec<(Reading, Extent)>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, ReadingRow>(
        "SELECT
             binding_id,
             principal_id,
             everything,
             column_name,
             CAST(SUM(n_leases) AS BIGINT) AS n_leases,
             MAX(last_at) AS last_at
         FROM column_reads
         WHERE table_id = $1 AND day >= $2
         GROUP BY binding_id, principal_id, everything, column_name
         ORDER BY MAX(last_at) DESC, binding_id, principal_id, everything, column_name
         LIMIT $3"
    )
    .bind(Text(table_id))
    .bind(since)
    .bind(i64::try_from(limit).unwrap_or(i64::MAX))
    .fetch_all(c))?;
    let readings = rows.into_iter().map(|row| {
        let column = column(row.everything, row.column_name);
        let (binding_id, principal_id) = (row.binding_id.0, row.principal_id.0);
        (Reading { table_id, binding_id, principal_id, column }, extent(row.n_leases, row.last_at))
    });
    Ok(readings.collect())
}

/// The most reads of tables that are told.
pub const MAX_TABLE_READS: usize = 100_000;

/// What a principal read of a table, through whichever binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRead {
    /// The table.
    pub table_id: TableId,
    /// Who read it.
    pub principal_id: PrincipalId,
    /// What was read.
    pub column: ReadColumn,
    /// How often and when.
    pub extent: Extent,
}

/// What was read of these tables since a day, in order; more than [`MAX_TABLE_READS`] are not all of them.
pub async fn list_of_tables(tx: &mut Tx, table_ids: &[TableId], since: i64) -> Result<Vec<TableRead>, Error> {
    let rows = rows_in!(
        tx,
        ReadRow,
        "SELECT
             table_id,
             principal_id,
             everything,
             column_name,
             CAST(SUM(n_leases) AS BIGINT) AS n_leases,
             MAX(last_at) AS last_at
         FROM column_reads
         WHERE day >= $1 AND table_id IN ({list})
         GROUP BY table_id, principal_id, everything, column_name
         ORDER BY table_id, principal_id, everything, column_name
         LIMIT 100001",
        table_ids,
        since
    );
    let reads = rows.into_iter().map(|row| TableRead {
        table_id: row.table_id.0,
        principal_id: row.principal_id.0,
        column: column(row.everything, row.column_name),
        extent: extent(row.n_leases, row.last_at),
    });
    Ok(reads.collect())
}

/// Begins a run of the recording. One before it that has no end was cut off, and what it had not written is lost.
pub async fn begin(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    let n_cut_off = affected!(tx, "UPDATE column_read_runs SET ended_at = $1 WHERE ended_at IS NULL", now.0)?;
    if n_cut_off > 0 {
        insert_loss(tx, now).await?;
    }
    affected!(tx, "INSERT INTO column_read_runs (began_at) VALUES ($1) ON CONFLICT (began_at) DO NOTHING", now.0)?;
    Ok(())
}

/// Ends the run that began at a time: all that it recorded is written.
pub async fn end(tx: &mut Tx, began_at: Timestamp, now: Timestamp) -> Result<(), Error> {
    affected!(tx, "UPDATE column_read_runs SET ended_at = $1 WHERE began_at = $2", now.0, began_at.0)?;
    Ok(())
}

/// Notes that reads were lost.
pub async fn insert_loss(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    affected!(tx, "INSERT INTO column_read_losses (at) VALUES ($1) ON CONFLICT (at) DO NOTHING", at.0)?;
    Ok(())
}

/// The most losses that are named.
const MAX_LOSSES: i64 = 100;

/// What is known of the recording from a time on, the last losses first.
pub async fn recording(tx: &mut Tx, from: Timestamp) -> Result<Recording, Error> {
    let began =
        on_both!(tx, |c| sqlx::query_as::<_, BeganRow>("SELECT MIN(began_at) AS began_at FROM column_read_runs")
            .fetch_one(c))?;
    let losses = on_both!(tx, |c| sqlx::query_as::<_, LossRow>(
        "SELECT at FROM column_read_losses WHERE at >= $1 ORDER BY at DESC LIMIT $2"
    )
    .bind(from.0)
    .bind(MAX_LOSSES)
    .fetch_all(c))?;
    Ok(Recording {
        since: began.began_at.map(|at| Timestamp(at).max(from)),
        losses: losses.into_iter().map(|row| Timestamp(row.at)).collect(),
    })
}

/// Deletes what is about times before one.
pub async fn delete_before(tx: &mut Tx, at: Timestamp) -> Result<(), Error> {
    affected!(tx, "DELETE FROM column_reads WHERE day < $1", day_of(at))?;
    affected!(tx, "DELETE FROM column_read_losses WHERE at < $1", at.0)?;
    affected!(tx, "DELETE FROM column_read_runs WHERE ended_at < $1", at.0)?;
    Ok(())
}
