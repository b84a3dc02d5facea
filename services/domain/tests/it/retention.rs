//! Which snapshots of a table keep their stored files.

use std::time::Duration;

use domain::clock::Timestamp;
use domain::id::{BindingId, SnapshotId};
use domain::quality::Verdict::{self, Error, Fail, Pass, Warn};
use domain::retention::{GRACE, Judgement, Kept, Plan, plan};
use uuid::Uuid;

fn snapshot(ordinal: i64) -> SnapshotId {
    SnapshotId(Uuid::from_u128(u128::try_from(ordinal).unwrap_or_default()))
}

fn judged(binding: u128, rules: &str, verdict: Verdict) -> Judgement {
    let binding_id = BindingId(Uuid::from_u128(binding));
    Judgement { binding_id, rule_hash: rules.to_owned(), verdict, conforms: true }
}

fn kept(ordinal: i64, judgements: Vec<Judgement>) -> Kept {
    Kept { id: snapshot(ordinal), ordinal, unneeded_since: None, judgements }
}

/// The ordinals that are unneeded, of snapshots that one binding judged by one set of rules.
fn unneeded(head: i64, verdicts: &[Verdict]) -> Vec<SnapshotId> {
    let ordinals = 1_i64..;
    let kept = ordinals.zip(verdicts).map(|(ordinal, verdict)| kept(ordinal, vec![judged(1, "a", *verdict)]));
    plan(head, kept.collect(), Timestamp(0)).unneeded
}

#[test]
fn a_newer_snapshot_stands_in_for_older_ones_that_are_no_better() {
    for (verdicts, expected) in [
        (vec![Pass], vec![]),
        (vec![Pass, Pass], vec![1]),
        (vec![Pass, Warn, Pass], vec![2, 1]),
        (vec![Pass, Fail], vec![]),
        (vec![Pass, Fail, Fail, Error], vec![2]),
        (vec![Fail, Error, Pass], vec![2, 1]),
        (vec![Pass, Error, Fail], vec![2]),
    ] {
        let expected: Vec<SnapshotId> = expected.into_iter().map(snapshot).collect();
        assert_eq!(unneeded(i64::try_from(verdicts.len()).unwrap_or_default(), &verdicts), expected, "{verdicts:?}");
    }
}

#[test]
fn what_comes_after_the_head_does_not_stand_in_and_is_not_needed() {
    assert_eq!(unneeded(1, &[Pass, Pass, Pass]), [snapshot(3), snapshot(2)]);
}

#[test]
fn a_pass_that_does_not_conform_is_not_good() {
    let odd = Judgement { conforms: false, ..judged(1, "a", Pass) };
    let plan = plan(2, vec![kept(1, vec![judged(1, "a", Pass)]), kept(2, vec![odd])], Timestamp(0));
    assert_eq!(plan, Plan::default());
}

#[test]
fn each_binding_and_each_set_of_rules_needs_its_own() {
    let other_rules = vec![kept(1, vec![judged(1, "a", Pass)]), kept(2, vec![judged(1, "b", Pass)])];
    let other_binding = vec![kept(1, vec![judged(1, "a", Pass)]), kept(2, vec![judged(2, "a", Pass)])];
    for kept in [other_rules, other_binding] {
        assert_eq!(plan(2, kept, Timestamp(0)), Plan::default());
    }
    let unjudged = vec![kept(1, vec![]), kept(2, vec![]), kept(3, vec![])];
    assert_eq!(plan(3, unjudged, Timestamp(0)).unneeded, [snapshot(2), snapshot(1)]);
}

#[test]
fn files_go_after_a_grace_longer_than_any_lease_and_not_if_they_are_needed_again() {
    assert!(GRACE > domain::lease::GATEWAY_MAX_LIFETIME);
    let at = |now: Timestamp, verdict: Verdict| {
        let old = Kept { unneeded_since: Some(Timestamp(0)), ..kept(1, vec![judged(1, "a", Pass)]) };
        plan(2, vec![old, kept(2, vec![judged(1, "a", verdict)])], now)
    };
    let over = Timestamp(0).plus(GRACE).plus(Duration::from_secs(1));
    assert_eq!(at(Timestamp(0).plus(GRACE), Pass), Plan::default());
    assert_eq!(at(over, Pass), Plan { collect: vec![snapshot(1)], ..Plan::default() });
    assert_eq!(at(over, Fail), Plan { needed: vec![snapshot(1)], ..Plan::default() });
}
