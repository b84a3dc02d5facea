//! Tables and their snapshots.

use domain::clock::Timestamp;
use domain::id::{SnapshotId, TableId};
use domain::table::{Format, Inspected, Location, Snapshot, SnapshotKey, SnapshotState, Table};

use crate::db::Tx;
use crate::dialect::Constraint;
use crate::error::Error;
use crate::json;
use crate::page::{Page, Seek};
use crate::row::{Text, affected, entity_row, find, insert, integer, list, list_in, natural, on_both, page, row};

entity_row! {
    TableRow from "tables" {
        id: Text<TableId>,
        format: Text<Format>,
        location: Text<Location>,
        revision: i64,
        head_id: Option<Text<SnapshotId>>,
        shared: bool,
        created_at: i64,
    }
}

impl TryFrom<TableRow> for Table {
    type Error = Error;

    fn try_from(row: TableRow) -> Result<Self, Error> {
        Ok(Self {
            id: row.id.0,
            format: row.format.0,
            location: row.location.0,
            revision: row.revision,
            head: row.head_id.map(|id| id.0),
            shared: row.shared,
            created_at: Timestamp(row.created_at),
        })
    }
}

/// Registers a table without snapshots.
///
/// # Errors
/// [`Constraint::TableLocation`] if another table is there, above or below; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, table: &Table) -> Result<(), Error> {
    tx.require_facts()?;
    if find_overlapping(tx, &table.location, None).await?.is_some() {
        return Err(Error::Violated(Constraint::TableLocation));
    }
    insert!(
        tx,
        TableRow {
            id: Text(table.id),
            format: Text(table.format),
            location: Text(&table.location),
            revision: table.revision,
            head_id: table.head.map(Text),
            shared: table.shared,
            created_at: table.created_at.0,
        }
    )?;
    Ok(())
}

/// Deletes a table without bindings, with its snapshots, so that its location can be registered again. False if it has
/// bindings.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn delete_unbound(tx: &mut Tx, id: TableId) -> Result<bool, Error> {
    tx.require_facts()?;
    if !crate::binding::list_of_table(tx, id).await?.is_empty() {
        return Ok(false);
    }
    affected!(tx, "DELETE FROM snapshots WHERE table_id = $1", Text(id))?;
    affected!(tx, "DELETE FROM table_shares WHERE table_id = $1", Text(id))?;
    let n_rows = affected!(tx, "DELETE FROM tables WHERE id = $1", Text(id))?;
    Ok(n_rows == 1)
}

/// A table at the location, above it or below it; `except` one. The gate checks this again at every vend.
pub async fn find_overlapping(
    tx: &mut Tx,
    location: &Location,
    except: Option<TableId>,
) -> Result<Option<Table>, Error> {
    let found = list_overlapping(tx, location).await?;
    Ok(found.into_iter().find(|table| Some(table.id) != except))
}

/// How many tables below a location are listed.
const MAX_BELOW: i64 = 100;

/// The tables at the location and above it, and the first of those below it.
pub async fn list_overlapping(tx: &mut Tx, location: &Location) -> Result<Vec<Table>, Error> {
    let at_or_above: Vec<Location> = location.ancestors().collect();
    let at_or_above: Vec<&Location> = at_or_above.iter().collect();
    let mut found: Vec<Table> = list_in!(tx, TableRow, "WHERE location IN ({list})", at_or_above)?;
    // Everything that begins with the location and `/`; `0` is the character after `/`.
    let below: Vec<Table> = list!(
        tx,
        TableRow,
        "WHERE location > $1 AND location < $2 ORDER BY location LIMIT $3",
        format!("{location}/"),
        format!("{location}0"),
        MAX_BELOW
    )?;
    found.extend(below);
    Ok(found)
}

/// A table by its id.
pub async fn find(tx: &mut Tx, id: TableId) -> Result<Option<Table>, Error> {
    find!(tx, TableRow, "WHERE id = $1", Text(id))
}

/// A table by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: TableId) -> Result<Table, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("table"))
}

/// The table at exactly this location.
pub async fn find_by_location(tx: &mut Tx, location: &Location) -> Result<Option<Table>, Error> {
    find!(tx, TableRow, "WHERE location = $1", Text(location))
}

/// The tables of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[TableId]) -> Result<Vec<Table>, Error> {
    list_in!(tx, TableRow, "WHERE id IN ({list})", ids)
}

