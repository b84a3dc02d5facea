//! The rows of a version as its readers see them: logical columns with partition values, without deleted rows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use buoyant_kernel::Engine;
use buoyant_kernel::actions::deletion_vector::DeletionVectorDescriptor;
use buoyant_kernel::engine::arrow_utils::{ReorderIndex, fixup_parquet_read, get_requested_indices};
use buoyant_kernel::scan::Scan;
use buoyant_kernel::scan::state::{DvInfo, ScanFile, transform_to_logical};
use buoyant_kernel::snapshot::SnapshotRef;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::files;
use super::kernel::{record_batch, unreadable};
use crate::data_file::{Convert, Layout, OpenFile, corrupt};
use crate::error::{Result, Unreadable};
use crate::root::Root;
use crate::scan::{DataFile, Rows};
use crate::{footer, shape};

/// The zone of all timestamps in the files of a table.
const ZONE: &str = "UTC";

pub(crate) struct DeltaRows {
    root: Arc<Root>,
    snapshot: SnapshotRef,
    engine: Arc<dyn Engine>,
    schema: SchemaRef,
    files: Vec<DataFile>,
    sources: Vec<SourceFile>,
    /// The scans for the columns that were asked for so far.
    scans: Mutex<HashMap<Vec<usize>, Arc<Prepared>>>,
}

/// Where the rows of a [`DataFile`] are.
pub(super) struct SourceFile {
    pub(super) path: String,
    pub(super) deletion_vector: Option<DeletionVectorDescriptor>,
}

/// The kernel's scan for some columns.
struct Prepared {
    scan: Scan,
    /// A column that is read along, since the kernel needs one to read a file, and partition columns are not in files.
    has_companion: bool,
    /// The files by path, for those that the kernel has to convert.
    files: OnceLock<Result<HashMap<String, ScanFile>>>,
}

impl Rows for DeltaRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn files(&self) -> &[DataFile] {
        &self.files
    }

    fn is_plain(&self, column: usize) -> bool {
        let field = self.schema.field(column);
        !field.data_type().is_nested() && !self.partitions().contains(field.name())
    }

    fn definition(&self, column: usize) -> String {
        // With the name and the number that the column has in files.
        format!("{:?}", self.snapshot.schema().field_at_index(column))
    }

    fn open(&self, index: usize, columns: &[usize]) -> Result<OpenFile> {
        let SourceFile { path, deletion_vector } = &self.sources[index];
        let (file, _) = self.root.open_file(path)?;
        let metadata = footer::in_microseconds(footer::read(&file, path)?, Some(ZONE));
        let metadata = metadata.map_err(|error| corrupt(path, &error))?;
        let deleted = match deletion_vector {
            Some(vector) => deleted_rows(vector, &self.snapshot, self.engine.as_ref())?,
            None => Vec::new(),
        };
        let layout = self.layout(path, &metadata, columns)?;
        OpenFile::new((path, file, metadata), layout, deleted, self.files[index].reads.clone())
    }
}

/// The rows of a file that a deletion vector deletes, ascending.
pub(super) fn deleted_rows(
    vector: &DeletionVectorDescriptor,
    snapshot: &SnapshotRef,
    engine: &dyn Engine,
) -> Result<Vec<u64>> {
    let rows = DvInfo::from(vector.clone()).get_row_indexes(engine, snapshot.table_root());
    Ok(rows.map_err(|error| unreadable(&error))?.unwrap_or_default())
}

impl DeltaRows {
    pub(super) fn new(
        root: Arc<Root>,
        snapshot: SnapshotRef,
        engine: Arc<dyn Engine>,
        schema: SchemaRef,
        files: Vec<(DataFile, SourceFile)>,
    ) -> Self {
        let (files, sources) = files.into_iter().unzip();
        Self { root, snapshot, engine, schema, files, sources, scans: Mutex::default() }
    }

    fn partitions(&self) -> &[String] {
        self.snapshot.table_configuration().partition_columns()
    }

