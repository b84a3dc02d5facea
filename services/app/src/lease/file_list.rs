//! The files of one inspected snapshot. A list is an immutable file under the digest of its bytes.

use std::io::{self, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};

use domain::table::{FileDigest, PinnedFile};
use sha2::{Digest, Sha256};

/// The most files in a list.
pub const MAX_FILES: usize = 1_000_000;

/// The longest key below the table, in bytes: what S3 allows, less the table's id and a slash.
pub const MAX_KEY_BYTES: usize = 1_024 - 37;

/// The most bytes of a list before compression.
const MAX_PLAIN_BYTES: u64 = 256 << 20;

/// The first bytes of a list before compression; a change of the layout changes them.
const MAGIC: &[u8; 25] = b"charterhouse file list 2\n";

/// The same of lists of earlier releases, which know neither change times nor digests.
const MAGIC_1: &[u8; 25] = b"charterhouse file list 1\n";

/// A file of a list has a change time.
const HAS_CTIME: u8 = 1;
/// A file of a list has a digest.
const HAS_DIGEST: u8 = 2;

const ZSTD_LEVEL: i32 = 3;

/// The longest text of a list: a key, or the path of a checkpoint.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// The files of one inspected snapshot, sorted by the bytes of their keys. No key is there twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileList {
    entries: Vec<ListedFile>,
}

/// One file of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedFile {
    /// Its key below the table, and what must hold for it to be served.
    pub file: PinnedFile,
    /// Where its bytes are.
    pub place: Place,
}

/// Where the bytes of a listed file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the table's folder, under its key.
    Table,
    /// In a file of our own, at this absolute path: the checkpoint that replaces a Delta table's log.
    Own(PathBuf),
}

/// Our own checkpoint of a Delta version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Where it is: absolute, in the data directory.
    pub path: PathBuf,
    /// SHA-256 of its bytes.
    pub digest: FileDigest,
    /// Its size.
    pub size_bytes: u64,
    /// Its modification time, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Its inode.
    pub inode: u64,
}

/// Why something is not a file list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A key with an empty, `.` or `..` segment, a NUL, or too long.
    #[error("`{0}` cannot be the key of a file")]
    BadKey(String),
    /// A key inside `_delta_log` that is not our own checkpoint.
    #[error("`{0}` is part of a Delta log, which is never served")]
    Log(String),
    /// Two files of one key, or a stored list that is not sorted.
    #[error("`{0}` is listed twice or out of order")]
    Order(String),
    /// The path of a checkpoint that is not absolute, or has `..` in it.
    #[error("the checkpoint is not a file of its own with an absolute and plain path")]
    BadCheckpoint,
    /// A checkpoint of more bytes than [`MAX_CHECKPOINT_BYTES`](domain::inspection::MAX_CHECKPOINT_BYTES).
    #[error("the checkpoint is longer than {} bytes", domain::inspection::MAX_CHECKPOINT_BYTES)]
    LargeCheckpoint,
    /// More than [`MAX_FILES`], or more bytes than a list may have.
    #[error("too many files in one snapshot: at most {MAX_FILES}")]
    TooLarge,
    /// Bytes that no list gives.
    #[error("not a stored file list")]
    Malformed,
}

impl FileList {
    /// The list of a Parquet folder.
    ///
    /// # Errors
    /// [`Error`] if a key is not one, or is there twice.
    pub fn parquet(files: Vec<PinnedFile>) -> Result<Self, Error> {
        Self::sorted(files.into_iter().map(|file| ListedFile { file, place: Place::Table }).collect())
    }

    /// The list of a Delta version: its data files and deletion vectors, and of the log only our own checkpoint.
    ///
    /// # Errors
    /// [`Error`] if a key is not one, is there twice, or lies in the log.
    pub fn delta(version: u64, files: Vec<PinnedFile>, checkpoint: Checkpoint) -> Result<Self, Error> {
        let Checkpoint { path, digest, size_bytes, mtime_ns, inode } = checkpoint;
        // The digest instead of the change time: an operator may copy the data directory by links, or change its owner.
        let (ctime_ns, digest) = (None, Some(digest));
        let file = PinnedFile { path: checkpoint_key(version), size_bytes, mtime_ns, inode, ctime_ns, digest };
        let in_table = files.into_iter().map(|file| ListedFile { file, place: Place::Table });
        Self::sorted(in_table.chain([ListedFile { file, place: Place::Own(path) }]).collect())
    }