/// Tables in the order of their ids, as the poll for new heads goes through them.
pub async fn list(tx: &mut Tx, seek: &Seek<TableId>) -> Result<Page<Table>, Error> {
    // Every id is greater than the empty text.
    let after = seek.after.map_or(String::new(), |id| id.to_string());
    page!(tx, seek, TableRow, "WHERE id > $1 ORDER BY id LIMIT $2", after.as_str())
}

/// Increases a table's revision: its head, served snapshot or verdicts changed.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn bump(tx: &mut Tx, id: TableId) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = affected!(tx, "UPDATE tables SET revision = revision + 1 WHERE id = $1", Text(id))?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("table")) }
}

entity_row! {
    SnapshotRow from "snapshots" {
        id: Text<SnapshotId>,
        table_id: Text<TableId>,
        key: Text<SnapshotKey>,
        ordinal: i64,
        noticed_at: i64,
        state: Text<SnapshotState>,
        error: Option<String>,
        inspected_at: Option<i64>,
        committed_at: Option<i64>,
        n_rows: Option<i64>,
        n_files: Option<i64>,
        physical_schema: Option<String>,
        file_list: Option<String>,
        checkpoint: Option<String>,
        reads: Option<String>,
    }
}

impl TryFrom<SnapshotRow> for Snapshot {
    type Error = Error;

    fn try_from(row: SnapshotRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: &str| Error::inconsistent("snapshots", id, problem);
        let found = match (row.inspected_at, row.committed_at, row.n_rows, row.n_files, row.physical_schema) {
            (Some(inspected_at), Some(committed_at), Some(n_rows), Some(n_files), Some(schema)) => Some(Inspected {
                inspected_at: Timestamp(inspected_at),
                committed_at: Timestamp(committed_at),
                n_rows: natural(n_rows).map_err(misfit)?,
                n_files: natural(n_files).map_err(misfit)?,
                schema: json::schema_from_text(&schema).map_err(|problem| misfit(&problem))?,
                file_list: row.file_list,
                checkpoint: row.checkpoint,
                read: row.reads.map(|text| json::read_from_text(&text)).transpose().map_err(|why| misfit(&why))?,
            }),
            (None, None, None, None, None) if row.file_list.is_none() => None,
            _ => return Err(misfit("half of an inspection")),
        };
        // A later inspection may have failed; the result of an earlier one stays for its leases.
        if row.state.0 == SnapshotState::Inspected && found.is_none() {
            return Err(misfit("the state and the inspection do not fit"));
        }
        Ok(Self {
            id,
            table_id: row.table_id.0,
            key: row.key.0,
            ordinal: row.ordinal,
            noticed_at: Timestamp(row.noticed_at),
            state: row.state.0,
            found,
            error: row.error,
        })
    }
}

row! { OrdinalRow from "snapshots" { ordinal: i64, } }

/// Adds a new head as pending, after all other snapshots, and returns it. Snapshots that were pending are skipped. The
/// table's revision increases.
///
/// # Errors
/// [`Constraint::SnapshotKey`] if the table has it already; [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn notice(
    tx: &mut Tx,
    id: SnapshotId,
    table_id: TableId,
    key: SnapshotKey,
    at: Timestamp,
) -> Result<Snapshot, Error> {
    tx.require_facts()?;
    let last = on_both!(tx, |c| sqlx::query_as::<_, OrdinalRow>(
        "SELECT ordinal FROM snapshots WHERE table_id = $1 ORDER BY ordinal DESC LIMIT 1"
    )
    .bind(Text(table_id))
    .fetch_optional(c))?;
    let ordinal = last.map_or(0, |row| row.ordinal) + 1;
    affected!(tx, "UPDATE snapshots SET state = 'skipped' WHERE table_id = $1 AND state = 'pending'", Text(table_id))?;
    insert!(
        tx,
        SnapshotRow {
            id: Text(id),
            table_id: Text(table_id),
            key: Text(&key),
            ordinal: ordinal,
            noticed_at: at.0,
            state: Text(SnapshotState::Pending),
            ..
        }
    )?;
    set_head(tx, table_id, id).await?;
    let state = SnapshotState::Pending;
    Ok(Snapshot { id, table_id, key, ordinal, noticed_at: at, state, found: None, error: None })
}

