//! Which port majors take access requests.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use domain::clock::Timestamp;
use domain::contract::State;
use domain::grant::{Closed, ClosedBy};
use domain::name::Name;

#[test]
fn an_active_major_takes_requests() {
    check(1, &[(1, Some(active())), (2, None)], None);
}

#[test]
fn a_major_without_a_current_version_is_a_draft_and_the_next_active_one_is_named() {
    check(1, &[(1, None), (3, Some(active())), (2, Some(active()))], Some((ClosedBy::Draft, Some(2))));
}

#[test]
fn an_older_major_is_no_successor() {
    let retired = State::Retired { since: Timestamp(0) };
    check(2, &[(1, Some(active())), (2, Some(retired)), (3, None)], Some((ClosedBy::Retired, None)));
}

fn active() -> State {
    State::NEW.activate(Timestamp(0)).unwrap()
}

#[track_caller]
fn check(major: u64, majors: &[(u64, Option<State>)], expected: Option<(ClosedBy, Option<u64>)>) {
    let port: Name = "orders".parse().unwrap();
    let majors: Vec<_> = majors.iter().map(|(major, state)| (*major, state.as_ref())).collect();
    let closed = Closed::check(&port, major, &majors).err().map(|closed| (closed.why, closed.successor));
    assert_eq!(closed, expected);
}