    /// The files, sorted by the bytes of their keys.
    pub fn entries(&self) -> &[ListedFile] {
        &self.entries
    }

    /// The file with exactly this key.
    pub fn find(&self, key: &str) -> Option<&ListedFile> {
        self.entries.get(self.position(key)?)
    }

    /// The place of the file with exactly this key.
    pub fn position(&self, key: &str) -> Option<usize> {
        self.entries.binary_search_by(|entry| entry.file.path.as_bytes().cmp(key.as_bytes())).ok()
    }

    /// The bytes to store: compressed, with the files in order.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub fn encode(&self) -> Result<StoredFileList, Error> {
        // Twice over the entries instead of once with all of the plain bytes in memory.
        let mut counter = Counter(0);
        self.write(&mut counter)?;
        if counter.0 > MAX_PLAIN_BYTES {
            return Err(Error::TooLarge);
        }
        let compress = || {
            let mut compressor = zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?;
            compressor.include_contentsize(true)?;
            compressor.set_pledged_src_size(Some(counter.0))?;
            Ok::<_, io::Error>(compressor)
        };
        let mut compressor = compress().map_err(|_| Error::TooLarge)?;
        self.write(&mut compressor)?;
        let bytes = compressor.finish().map_err(|_| Error::TooLarge)?;
        let digest = hex::encode(Sha256::digest(&bytes));
        Ok(StoredFileList { digest, bytes })
    }

    fn write(&self, plain: &mut impl Write) -> Result<(), Error> {
        put(plain, MAGIC)?;
        for ListedFile { file, place } in &self.entries {
            put_text(plain, file.path.as_bytes())?;
            put(plain, &file.size_bytes.to_le_bytes())?;
            put(plain, &file.mtime_ns.to_le_bytes())?;
            put(plain, &file.inode.to_le_bytes())?;
            let has = |is: bool, flag: u8| if is { flag } else { 0 };
            put(plain, &[has(file.ctime_ns.is_some(), HAS_CTIME) | has(file.digest.is_some(), HAS_DIGEST)])?;
            if let Some(ctime_ns) = file.ctime_ns {
                put(plain, &ctime_ns.to_le_bytes())?;
            }
            if let Some(digest) = file.digest {
                put(plain, &digest.0)?;
            }
            match place {
                Place::Table => put_text(plain, b"")?,
                Place::Own(path) => put_text(plain, path.to_str().ok_or(Error::BadCheckpoint)?.as_bytes())?,
            }
        }
        Ok(())
    }

    /// The list that was stored under a digest.
    ///
    /// # Errors
    /// [`Error::Malformed`] if the bytes do not have the digest, or are not a list; any other [`Error`] if the list
    /// breaks a rule of lists.
    pub fn decode(digest: &str, bytes: &[u8]) -> Result<Self, Error> {
        if hex::encode(Sha256::digest(bytes)) != digest {
            return Err(Error::Malformed);
        }
        let size = zstd::zstd_safe::get_frame_content_size(bytes).ok().flatten().ok_or(Error::Malformed)?;
        if size > MAX_PLAIN_BYTES {
            return Err(Error::TooLarge);
        }
        let plain = zstd::Decoder::new(bytes).map_err(|_| Error::Malformed)?;
        let mut rest = BufReader::new(plain).take(size);
        let knows_flags = match &take(&mut rest)? {
            magic if magic == MAGIC => true,
            magic if magic == MAGIC_1 => false,
            _ => return Err(Error::Malformed),
        };
        let mut entries = Vec::new();
        while rest.limit() > 0 {
            let path = take_text(&mut rest)?;
            let size_bytes = u64::from_le_bytes(take(&mut rest)?);
            let mtime_ns = i64::from_le_bytes(take(&mut rest)?);
            let inode = u64::from_le_bytes(take(&mut rest)?);
            let flags = if knows_flags { take(&mut rest)? } else { [0] };
            if flags[0] & !(HAS_CTIME | HAS_DIGEST) != 0 {
                return Err(Error::Malformed);
            }
            let ctime_ns = if flags[0] & HAS_CTIME == 0 { None } else { Some(i64::from_le_bytes(take(&mut rest)?)) };
            let digest = if flags[0] & HAS_DIGEST == 0 { None } else { Some(FileDigest(take(&mut rest)?)) };
            let place = match take_text(&mut rest)? {
                own if own.is_empty() => Place::Table,
                own => Place::Own(PathBuf::from(own)),
            };
            let file = PinnedFile { path, size_bytes, mtime_ns, inode, ctime_ns, digest };
            entries.push(ListedFile { file, place });
        }
        Self::checked(entries)
    }

    fn sorted(mut entries: Vec<ListedFile>) -> Result<Self, Error> {
        entries.sort_by(|a, b| a.file.path.as_bytes().cmp(b.file.path.as_bytes()));
        Self::checked(entries)
    }

    /// The one place where a list comes to be: every rule of lists is checked here.
    fn checked(entries: Vec<ListedFile>) -> Result<Self, Error> {
        if entries.len() > MAX_FILES {
            return Err(Error::TooLarge);
        }
        let mut last: Option<&str> = None;
        for ListedFile { file, place } in &entries {
            let key = file.path.as_str();
            if !is_key(key) || i64::try_from(file.size_bytes).is_err() {
                return Err(Error::BadKey(key.to_owned()));
            }
            match place {
                Place::Table if key.split('/').next() == Some("_delta_log") => {
                    return Err(Error::Log(key.to_owned()));
                }
                Place::Table => {}
                Place::Own(_) if !is_checkpoint_key(key) => return Err(Error::Log(key.to_owned())),
                Place::Own(path) if !is_plain(path) => return Err(Error::BadCheckpoint),
                Place::Own(_) => {}
            }
            if last.is_some_and(|last| last.as_bytes() >= key.as_bytes()) {
                return Err(Error::Order(key.to_owned()));
            }
            last = Some(key);
        }
        Ok(Self { entries })
    }
}