    /// How the columns are found in a file: as they are, or by the kernel, which renames, widens, and fills in what a
    /// file does not hold.
    fn layout(&self, path: &str, metadata: &ArrowReaderMetadata, columns: &[usize]) -> Result<Layout> {
        let prepared = self.prepared(columns)?;
        let physical = prepared.scan.physical_schema();
        let (leaves, ordering) =
            get_requested_indices(physical, metadata.schema()).map_err(|error| unreadable(&error))?;
        if columns.iter().all(|column| self.is_plain(*column))
            && let Some(leaves) = self.plain(metadata, columns, &leaves, &ordering)
        {
            return Ok(Layout::Plain(leaves));
        }
        let files = prepared.files.get_or_init(|| scan_files(&prepared.scan, self.engine.as_ref()));
        let file = files.as_ref().map_err(Clone::clone)?.get(path);
        let transform = file.ok_or_else(|| Unreadable(format!("its log has lost `{path}`")))?.transform.clone();
        let (engine, name) = (self.engine.clone(), path.to_owned());
        let wanted = self.schema.project(columns).map_err(|error| Unreadable(error.to_string()))?;
        let wanted = Arc::new(wanted);
        let convert: Box<Convert> = Box::new(move |batch| {
            let (from, to) = (prepared.scan.physical_schema(), prepared.scan.logical_schema());
            let logical = fixup_parquet_read(batch, &ordering, None, Some(&name), Some(from)).and_then(|physical| {
                transform_to_logical(engine.as_ref(), Box::new(physical), from, to, transform.clone())
            });
            let logical = record_batch(logical.map_err(|error| unreadable(&error))?)?;
            debug_assert_eq!(logical.num_columns(), wanted.fields().len() + usize::from(prepared.has_companion));
            // The columns are the same but for a companion; the names of items and entries are those of the file.
            let columns = logical.columns().iter().zip(wanted.fields());
            let columns =
                columns.map(|(column, field)| shape::fit(column, field.data_type())).collect::<Result<_, _>>();
            let batch = columns.and_then(|columns| RecordBatch::try_new(wanted.clone(), columns));
            batch.map_err(|error| Unreadable(format!("its rows do not fit its schema: {error}")))
        });
        Ok(Layout::Converted { leaves, convert })
    }

    /// The leaves of the columns, if each is found as one of the same type.
    fn plain(
        &self,
        metadata: &ArrowReaderMetadata,
        columns: &[usize],
        leaves: &[usize],
        ordering: &[ReorderIndex],
    ) -> Option<Vec<usize>> {
        if leaves.len() != columns.len() || ordering.len() != columns.len() {
            return None;
        }
        let parquet = metadata.metadata().file_metadata().schema_descr();
        let mut found = vec![None; columns.len()];
        for (leaf, place) in leaves.iter().zip(ordering) {
            let field = metadata.schema().field(parquet.get_column_root_idx(*leaf));
            let column = columns.get(place.index)?;
            if field.data_type() != self.schema.field(*column).data_type() {
                return None;
            }
            *found.get_mut(place.index)? = Some(*leaf);
        }
        found.into_iter().collect()
    }

    fn prepared(&self, columns: &[usize]) -> Result<Arc<Prepared>> {
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = scans.get(columns) {
            return Ok(prepared.clone());
        }
        let companion = self.companion(columns);
        let read = columns.iter().copied().chain(companion);
        let names: Vec<&String> = read.map(|column| self.schema.field(column).name()).collect();
        let wanted = self.snapshot.schema().project(&names).map_err(|error| unreadable(&error))?;
        let scan = self.snapshot.clone().scan_builder().with_schema(wanted).build();
        let scan = scan.map_err(|error| unreadable(&error))?;
        let prepared = Arc::new(Prepared { scan, has_companion: companion.is_some(), files: OnceLock::new() });
        scans.insert(columns.to_vec(), prepared.clone());
        Ok(prepared)
    }

    /// A column that is in the files, if all of these are partition columns.
    fn companion(&self, columns: &[usize]) -> Option<usize> {
        let is_in_files = |column: &usize| !self.partitions().contains(self.schema.field(*column).name());
        if columns.iter().any(is_in_files) {
            return None;
        }
        (0..self.schema.fields().len()).find(is_in_files)
    }
}

/// The files of a scan by their paths, which were checked when the version was opened; the log cannot have changed
/// since, because its files are pinned.
fn scan_files(scan: &Scan, engine: &dyn Engine) -> Result<HashMap<String, ScanFile>> {
    let mut found = HashMap::new();
    for metadata in scan.scan_metadata(engine).map_err(|error| unreadable(&error))? {
        let metadata = metadata.map_err(|error| unreadable(&error))?;
        let files = metadata.visit_scan_files(Vec::new(), |files: &mut Vec<ScanFile>, file| files.push(file));
        for file in files.map_err(|error| unreadable(&error))? {
            found.insert(files::path_of_data_file(&file.path)?, file);
        }
    }
    Ok(found)
}
