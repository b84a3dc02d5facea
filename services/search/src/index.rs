//! The index on disk: opened with verification, changed with its position, built in bulk.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use serde::{Deserialize, Serialize};
use tantivy::directory::error::LockError;
use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::IndexWriterOptions;
use tantivy::merge_policy::{LogMergePolicy, NoMergePolicy};
use tantivy::{IndexReader, IndexWriter, ReloadPolicy, TantivyError, Term};

use crate::answer::answer;
use crate::document::Document;
use crate::entry::Entry;
use crate::files::{Files, damage};
use crate::request::{Answer, Request, SearchError};
use crate::schema::{FORMAT, Fields, readers_level};
use crate::snapshot::{Reading, Snapshot};
use crate::visibility::Visibility;

/// Memory of documents that are not yet on disk, while changes are applied.
const APPLY_BYTES: usize = 32 << 20;
/// The same for each thread of a bulk build.
const BUILD_BYTES: usize = 192 << 20;
const BUILD_THREADS: usize = 2;
/// So many segments of about one size a build leaves. A search looks each word up in each, but to make one of two takes
/// half as long as to write them.
const BUILT_SEGMENTS: usize = 2;
/// So few documents become one segment.
const ONE_SEGMENT_DOCS: u32 = 10_000;
/// So many segments of about one size become one.
const MOST_EQUAL_SEGMENTS: usize = 4;
/// A segment with a larger share of deleted documents is written anew.
const MOST_DELETED: f32 = 0.3;

/// The files that say what the index consists of.
const LISTS: [&str; 2] = ["meta.json", ".managed.json"];
/// The extensions of the other files.
const SEGMENT_FILES: [&str; 8] = ["idx", "pos", "term", "store", "temp", "fast", "fieldnorm", "del"];

/// Why there is no index to search.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none, or its first build did not end.
    #[error("there is no search index; build it")]
    Missing,
    /// It was written by another version.
    #[error("the search index has another format; rebuild it")]
    OtherVersion,
    /// A file is missing or changed.
    #[error("the search index is damaged ({0}); rebuild it")]
    Damaged(String),
    /// Another process has it open.
    #[error("another process has the search index open; stop it or give this one a folder of its own")]
    InUse,
    /// The folder cannot be used.
    #[error("the folder of the search index cannot be used: {0}")]
    Folder(String),
}

impl OpenError {
    /// Whether building the index anew from the database is the answer.
    pub fn wants_rebuild(&self) -> bool {
        match self {
            Self::Missing | Self::OtherVersion | Self::Damaged(_) => true,
            Self::InUse | Self::Folder(_) => false,
        }
    }
}

impl From<TantivyError> for OpenError {
    fn from(error: TantivyError) -> Self {
        match error {
            TantivyError::IncompatibleIndex(_) => Self::OtherVersion,
            TantivyError::LockFailure(LockError::LockBusy, _) => Self::InUse,
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// Why a change was not taken. What the index on disk has is as it was before, or all of the change.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The position would go back: the changes are older than the index.
    #[error("the search index is at position {at}; changes up to {given} are older")]
    Older {
        /// The position of the index.
        at: u64,
        /// The position of the changes.
        given: u64,
    },
    /// Writing failed. The index can be searched, and the change can come again.
    #[error("the search index cannot be written: {0}")]
    Write(String),
    /// Writing failed, and what was written could not be undone or read back.
    #[error("the search index can be neither written nor restored: {0}")]
    Broken(String),
}

impl ApplyError {
    /// Whether the index must be opened, and so checked, before it is changed again.
    pub fn wants_reopening(&self) -> bool {
        match self {
            Self::Older { .. } | Self::Write(_) => false,
            Self::Broken(_) => true,
        }
    }
}

fn unwritable(error: TantivyError) -> ApplyError {
    ApplyError::Write(error.to_string())
}

fn broken(error: TantivyError) -> ApplyError {
    ApplyError::Broken(error.to_string())
}

/// A change of one product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The product is this now.
    Put(Box<Document>),
    /// The product of this id is no more.
    Remove(String),
    /// The product of this id is there and cannot be read. It is not found until it is put.
    LeaveOut(String),
}

/// What is committed with the index.
#[derive(Serialize, Deserialize)]
struct Commit {
    format: u32,
    position: u64,
    /// The ids of products that could not be read.
    left_out: BTreeSet<String>,
}

/// A search index. Searches and one change at a time may run at once.
pub struct Index {
    fields: Fields,
    reader: IndexReader,
    writer: Mutex<IndexWriter<Entry>>,
    snapshot: RwLock<Arc<Snapshot>>,
}

impl Index {
    /// Opens the index of a folder. Every file is read and its checksum compared, so that what is damaged is found here
    /// and not by a search.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let there = |name: &str| fs::exists(folder.join(name)).map_err(|error| OpenError::Folder(error.to_string()));
        if !there(LISTS[0])? {
            return Err(OpenError::Missing);
        }
        if !there(LISTS[1])? {
            return Err(OpenError::Damaged(format!("`{}` is missing", LISTS[1])));
        }
        let files = Files::open(folder).map_err(|error| OpenError::Folder(error.to_string()))?;
        let index = tantivy::Index::open(files)?;
        let payload = index.load_metas()?.payload.ok_or(OpenError::Missing)?;
        let commit: Commit = serde_json::from_str(&payload).map_err(|error| OpenError::Damaged(error.to_string()))?;
        let fields = Fields::new();
        Fields::register(&index);
        if commit.format != FORMAT || index.schema() != fields.schema {
            return Err(OpenError::OtherVersion);
        }
        if let Some(damage) = damage(&index, folder)? {
            return Err(OpenError::Damaged(damage));
        }
        Self::of(&index, fields, commit.position, commit.left_out)
    }

