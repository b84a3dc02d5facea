//! One version of a Delta table, read through the Delta kernel.
//!
//! [`log`] selects the log files and the kernel replays them. Every resulting path is checked before a file is opened.
//! Rows are read with the kernel's transforms (column mapping, partition values) and deletion vectors.

pub(crate) mod checkpoint;
mod columns;
mod files;
mod kernel;
mod log;
mod rows;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::Schema;
use buoyant_kernel::Engine;
use buoyant_kernel::engine::arrow_conversion::TryIntoArrow;
use buoyant_kernel::engine::default::DefaultEngineBuilder;
use buoyant_kernel::snapshot::SnapshotRef;
use domain::clock::Timestamp;
use domain::table::{PhysicalSchema, PinnedFile, ReaderProtocol, SnapshotKey};

use self::checkpoint::NewCheckpoint;
use self::columns::ColumnsOfFiles;
use self::files::LiveFile;
use self::kernel::{TABLE_URL, unreadable};
use self::log::{Commit, LogSegment};
use self::rows::{DeltaRows, SourceFile};
use self::store::Store;
use crate::chunks::ChunksOfFiles;
use crate::error::{Result, Unreadable};
use crate::identity::Identity;
use crate::root::Root;
use crate::scan::DataFile;
use crate::table::Table;
use crate::{footer, schema, shape};

/// Opens a version, checks its files, and writes our checkpoint of it. Blocks.
pub(crate) fn open(root: &Arc<Root>, version: u64, checkpoint: NewCheckpoint) -> Result<Table> {
    let segment = LogSegment::choose(root, version)?;
    let store = Arc::new(Store::new(root.clone(), segment.files));
    let engine: Arc<dyn Engine> = Arc::new(DefaultEngineBuilder::new(store).build());
    let snapshot = buoyant_kernel::Snapshot::builder_for(TABLE_URL)
        .at_version(version)
        .build(engine.as_ref())
        .map_err(|error| unreadable(&error))?;
    let schema = physical_schema(&snapshot)?;
    let live = files::live_files(&snapshot, engine.as_ref())?;
    let Pinned { files, data, chunks } = pin(root, live, &snapshot, engine.as_ref())?;
    let n_rows = data.iter().fold(0, |n_rows: u64, (file, _)| n_rows.saturating_add(file.n_rows));
    let checkpoint = checkpoint.write(&snapshot, engine.as_ref())?;
    let in_commit_timestamps = snapshot.table_properties().enable_in_commit_timestamps == Some(true);
    let arrow: Schema =
        snapshot.schema().as_ref().try_into_arrow().map_err(|error| Unreadable(format!("its schema: {error}")))?;
    Ok(Table {
        snapshot: SnapshotKey::DeltaVersion(version),
        committed_at: committed_at(&segment.commit, in_commit_timestamps),
        schema,
        n_rows,
        chunks: chunks.of(&files),
        files,
        checkpoint: Some(checkpoint),
        rows: Arc::new(DeltaRows::new(root.clone(), snapshot, engine, Arc::new(shape::common(&arrow)), data)),
    })
}

fn physical_schema(snapshot: &SnapshotRef) -> Result<PhysicalSchema> {
    let configuration = snapshot.table_configuration();
    let protocol = configuration.protocol();
    let features = protocol.reader_features().unwrap_or_default();
    Ok(PhysicalSchema {
        columns: schema::from_delta(snapshot.schema().fields())?,
        partitioned_by: configuration.partition_columns().to_vec(),
        protocol: ReaderProtocol {
            version: u32::try_from(protocol.min_reader_version()).unwrap_or(u32::MAX),
            features: features.iter().map(ToString::to_string).collect(),
        },
    })
}

/// The files of a version.
struct Pinned {
    /// Data files and deletion vectors, sorted by path.
    files: Vec<PinnedFile>,
    data: Vec<(DataFile, SourceFile)>,
    chunks: ChunksOfFiles,
}

/// Opens each live file and its deletion vector once. Rows are counted from the footers of the files and not from the
/// log.
fn pin(root: &Root, live: Vec<LiveFile>, snapshot: &SnapshotRef, engine: &dyn Engine) -> Result<Pinned> {
    let (mut files, mut data) = (BTreeMap::new(), Vec::new());
    let (columns, mut chunks) = (ColumnsOfFiles::of(snapshot), ChunksOfFiles::new());
    for LiveFile { path, size_bytes, deletion_vector, deletion_vector_path, partition_values } in live {
        let (file, pin) = root.open_file(&path)?;
        if pin.size_bytes != size_bytes {
            return Err(Unreadable(format!(
                "the file `{path}` has {} bytes, the log says {size_bytes}",
                pin.size_bytes
            )));
        }
        let metadata = footer::read(&file, &path)?;
        let in_file = footer::n_rows(&metadata, &path)?;
        let places = columns.places(&metadata);
        chunks.add(&pin, &metadata, |column| places.get(column).copied().flatten());
        let deleted = match &deletion_vector {
            Some(vector) => {
                let rows = rows::deleted_rows(vector, snapshot, engine)?;
                if rows.last().is_some_and(|last| *last >= in_file) {
                    return Err(Unreadable(format!("its log deletes rows that the file `{path}` does not have")));
                }
                rows.len() as u64
            }
            None => 0,
        };
        let mut identity = Identity::of(&pin);
        for (name, value) in &partition_values {
            identity.add(name.as_bytes());
            identity.add_optional(value.as_deref().map(str::as_bytes));
        }
        if let Some(vector) = &deletion_vector {
            identity.add(vector.unique_id().as_bytes());
            identity.add(format!("{vector:?}").as_bytes());
        }
        if files.insert(path.clone(), pin).is_some() {
            return Err(Unreadable(format!("its log lists `{path}` twice")));
        }
        // A file may contain the vectors of several files.
        if let Some(path) = deletion_vector_path {
            let pin = root.open_file(&path)?.1;
            identity.add_pin(&pin);
            files.insert(path, pin);
        }
        let identity = identity.digest();
        let file = DataFile { identity, n_rows: in_file - deleted, reads: Arc::default() };
        data.push((file, SourceFile { path, deletion_vector }));
    }
    Ok(Pinned { files: files.into_values().collect(), data, chunks })
}

fn committed_at(commit: &Commit, in_commit_timestamps: bool) -> Timestamp {
    let in_commit = commit.in_commit.filter(|_| in_commit_timestamps);
    in_commit.or(commit.writer).unwrap_or(commit.file)
}
