//! The live files of a version, with their paths checked.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, MapArray, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type};
use buoyant_kernel::Engine;
use buoyant_kernel::actions::deletion_vector::{DeletionVectorDescriptor, DeletionVectorStorageType};
use buoyant_kernel::snapshot::SnapshotRef;
use inspect::wire::MAX_FILES;
use percent_encoding::percent_decode_str;
use url::Url;

use super::kernel::{TABLE_URL, record_batch, unreadable};
use super::log;
use crate::error::{Result, Unreadable};

/// A file of the version, according to the log.
pub(crate) struct LiveFile {
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    pub(crate) deletion_vector: Option<DeletionVectorDescriptor>,
    /// The file that contains the vector; `None` if the log itself does.
    pub(crate) deletion_vector_path: Option<String>,
    /// The values of its partition columns, by their names.
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
}

/// The live files, with every path checked. No file is opened.
pub(crate) fn live_files(snapshot: &SnapshotRef, engine: &dyn Engine) -> Result<Vec<LiveFile>> {
    let scan = snapshot.clone().scan_builder().build().map_err(|error| unreadable(&error))?;
    let mut live = Vec::new();
    for metadata in scan.scan_metadata(engine).map_err(|error| unreadable(&error))? {
        let metadata = metadata.map_err(|error| unreadable(&error))?;
        let actions = metadata.scan_files.apply_selection_vector().map_err(|error| unreadable(&error))?;
        let actions = record_batch(actions)?;
        read_live_files(&actions, &mut live)
            .unwrap_or_else(|| Err(Unreadable("its log contains invalid actions".to_owned())))?;
        if live.len() > MAX_FILES {
            return Err(Unreadable(format!("it has more than {MAX_FILES} files")));
        }
    }
    Ok(live)
}

/// `None` if the columns are not those of a scan's metadata.
fn read_live_files(actions: &RecordBatch, live: &mut Vec<LiveFile>) -> Option<Result<()>> {
    let paths = actions.column_by_name("path")?.as_string_opt::<i32>()?;
    let sizes = actions.column_by_name("size")?.as_primitive_opt::<Int64Type>()?;
    let vectors = actions.column_by_name("deletionVector")?.as_struct_opt()?;
    let storage_types = vectors.column_by_name("storageType")?.as_string_opt::<i32>()?;
    let locations = vectors.column_by_name("pathOrInlineDv")?.as_string_opt::<i32>()?;
    let offsets = vectors.column_by_name("offset")?.as_primitive_opt::<Int32Type>()?;
    let sizes_in_bytes = vectors.column_by_name("sizeInBytes")?.as_primitive_opt::<Int32Type>()?;
    let cardinalities = vectors.column_by_name("cardinality")?.as_primitive_opt::<Int64Type>()?;
    let constants = actions.column_by_name("fileConstantValues")?.as_struct_opt()?;
    let partitions = constants.column_by_name("partitionValues")?.as_map_opt()?;
    for row in 0..actions.num_rows() {
        if paths.is_null(row) {
            continue;
        }
        let vector = (vectors.is_valid(row) && storage_types.is_valid(row)).then(|| {
            let storage_type: DeletionVectorStorageType = storage_types.value(row).parse()?;
            DeletionVectorDescriptor::try_new(
                storage_type,
                locations.value(row),
                offsets.is_valid(row).then(|| offsets.value(row)),
                sizes_in_bytes.value(row),
                cardinalities.value(row),
            )
        });
        let file = live_file(paths.value(row), sizes.value(row), vector.transpose());
        match file {
            Ok(file) => live.push(LiveFile { partition_values: partition_values(partitions, row)?, ..file }),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(()))
}

fn partition_values(partitions: &MapArray, row: usize) -> Option<BTreeMap<String, Option<String>>> {
    if partitions.is_null(row) {
        return Some(BTreeMap::new());
    }
    let entries = partitions.value(row);
    let (names, values) = (entries.column(0).as_string_opt::<i32>()?, entries.column(1).as_string_opt::<i32>()?);
    let pairs = names.iter().zip(values).filter_map(|(name, value)| Some((name?.to_owned(), value.map(str::to_owned))));
    Some(pairs.collect())
}

fn live_file(
    path: &str,
    size: i64,
    vector: buoyant_kernel::DeltaResult<Option<DeletionVectorDescriptor>>,
) -> Result<LiveFile> {
    let deletion_vector = vector.map_err(|error| unreadable(&error))?;
    let deletion_vector_path = match &deletion_vector {
        Some(vector) => path_of_vector(vector)?,
        None => None,
    };
    Ok(LiveFile {
        path: path_of_data_file(path)?,
        size_bytes: u64::try_from(size).map_err(|_| Unreadable(format!("the log says `{path}` has {size} bytes")))?,
        deletion_vector,
        deletion_vector_path,
        partition_values: BTreeMap::new(),
    })
}

/// The path below the table's folder that a path in the log stands for. It is URL-decoded once, and refused unless
/// every segment is a plain name and the kernel will open the same path.
pub(super) fn path_of_data_file(logged: &str) -> Result<String> {
    let refuse = |why: &str| Err(Unreadable(format!("its log names the file `{logged}`, {why}")));
    if logged.starts_with('/') || Url::parse(logged).is_ok() {
        return refuse("which is not relative to the table");
    }
    let Ok(path) = percent_decode_str(logged).decode_utf8() else { return refuse("which is not UTF-8") };
    if path.contains(['\0', '\\']) || path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return refuse("which is not a plain path below the table");
    }
    if path.split('/').next() == Some(log::LOG_FOLDER) {
        return refuse("which is a file of the log");
    }
    let opened = Url::parse(TABLE_URL)
        .and_then(|root| root.join(logged))
        .ok()
        .filter(|url| url.query().is_none() && url.fragment().is_none())
        .and_then(|url| object_store::path::Path::from_url_path(url.path()).ok());
    if opened.is_none_or(|opened| opened.as_ref() != path) {
        return refuse("which is ambiguous");
    }
    Ok(path.into_owned())
}

/// The file that contains a deletion vector; `None` if the log itself does.
fn path_of_vector(vector: &DeletionVectorDescriptor) -> Result<Option<String>> {
    let location = &vector.path_or_inline_dv;
    let refuse = |why: &str| Err(Unreadable(format!("its log names the deletion vector `{location}`, {why}")));
    match vector.storage_type {
        DeletionVectorStorageType::Inline => return Ok(None),
        DeletionVectorStorageType::PersistedAbsolute => return refuse("which is not relative to the table"),
        DeletionVectorStorageType::PersistedRelative => {}
    }
    // The last 20 bytes are an encoded UUID, optionally preceded by the name of one folder.
    let folder = location.len().checked_sub(20).and_then(|at| location.get(..at));
    if !folder.is_some_and(|folder| folder.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return refuse("which is not a plain path below the table");
    }
    let url = Url::parse(TABLE_URL).ok().and_then(|root| vector.absolute_path(&root).ok().flatten());
    match url {
        Some(url) => Ok(Some(url.path().trim_start_matches('/').to_owned())),
        None => refuse("which is not a path"),
    }
}
