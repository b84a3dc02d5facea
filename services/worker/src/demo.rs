//! to come
pub(crate) const LAST_VERSION: u64 = 4;
pub(crate) fn make(_: &std::path::Path, _: u64) -> anyhow::Result<()> { Ok(()) }