    fn of(
        index: &tantivy::Index,
        fields: Fields,
        position: u64,
        left_out: BTreeSet<String>,
    ) -> Result<Self, OpenError> {
        let options = IndexWriterOptions::builder().num_worker_threads(1).memory_budget_per_thread(APPLY_BYTES).build();
        let writer = index.writer_with_options(options)?;
        writer.set_merge_policy(Box::new(merge_policy()));
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let snapshot = Snapshot::open(&reader.searcher(), &fields, position, left_out, None)?;
        Ok(Self { fields, reader, writer: Mutex::new(writer), snapshot: RwLock::new(Arc::new(snapshot)) })
    }

    /// Begins a new index in a folder. What was there is removed; until [`Builder::finish`], the folder holds no index.
    pub fn build(folder: &Path) -> Result<Builder, OpenError> {
        Builder::begin(folder)
    }

    /// Up to where the index knows the changes of the database.
    pub fn position(&self) -> u64 {
        self.snapshot().position
    }

    /// The ids of the products that could not be read.
    pub fn left_out(&self) -> BTreeSet<String> {
        self.snapshot().left_out.clone()
    }

    /// The ids of products of which readers are counted, in their order, behind an id; at most `limit`.
    pub fn with_readers(&self, after: &str, limit: usize) -> Result<Vec<String>, SearchError> {
        Ok(self.snapshot().with_readers(after, limit)?)
    }

    /// Whether another number of readers would change the place of a product.
    pub fn counts_other_readers(&self, id: &str, readers: u32) -> Result<bool, SearchError> {
        let level = self.snapshot().readers_level(id)?;
        Ok(level.is_some_and(|level| level != readers_level(readers)))
    }

    /// Takes changes, in their order, and the position they lead to; both or neither. Searches that begin afterwards see
    /// them. The same changes may come again.
    pub fn apply(&self, changes: impl IntoIterator<Item = Change>, position: u64) -> Result<(), ApplyError> {
        let mut writer =
            self.writer.lock().map_err(|_| ApplyError::Broken("an earlier change failed half-way".to_owned()))?;
        let before = self.snapshot();
        if position < before.position {
            return Err(ApplyError::Older { at: before.position, given: position });
        }
        let mut left_out = before.left_out.clone();
        if let Err(error) = self.write(&mut writer, changes, position, &mut left_out) {
            writer.rollback().map_err(broken)?;
            return Err(unwritable(error));
        }
        self.reader.reload().map_err(broken)?;
        let searcher = self.reader.searcher();
        let snapshot = Snapshot::open(&searcher, &self.fields, position, left_out, Some(&before)).map_err(broken)?;
        if let Ok(mut current) = self.snapshot.write() {
            *current = Arc::new(snapshot);
        }
        Ok(())
    }

    fn write(
        &self,
        writer: &mut IndexWriter<Entry>,
        changes: impl IntoIterator<Item = Change>,
        position: u64,
        left_out: &mut BTreeSet<String>,
    ) -> tantivy::Result<()> {
        for change in changes {
            let (id, document) = match &change {
                Change::Put(document) => (&document.id, Some(document)),
                Change::Remove(id) | Change::LeaveOut(id) => (id, None),
            };
            writer.delete_term(Term::from_field_text(self.fields.id, id));
            left_out.remove(id);
            if let Some(document) = document {
                writer.add_document(self.fields.encode(document))?;
            }
            if let Change::LeaveOut(id) = change {
                left_out.insert(id);
            }
        }
        commit(writer, position, left_out)
    }

