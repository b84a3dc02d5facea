//! Work that blocks, off the threads of the runtime.

use std::io;

use domain::pending::Pending;
use domain::storage::{Error, ReadError};
use domain::table::Location;

/// Runs on a blocking thread. The work begins at once.
pub(crate) fn list_blocking<T: Send + 'static>(
    location: Location,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Pending<'static, Result<T, Error>> {
    let working = tokio::task::spawn_blocking(work);
    Box::pin(async move { working.await.unwrap_or_else(|error| Err(Error::Io(location, io::Error::other(error)))) })
}

/// Runs on a blocking thread. The work begins at once.
pub(crate) fn read_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ReadError> + Send + 'static,
) -> Pending<'static, Result<T, ReadError>> {
    let working = tokio::task::spawn_blocking(work);
    Box::pin(async move { working.await.unwrap_or_else(|error| Err(ReadError::Io(io::Error::other(error)))) })
}
