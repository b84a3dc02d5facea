//! Jobs, rules and tables for the tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::RecordBatch;
use domain::inspection::{Inspection, InspectionError, InspectionJob, Inspector, Kept};
use domain::quality::{Check, Measured, Operator, Rule, Severity, Unit};
use domain::table::{ColumnPath, Format, SnapshotKey};
use inspect::Launcher;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The launcher as a server would set it up, with patience for a loaded machine.
pub(crate) fn launcher() -> Launcher {
    Launcher {
        worker: PathBuf::from(env!("CARGO_BIN_EXE_charter-worker")),
        deadline: Duration::from_secs(300),
        memory_bytes: 4 << 30,
        cpu_seconds: 120,
        // These tests are for the worker of a kernel that has all of it, or none.
        sandbox_required: false,
    }
}

/// What one inspection found, and the scratch folder that holds its checkpoint.
pub(crate) struct Found {
    pub(crate) inspection: Inspection,
    pub(crate) scratch: TempDir,
}

/// Runs a job to its end.
pub(crate) fn run(launcher: &Launcher, job: impl FnOnce(PathBuf) -> InspectionJob) -> Result<Found, InspectionError> {
    let scratch = TempDir::new().unwrap();
    let job = job(scratch.path().to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let inspection = runtime.block_on(launcher.inspect(job))?;
    Ok(Found { inspection, scratch })
}

/// Inspects a Delta table at a version.
pub(crate) fn delta(root: &Path, version: u64, rules: Vec<Rule>) -> Result<Found, InspectionError> {
    delta_within(launcher().cpu_seconds, root, version, rules)
}

/// Inspects a Delta table with little processor time: what is refused soon stays below it, however loaded the machine.
pub(crate) fn delta_within(
    cpu_seconds: u64,
    root: &Path,
    version: u64,
    rules: Vec<Rule>,
) -> Result<Found, InspectionError> {
    let snapshot = Some(SnapshotKey::DeltaVersion(version));
    let launcher = Launcher { cpu_seconds, ..launcher() };
    run(&launcher, |scratch| InspectionJob {
        format: Format::Delta,
        root: root.to_owned(),
        snapshot,
        rules,
        digests: false,
        kept: Kept::default(),
        scratch,
    })
}

/// Inspects a folder of Parquet files as it is.
pub(crate) fn folder(root: &Path, rules: Vec<Rule>) -> Result<Found, InspectionError> {
    run(&launcher(), |scratch| InspectionJob {
        format: Format::Parquet,
        root: root.to_owned(),
        snapshot: None,
        rules,
        digests: false,
        kept: Kept::default(),
        scratch,
    })
}

/// The reason of an inspection that refused its table.
pub(crate) fn unreadable(found: Result<Found, InspectionError>) -> String {
    match found {
        Err(InspectionError::Unreadable(reason)) => reason,
        Err(other) => panic!("another error: {other:?}"),
        Ok(found) => panic!("it was inspected: {:?}", found.inspection),
    }
}

/// A rule that counts rows.
pub(crate) fn rule(check: Check) -> Rule {
    Rule {
        key: "rule".to_owned(),
        check: Some(check),
        operator: Operator::MustBe(0.0),
        unit: Unit::Rows,
        severity: Severity::Error,
        title: "A rule".to_owned(),
    }
}

pub(crate) fn column(path: &str) -> ColumnPath {
    ColumnPath(path.split('.').map(str::to_owned).collect())
}

pub(crate) fn nulls(path: &str) -> Rule {
    rule(Check::NullValues { column: column(path) })
}

pub(crate) fn sql(query: &str) -> Rule {
    rule(Check::Sql { query: query.to_owned() })
}

pub(crate) fn value(number: impl Into<f64>) -> Measured {
    Measured::Value(number.into())
}

/// The demo tables, or nothing where they are not beside the repository.
pub(crate) fn shared() -> Option<PathBuf> {
    // The launcher wants a plain absolute path.
    crate::shared::shared("data/flights").map(|folder| folder.canonicalize().unwrap())
}

/// Writes one Parquet file and gives its size.
pub(crate) fn write_parquet(path: &Path, batch: &RecordBatch) -> u64 {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    fs::metadata(path).unwrap().len()
}

/// A Delta table made by hand, so that it can be made wrong.
pub(crate) struct HandTable {
    pub(crate) folder: TempDir,
}

impl HandTable {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("_delta_log")).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.path().join("_delta_log").join(name)
    }

    /// Writes a log entry.
    pub(crate) fn entry(&self, version: u64, actions: &[Value]) {
        let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
        fs::write(self.log(&format!("{version:020}.json")), lines.join("\n") + "\n").unwrap();
    }

    /// Writes a data file.
    pub(crate) fn data(&self, path: &str, batch: &RecordBatch) -> u64 {
        write_parquet(&self.path().join(path), batch)
    }

    /// A table of one file `a.parquet` with the column `n`: 1, 2, 3.
    pub(crate) fn of_three_rows() -> Self {
        let table = Self::new();
        let size = table.data("a.parquet", &numbers(&[1, 2, 3]));
        table.entry(0, &[protocol(1), metadata(&[("n", json!("long"))], &[], json!({})), add("a.parquet", size)]);
        table
    }
}

/// One column `n`.
pub(crate) fn numbers(values: &[i64]) -> RecordBatch {
    let values: arrow::array::ArrayRef = std::sync::Arc::new(arrow::array::Int64Array::from(values.to_vec()));
    RecordBatch::try_from_iter_with_nullable([("n", values, true)]).unwrap()
}

pub(crate) fn protocol(reader_version: u32) -> Value {
    json!({"protocol": {"minReaderVersion": reader_version, "minWriterVersion": 2}})
}

/// `minReaderVersion` 3 with these reader features.
pub(crate) fn protocol_of(features: &[&str]) -> Value {
    json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features
    }})
}

pub(crate) fn metadata(columns: &[(&str, Value)], partitioned_by: &[&str], configuration: Value) -> Value {
    let fields =
        columns.iter().map(|(name, r#type)| json!({"name": name, "type": r#type, "nullable": true, "metadata": {}}));
    metadata_of(fields.collect(), partitioned_by, configuration)
}

pub(crate) fn metadata_of(fields: Vec<Value>, partitioned_by: &[&str], configuration: Value) -> Value {
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    json!({"metaData": {
        "id": "5fba94ed-9794-4965-ba6e-6ee3c0d22af9", "format": {"provider": "parquet", "options": {}},
        "schemaString": schema, "partitionColumns": partitioned_by, "configuration": configuration, "createdTime": 1
    }})
}

pub(crate) fn add(path: &str, size: u64) -> Value {
    json!({"add": {
        "path": path, "partitionValues": {}, "size": size, "modificationTime": 1, "dataChange": true
    }})
}

/// A tombstone that no checkpoint writer would drop for its age.
pub(crate) fn remove(path: &str) -> Value {
    json!({"remove": {"path": path, "deletionTimestamp": 4_102_444_800_000_i64, "dataChange": true}})
}
