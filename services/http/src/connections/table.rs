//! The table of a listener's open connections: who has how many, and which one gives way to another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Limits;

/// How long a connection is idle before it gives way: a client that has just connected is about to send its request.
const IDLE_GRACE: Duration = Duration::from_secs(1);

/// All open connections of a listener. It reads no clock: what depends on the time takes the time.
#[derive(Debug)]
pub struct Table {
    limits: Limits,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    connections: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    /// `None` for a proxy, whose connections are those of many clients.
    address: Option<IpAddr>,
    /// Whether it is one of [`Limits::connections`], or one of the reserve.
    has_slot: bool,
    state: State,
    close: CancellationToken,
}

/// Where a connection is between its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// No request is in progress: the head of the next one is not complete.
    Idle(Instant),
    /// A request is in progress until its answer is written.
    Busy,
    /// It was closed in favour of another one.
    Closing,
}

impl Table {
    /// A table without connections.
    pub fn new(limits: Limits) -> Self {
        Self { limits, open: Mutex::default() }
    }

    /// The limits of the listener.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Admits a connection, if need be in place of another one. `None` if its address has its share; else its id, and a token
    /// that is cancelled when it has to close.
    ///
    /// Without a slot it is in the reserve, until one that closes for it has ended.
    pub fn admit(&self, peer: IpAddr, has_slot: bool, now: Instant) -> Option<(u64, CancellationToken)> {
        let address = self.limits.proxies.of_connection(peer);
        let share = match self.limits.connections_per_address {
            Some(share) => share,
            None if peer.to_canonical().is_loopback() => usize::MAX,
            None => self.limits.connections.div_ceil(4),
        };
        let mut open = self.lock();
        let mut frees_slot = false;
        if let Some(address) = address
            && open.count(|connection| connection.address == Some(address)) >= share
        {
            let own = |connection: &Connection| connection.address == Some(address);
            frees_slot = open.close_longest_idle(own, IDLE_GRACE, now)?.has_slot;
        }
        if !has_slot {
            if !frees_slot {
                open.close_idle(now);
            }
            if open.count(Connection::is_in_reserve) >= self.limits.reserve {
                open.close_reserve(now);
            }
        }
        Some(open.add(address, has_slot, now))
    }

    /// Removes a connection that has ended.
    pub fn remove(&self, id: u64) {
        self.lock().connections.remove(&id);
    }

    /// Begins a request; `false` if the connection is closing.
    pub fn begin(&self, id: u64) -> bool {
        let mut open = self.lock();
        match open.connections.get_mut(&id) {
            Some(connection) if connection.state != State::Closing => {
                connection.state = State::Busy;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Ends a request.
    pub fn end(&self, id: u64, now: Instant) {
        let mut open = self.lock();
        if let Some(connection) = open.connections.get_mut(&id)
            && connection.state == State::Busy
        {
            connection.state = State::Idle(now);
        }
    }

    /// Moves a connection from the reserve to a slot.
    pub fn has_slot(&self, id: u64) {
        if let Some(connection) = self.lock().connections.get_mut(&id) {
            connection.has_slot = true;
        }
    }

    /// Closes the longest idle connection that has a slot, if one is idle for long enough.
    pub fn close_idle(&self, now: Instant) {
        self.lock().close_idle(now);
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn add(&mut self, address: Option<IpAddr>, has_slot: bool, now: Instant) -> (u64, CancellationToken) {
        let close = CancellationToken::new();
        self.last_id += 1;
        let state = State::Idle(now);
        self.connections.insert(self.last_id, Connection { address, has_slot, state, close: close.clone() });
        (self.last_id, close)
    }

    /// How many of the connections that are not closing match.
    fn count(&self, matches: impl Fn(&Connection) -> bool) -> usize {
        let open = self.connections.values().filter(|connection| connection.state != State::Closing);
        open.filter(|connection| matches(connection)).count()
    }

    fn close_idle(&mut self, now: Instant) {
        self.close_longest_idle(|connection| connection.has_slot, IDLE_GRACE, now);
    }

    /// Closes a connection of the reserve: the longest idle one, or the oldest of those that wait for a slot.
    fn close_reserve(&mut self, now: Instant) {
        if self.close_longest_idle(Connection::is_in_reserve, Duration::ZERO, now).is_some() {
            return;
        }
        let waiting = self.connections.iter_mut();
        let waiting = waiting.filter(|(_, connection)| connection.is_in_reserve() && connection.state == State::Busy);
        if let Some((_, oldest)) = waiting.min_by_key(|(id, _)| **id) {
            oldest.close();
        }
    }

    /// Closes the longest idle connection of those that match; `None` if none of them is idle for long enough.
    fn close_longest_idle(
        &mut self,
        matches: impl Fn(&Connection) -> bool,
        at_least: Duration,
        now: Instant,
    ) -> Option<&Connection> {
        let matching = self.connections.values_mut().filter(|connection| matches(connection));
        let idle = matching.filter_map(|connection| Some((connection.idle_since(at_least, now)?, connection)));
        let (_, longest) = idle.min_by_key(|(since, _)| *since)?;
        longest.close();
        Some(longest)
    }
}

impl Connection {
    fn is_in_reserve(&self) -> bool {
        !self.has_slot
    }

    /// The time since which it is idle, if that is long enough.
    fn idle_since(&self, at_least: Duration, now: Instant) -> Option<Instant> {
        match self.state {
            State::Idle(since) => Some(since).filter(|since| now.saturating_duration_since(*since) >= at_least),
            State::Busy | State::Closing => None,
        }
    }

    fn close(&mut self) {
        self.state = State::Closing;
        self.close.cancel();
    }
}
