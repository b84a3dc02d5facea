//! The files of `_delta_log` that make up a version: found by their names, then checked one by one. The kernel sees
//! only these, and some of them as it can read them: an entry without the metadata that a later one replaces, if it lacks
//! a schema; an entry with its characters in place of escapes; an empty entry of a version that only has a checkpoint.
//!
//! The rules are in docs/rules.md, Gateway.

use std::fs::File;
use std::io::{BufRead, BufReader};

use arrow::array::{Array, AsArray};
use bytes::Bytes;
use domain::clock::Timestamp;
use domain::table::{LogName, PinnedFile};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use crate::error::{Result, Unreadable};
use crate::footer;
use crate::root::Root;

pub(crate) const LOG_FOLDER: &str = "_delta_log";

/// The maximum number of names in a log folder.
const MAX_LOG_NAMES: usize = 1_000_000;
/// The maximum number of entries between a checkpoint and the version.
const MAX_ENTRIES: u64 = 100_000;
/// The maximum size of an entry. It is held in memory line by line here, and as a whole by the kernel.
const MAX_ENTRY_BYTES: u64 = 256 * 1024 * 1024;
/// The maximum size of the log between a checkpoint and the version.
const MAX_LOG_BYTES: u64 = 1024 * 1024 * 1024;
/// The maximum size of the schema text: [`MAX_COLUMNS`](inspect::wire::MAX_COLUMNS) columns of over a kilobyte each.
const MAX_SCHEMA_BYTES: usize = 16 * 1024 * 1024;

/// The text that stands for the entry of a version whose checkpoint has all that it did.
const NO_ACTIONS: &[u8] = b"{\"commitInfo\":{}}\n";

/// The files that make up one version.
pub(crate) struct LogSegment {
    /// The checkpoint's files, its sidecars, and the entries after it.
    pub(crate) files: Vec<LogFile>,
    /// The commit information of the version's entry.
    pub(crate) commit: Commit,
}

/// A file of the log, as the kernel sees it.
#[derive(Debug)]
pub(crate) enum LogFile {
    /// As it is.
    Pinned(PinnedFile),
    /// With another text.
    Rewritten { path: String, text: Bytes },
}

impl LogFile {
    pub(crate) fn path(&self) -> &str {
        match self {
            Self::Pinned(pin) => &pin.path,
            Self::Rewritten { path, .. } => path,
        }
    }
}

/// The times of a commit, from each source that has one.
pub(crate) struct Commit {
    /// `commitInfo.inCommitTimestamp`, which counts only where the table has the feature enabled.
    pub(crate) in_commit: Option<Timestamp>,
    /// `commitInfo.timestamp`.
    pub(crate) writer: Option<Timestamp>,
    /// The entry's modification time.
    pub(crate) file: Timestamp,
}

