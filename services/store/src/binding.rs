//! Bindings of schema objects to tables and to topics, and the verdicts that inspections gave on tables.

use domain::binding::{Binding, BindingVerdict, TopicBinding};
use domain::clock::Timestamp;
use domain::id::{BindingId, ContractId, ProductId, SnapshotId, TableId, VerdictId};
use domain::name::Name;
use domain::quality::Verdict;
use domain::registry::Subject;
use domain::table::Location;

use crate::db::Tx;
use crate::error::Error;
use crate::json;
use crate::page::Readable;
use crate::row::{
    Perhaps, Text, affected, entity_row, find, insert, integer, list, list_in, natural, on_both, row, rows_in,
};

/// Declares the row of a table of bindings and its conversion. The two tables differ only in what an object is bound
/// to.
macro_rules! binding_row {
    ($row:ident from $table:literal -> $model:ident { $to:ident: $kind:ty }) => {
        entity_row! {
            $row from $table {
                id: Text<BindingId>,
                contract_id: Text<ContractId>,
                major: i64,
                object: Text<Name>,
                environment: String,
                $to: Text<$kind>,
            }
        }

        impl TryFrom<$row> for $model {
            type Error = Error;

            fn try_from(row: $row) -> Result<Self, Error> {
                let id = row.id.0;
                Ok(Self {
                    id,
                    contract_id: row.contract_id.0,
                    major: natural(row.major).map_err(|problem| Error::inconsistent($table, id, problem))?,
                    object: row.object.0,
                    environment: row.environment,
                    $to: row.$to.0,
                })
            }
        }
    };
}

binding_row! { BindingRow from "bindings" -> Binding { table_id: TableId } }
binding_row! { TopicRow from "topic_bindings" -> TopicBinding { subject: Subject } }

/// Adds a binding.
///
/// # Errors
/// [`crate::Constraint::BindingObject`] if the object is bound in the environment; [`Error::LockNeeded`].
pub async fn insert(tx: &mut Tx, binding: &Binding) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        BindingRow {
            id: Text(binding.id),
            contract_id: Text(binding.contract_id),
            major: integer(binding.major),
            object: binding.object.as_str(),
            environment: binding.environment.as_str(),
            table_id: Text(binding.table_id),
        }
    )?;
    Ok(())
}

/// Deletes a binding that was never used for reading, with its verdicts.
///
/// # Errors
/// [`Error::NotFound`], [`Error::LockNeeded`].
pub async fn unbind(tx: &mut Tx, id: BindingId) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(tx, "DELETE FROM verdicts WHERE binding_id = $1", Text(id))?;
    let n_rows = affected!(tx, "DELETE FROM bindings WHERE id = $1", Text(id))?;
    if n_rows == 1 { Ok(()) } else { Err(Error::NotFound("binding")) }
}

/// A binding by its id.
pub async fn find(tx: &mut Tx, id: BindingId) -> Result<Option<Binding>, Error> {
    find!(tx, BindingRow, "WHERE id = $1", Text(id))
}

/// A binding by its id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn get(tx: &mut Tx, id: BindingId) -> Result<Binding, Error> {
    find(tx, id).await?.ok_or(Error::NotFound("binding"))
}

/// The bindings of these ids that exist.
pub async fn list_by_ids(tx: &mut Tx, ids: &[BindingId]) -> Result<Vec<Binding>, Error> {
    list_in!(tx, BindingRow, "WHERE id IN ({list})", ids)
}

/// The bindings of a contract's major, ordered by object and environment.
pub async fn list_of_major(tx: &mut Tx, contract_id: ContractId, major: u64) -> Result<Vec<Binding>, Error> {
    list!(
        tx,
        BindingRow,
        "WHERE contract_id = $1 AND major = $2 ORDER BY object, environment, id",
        Text(contract_id),
        integer(major)
    )
}

/// The bindings of these contracts, every major of them.
pub async fn list_of_contracts(tx: &mut Tx, contract_ids: &[ContractId]) -> Result<Vec<Binding>, Error> {
    list_in!(tx, BindingRow, "WHERE contract_id IN ({list})", contract_ids)
}

/// The bindings to a table. Each has verdicts of its own.
pub async fn list_of_table(tx: &mut Tx, table_id: TableId) -> Result<Vec<Binding>, Error> {
    list!(tx, BindingRow, "WHERE table_id = $1 ORDER BY id", Text(table_id))
}

/// The bindings to these tables.
pub async fn list_of_tables(tx: &mut Tx, table_ids: &[TableId]) -> Result<Vec<Binding>, Error> {
    list_in!(tx, BindingRow, "WHERE table_id IN ({list}) ORDER BY table_id, id", table_ids)
}

