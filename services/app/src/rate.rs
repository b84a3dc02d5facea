//! Limits by rate: how often something may happen for one key, such as a principal.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::clock::Timestamp;

/// The maximum number of keys. At the limit, the keys without recent events are removed, or all if there are none: the
/// limit fails open, so that no client is refused because of other clients.
const MAX_KEYS: usize = 100_000;

/// A limit by rate for each key: a number of events per second, and a burst of as many events as that gives in
/// [`Rate::BURST_SECONDS`]. (The generic cell rate algorithm: one time for each key.)
#[derive(Debug)]
pub struct Rate<K> {
    /// The time that one event takes up.
    interval: Duration,
    /// For each key, until when its events take up the time.
    taken_until: Mutex<HashMap<K, Timestamp>>,
}

impl<K: Eq + Hash> Rate<K> {
    /// How long the rate is measured: a client that was quiet so long may do at once what the rate allows in that time.
    pub const BURST_SECONDS: u32 = 10;

    /// A limit of so many events per second; 0 for no limit.
    pub fn per_second(n_events: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(n_events).unwrap_or(Duration::ZERO);
        Self { interval, taken_until: Mutex::default() }
    }

    /// Counts an event.
    ///
    /// # Errors
    /// The time after which it would be allowed. It is not counted then.
    pub fn take(&self, key: K, now: Timestamp) -> Result<(), Duration> {
        self.take_many(key, 1, now)
    }

    /// Counts several events at once.
    ///
    /// # Errors
    /// The time after which the next one would be allowed. None is counted then.
    pub fn take_many(&self, key: K, n_events: u32, now: Timestamp) -> Result<(), Duration> {
        if self.interval.is_zero() {
            return Ok(());
        }
        let mut taken = self.lock();
        let until = taken.get(&key).copied().unwrap_or(now).max(now);
        self.check(until, now)?;
        if taken.len() >= MAX_KEYS && !taken.contains_key(&key) {
            taken.retain(|_, until| *until > now);
            if taken.len() >= MAX_KEYS {
                taken.clear();
            }
        }
        taken.insert(key, until.plus(self.interval.saturating_mul(n_events)));
        Ok(())
    }

    /// Whether an event would be allowed.
    ///
    /// # Errors
    /// As [`Rate::take`].
    pub fn peek(&self, key: &K, now: Timestamp) -> Result<(), Duration> {
        self.lock().get(key).map_or(Ok(()), |until| self.check(*until, now))
    }

    fn check(&self, until: Timestamp, now: Timestamp) -> Result<(), Duration> {
        let burst = Duration::from_secs(Self::BURST_SECONDS.into());
        match until.plus(self.interval).since(now).checked_sub(burst) {
            Some(wait) if !wait.is_zero() => Err(wait),
            Some(_) | None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Timestamp>> {
        self.taken_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
