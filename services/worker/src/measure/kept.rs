//! Counts per data file that are kept from one inspection of a table to the next.
//!
//! A count is used again only for the same file, as it is pinned, with the same deletion vector and partition values
//! ([`DataFile::identity`](crate::scan::DataFile)), and the same check of a column of the same type, by the same program
//! ([`check_identity`]).

use std::collections::HashMap;

use domain::inspection::{Kept, KeptFile, MAX_KEPT_CHECKS, MAX_KEPT_COUNTS, MAX_KEPT_FILES};
use domain::quality::Check;
use domain::table::FileDigest;

use super::counter::Counter;
use crate::identity::{Identity, engine};
use crate::scan::Rows;

/// Moves with every change of what a check counts.
const COUNTING: u32 = 1;

/// The counts that are known of the counters of a pass.
pub(super) struct KnownCounts<'a> {
    files: HashMap<FileDigest, &'a [u64]>,
    /// Of each counter, its place among the counts of a file.
    places: Vec<Option<usize>>,
}

impl<'a> KnownCounts<'a> {
    /// `checks` are the identities of the counters; `None` for one that does not add up.
    pub(super) fn new(kept: &'a Kept, checks: &[Option<FileDigest>]) -> Self {
        let places: HashMap<FileDigest, usize> = kept.checks.iter().copied().zip(0..).collect();
        Self {
            files: kept.files.iter().map(|file| (file.file, file.counts.as_slice())).collect(),
            places: checks.iter().map(|check| check.as_ref().and_then(|check| places.get(check).copied())).collect(),
        }
    }

    /// The count of a counter in a file, by its index.
    pub(super) fn of_file(&self, file: &FileDigest) -> impl Fn(usize) -> Option<u64> {
        let counts = self.files.get(file).copied().unwrap_or_default();
        |counter| counts.get((*self.places.get(counter)?)?).copied()
    }
}

/// Digest over all that the count of a check depends on besides the file; `None` for one that does not add up.
pub(super) fn check_identity(rows: &dyn Rows, check: &Check, counter: &Counter) -> Option<FileDigest> {
    if counter.keys().is_some() {
        return None;
    }
    let mut identity = Identity::new();
    identity.add(&COUNTING.to_be_bytes());
    identity.add(engine().as_bytes());
    identity.add(format!("{check:?}").as_bytes());
    for column in counter.columns() {
        identity.add(rows.definition(column).as_bytes());
        identity.add(format!("{:?}", rows.schema().field(column)).as_bytes());
    }
    Some(identity.digest())
}

/// The number of files, from the first, of which counts are kept.
pub(super) fn n_files_kept(rows: &dyn Rows, n_checks: usize) -> usize {
    let n_files = rows.files().len();
    if n_checks > MAX_KEPT_CHECKS || n_files > MAX_KEPT_FILES {
        return 0;
    }
    n_files.min(MAX_KEPT_COUNTS / n_checks.max(1))
}

/// What is kept of an inspection that had these checks, and what it knew before: the counts of a check that was not asked
/// for stay as long as they are known of every file.
pub(super) fn keep(rows: &dyn Rows, checks: &[Option<FileDigest>], by_file: Vec<Vec<u64>>, known: &Kept) -> Kept {
    let mut kept = Kept { checks: checks.iter().copied().flatten().collect(), files: Vec::new() };
    let files = rows.files().iter().zip(by_file);
    kept.files = files.map(|(file, counts)| KeptFile { file: file.identity, counts }).collect();
    if kept.files.len() < rows.files().len() {
        return kept;
    }
    let before: HashMap<FileDigest, &[u64]> =
        known.files.iter().map(|file| (file.file, file.counts.as_slice())).collect();
    for (place, check) in known.checks.iter().enumerate() {
        let counts = kept.files.iter().map(|file| before.get(&file.file).and_then(|counts| counts.get(place).copied()));
        let counts: Option<Vec<u64>> = counts.collect();
        let has_room = (kept.checks.len() + 1).saturating_mul(kept.files.len()) <= MAX_KEPT_COUNTS
            && kept.checks.len() < MAX_KEPT_CHECKS;
        if let Some(counts) = counts
            && has_room
            && !kept.checks.contains(check)
        {
            kept.checks.push(*check);
            kept.files.iter_mut().zip(counts).for_each(|(file, count)| file.counts.push(count));
        }
    }
    if kept.checks.is_empty() { Kept::default() } else { kept }
}
