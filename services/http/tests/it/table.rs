//! The table of connections: which of them gives way to another one.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use http_base::connections::Limits;
use http_base::connections::table::Table;
use tokio_util::sync::CancellationToken;

/// More than the grace, in which a connection does not give way.
const LONG: Duration = Duration::from_secs(2);
const SHORT: Duration = Duration::from_millis(1);

/// A table with a clock that is moved by hand.
struct Clocked {
    table: Table,
    now: Instant,
}

struct Admitted {
    id: u64,
    close: CancellationToken,
}

impl Admitted {
    fn is_closing(&self) -> bool {
        self.close.is_cancelled()
    }
}

impl Clocked {
    fn new(limits: Limits) -> Self {
        Self { table: Table::new(limits), now: Instant::now() }
    }

    fn with_share(share: usize) -> Self {
        Self::new(Limits { connections_per_address: Some(share), ..Limits::default() })
    }

    fn with_reserve(reserve: usize) -> Self {
        Self::new(Limits { reserve, ..Limits::default() })
    }

    fn try_admit(&mut self, client: u8, has_slot: bool) -> Option<Admitted> {
        let peer = IpAddr::from([192, 0, 2, client]);
        // No two connections are equally old.
        self.now += SHORT;
        self.table.admit(peer, has_slot, self.now).map(|(id, close)| Admitted { id, close })
    }

    fn with_slot(&mut self, client: u8) -> Admitted {
        self.try_admit(client, true).unwrap()
    }

    fn in_reserve(&mut self, client: u8) -> Admitted {
        self.try_admit(client, false).unwrap()
    }

    fn begin(&self, connection: &Admitted) -> bool {
        self.table.begin(connection.id)
    }

    fn end(&self, connection: &Admitted) {
        self.table.end(connection.id, self.now);
    }
}

#[test]
fn a_connection_that_is_closing_does_not_count_for_its_address() {
    let mut table = Clocked::with_share(2);
    let (closing, busy) = (table.with_slot(1), table.with_slot(1));
    assert!(table.begin(&busy));
    table.now += LONG;
    let third = table.with_slot(1);
    assert!(closing.is_closing());
    table.table.remove(third.id);
    assert!(table.try_admit(1, true).is_some(), "two are open, and one of them is closing");
    assert!(table.try_admit(1, true).is_none());
}

#[test]
fn a_connection_that_is_closing_does_not_count_for_the_reserve() {
    let mut table = Clocked::with_reserve(2);
    let (closing, waiting) = (table.in_reserve(1), table.in_reserve(2));
    assert!(table.begin(&waiting));
    let third = table.in_reserve(3);
    assert!(closing.is_closing());
    table.table.remove(third.id);
    table.in_reserve(4);
    assert!(!waiting.is_closing(), "there was room");
}

#[test]
fn a_connection_that_is_closing_begins_no_request() {
    let mut table = Clocked::with_reserve(1);
    let closing = table.in_reserve(1);
    let next = table.in_reserve(2);
    assert!(closing.is_closing());
    assert_eq!((table.begin(&closing), table.begin(&next)), (false, true));
}

#[test]
fn a_connection_that_is_closing_stays_closing_at_the_end_of_its_request() {
    let limits = Limits { reserve: 1, connections_per_address: Some(1), ..Limits::default() };
    let mut table = Clocked::new(limits);
    let closing = table.in_reserve(1);
    assert!(table.begin(&closing));
    table.in_reserve(2);
    assert!(closing.is_closing());
    table.end(&closing);
    assert!(table.try_admit(1, true).is_some(), "it counts as idle");
    assert!(!table.begin(&closing));
}

#[test]
fn an_idle_connection_closes_at_once_for_a_new_one_without_a_slot() {
    let mut table = Clocked::with_reserve(9);
    let idle = table.with_slot(1);
    table.in_reserve(2);
    assert!(!idle.is_closing(), "within its grace");
    table.now += LONG;
    table.with_slot(3);
    assert!(!idle.is_closing(), "the new one has a slot");
    table.in_reserve(4);
    assert!(idle.is_closing());
}

#[test]
fn only_a_connection_with_a_slot_closes_for_a_new_one() {
    let mut table = Clocked::with_reserve(9);
    let (oldest, with_slot) = (table.in_reserve(1), table.with_slot(2));
    table.now += LONG;
    table.in_reserve(3);
    assert_eq!((oldest.is_closing(), with_slot.is_closing()), (false, true));
}

#[test]
fn only_a_connection_of_its_address_closes_for_one_beyond_the_share() {
    let mut table = Clocked::with_share(2);
    let (foreign, oldest, newer) = (table.with_slot(1), table.with_slot(2), table.with_slot(2));
    table.now += LONG;
    table.with_slot(2);
    assert_eq!([&foreign, &oldest, &newer].map(Admitted::is_closing), [false, true, false]);
}

#[test]
fn an_address_that_gives_up_a_slot_for_its_new_connection_takes_none_of_others() {
    let mut table = Clocked::with_share(1);
    let (foreign, own) = (table.with_slot(1), table.with_slot(2));
    table.now += LONG;
    table.in_reserve(2);
    assert_eq!((foreign.is_closing(), own.is_closing()), (false, true));
    // What it gave up this time is in the reserve.
    table.now += LONG;
    table.in_reserve(2);
    assert!(foreign.is_closing());
}

#[test]
fn only_a_connection_of_the_reserve_closes_for_another_one_there() {
    let mut table = Clocked::with_reserve(1);
    let (with_slot, idle) = (table.with_slot(1), table.in_reserve(2));
    let waiting = table.in_reserve(3);
    assert_eq!((with_slot.is_closing(), idle.is_closing()), (false, true));
    // With requests in progress, too.
    assert!(table.begin(&with_slot) && table.begin(&waiting));
    table.in_reserve(4);
    assert_eq!((with_slot.is_closing(), waiting.is_closing()), (false, true));
}

#[test]
fn of_the_reserve_the_longest_idle_connection_closes_else_the_oldest_that_waits() {
    let mut table = Clocked::with_reserve(4);
    let connections = [1, 2, 3, 4].map(|client| table.in_reserve(client));
    let closing = || connections.each_ref().map(Admitted::is_closing);
    assert!(table.begin(&connections[0]) && table.begin(&connections[1]));
    // The third was idle for longer, but for a request meanwhile.
    assert!(table.begin(&connections[2]));
    table.now += SHORT;
    table.end(&connections[2]);
    let mut next = |client| {
        let next = table.in_reserve(client);
        assert!(table.begin(&next));
    };
    next(5);
    assert_eq!(closing(), [false, false, false, true]);
    next(6);
    assert_eq!(closing(), [false, false, true, true]);
    next(7);
    assert_eq!(closing(), [true, false, true, true]);
    next(8);
    assert_eq!(closing(), [true; 4]);
}

#[test]
fn a_connection_that_got_a_slot_is_not_in_the_reserve() {
    let mut table = Clocked::with_reserve(1);
    let waited = table.in_reserve(1);
    assert!(table.begin(&waited));
    table.table.has_slot(waited.id);
    table.in_reserve(2);
    assert!(!waited.is_closing());
}

#[test]
fn a_connection_that_has_ended_leaves_the_table() {
    let mut table = Clocked::with_share(1);
    let ended = table.with_slot(1);
    assert!(table.begin(&ended));
    assert!(table.try_admit(1, true).is_none());
    table.table.remove(ended.id);
    assert!(table.try_admit(1, true).is_some());
    assert!(!table.begin(&ended));
}