impl LogSegment {
    /// Chooses and pins the files of `version`.
    ///
    /// # Errors
    /// There is neither entry n nor a complete checkpoint of it; the entries after the newest complete checkpoint have a
    /// hole; there is neither a complete checkpoint nor entry 0; an entry is cut off or is not a list of actions; no
    /// metadata has a schema; a limit is exceeded.
    pub(crate) fn choose(root: &Root, version: u64) -> Result<Self> {
        let names = Names::list(root, version)?;
        let has_entry = |entry: u64| names.entries.binary_search(&entry).is_ok();
        let checkpoint = names.newest_complete_checkpoint(root)?;
        let is_checkpoint = checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.version == version);
        if !has_entry(version) && !is_checkpoint {
            return Err(Unreadable(format!("its log has no entry {version}")));
        }
        let first = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.version + 1);
        if version - first.min(version) >= MAX_ENTRIES {
            return Err(Unreadable(format!("its log has more than {MAX_ENTRIES} entries since the last checkpoint")));
        }
        if let Some(missing) = (first..=version).find(|entry| !has_entry(*entry)) {
            return Err(Unreadable(match missing {
                0 => "its log has neither a complete checkpoint nor entry 0".to_owned(),
                hole => format!("its log has no entry {hole}"),
            }));
        }
        let checkpoint = checkpoint.map(|checkpoint| checkpoint.files).unwrap_or_default();
        // Where the checkpoint is of the version itself, its time is the best there is, unless the entry is there too.
        let mut commit = checkpoint.first().map(Commit::of_file);
        let mut files: Vec<LogFile> = checkpoint.into_iter().map(LogFile::Pinned).collect();
        if is_checkpoint && !has_entry(version) {
            // The kernel writes a checkpoint only of a version that has an entry.
            files.push(LogFile::Rewritten { path: entry_path(version), text: Bytes::from_static(NO_ACTIONS) });
            return Ok(Self { files, commit: commit.ok_or_else(|| no_entry(version))? });
        }
        let mut n_bytes = 0;
        let mut entries = Vec::new();
        for entry in first.min(version)..=version {
            let (file, pin) = root.open_file(&entry_path(entry))?;
            n_bytes += pin.size_bytes;
            if pin.size_bytes > MAX_ENTRY_BYTES || n_bytes > MAX_LOG_BYTES {
                return Err(Unreadable(format!("its log is too long at entry {entry}: {n_bytes} bytes")));
            }
            let found = read_entry(file, &pin.path)?;
            commit = Some(Commit {
                in_commit: found.commit_info.in_commit_timestamp.as_i64().map(Timestamp::from_millis),
                writer: found.commit_info.timestamp.as_i64().map(Timestamp::from_millis),
                ..Commit::of_file(&pin)
            });
            entries.push((pin, found));
        }
        files.extend(as_readable(root, entries)?);
        Ok(Self { files, commit: commit.ok_or_else(|| no_entry(version))? })
    }
}

impl Commit {
    fn of_file(pin: &PinnedFile) -> Self {
        Self { in_commit: None, writer: None, file: Timestamp(pin.mtime_ns.div_euclid(1_000)) }
    }
}

fn no_entry(version: u64) -> Unreadable {
    Unreadable(format!("its log has no entry {version}"))
}

/// The entries as the kernel can read them. It would refuse a metadata that lacks a schema, although what a later one
/// replaces is not part of the version, and it takes escaped characters of some planes for others.
fn as_readable(root: &Root, entries: Vec<(PinnedFile, Entry)>) -> Result<Vec<LogFile>> {
    let newest = entries.iter().rposition(|(_, entry)| entry.metadata == Some(MetadataKind::Whole));
    let files = entries.into_iter().enumerate().map(|(position, (pin, entry))| {
        let has_no_schema = entry.metadata == Some(MetadataKind::NoSchema);
        if has_no_schema && newest.is_none_or(|newest| newest < position) {
            return Err(Unreadable(format!("the metadata in the log entry `{}` has no `schemaString`", pin.path)));
        }
        if !has_no_schema && !entry.has_pairs {
            return Ok(LogFile::Pinned(pin));
        }
        let (file, _) = root.open_file(&pin.path)?;
        let mut text = Vec::new();
        each_action(file, &pin.path, |action, line| {
            if has_no_schema && action.meta_data.is_some() {
                return;
            }
            match serde_json::from_slice::<serde_json::Value>(line) {
                Ok(value) if has_pairs(line) => text.extend_from_slice(value.to_string().as_bytes()),
                Ok(_) | Err(_) => text.extend_from_slice(line),
            }
            text.push(b'\n');
        })?;
        Ok(LogFile::Rewritten { path: pin.path, text: text.into() })
    });
    files.collect()
}

/// Whether a line may hold characters that are written as two escapes.
fn has_pairs(line: &[u8]) -> bool {
    line.windows(3).any(|start| matches!(start, br"\ud" | br"\uD"))
}

fn entry_path(version: u64) -> String {
    format!("{LOG_FOLDER}/{}", LogName::entry(version))
}

