//! Programs of others that tests run.

use std::path::{Path, PathBuf};

use crate::shared::found;

/// The Python environment with the real clients: of `CHARTER_CLIENTS`, else in the target folder of the repository;
/// required in CI.
pub fn clients() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients");
    let clients = std::env::var_os("CHARTER_CLIENTS").map_or_else(beside, PathBuf::from);
    found("the Python environment with the clients", clients)
}
