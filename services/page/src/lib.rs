//! The web page as it is embedded: its files, and the GraphQL documents that it sends.
//!
//! The page is built by `make page` from `frontend/`; the build script embeds the result. Serving it is in `api`.

#![warn(missing_docs)]

use std::collections::HashMap;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// A file of the page.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path on the server, such as `/assets/main-4f2a.js`.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same, compressed with Brotli.
    pub brotli: Option<&'static [u8]>,
    /// The same, compressed with gzip.
    pub gzip: Option<&'static [u8]>,
}

/// The page that all routes begin with.
const INDEX: &str = "/index.html";

/// What stands in for a page that was not built.
const UNBUILT: File = File {
    path: INDEX,
    media_type: "text/html; charset=utf-8",
    plain: include_bytes!("unbuilt.html"),
    brotli: None,
    gzip: None,
};

/// A page.
#[derive(Clone, Debug)]
pub struct Page {
    index: File,
    is_built: bool,
    files: HashMap<&'static str, File>,
    documents: HashMap<String, String>,
}

impl Page {
    /// The page that was embedded at build time.
    ///
    /// # Errors
    /// For a manifest of documents that is none.
    pub fn embedded() -> Result<Self, serde_json::Error> {
        Ok(Self::new(embedded::FILES, serde_json::from_str(embedded::DOCUMENTS)?))
    }

    /// A page of these files, and the documents that it sends, by their digests.
    pub fn new(files: &[File], documents: HashMap<String, String>) -> Self {
        let mut files: HashMap<_, _> = files.iter().map(|file| (file.path, *file)).collect();
        let index = files.remove(INDEX);
        Self { index: index.unwrap_or(UNBUILT), is_built: index.is_some(), files, documents }
    }

    /// Whether the page was built. If not, [`Page::index`] says how to build it.
    pub fn is_built(&self) -> bool {
        self.is_built
    }

    /// The page itself.
    pub fn index(&self) -> &File {
        &self.index
    }

    /// The file at a path, spelled exactly like this.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// The document with a digest: SHA-256 over its text, in hex.
    pub fn document(&self, digest: &str) -> Option<&str> {
        self.documents.get(digest).map(String::as_str)
    }

    /// All documents, by their digests.
    pub fn documents(&self) -> impl Iterator<Item = (&str, &str)> {
        self.documents.iter().map(|(digest, text)| (digest.as_str(), text.as_str()))
    }
}
