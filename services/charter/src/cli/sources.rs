//! The documents of `plan` and `apply`: files, folders and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::{Error, Exit, Result};

/// The file endings that are read in folders.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];
/// The most documents of a set, and their greatest size together (SPEC section 5). The server checks both; here they
/// keep a wrong folder from being read to its end.
const MAX_DOCUMENTS: usize = 2_000;
const MAX_BYTES: usize = 20 * 1024 * 1024;

/// One document as it is sent.
#[derive(Debug, Serialize)]
pub(crate) struct Source {
    /// Where it comes from, for messages.
    pub(crate) path: String,
    /// The whole document.
    pub(crate) text: String,
}

/// Reads files, folders with all below them, and `-`, which is standard input. Folders are read in the order of their
/// names; what starts with a dot, and links to folders, are passed over.
///
/// # Errors
/// If something cannot be read or is not UTF-8, if there is no document at all, or too much.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Source>> {
    let mut set = Set::default();
    for path in paths {
        if !is_stdin(path) && fs::metadata(path).map_err(|cause| cannot_read(path, &cause))?.is_dir() {
            set.add_folder(path)?;
        } else {
            set.add_file(path)?;
        }
    }
    if set.sources.is_empty() {
        return Err(Error::new(Exit::Usage, "there are no documents to read")
            .hint("in folders, files that end with `.yaml`, `.yml` or `.json` are read"));
    }
    Ok(set.sources)
}

#[derive(Default)]
struct Set {
    sources: Vec<Source>,
    n_bytes: usize,
}

impl Set {
    fn add_folder(&mut self, folder: &Path) -> Result<()> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries = entries.map_err(|cause| cannot_read(folder, &cause))?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            let is_document = path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
            let is_folder = entry.file_type().map_err(|cause| cannot_read(&path, &cause))?.is_dir();
            if is_folder && !is_hidden {
                self.add_folder(&path)?;
            } else if is_document && !is_hidden && path.is_file() {
                self.add_file(&path)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<()> {
        let bytes = read_bytes(path)?;
        let path = name(path);
        self.n_bytes += bytes.len();
        if self.sources.len() == MAX_DOCUMENTS || self.n_bytes > MAX_BYTES {
            return Err(Error::new(Exit::Invalid, "a set holds at most 2,000 documents and 20 MB")
                .hint("apply it domain by domain"));
        }
        let text = String::from_utf8(bytes).map_err(|_| Error::new(Exit::Invalid, format!("`{path}` is not UTF-8")))?;
        self.sources.push(Source { path, text });
        Ok(())
    }
}

/// The bytes of one file, or of standard input for `-`, as far as a set may reach.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    // One more than a set may have, so that too much is seen as such.
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = if is_stdin(path) {
        io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    read.map_err(|cause| cannot_read(path, &cause))?;
    Ok(bytes)
}

/// A file's name in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "<stdin>".to_owned() } else { path.display().to_string() }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn cannot_read(path: &Path, cause: &io::Error) -> Error {
    Error::new(Exit::Failed, format!("cannot read `{}`: {cause}", name(path)))
}