/// The names in a log that are relevant to one version.
struct Names {
    /// The versions that have an entry, up to the requested one, ascending.
    entries: Vec<u64>,
    /// The checkpoint files up to the requested version.
    checkpoints: Vec<CheckpointName>,
}

struct CheckpointName {
    version: u64,
    path: String,
    kind: LogName,
}

struct Checkpoint {
    version: u64,
    files: Vec<PinnedFile>,
}

impl Names {
    fn list(root: &Root, newest: u64) -> Result<Self> {
        let mut names = Self { entries: Vec::new(), checkpoints: Vec::new() };
        for entry in root.list(LOG_FOLDER, MAX_LOG_NAMES)? {
            match LogName::parse(entry.path.rsplit('/').next().unwrap_or_default()) {
                Some((version, _)) if version > newest => {}
                Some((version, LogName::Entry)) => names.entries.push(version),
                Some((version, kind)) => {
                    names.checkpoints.push(CheckpointName { version, path: entry.path, kind });
                }
                None => {}
            }
        }
        Ok(names)
    }

    /// The newest checkpoint that has all of its parts and sidecars. An incomplete one, left behind by a writer that
    /// crashed, is skipped.
    fn newest_complete_checkpoint(&self, root: &Root) -> Result<Option<Checkpoint>> {
        let mut versions: Vec<u64> = self.checkpoints.iter().map(|checkpoint| checkpoint.version).collect();
        versions.dedup();
        for version in versions.into_iter().rev() {
            let of_version: Vec<&CheckpointName> =
                self.checkpoints.iter().filter(|checkpoint| checkpoint.version == version).collect();
            for checkpoint in &of_version {
                if let Some(files) = complete(root, checkpoint, &of_version)? {
                    return Ok(Some(Checkpoint { version, files }));
                }
            }
        }
        Ok(None)
    }
}

/// The files of the checkpoint that starts with this name; `None` if one of them is missing.
fn complete(root: &Root, name: &CheckpointName, same_version: &[&CheckpointName]) -> Result<Option<Vec<PinnedFile>>> {
    let sidecars = match name.kind {
        LogName::CheckpointPart { part: 1, parts } => {
            let path = |part| {
                let wanted = LogName::CheckpointPart { part, parts };
                same_version.iter().find(|name| name.kind == wanted).map(|name| &name.path)
            };
            let Some(paths) = (1..=parts).map(path).collect::<Option<Vec<_>>>() else { return Ok(None) };
            return paths.into_iter().map(|path| Ok(root.open_file(path)?.1)).collect::<Result<_>>().map(Some);
        }
        LogName::CheckpointPart { .. } | LogName::Entry => return Ok(None),
        LogName::Checkpoint => sidecars_of_parquet(root, &name.path)?,
        LogName::JsonCheckpoint => sidecars_of_json(root, &name.path)?,
    };
    let mut files = vec![root.open_file(&name.path)?.1];
    if sidecars.is_empty() {
        return Ok(Some(files));
    }
    let folder = format!("{LOG_FOLDER}/_sidecars");
    let present = root.list(&folder, MAX_LOG_NAMES).unwrap_or_default();
    for sidecar in sidecars {
        if sidecar.contains(['/', '%', '?', '#', '\\', ':']) {
            return Err(Unreadable(format!("the checkpoint `{}` names the sidecar `{sidecar}`", name.path)));
        }
        let path = format!("{folder}/{sidecar}");
        if !present.iter().any(|entry| entry.path == path) {
            return Ok(None);
        }
        files.push(root.open_file(&path)?.1);
    }
    Ok(Some(files))
}