    /// Answers a query as the caller may see the catalog.
    pub fn search(&self, visibility: &Arc<Visibility>, request: &Request) -> Result<Answer, SearchError> {
        let snapshot = self.snapshot();
        let view = snapshot.view(visibility)?;
        answer(Reading { snapshot: &snapshot, view: &view }, request)
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        match self.snapshot.read() {
            Ok(snapshot) => snapshot.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }
}

fn commit(writer: &mut IndexWriter<Entry>, position: u64, left_out: &BTreeSet<String>) -> tantivy::Result<()> {
    let commit = Commit { format: FORMAT, position, left_out: left_out.clone() };
    let payload = serde_json::to_string(&commit).map_err(|error| TantivyError::InternalError(error.to_string()))?;
    let mut commit = writer.prepare_commit()?;
    commit.set_payload(&payload);
    commit.commit()?;
    Ok(())
}

/// Few segments, because a search looks each word up in each; and none that is mostly replaced documents.
fn merge_policy() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(MOST_EQUAL_SEGMENTS);
    policy.set_del_docs_ratio_before_merge(MOST_DELETED);
    policy
}

/// Small blocks: a page reads single documents. They are compressed where they are made: to hand one over takes longer.
fn settings() -> tantivy::IndexSettings {
    tantivy::IndexSettings {
        docstore_blocksize: 4_096,
        docstore_compress_dedicated_thread: false,
        ..tantivy::IndexSettings::default()
    }
}

/// A new index that is being filled. Memory is bounded: documents go to disk as they come.
pub struct Builder {
    fields: Fields,
    index: tantivy::Index,
    writer: IndexWriter<Entry>,
    left_out: BTreeSet<String>,
}

impl Builder {
    fn begin(folder: &Path) -> Result<Self, OpenError> {
        let folder_error = |error: io::Error| OpenError::Folder(error.to_string());
        fs::create_dir_all(folder).map_err(folder_error)?;
        let files = Files::open(folder).map_err(|error| OpenError::Folder(error.to_string()))?;
        let lock = tantivy::Directory::acquire_lock(&files, &tantivy::directory::INDEX_WRITER_LOCK)
            .map_err(|error| OpenError::from(TantivyError::LockFailure(error, None)))?;
        clear(folder).map_err(folder_error)?;
        drop(lock);
        let fields = Fields::new();
        let index = tantivy::Index::create(files, fields.schema.clone(), settings())?;
        Fields::register(&index);
        let options = IndexWriterOptions::builder()
            .num_worker_threads(BUILD_THREADS)
            .memory_budget_per_thread(BUILD_BYTES)
            .build();
        let writer = index.writer_with_options(options)?;
        writer.set_merge_policy(Box::new(NoMergePolicy));
        Ok(Self { fields, index, writer, left_out: BTreeSet::new() })
    }

    /// Adds a product. Each product comes once.
    pub fn add(&self, document: &Document) -> Result<(), ApplyError> {
        self.writer.add_document(self.fields.encode(document)).map_err(unwritable)?;
        Ok(())
    }

    /// Notes a product that is there and cannot be read.
    pub fn leave_out(&mut self, id: String) {
        self.left_out.insert(id);
    }

    /// The ids of the products that could not be read.
    pub fn left_out(&self) -> &BTreeSet<String> {
        &self.left_out
    }

    /// Commits the index at a position, and opens it.
    pub fn finish(mut self, position: u64) -> Result<Index, OpenError> {
        commit(&mut self.writer, position, &self.left_out)?;
        let mut segments = self.index.searchable_segment_metas()?;
        segments.sort_by_key(|segment| Reverse(segment.max_doc()));
        let n_docs: u32 = segments.iter().map(SegmentMeta::max_doc).sum();
        let n = if n_docs > ONE_SEGMENT_DOCS { BUILT_SEGMENTS } else { 1 };
        let mut groups: Vec<(u32, Vec<SegmentId>)> = vec![Default::default(); n];
        for segment in segments {
            if let Some((n_docs, group)) = groups.iter_mut().min_by_key(|(n_docs, _)| *n_docs) {
                *n_docs += segment.max_doc();
                group.push(segment.id());
            }
        }
        let merges: Vec<_> =
            groups.iter().filter(|(_, group)| group.len() > 1).map(|(_, group)| self.writer.merge(group)).collect();
        merges.into_iter().try_for_each(|merge| merge.wait().map(drop))?;
        self.writer.wait_merging_threads()?;
        Index::of(&self.index, self.fields, position, self.left_out)
    }
}

/// Removes the files of an index that was there, and no others. The list of segments goes first, so that a clearing that
/// is interrupted leaves no index.
fn clear(folder: &Path) -> io::Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_list = LISTS.iter().any(|name| path.ends_with(name));
        let is_segment =
            path.extension().is_some_and(|extension| SEGMENT_FILES.iter().any(|known| extension == *known));
        if is_list || is_segment {
            files.push(path);
        }
    }
    files.sort_by_key(|path| !path.ends_with(LISTS[0]));
    files.iter().try_for_each(fs::remove_file)
}
