//! The table of a listener's open connections: who has how many, and which one gives way to another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How long a connection is idle before it gives way: a client that has just connected is about to send its request.
const IDLE_GRACE: Duration = Duration::from_secs(1);

/// All open connections of a listener.
#[derive(Debug, Default)]
pub(super) struct Table(Mutex<Open>);

#[derive(Debug, Default)]
struct Open {
    last_id: u64,
    connections: HashMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    /// `None` for a proxy, whose connections are those of many clients.
    address: Option<IpAddr>,
    /// Whether it is one of [`super::Limits::connections`], or one of the reserve.
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
    /// Adds a connection; its token is cancelled when it has to close.
    pub(super) fn add(&self, address: Option<IpAddr>, has_slot: bool) -> (u64, CancellationToken) {
        let close = CancellationToken::new();
        let mut open = self.lock();
        open.last_id += 1;
        let id = open.last_id;
        let state = State::Idle(Instant::now());
        open.connections.insert(id, Connection { address, has_slot, state, close: close.clone() });
        (id, close)
    }

    /// Removes a connection that has ended.
    pub(super) fn remove(&self, id: u64) {
        self.lock().connections.remove(&id);
    }

    /// Begins a request; `false` if the connection is closing.
    pub(super) fn begin(&self, id: u64) -> bool {
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
    pub(super) fn end(&self, id: u64) {
        let mut open = self.lock();
        if let Some(connection) = open.connections.get_mut(&id)
            && connection.state == State::Busy
        {
            connection.state = State::Idle(Instant::now());
        }
    }

    /// Moves a connection from the reserve to a slot.
    pub(super) fn has_slot(&self, id: u64) {
        if let Some(connection) = self.lock().connections.get_mut(&id) {
            connection.has_slot = true;
        }
    }

    /// How many connections an address has, without those that are closing.
    pub(super) fn count_of(&self, address: IpAddr) -> usize {
        self.lock().open().filter(|connection| connection.address == Some(address)).count()
    }

    /// How many connections are in the reserve.
    pub(super) fn count_reserve(&self) -> usize {
        self.lock().open().filter(|connection| !connection.has_slot).count()
    }

    /// Closes the longest idle connection that has a slot; `false` if none is idle for long enough.
    pub(super) fn close_idle(&self) -> bool {
        self.lock().close_first(|connection| connection.has_slot.then(|| connection.idle_since(IDLE_GRACE)).flatten())
    }

    /// Closes the longest idle connection of an address; `false` if none is idle for long enough.
    pub(super) fn close_idle_of(&self, address: IpAddr) -> bool {
        self.lock().close_first(|connection| {
            (connection.address == Some(address)).then(|| connection.idle_since(IDLE_GRACE)).flatten()
        })
    }

    /// Closes a connection of the reserve: the longest idle one, or the oldest of those that wait for a slot.
    pub(super) fn close_reserve(&self) {
        let mut open = self.lock();
        let idle =
            |connection: &Connection| (!connection.has_slot).then(|| connection.idle_since(Duration::ZERO)).flatten();
        if open.close_first(idle) {
            return;
        }
        let waiting = open.connections.iter_mut();
        let waiting = waiting.filter(|(_, connection)| !connection.has_slot && connection.state == State::Busy);
        if let Some((_, oldest)) = waiting.min_by_key(|(id, _)| **id) {
            oldest.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn open(&self) -> impl Iterator<Item = &Connection> {
        self.connections.values().filter(|connection| connection.state != State::Closing)
    }

    /// Closes the connection with the least key; `false` if none has one.
    fn close_first(&mut self, key: impl Fn(&Connection) -> Option<Instant>) -> bool {
        let keyed = self.connections.values_mut().filter_map(|connection| Some((key(connection)?, connection)));
        match keyed.min_by_key(|(key, _)| *key) {
            Some((_, connection)) => {
                connection.close();
                true
            }
            None => false,
        }
    }
}

impl Connection {
    /// The time since which it is idle, if that is long enough.
    fn idle_since(&self, at_least: Duration) -> Option<Instant> {
        match self.state {
            State::Idle(since) => Some(since).filter(|since| since.elapsed() >= at_least),
            State::Busy | State::Closing => None,
        }
    }

    fn close(&mut self) {
        self.state = State::Closing;
        self.close.cancel();
    }
}