fn sidecars_of_parquet(root: &Root, path: &str) -> Result<Vec<String>> {
    let (file, _) = root.open_file(path)?;
    let corrupt = |error: &dyn std::fmt::Display| Unreadable(format!("the checkpoint `{path}` is corrupt: {error}"));
    let metadata = footer::read(&file, path)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mask = ProjectionMask::columns(builder.parquet_schema(), ["sidecar.path"]);
    if !builder.parquet_schema().columns().iter().any(|column| column.path().string() == "sidecar.path") {
        return Ok(Vec::new());
    }
    let mut sidecars = Vec::new();
    for batch in builder.with_projection(mask).build().map_err(|error| corrupt(&error))? {
        let batch = batch.map_err(|error| corrupt(&error))?;
        let actions = batch.column(0).as_struct_opt();
        let paths = actions.and_then(|actions| actions.column(0).as_string_opt::<i32>());
        let (Some(actions), Some(paths)) = (actions, paths) else { return Err(corrupt(&"`sidecar.path` is not text")) };
        // For other actions the path may be an empty text instead of null.
        let rows = (0..batch.num_rows()).filter(|row| actions.is_valid(*row) && paths.is_valid(*row));
        sidecars.extend(rows.map(|row| paths.value(row).to_owned()));
    }
    Ok(sidecars)
}

fn sidecars_of_json(root: &Root, path: &str) -> Result<Vec<String>> {
    let (file, pin) = root.open_file(path)?;
    if pin.size_bytes > MAX_ENTRY_BYTES {
        return Err(Unreadable(format!("the checkpoint `{path}` is too long: {} bytes", pin.size_bytes)));
    }
    let mut sidecars = Vec::new();
    each_action(file, path, |action, _| sidecars.extend(action.sidecar.map(|sidecar| sidecar.path)))?;
    Ok(sidecars)
}

/// What an entry says besides the actions on files.
struct Entry {
    commit_info: CommitInfo,
    metadata: Option<MetadataKind>,
    has_pairs: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum MetadataKind {
    Whole,
    NoSchema,
}

/// Checks one entry: it is complete, consists of actions, and its schema is not too long.
fn read_entry(file: File, path: &str) -> Result<Entry> {
    let mut entry = Entry { commit_info: CommitInfo::default(), metadata: None, has_pairs: false };
    let mut schema_bytes = 0;
    let n_actions = each_action(file, path, |action, line| {
        entry.has_pairs |= has_pairs(line);
        if let Some(metadata) = action.meta_data {
            let schema = metadata.schema_string.as_ref();
            schema_bytes = schema_bytes.max(schema.map_or(0, String::len));
            entry.metadata = Some(if schema.is_some() { MetadataKind::Whole } else { MetadataKind::NoSchema });
        }
        if let Some(found) = action.commit_info {
            entry.commit_info = found;
        }
    })?;
    if schema_bytes > MAX_SCHEMA_BYTES {
        return Err(Unreadable(format!("its schema is {schema_bytes} bytes long, more than {MAX_SCHEMA_BYTES}")));
    }
    if n_actions == 0 {
        return Err(Unreadable(format!("the log entry `{path}` is empty")));
    }
    Ok(entry)
}

/// Calls `visit` with each action and its line, and counts them.
fn each_action(file: File, path: &str, mut visit: impl FnMut(Action, &[u8])) -> Result<usize> {
    let broken = |error: &dyn std::fmt::Display| Unreadable(format!("the log entry `{path}` is corrupt: {error}"));
    let mut n_actions = 0;
    for line in BufReader::new(file).split(b'\n') {
        let line = line.map_err(|error| broken(&error))?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        visit(serde_json::from_slice(&line).map_err(|error| broken(&error))?, &line);
        n_actions += 1;
    }
    Ok(n_actions)
}

/// The parts of an action that are checked before the kernel reads it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    meta_data: Option<MetaData>,
    commit_info: Option<CommitInfo>,
    sidecar: Option<Sidecar>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaData {
    schema_string: Option<String>,
}

/// Milliseconds since 1970. The protocol allows a writer to put any value here, or none.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CommitInfo {
    timestamp: serde_json::Value,
    in_commit_timestamp: serde_json::Value,
}

#[derive(Deserialize)]
struct Sidecar {
    path: String,
}