/// Binds an object to a topic.
///
/// # Errors
/// [`crate::Constraint::TopicObject`]; [`Error::LockNeeded`].
pub async fn insert_topic(tx: &mut Tx, binding: &TopicBinding) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        TopicRow {
            id: Text(binding.id),
            contract_id: Text(binding.contract_id),
            major: integer(binding.major),
            object: binding.object.as_str(),
            environment: binding.environment.as_str(),
            subject: binding.subject.to_string(),
        }
    )?;
    Ok(())
}

/// Ends the bindings to a topic that other contracts have.
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn unbind_topic(tx: &mut Tx, subject: &Subject, except: ContractId) -> Result<(), Error> {
    tx.require_facts()?;
    affected!(
        tx,
        "DELETE FROM topic_bindings WHERE subject = $1 AND contract_id <> $2",
        subject.to_string(),
        Text(except)
    )?;
    Ok(())
}

/// The topics bound to a subject, the newest major first.
pub async fn list_topics_of_subject(tx: &mut Tx, subject: &Subject) -> Result<Vec<TopicBinding>, Error> {
    list!(tx, TopicRow, "WHERE subject = $1 ORDER BY major DESC, id", subject.to_string())
}

/// The topics bound to any of these subjects.
pub async fn list_topics_of_subjects(tx: &mut Tx, subjects: &[Subject]) -> Result<Vec<TopicBinding>, Error> {
    let subjects: Vec<String> = subjects.iter().map(ToString::to_string).collect();
    let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
    list_in!(tx, TopicRow, "WHERE subject IN ({list})", subjects)
}

/// The topics of contracts.
pub async fn list_topics_of_contracts(tx: &mut Tx, ids: &[ContractId]) -> Result<Vec<TopicBinding>, Error> {
    list_in!(tx, TopicRow, "WHERE contract_id IN ({list})", ids)
}

/// All topics.
pub async fn list_topics(tx: &mut Tx) -> Result<Vec<TopicBinding>, Error> {
    list!(tx, TopicRow, "ORDER BY subject, major")
}

entity_row! {
    VerdictRow from "verdicts" {
        id: Text<VerdictId>,
        snapshot_id: Text<SnapshotId>,
        binding_id: Text<BindingId>,
        rule_hash: String,
        verdict: Text<Verdict>,
        conforms: bool,
        conformance: String,
        results: String,
        engine: String,
        at: i64,
    }
}

impl TryFrom<VerdictRow> for BindingVerdict {
    type Error = Error;

    fn try_from(row: VerdictRow) -> Result<Self, Error> {
        let id = row.id.0;
        let misfit = |problem: String| Error::inconsistent("verdicts", id, problem);
        Ok(Self {
            id,
            snapshot_id: row.snapshot_id.0,
            binding_id: row.binding_id.0,
            rule_hash: row.rule_hash,
            verdict: row.verdict.0,
            conforms: row.conforms,
            conformance: json::strings_from_text(&row.conformance).map_err(misfit)?,
            results: json::results_from_text(&row.results).map_err(misfit)?,
            engine: row.engine,
            at: Timestamp(row.at),
        })
    }
}

/// Stores a verdict. It replaces one for the same snapshot, binding and rules, under the older one's id. The caller
/// must also call [`crate::table::bump`].
///
/// # Errors
/// [`Error::LockNeeded`].
pub async fn put_verdict(tx: &mut Tx, verdict: &BindingVerdict) -> Result<(), Error> {
    tx.require_facts()?;
    insert!(
        tx,
        VerdictRow {
            id: Text(verdict.id),
            snapshot_id: Text(verdict.snapshot_id),
            binding_id: Text(verdict.binding_id),
            rule_hash: verdict.rule_hash.as_str(),
            verdict: Text(verdict.verdict),
            conforms: verdict.conforms,
            conformance: json::strings_to_text(&verdict.conformance),
            results: json::results_to_text(&verdict.results),
            engine: verdict.engine.as_str(),
            at: verdict.at.0,
        },
        "ON CONFLICT (binding_id, snapshot_id, rule_hash) DO UPDATE SET
         verdict = excluded.verdict,
         conforms = excluded.conforms,
         conformance = excluded.conformance,
         results = excluded.results,
         engine = excluded.engine,
         at = excluded.at"
    )?;
    Ok(())
}

