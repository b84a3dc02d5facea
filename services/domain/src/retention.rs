//! Which snapshots keep their stored files, the file list and our own checkpoint: those that may be served, and those
//! that were until not long ago.
//!
//! A snapshot may be served while it is the newest at or before the head, or while none of the newer ones up to the head
//! has as good a verdict by the same binding and rules. Which contract version is in force, and in which mode, does not
//! matter here: it decides among these.

use std::collections::HashMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::{BindingId, SnapshotId};
use crate::lease::GATEWAY_MAX_LIFETIME;
use crate::quality::Verdict;

/// How long a snapshot keeps its files after it could be served last: longer than any lease that was issued until then.
/// A backup of the data directory has the same time after that of the database.
pub const GRACE: Duration = GATEWAY_MAX_LIFETIME.saturating_add(Duration::from_secs(3_600));

/// A snapshot with stored files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: SnapshotId,
    /// Its place in the order of notice.
    pub ordinal: i64,
    /// When it was first found to be unneeded, if it was at the last look.
    pub unneeded_since: Option<Timestamp>,
    /// The verdicts on it.
    pub judgements: Vec<Judgement>,
}

/// What matters here of a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// By which binding.
    pub binding_id: BindingId,
    /// By which rules.
    pub rule_hash: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Whether the snapshot conforms.
    pub conforms: bool,
}

impl Judgement {
    /// A snapshot stands in for an older one of at most its rank.
    fn rank(&self) -> Rank {
        match self.verdict {
            Verdict::Error => Rank::Unknown,
            Verdict::Fail => Rank::Bad,
            Verdict::Pass | Verdict::Warn if !self.conforms => Rank::Bad,
            Verdict::Pass | Verdict::Warn => Rank::Good,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Unknown,
    Bad,
    Good,
}

/// What is to be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Unneeded from now on.
    pub unneeded: Vec<SnapshotId>,
    /// Needed again.
    pub needed: Vec<SnapshotId>,
    /// Unneeded for longer than [`GRACE`]: their files can go.
    pub collect: Vec<SnapshotId>,
}

impl Plan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.unneeded.is_empty() && self.needed.is_empty() && self.collect.is_empty()
    }
}

/// Looks at the snapshots of one table that have files. `head` is the ordinal of the table's head.
pub fn plan(head: i64, mut kept: Vec<Kept>, now: Timestamp) -> Plan {
    kept.sort_by_key(|kept| std::cmp::Reverse(kept.ordinal));
    let mut plan = Plan::default();
    let mut best: HashMap<(BindingId, String), Rank> = HashMap::new();
    let mut newest = true;
    for snapshot in kept {
        // What comes after the head was taken back. If it returns, it is inspected again.
        let mut is_needed = false;
        if snapshot.ordinal <= head {
            is_needed = std::mem::replace(&mut newest, false);
            for judgement in snapshot.judgements {
                let rank = judgement.rank();
                let key = (judgement.binding_id, judgement.rule_hash);
                if best.get(&key).is_none_or(|best| *best < rank) {
                    best.insert(key, rank);
                    is_needed = true;
                }
            }
        }
        match (is_needed, snapshot.unneeded_since) {
            (true, Some(_)) => plan.needed.push(snapshot.id),
            (false, None) => plan.unneeded.push(snapshot.id),
            (false, Some(since)) if now.since(since) > GRACE => plan.collect.push(snapshot.id),
            (true, None) | (false, Some(_)) => {}
        }
    }
    plan
}