/// Makes an existing snapshot the head again, as when a Parquet folder returns to an earlier set of files. Older ones may
/// be needed again, and one whose files were collected waits for another inspection. The table's revision increases.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn return_to(tx: &mut Tx, table_id: TableId, head: SnapshotId) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "UPDATE snapshots SET unneeded_since = NULL WHERE table_id = $1 AND unneeded_since IS NOT NULL",
        Text(table_id)
    )?;
    affected!(
        tx,
        "UPDATE snapshots SET state = 'pending' WHERE id = $1 AND state = 'inspected' AND file_list IS NULL",
        Text(head)
    )?;
    set_head(tx, table_id, head).await
}

async fn set_head(tx: &mut Tx, table_id: TableId, head: SnapshotId) -> Result<(), Error> {
    let n_rows = affected!(
        tx,
        "UPDATE tables SET head_id = $1, revision = revision + 1 WHERE id = $2",
        Text(head),
        Text(table_id)
    )?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("table")) }
}

/// Stores the result of an inspection, or its error. A result replaces that of an earlier inspection; an error leaves
/// it, since leases may be served from its file list. The caller must call [`bump`] after it has stored the verdicts.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn set_inspected(tx: &mut Tx, id: SnapshotId, outcome: Result<&Inspected, &str>) -> Result<(), Error> {
    tx.require_facts()?;
    let n_rows = match outcome {
        Ok(found) => affected!(
            tx,
            "UPDATE snapshots
             SET
                 state = 'inspected',
                 error = NULL,
                 inspected_at = $1,
                 committed_at = $2,
                 n_rows = $3,
                 n_files = $4,
                 physical_schema = $5,
                 file_list = $6,
                 checkpoint = $7,
                 reads = $8,
                 unneeded_since = NULL
             WHERE id = $9",
            found.inspected_at.0,
            found.committed_at.0,
            integer(found.n_rows),
            integer(found.n_files),
            json::schema_to_text(&found.schema),
            found.file_list.as_deref(),
            found.checkpoint.as_deref(),
            found.read.as_ref().map(json::read_to_text),
            Text(id)
        )?,
        Err(error) => affected!(tx, "UPDATE snapshots SET state = 'error', error = $1 WHERE id = $2", error, Text(id))?,
    };
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("snapshot")) }
}

/// Sets a snapshot whose inspection failed to pending again. Its verdicts stay until another inspection replaces them.
/// False if it is in another state.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn set_pending(tx: &mut Tx, id: SnapshotId) -> Result<bool, Error> {
    tx.require_facts()?;
    let n_rows = affected!(
        tx,
        "UPDATE snapshots SET state = 'pending', error = NULL WHERE id = $1 AND state = 'error'",
        Text(id)
    )?;
    Ok(n_rows == 1)
}

/// A snapshot by its id.
pub async fn find_snapshot(tx: &mut Tx, id: SnapshotId) -> Result<Option<Snapshot>, Error> {
    find!(tx, SnapshotRow, "WHERE id = $1", Text(id))
}

/// A snapshot by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get_snapshot(tx: &mut Tx, id: SnapshotId) -> Result<Snapshot, Error> {
    find_snapshot(tx, id).await?.ok_or(Error::NotFound("snapshot"))
}

/// A table's snapshot by its key.
pub async fn find_snapshot_by_key(
    tx: &mut Tx,
    table_id: TableId,
    key: &SnapshotKey,
) -> Result<Option<Snapshot>, Error> {
    find!(tx, SnapshotRow, "WHERE table_id = $1 AND key = $2", Text(table_id), Text(key))
}

/// The snapshots of these ids that exist.
pub async fn list_snapshots_by_ids(tx: &mut Tx, ids: &[SnapshotId]) -> Result<Vec<Snapshot>, Error> {
    list_in!(tx, SnapshotRow, "WHERE id IN ({list})", ids)
}

/// A table's snapshots, the newest first. The key of the seek is the ordinal.
pub async fn list_snapshots(tx: &mut Tx, table_id: TableId, seek: &Seek<i64>) -> Result<Page<Snapshot>, Error> {
    page!(
        tx,
        seek,
        SnapshotRow,
        "WHERE table_id = $1 AND ordinal < $2 ORDER BY ordinal DESC LIMIT $3",
        Text(table_id),
        seek.after.unwrap_or(i64::MAX)
    )
}
