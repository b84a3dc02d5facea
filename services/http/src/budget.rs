//! Budgets: how much all requests together hold of something at a time, and how much one client does.
//!
//! [`Shares`] count what each client holds. [`Bodies`] is the budget of bytes for request bodies: bytes are counted as they
//! arrive, since a client may announce any length, and stay counted until the request is answered.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::id::PrincipalId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::problem::Problem;

/// Who holds something. A request counts for its principal and for its address, where that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// The principal that signed in.
    Principal(PrincipalId),
    /// The address of the client.
    Address(IpAddr),
}

/// How much each client holds, with the same limit for each.
#[derive(Clone, Debug)]
pub struct Shares {
    limit: usize,
    held: Arc<Mutex<HashMap<Client, usize>>>,
}

impl Shares {
    /// A share of this size for each client.
    pub fn new(limit: usize) -> Self {
        Self { limit, held: Arc::default() }
    }

    /// Nothing yet, for these clients.
    pub fn hold(&self, clients: &[Client]) -> Held {
        Held { shares: self.clone(), clients: clients.to_vec(), n: 0 }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What some clients hold. It is returned when dropped.
#[derive(Debug)]
pub struct Held {
    shares: Shares,
    clients: Vec<Client>,
    n: usize,
}

impl Held {
    /// Adds to it.
    ///
    /// # Errors
    /// [`Problem::TooMany`] if that exceeds the share of one of the clients; then nothing is added.
    pub fn add(&mut self, n: usize) -> Result<(), Problem> {
        let mut held = self.shares.lock();
        let now = |client: &Client| held.get(client).copied().unwrap_or(0);
        if self.clients.iter().any(|client| now(client).saturating_add(n) > self.shares.limit) {
            return Err(Problem::too_many(Duration::ZERO));
        }
        for client in &self.clients {
            *held.entry(*client).or_default() += n;
        }
        self.n += n;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.n == 0 {
            return;
        }
        let mut held = self.shares.lock();
        for client in &self.clients {
            // A client that holds nothing has no entry, so that the map does not grow.
            match held.get_mut(client) {
                Some(n) if *n > self.n => *n -= self.n,
                Some(_) => drop(held.remove(client)),
                None => {}
            }
        }
    }
}

/// The budget of bytes for request bodies and what is made of them.
#[derive(Clone, Debug)]
pub struct Bodies {
    free: Arc<Semaphore>,
    shares: Shares,
}

impl Bodies {
    /// A budget, and the share of it that each client has.
    pub fn new(n_bytes: usize, n_bytes_per_client: usize) -> Self {
        let free = Arc::new(Semaphore::new(n_bytes.min(Semaphore::MAX_PERMITS)));
        Self { free, shares: Shares::new(n_bytes_per_client) }
    }

    /// A body of these clients; nothing of it has arrived.
    pub fn hold(&self, clients: &[Client]) -> HeldBytes {
        HeldBytes { free: Arc::clone(&self.free), share: self.shares.hold(clients), permit: None }
    }
}

/// The bytes of one request. They are returned when it is dropped.
#[derive(Debug)]
pub struct HeldBytes {
    free: Arc<Semaphore>,
    share: Held,
    permit: Option<OwnedSemaphorePermit>,
}

impl HeldBytes {
    /// Adds bytes that have arrived.
    ///
    /// # Errors
    /// [`Problem::TooMany`] beyond the share of the client, [`Problem::Busy`] if the budget is spent. Waiting for others here
    /// could last for ever, since they may wait as well.
    pub fn add(&mut self, n_bytes: usize) -> Result<(), Problem> {
        self.share.add(n_bytes)?;
        let permit = Arc::clone(&self.free).try_acquire_many_owned(permits(n_bytes));
        self.keep(permit.map_err(|_| Problem::Busy)?);
        Ok(())
    }

    /// Adds bytes beyond the share of the client, and waits for them. Only for bodies so few at a time that the budget has
    /// room for all of them.
    ///
    /// # Errors
    /// [`Problem::Unavailable`] during a shutdown.
    pub async fn add_waiting(&mut self, n_bytes: usize) -> Result<(), Problem> {
        let permit = Arc::clone(&self.free).acquire_many_owned(permits(n_bytes)).await;
        self.keep(permit.map_err(|_| Problem::Unavailable)?);
        Ok(())
    }

    fn keep(&mut self, permit: OwnedSemaphorePermit) {
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
    }
}

fn permits(n_bytes: usize) -> u32 {
    u32::try_from(n_bytes).unwrap_or(u32::MAX)
}
