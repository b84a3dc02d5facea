//! Permits: a bound on work that runs at the same time.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::problem::Problem;

/// A fixed number of permits. One is returned when it is dropped.
#[derive(Debug)]
pub struct Permits(Semaphore);

impl Permits {
    /// Permits for this much concurrent work.
    pub fn new(n_permits: usize) -> Self {
        Self(Semaphore::new(n_permits))
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    /// [`Problem::Busy`] if none is.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.try_acquire().map_err(|_| Problem::Busy)
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] during a shutdown.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.0.acquire().await.map_err(|_| Problem::Unavailable)
    }
}
