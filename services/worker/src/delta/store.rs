//! The object store for the Delta kernel: files below [`Root`], and of the log only those that were selected.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use domain::table::PinnedFile;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::log::{LOG_FOLDER, LogFile};
use crate::root::Root;

/// Read-only. It hides every log file that was not selected, so that no hint, checksum, compaction or later entry can
/// change what the kernel sees.
#[derive(Debug)]
pub(crate) struct Store {
    root: Arc<Root>,
    /// The selected log files by path.
    log: BTreeMap<String, LogFile>,
}

impl Store {
    pub(crate) fn new(root: Arc<Root>, log: Vec<LogFile>) -> Self {
        Self { root, log: log.into_iter().map(|file| (file.path().to_owned(), file)).collect() }
    }

    fn is_hidden(&self, path: &str) -> bool {
        path.split('/').next() == Some(LOG_FOLDER) && !self.log.contains_key(path)
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table's folder")
    }
}

#[async_trait]
impl ObjectStore for Store {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = location.as_ref();
        if self.is_hidden(path) {
            return Err(Error::NotFound { path: path.to_owned(), source: "not of this snapshot".into() });
        }
        let (meta, whole) = match self.log.get(path) {
            Some(LogFile::Rewritten { text, .. }) => (meta_of_text(text, location.clone()), Whole::Text(text.clone())),
            Some(LogFile::Pinned(_)) | None => {
                let opened = self.root.open_file(path);
                let (file, pin) = opened.map_err(|error| Error::Generic { store: "table", source: Box::new(error) })?;
                (meta(&pin, location.clone()), Whole::File(file))
            }
        };
        options.check_preconditions(&meta)?;
        let range = match options.range {
            Some(range) => range.as_range(meta.size).map_err(|error| Error::Generic {
                store: "table",
                source: format!("`{path}` is shorter than expected: {error}").into(),
            })?,
            None => 0..meta.size,
        };
        let payload = match whole {
            Whole::File(file) => GetResultPayload::File(file, path.into()),
            Whole::Text(text) => {
                // The range ends within the text, so it fits into memory too.
                let part = text.slice(range.start as usize..range.end as usize);
                GetResultPayload::Stream(stream::once(std::future::ready(Ok(part))).boxed())
            }
        };
        Ok(GetResult { payload, meta, range, attributes: Attributes::default() })
    }

    /// Lists the log. The kernel lists nothing else.
    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let below = |path: &Path| prefix.is_none_or(|prefix| path.prefix_matches(prefix));
        let found: Vec<Result<ObjectMeta>> = self
            .log
            .values()
            .filter_map(|file| Path::parse(file.path()).ok().map(|path| (path, file)))
            .filter(|(path, _)| below(path))
            .map(|(path, file)| {
                Ok(match file {
                    LogFile::Pinned(pin) => meta(pin, path),
                    LogFile::Rewritten { text, .. } => meta_of_text(text, path),
                })
            })
            .collect();
        stream::iter(found).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(Error::NotImplemented { operation: "list_with_delimiter".to_owned(), implementer: self.to_string() })
    }

    async fn put_opts(&self, location: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(read_only(location))
    }

    async fn put_multipart_opts(&self, location: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(read_only(location))
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        locations.map(|location| Err(read_only(&location?))).boxed()
    }

    async fn copy_opts(&self, _: &Path, to: &Path, _: CopyOptions) -> Result<()> {
        Err(read_only(to))
    }
}

enum Whole {
    File(File),
    Text(Bytes),
}

fn read_only(location: &Path) -> Error {
    Error::PermissionDenied { path: location.to_string(), source: "a table under inspection is never written".into() }
}

fn meta(pin: &PinnedFile, location: Path) -> ObjectMeta {
    let mtime = Duration::from_nanos(pin.mtime_ns.unsigned_abs());
    let last_modified = if pin.mtime_ns < 0 { UNIX_EPOCH - mtime } else { UNIX_EPOCH + mtime };
    ObjectMeta { location, last_modified: last_modified.into(), size: pin.size_bytes, e_tag: None, version: None }
}

fn meta_of_text(text: &Bytes, location: Path) -> ObjectMeta {
    ObjectMeta { location, last_modified: UNIX_EPOCH.into(), size: text.len() as u64, e_tag: None, version: None }
}
