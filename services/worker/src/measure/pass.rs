//! One pass over the rows of a snapshot for all rules that count rows.
//!
//! Threads share the row groups of all files. In each row group, a counter is spared the rows if the footer proves its
//! count; in each file, if an earlier inspection has counted it. Keys are counted over all files. The keys of all rules
//! share a pool of memory; when it is exhausted, the rule with the most keys fails and the others go on.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;

use super::counter::{Counter, Dictionary};
use super::failure::NO_MEMORY;
use super::kept::KnownCounts;
use super::keys::Waiting;
use crate::data_file::{OpenFile, Wanted};
use crate::error::{Failure, Result, Unreadable};
use crate::scan::Rows;

/// The maximum number of threads.
const MAX_THREADS: usize = 8;
/// From how many rows on there are several threads.
const MANY_ROWS: u64 = 100_000;
/// What a thread collects of the keys of one rule before it adds them, if the pool is large.
const MAX_WAITING_BYTES: usize = 8 * 1024 * 1024;
/// The part of the pool for keys that wait.
const WAITING_PART: usize = 8;

/// What a pass has counted.
pub(super) struct Counted {
    /// Of each counter: the number of rows, or why there is none.
    pub(super) results: Vec<Result<u64, String>>,
    /// Of each counter that adds up, in the order of the counters, in the first files.
    pub(super) by_file: Vec<Vec<u64>>,
    /// The files of which all that adds up was known.
    pub(super) n_files_known: u64,
    /// The counts in row groups that footers proved.
    pub(super) n_proven: u64,
}

/// Counts the rows of all counters. Blocks.
///
/// # Errors
/// [`Failure::Unreadable`] if rows cannot be read.
pub(super) fn count(
    rows: &dyn Rows,
    counters: &[Counter],
    known: &KnownCounts,
    n_files_kept: usize,
    pool_bytes: usize,
) -> Result<Counted, Failure> {
    let n_rows: u64 = rows.files().iter().map(|file| file.n_rows).sum();
    // As many as are worth their address space.
    let n_threads = match n_rows {
        _ if counters.is_empty() => 0,
        ..MANY_ROWS => 1,
        MANY_ROWS.. => std::thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS),
    };
    let pass = Pass::new(rows, counters, n_files_kept, pool_bytes, n_threads);
    let mut n_files_known = 0;
    let sent = std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel::<Task>(n_threads.max(1));
        // Owned by the threads, so that sending fails if all of them crash.
        let receiver = Arc::new(Mutex::new(receiver));
        let threads: Vec<_> = (0..n_threads)
            .map(|_| {
                let (pass, receiver) = (&pass, receiver.clone());
                scope.spawn(move || pass.work(&receiver))
            })
            .collect();
        drop(receiver);
        let sent = pass.send(known, &sender, &mut n_files_known);
        drop(sender);
        let crashed = threads.into_iter().map(|thread| thread.join().is_err()).fold(false, |any, one| any | one);
        anyhow::ensure!(!crashed, "a count crashed");
        Ok(sent)
    });
    sent.context("cannot count")??;
    let Pass { tally, .. } = pass;
    let Tally { totals, by_file, n_proven, failure } = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(unreadable) = failure {
        return Err(unreadable.into());
    }
    let results = counters.iter().zip(totals).map(|(counter, total)| match counter.keys() {
        Some(keys) => keys.result(),
        None => Ok(total),
    });
    Ok(Counted { results: results.collect(), by_file, n_files_known, n_proven })
}

struct Pass<'a> {
    rows: &'a dyn Rows,
    counters: &'a [Counter],
    /// Counters whose columns can be read as they are in the files, and the others: these have the kernel convert all
    /// columns that they read.
    groups: [Group; 2],
    pool_bytes: usize,
    max_waiting_bytes: usize,
    tally: Mutex<Tally>,
    has_failed: AtomicBool,
}

struct Group {
    counters: Vec<usize>,
    /// All columns that they read, ascending.
    columns: Vec<usize>,
}

/// What was counted so far.
struct Tally {
    totals: Vec<u64>,
    by_file: Vec<Vec<u64>>,
    n_proven: u64,
    failure: Option<Unreadable>,
}

/// A row group of a file, with the counters that have to look at it.
struct Task {
    file: usize,
    row_group: usize,
    parts: Arc<Vec<Part>>,
}

struct Part {
    group: usize,
    file: OpenFile,
    counters: Vec<usize>,
}

