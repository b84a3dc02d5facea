//! The counts of data files that an inspection leaves for the next one of its table, as a file of the data directory.
//!
//! They are a cache. Whatever is wrong with the file, it is as if there was none: its first line is the digest of the
//! rest. What a count depends on is in the digests, which the worker makes and compares.

use std::fmt::Write;

use domain::inspection::{Kept, KeptFile};
use domain::table::FileDigest;
use sha2::{Digest, Sha256};

/// The bytes of the file.
pub(crate) fn encode(kept: &Kept) -> Vec<u8> {
    let mut text = String::new();
    let checks: Vec<String> = kept.checks.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "{}", checks.join(" "));
    for KeptFile { file, counts } in &kept.files {
        let _ = write!(text, "{file}");
        for count in counts {
            let _ = write!(text, " {count}");
        }
        text.push('\n');
    }
    format!("{}\n{text}", digest(&text)).into_bytes()
}

/// The counts in the bytes of a file; `None` if it is damaged.
pub(crate) fn decode(bytes: &[u8]) -> Option<Kept> {
    let (head, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    if head.parse() != Ok(digest(text)) {
        return None;
    }
    let mut lines = text.lines();
    let checks = lines.next()?.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let file = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let file = words.next()?.parse().ok()?;
        Some(KeptFile { file, counts: words.map(str::parse).collect::<Result<_, _>>().ok()? })
    };
    let kept = Kept { checks, files: lines.map(file).collect::<Option<_>>()? };
    kept.is_whole().then_some(kept)
}

fn digest(text: &str) -> FileDigest {
    FileDigest(Sha256::digest(text).into())
}
