//! Embeds the built page: every file of `frontend/dist`, with its precompressed variants, and the documents that the page
//! sends. Without the folder there is a page that says how to build it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The media types of the files that a page has, by the ends of their names.
const MEDIA_TYPES: [(&str, &str); 11] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("json", "application/json"),
    ("webmanifest", "application/manifest+json"),
    ("wasm", "application/wasm"),
    ("txt", "text/plain; charset=utf-8"),
];

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let frontend = folder.join("../../frontend");
    println!("cargo::rerun-if-changed=build.rs");
    let documents = frontend.join("persisted.json");
    println!("cargo::rerun-if-changed={}", documents.display());

    let mut text = String::new();
    let documents = documents.is_file().then(|| documents.canonicalize()).transpose()?;
    match documents {
        Some(path) => writeln!(text, "pub(crate) const DOCUMENTS: &str = include_str!({path:?});"),
        None => writeln!(text, "pub(crate) const DOCUMENTS: &str = \"{{}}\";"),
    }
    .map_err(io::Error::other)?;
    let dist = frontend.join("dist");
    let mut files = Vec::new();
    // A folder that is not there is not watched: cargo would build everything anew each time. `make page` touches this file.
    if dist.join("index.html").is_file() {
        println!("cargo::rerun-if-changed={}", dist.display());
        list(&dist, &mut files)?;
    }
    files.sort();
    text.push_str("pub(crate) const FILES: &[crate::File] = &[\n");
    for file in files.iter().filter(|file| !is_variant(file)) {
        write_file(&mut text, &dist, file)?;
    }
    text.push_str("];\n");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&out).join("embedded.rs"), text)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn end(file: &Path) -> &str {
    file.extension().and_then(|end| end.to_str()).unwrap_or_default()
}

fn is_variant(file: &Path) -> bool {
    matches!(end(file), "br" | "gz")
}

fn write_file(text: &mut String, dist: &Path, file: &Path) -> io::Result<()> {
    let known = MEDIA_TYPES.iter().find(|(known, _)| *known == end(file));
    let unknown = || io::Error::other(format!("`{}`: no media type is known for it, add one here", file.display()));
    let (_, media_type) = known.ok_or_else(unknown)?;
    let path = file.strip_prefix(dist).map_err(io::Error::other)?.display();
    let bytes = |file: &Path| file.canonicalize().map(|file| format!("include_bytes!({file:?})"));
    let variant = |end: &str| {
        let variant = PathBuf::from(format!("{}.{end}", file.display()));
        match variant.is_file() {
            true => bytes(&variant).map(|bytes| format!("Some({bytes})")),
            false => Ok("None".to_owned()),
        }
    };
    let (plain, brotli, gzip) = (bytes(file)?, variant("br")?, variant("gz")?);
    writeln!(
        text,
        "crate::File {{ path: \"/{path}\", media_type: {media_type:?}, plain: {plain}, brotli: {brotli}, gzip: {gzip} }},"
    )
    .map_err(io::Error::other)
}