impl<'a> Pass<'a> {
    fn new(
        rows: &'a dyn Rows,
        counters: &'a [Counter],
        n_files_kept: usize,
        pool_bytes: usize,
        n_threads: usize,
    ) -> Self {
        let n_keys = counters.iter().filter(|counter| counter.keys().is_some()).count();
        let is_plain = |index: &usize| counters[*index].columns().iter().all(|column| rows.is_plain(*column));
        let (plain, others) = (0..counters.len()).partition(is_plain);
        let group = |indexes: Vec<usize>| {
            let columns: BTreeSet<usize> = indexes.iter().flat_map(|index| counters[*index].columns()).collect();
            Group { counters: indexes, columns: columns.into_iter().collect() }
        };
        let n_additive = counters.len() - n_keys;
        Self {
            rows,
            counters,
            groups: [group(plain), group(others)],
            pool_bytes: pool_bytes - pool_bytes / WAITING_PART,
            max_waiting_bytes: (pool_bytes / WAITING_PART / n_threads.max(1) / n_keys.max(1)).min(MAX_WAITING_BYTES),
            tally: Mutex::new(Tally {
                totals: vec![0; counters.len()],
                by_file: vec![vec![0; n_additive]; n_files_kept.min(rows.files().len())],
                n_proven: 0,
                failure: None,
            }),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Opens one file after the other and hands its row groups to the threads.
    fn send(&self, known: &KnownCounts, sender: &SyncSender<Task>, n_files_known: &mut u64) -> Result<()> {
        let mut counts = vec![0; self.counters.len()];
        let has_additive = self.counters.iter().any(|counter| counter.keys().is_none());
        for (index, file) in self.rows.files().iter().enumerate() {
            let mut parts = Vec::new();
            let mut is_known = has_additive;
            let known = known.of_file(&file.identity);
            for (number, group) in self.groups.iter().enumerate() {
                let mut unknown = Vec::new();
                for counter in &group.counters {
                    match known(*counter) {
                        Some(count) => counts[*counter] = count,
                        None => {
                            is_known &= self.counters[*counter].keys().is_some();
                            unknown.push(*counter);
                        }
                    }
                }
                if !unknown.is_empty() {
                    let open = self.rows.open(index, &group.columns)?;
                    parts.push(Part { group: number, file: open, counters: unknown });
                }
            }
            self.tally(index, &counts, 0);
            counts.fill(0);
            let n_row_groups = parts.first().map_or(0, |part| part.file.n_row_groups());
            *n_files_known += u64::from(is_known);
            let parts = Arc::new(parts);
            for row_group in 0..n_row_groups {
                let task = Task { file: index, row_group, parts: parts.clone() };
                if self.has_failed.load(Ordering::Relaxed) || sender.send(task).is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Counts in row groups until there are no more.
    fn work(&self, receiver: &Mutex<Receiver<Task>>) {
        let mut waiting: Vec<Option<Waiting>> = self.counters.iter().map(|_| None).collect();
        loop {
            let next = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(task) = next else { break };
            // After a failure the rest is taken and left.
            if self.has_failed.load(Ordering::Relaxed) {
                continue;
            }
            if let Err(unreadable) = self.count_row_group(&task, &mut waiting) {
                self.has_failed.store(true, Ordering::Relaxed);
                self.with_tally(|tally| tally.failure.get_or_insert(unreadable).clone());
            }
        }
        for (counter, waiting) in self.counters.iter().zip(&mut waiting) {
            if let (Some(keys), Some(waiting)) = (counter.keys(), waiting) {
                keys.add(waiting);
            }
        }
        self.keep_within();
    }

    fn count_row_group(&self, task: &Task, waiting: &mut [Option<Waiting>]) -> Result<()> {
        let mut counts = vec![0; self.counters.len()];
        let mut n_proven = 0;
        for Part { group, file, counters } in task.parts.iter() {
            let columns = &self.groups[*group].columns;
            let mut unproven = Vec::new();
            for counter in counters {
                match self.counters[*counter].proven(file, task.row_group, columns) {
                    Some(count) => {
                        counts[*counter] = count;
                        n_proven += 1;
                    }
                    None => unproven.push(*counter),
                }
            }
            if !unproven.is_empty() {
                self.read(file, task.row_group, columns, &unproven, &mut counts, waiting)?;
            }
        }
        self.tally(task.file, &counts, n_proven);
        Ok(())
    }

    fn read(
        &self,
        file: &OpenFile,
        row_group: usize,
        columns: &[usize],
        counters: &[usize],
        counts: &mut [u64],
        waiting: &mut [Option<Waiting>],
    ) -> Result<()> {
        let read: BTreeSet<usize> = counters.iter().flat_map(|index| self.counters[*index].columns()).collect();
        let positions: Vec<usize> = (0..columns.len()).filter(|position| read.contains(&columns[*position])).collect();
        let columns: Vec<usize> = positions.iter().map(|position| columns[*position]).collect();
        // Keys are the values themselves.
        let keys = counters.iter().filter(|index| self.counters[**index].keys().is_some());
        let keys: BTreeSet<usize> = keys.flat_map(|index| self.counters[*index].columns()).collect();
        let values = positions.iter().zip(&columns).filter(|(_, column)| !keys.contains(column));
        let dictionaries = values.map(|(position, _)| *position).collect();
        let wanted = Wanted { positions, dictionaries };
        let mut known: Vec<Dictionary> = counters.iter().map(|_| Dictionary::default()).collect();
        file.read(row_group, &wanted, &mut |batch| {
            for (index, known) in counters.iter().zip(&mut known) {
                let counter = &self.counters[*index];
                let Some(keys) = counter.keys() else {
                    counts[*index] += counter.count(&batch, &columns, known);
                    continue;
                };
                let waiting = waiting[*index].get_or_insert_with(|| Waiting::new(self.max_waiting_bytes));
                if keys.collect(&batch, &columns, waiting) {
                    keys.add(waiting);
                    self.keep_within();
                }
            }
            !self.has_failed.load(Ordering::Relaxed)
        })?;
        Ok(())
    }

    /// Gives up the rules with the most keys until the rest fits into the pool.
    fn keep_within(&self) {
        let keys = || self.counters.iter().filter_map(Counter::keys);
        while keys().map(|keys| keys.size_bytes()).sum::<usize>() > self.pool_bytes {
            let Some(greatest) = keys().max_by_key(|keys| keys.size_bytes()) else { return };
            greatest.fail(NO_MEMORY);
        }
    }

    fn tally(&self, file: usize, counts: &[u64], n_proven: u64) {
        self.with_tally(|tally| {
            tally.n_proven += n_proven;
            tally.totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
            if let Some(by_counter) = tally.by_file.get_mut(file) {
                let additive = self.counters.iter().zip(counts).filter(|(counter, _)| counter.keys().is_none());
                by_counter.iter_mut().zip(additive).for_each(|(sum, (_, count))| *sum += count);
            }
        });
    }

    fn with_tally<T>(&self, use_it: impl FnOnce(&mut Tally) -> T) -> T {
        use_it(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
