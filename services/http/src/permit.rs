//! Permits: a bound on work that runs at the same time.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// A fixed number of permits.
#[derive(Debug)]
pub struct Permits(Arc<Semaphore>);

/// A permit. It is returned when it is dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

impl Permits {
    /// Permits for this much concurrent work.
    pub fn new(n_permits: usize) -> Self {
        Self(Arc::new(Semaphore::new(n_permits)))
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    /// [`Problem::Busy`] if none is.
    pub fn try_acquire(&self) -> Result<Permit, Problem> {
        Arc::clone(&self.0).try_acquire_owned().map(Permit).map_err(|_| Problem::Busy)
    }

    /// Waits for a permit.
    pub async fn acquire(&self) -> Permit {
        match Arc::clone(&self.0).acquire_owned().await {
            Ok(permit) => Permit(permit),
            // Only of a closed semaphore, and this one is never closed.
            Err(_) => std::future::pending().await,
        }
    }
}
