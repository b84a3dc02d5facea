//! What lies beside the repository: standards, vectors and sample data. It needs the standard library alone, so that the
//! tests of crates that the testkit depends on include this file.

use std::fmt::Arguments;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file or folder of the shared test data: of `CHARTER_SHARED`, else of the folder `shared` beside the repository. `None`
/// where it is missing, which is printed, and in CI fails.
pub fn shared(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("CHARTER_SHARED").map_or_else(beside, PathBuf::from);
    found("the shared test data", root.join(name))
}

/// Something that tests can do without, under the same rule.
pub fn found(what: &str, path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{what} must be there in CI: {}", path.display());
    skipped(format_args!("{what} is not at {}", path.display()));
    None
}

/// Tells why a test does nothing. What `println!` tells is kept from sight where a test passes.
pub fn skipped(why: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}
