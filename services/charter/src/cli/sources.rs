//! The documents of `plan` and `apply`: files, directories and standard input.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::api::schema;
use super::error::{Error, Exit, Result};

/// The name of standard input in messages.
pub(crate) const STDIN: &str = "<stdin>";

/// The file extensions that are read in directories.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];
/// The limits of a set of documents (docs/rules.md, "Interfaces and limits"). The server enforces both; checking them
/// here avoids reading a wrong directory to its end.
const MAX_DOCUMENTS: usize = 2_000;
const MAX_BYTES: usize = 20 * 1024 * 1024;

/// One document of a request.
#[derive(Clone, Debug, cynic::InputObject)]
#[cynic(graphql_type = "DocumentInput")]
pub(crate) struct Source {
    /// The file name, for error messages.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// Reads files, directories recursively, and `-`, which is standard input. Entries of a directory are sorted by name;
/// names that start with a dot and links to directories are skipped.
///
/// # Errors
/// If a file cannot be read or is not UTF-8, or if there are no documents or too many.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<Source>> {
    let mut set = Set::default();
    each(paths, &mut |path| set.add_file(path))?;
    Ok(set.sources)
}

/// Hands over the path of each document, in the order of [`read`].
///
/// # Errors
/// If a directory cannot be read, or if there are no documents; the first error of `take`.
pub(crate) fn each(paths: &[PathBuf], take: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let mut n_files = 0_usize;
    let mut counted = |path: &Path| {
        n_files += 1;
        take(path)
    };
    for path in paths {
        if !is_stdin(path) && fs::metadata(path).map_err(|cause| cannot_read(path, &cause))?.is_dir() {
            each_of_directory(path, &mut counted)?;
        } else {
            counted(path)?;
        }
    }
    if n_files == 0 {
        return Err(Error::new(Exit::Usage, "no documents found")
            .hint("in directories, only files that end in `.yaml`, `.yml` or `.json` are read"));
    }
    Ok(())
}

fn each_of_directory(directory: &Path, take: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = entries.map_err(|cause| cannot_read(directory, &cause))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let is_document = path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known));
        let is_directory = entry.file_type().map_err(|cause| cannot_read(&path, &cause))?.is_dir();
        if is_directory && !is_hidden {
            each_of_directory(&path, take)?;
        } else if is_document && !is_hidden && path.is_file() {
            take(&path)?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Set {
    sources: Vec<Source>,
    n_bytes: usize,
}

impl Set {
    fn add_file(&mut self, path: &Path) -> Result<()> {
        let bytes = read_bytes(path)?;
        let path = name(path);
        self.n_bytes += bytes.len();
        if self.sources.len() == MAX_DOCUMENTS || self.n_bytes > MAX_BYTES {
            return Err(Error::new(Exit::Invalid, "a set may have at most 2,000 documents and 20 MB")
                .hint("apply it domain by domain"));
        }
        let text = String::from_utf8(bytes).map_err(|_| Error::new(Exit::Invalid, format!("`{path}` is not UTF-8")))?;
        self.sources.push(Source { path, text });
        Ok(())
    }
}

/// Reads one file, or standard input for `-`, up to the size limit of a set.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    // One byte over the limit, so that a larger file is detected.
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

/// The name of a file in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { STDIN.to_owned() } else { path.display().to_string() }
}

/// Whether a file means standard input, or standard output.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn cannot_read(path: &Path, cause: &io::Error) -> Error {
    Error::new(Exit::Failed, format!("cannot read `{}`: {cause}", name(path)))
}