/// The verdicts of a binding by one set of rules, those of the newest snapshots first, from which the gate chooses.
/// `up_to` is the ordinal of the table's head; later snapshots do not count.
pub async fn list_newest_verdicts(
    tx: &mut Tx,
    binding_id: BindingId,
    rule_hash: &str,
    up_to: i64,
    limit: u32,
) -> Result<Vec<BindingVerdict>, Error> {
    list!(
        tx,
        VerdictRow,
        "JOIN snapshots ON snapshots.id = verdicts.snapshot_id
         WHERE verdicts.binding_id = $1 AND verdicts.rule_hash = $2 AND snapshots.ordinal <= $3
         ORDER BY snapshots.ordinal DESC, verdicts.id
         LIMIT $4",
        Text(binding_id),
        rule_hash,
        up_to,
        i64::from(limit)
    )
}

/// The verdict on the newest snapshot that conforms and passed, however old: the one that `last_good` serves. `up_to`
/// is the ordinal of the table's head; later snapshots do not count.
pub async fn find_last_good_verdict(
    tx: &mut Tx,
    binding_id: BindingId,
    rule_hash: &str,
    up_to: i64,
) -> Result<Option<BindingVerdict>, Error> {
    find!(
        tx,
        VerdictRow,
        "JOIN snapshots ON snapshots.id = verdicts.snapshot_id
         WHERE verdicts.binding_id = $1 AND verdicts.rule_hash = $2 AND snapshots.ordinal <= $3
             AND verdicts.conforms AND verdicts.verdict IN ('pass', 'warn')
         ORDER BY snapshots.ordinal DESC, verdicts.id
         LIMIT 1",
        Text(binding_id),
        rule_hash,
        up_to
    )
}

row! { LatestRow from "verdicts" { binding_id: Text<BindingId>, verdict: Text<Verdict>, } }

/// The verdict that was given last for each of these bindings, whatever the rules were.
pub async fn list_latest_verdicts(tx: &mut Tx, binding_ids: &[BindingId]) -> Result<Vec<(BindingId, Verdict)>, Error> {
    let rows = rows_in!(
        tx,
        LatestRow,
        "SELECT binding_id, verdict
         FROM verdicts
         WHERE binding_id IN ({list}) AND NOT EXISTS (
             SELECT 1 FROM verdicts AS later
             WHERE later.binding_id = verdicts.binding_id AND (later.at, later.id) > (verdicts.at, verdicts.id)
         )",
        binding_ids
    );
    Ok(rows.into_iter().map(|row| (row.binding_id.0, row.verdict.0)).collect())
}

/// The verdicts on these snapshots, by every binding and set of rules.
pub async fn list_verdicts_of_snapshots(
    tx: &mut Tx,
    snapshot_ids: &[SnapshotId],
) -> Result<Vec<BindingVerdict>, Error> {
    list_in!(tx, VerdictRow, "WHERE snapshot_id IN ({list})", snapshot_ids)
}

/// A table, as the object of a contract that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The binding.
    pub binding_id: BindingId,
    /// The table.
    pub table_id: TableId,
    /// Where the table lies.
    pub location: Location,
    /// The contract.
    pub contract_id: ContractId,
    /// The `id` in the contract's documents.
    pub document_id: String,
    /// The contract's major.
    pub major: u64,
    /// The schema object.
    pub object: Name,
    /// The product.
    pub product_id: ProductId,
}

row! {
    BoundRow from "bindings" {
        binding_id: Text<BindingId>,
        table_id: Text<TableId>,
        location: Text<Location>,
        contract_id: Text<ContractId>,
        document_id: String,
        major: i64,
        object: Text<Name>,
        product_id: Text<ProductId>,
    }
}

impl TryFrom<BoundRow> for Bound {
    type Error = Error;

    fn try_from(row: BoundRow) -> Result<Self, Error> {
        let id = row.binding_id.0;
        Ok(Self {
            binding_id: id,
            table_id: row.table_id.0,
            location: row.location.0,
            contract_id: row.contract_id.0,
            document_id: row.document_id,
            major: natural(row.major).map_err(|problem| Error::inconsistent("bindings", id, problem))?,
            object: row.object.0,
            product_id: row.product_id.0,
        })
    }
}

/// All bindings in an environment, in the order of their ids.
pub async fn list_bound(tx: &mut Tx, environment: &str) -> Result<Readable<Bound>, Error> {
    let rows = on_both!(tx, |c| sqlx::query_as::<_, Perhaps<BoundRow>>(
        "SELECT
             bindings.id AS binding_id,
             bindings.table_id AS table_id,
             tables.location AS location,
             bindings.contract_id AS contract_id,
             contracts.document_id AS document_id,
             bindings.major AS major,
             bindings.object AS object,
             contracts.product_id AS product_id
         FROM bindings
         JOIN contracts ON contracts.id = bindings.contract_id
         JOIN tables ON tables.id = bindings.table_id
         WHERE bindings.environment = $1
         ORDER BY bindings.id"
    )
    .bind(environment)
    .fetch_all(c))?;
    Ok(Readable::from_rows(rows, Bound::try_from))
}