/// A file list as it is stored: immutable, under its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFileList {
    /// SHA-256 of the bytes, in hex.
    pub digest: String,
    /// The compressed list.
    pub bytes: Vec<u8>,
}

/// The key under which our own checkpoint of a Delta version is served.
pub fn checkpoint_key(version: u64) -> String {
    format!("_delta_log/{version:020}.checkpoint.parquet")
}

fn is_checkpoint_key(key: &str) -> bool {
    let version = key.strip_prefix("_delta_log/").and_then(|name| name.strip_suffix(".checkpoint.parquet"));
    version.is_some_and(|digits| digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a text can be the key of a file below its table: segments that are neither empty nor `.` nor `..`, no NUL,
/// at most [`MAX_KEY_BYTES`].
pub fn is_key(key: &str) -> bool {
    key.len() <= MAX_KEY_BYTES
        && !key.contains('\0')
        && key.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
}

fn is_plain(path: &Path) -> bool {
    path.is_absolute() && path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)))
}

/// Counts the bytes that it is given.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn put(plain: &mut impl Write, bytes: &[u8]) -> Result<(), Error> {
    // Neither a counter nor compressing into memory fails in another way.
    plain.write_all(bytes).map_err(|_| Error::TooLarge)
}

fn put_text(plain: &mut impl Write, text: &[u8]) -> Result<(), Error> {
    put(plain, &u32::try_from(text.len()).map_err(|_| Error::TooLarge)?.to_le_bytes())?;
    put(plain, text)
}

fn take<const N: usize>(rest: &mut impl Read) -> Result<[u8; N], Error> {
    let mut taken = [0; N];
    rest.read_exact(&mut taken).map_err(|_| Error::Malformed)?;
    Ok(taken)
}

fn take_text(rest: &mut impl Read) -> Result<String, Error> {
    let length = usize::try_from(u32::from_le_bytes(take(rest)?)).map_err(|_| Error::Malformed)?;
    if length > MAX_TEXT_BYTES {
        return Err(Error::Malformed);
    }
    let mut taken = vec![0; length];
    rest.read_exact(&mut taken).map_err(|_| Error::Malformed)?;
    String::from_utf8(taken).map_err(|_| Error::Malformed)
}
