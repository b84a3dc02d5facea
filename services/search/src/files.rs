//! The files of the index, so that damage is found when it is opened.
//!
//! tantivy closes each file of a segment with a checksum. The two lists that it replaces as a whole (which segments
//! there are, which files are its own) have none: [`Files`] adds one to them.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tantivy::Directory;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{DirectoryLock, FileHandle, Lock, MmapDirectory, WatchCallback, WatchHandle, WritePtr};
use tantivy::index::SegmentComponent;

/// A folder whose lists have checksums.
#[derive(Clone, Debug)]
pub(crate) struct Files(MmapDirectory);

/// Length of the checksum at the end of a list.
const CHECKSUM_BYTES: usize = 8;

impl Files {
    pub(crate) fn open(folder: &Path) -> Result<Self, tantivy::directory::error::OpenDirectoryError> {
        MmapDirectory::open(folder).map(Self)
    }
}

impl Directory for Files {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        self.0.get_file_handle(path)
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        self.0.delete(path)
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        self.0.exists(path)
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        self.0.open_write(path)
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        let mut data = self.0.atomic_read(path)?;
        let body = data.len().checked_sub(CHECKSUM_BYTES);
        let sound = body.filter(|&body| data[body..] == checksum(&data[..body]).to_be_bytes());
        let Some(body) = sound else {
            return Err(OpenReadError::wrap_io_error(
                io::Error::new(io::ErrorKind::InvalidData, "the checksum does not match"),
                path.to_path_buf(),
            ));
        };
        data.truncate(body);
        Ok(data)
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let mut sealed = data.to_vec();
        sealed.extend_from_slice(&checksum(data).to_be_bytes());
        self.0.atomic_write(path, &sealed)
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.0.sync_directory()
    }

    fn acquire_lock(&self, lock: &Lock) -> Result<DirectoryLock, LockError> {
        self.0.acquire_lock(lock)
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        self.0.watch(callback)
    }
}

/// FNV-1a, 64 bits: against accidents, not against people, who could as well write another index.
pub(crate) fn checksum(data: &[u8]) -> u64 {
    data.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A shorter file has no checksum. tantivy reads it without looking at the length.
const FOOTER_BYTES: u64 = 8;

/// The files of each segment.
const COMPONENTS: [SegmentComponent; 6] = [
    SegmentComponent::Postings,
    SegmentComponent::Positions,
    SegmentComponent::FastFields,
    SegmentComponent::FieldNorms,
    SegmentComponent::Terms,
    SegmentComponent::Store,
];

/// The first damage of an index's segments: a file that is missing, short or changed.
pub(crate) fn damage(index: &tantivy::Index, folder: &Path) -> tantivy::Result<Option<String>> {
    for segment in index.searchable_segments()? {
        let meta = segment.meta();
        let deletes = meta.has_deletes().then_some(SegmentComponent::Delete);
        for component in COMPONENTS.into_iter().chain(deletes) {
            let path = meta.relative_path(component);
            if !index.directory().exists(&path)? {
                return Ok(Some(format!("`{}` is missing", path.display())));
            }
            let length = fs::metadata(folder.join(&path)).map_or(0, |metadata| metadata.len());
            if length < FOOTER_BYTES || !index.directory().validate_checksum(&path)? {
                return Ok(Some(format!("the checksum of `{}` does not match", path.display())));
            }
        }
    }
    Ok(None)
}
