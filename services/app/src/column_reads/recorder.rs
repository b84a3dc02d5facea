//! What open leases read, in memory, until it is written.
//!
//! A request takes the lock once, for as long as it takes to set a bit for each chunk that it touches.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::clock::Timestamp;
use domain::column_reads::{ChunkMap, Extent, MAX_COLUMNS, ReadColumn, Reader, Reading, Touched, day_of};
use domain::id::{LeaseId, PrincipalId, TableId};

/// The most leases that are held. What others read until the next writing is lost, which the recording says.
const MAX_LEASES: usize = 50_000;
/// The most readings that are held while the database takes none.
const MAX_UNWRITTEN: usize = 200_000;

/// What was read on which day, and how much.
pub(crate) type Readings = BTreeMap<(i64, Reading), Extent>;

/// The reads of open leases since they were written last.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    leases: HashMap<LeaseId, LeaseReads>,
    /// What could not be written.
    unwritten: Readings,
    lost_at: Option<Timestamp>,
}

/// A read of a file.
#[derive(Clone, Copy)]
pub(crate) struct Read<'a> {
    pub(crate) lease_id: LeaseId,
    pub(crate) reader: Reader,
    pub(crate) table_id: TableId,
    /// When the lease ends.
    pub(crate) expires_at: Timestamp,
    /// The map that `touched` is of.
    pub(crate) chunks: Option<&'a ChunkMap>,
    pub(crate) touched: Touched<'a>,
    pub(crate) at: Timestamp,
}

impl Recorder {
    /// Adds what a read touches.
    pub(crate) fn add(&self, read: Read<'_>) {
        let mut state = self.lock();
        if state.leases.len() >= MAX_LEASES && !state.leases.contains_key(&read.lease_id) {
            state.lost_at = Some(read.at);
            return;
        }
        let reads = state.leases.entry(read.lease_id).or_insert_with(|| LeaseReads::new(&read));
        reads.add(&read);
    }

    /// Who read which table since the last writing: what they read is not in the database yet.
    pub(crate) fn unwritten(&self) -> HashSet<(TableId, PrincipalId)> {
        let state = self.lock();
        let fresh = state.leases.values().filter(|reads| !reads.fresh.is_empty() || !reads.closed.is_empty());
        let fresh = fresh.map(|reads| (reads.table_id, reads.reader.principal_id));
        fresh.chain(state.unwritten.keys().map(|(_, reading)| (reading.table_id, reading.principal_id))).collect()
    }

    /// What is to be written, and when reads were lost. Leases that have ended are forgotten.
    pub(crate) fn take(&self, now: Timestamp) -> (Readings, Option<Timestamp>) {
        let (taken, mut readings, lost_at) = {
            let mut state = self.lock();
            let mut taken = Vec::new();
            for reads in state.leases.values_mut() {
                reads.close_day();
                taken.append(&mut reads.closed);
            }
            state.leases.retain(|_, reads| now < reads.expires_at);
            (taken, std::mem::take(&mut state.unwritten), state.lost_at.take())
        };
        for closed in taken {
            closed.add_to(&mut readings);
        }
        (readings, lost_at)
    }

    /// Takes back what could not be written.
    pub(crate) fn give_back(
        &self,
        readings: impl IntoIterator<Item = ((i64, Reading), Extent)>,
        lost_at: Option<Timestamp>,
    ) {
        let mut state = self.lock();
        for (reading, extent) in readings {
            if state.unwritten.len() >= MAX_UNWRITTEN && !state.unwritten.contains_key(&reading) {
                state.lost_at = state.lost_at.max(Some(extent.last_at));
                continue;
            }
            add_extent(&mut state.unwritten, reading, extent);
        }
        state.lost_at = state.lost_at.max(lost_at);
    }

    /// A thread that panicked with the lock left at most one read out.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add_extent(readings: &mut Readings, reading: (i64, Reading), extent: Extent) {
    readings.entry(reading).and_modify(|known| *known = known.and(extent)).or_insert(extent);
}

/// What a lease read.
#[derive(Debug)]
struct LeaseReads {
    reader: Reader,
    table_id: TableId,
    expires_at: Timestamp,
    columns: Arc<[String]>,
    day: i64,
    last_at: Timestamp,
    /// Since the last writing.
    fresh: Columns,
    /// On this day before that: it counts no more.
    counted: Columns,
    closed: Vec<Closed>,
}

impl LeaseReads {
    fn new(read: &Read<'_>) -> Self {
        let columns = read.chunks.map_or_else(Arc::default, |chunks| Arc::clone(chunks.columns()));
        Self {
            reader: read.reader,
            table_id: read.table_id,
            expires_at: read.expires_at,
            day: day_of(read.at),
            last_at: read.at,
            fresh: Columns::none(&columns),
            counted: Columns::none(&columns),
            columns,
            closed: Vec::new(),
        }
    }

    fn add(&mut self, read: &Read<'_>) {
        let day = day_of(read.at);
        if day != self.day {
            self.close_day();
            self.counted = Columns::none(&self.columns);
            self.day = day;
        }
        self.last_at = read.at;
        self.expires_at = self.expires_at.max(read.expires_at);
        // A lease is pinned to one snapshot. Places in another schema would name other columns.
        let is_same = read
            .chunks
            .is_some_and(|chunks| Arc::ptr_eq(chunks.columns(), &self.columns) || chunks.columns() == &self.columns);
        match read.touched {
            Touched::Chunks(chunks) if is_same => {
                for column in chunks.iter().filter_map(|chunk| chunk.column) {
                    self.fresh.add(column);
                }
            }
            Touched::Chunks([]) => {}
            Touched::Chunks(_) | Touched::Everything => self.fresh.everything = true,
        }
        if is_same {
            let without_bytes = read.chunks.map(ChunkMap::without_bytes).unwrap_or_default();
            without_bytes.iter().for_each(|column| self.fresh.add(*column));
        }
    }

    /// Moves what is fresh to what is to be written.
    fn close_day(&mut self) {
        let mut fresh = std::mem::replace(&mut self.fresh, Columns::none(&self.columns));
        if fresh.is_empty() {
            return;
        }
        let mut before = self.counted.clone();
        self.counted.add_all(&fresh);
        // A lease adds no more rows than this to a day.
        if self.counted.count() > MAX_COLUMNS {
            fresh = Columns { everything: true, ..Columns::default() };
            before = Columns { everything: before.everything || before.count() > MAX_COLUMNS, ..Columns::default() };
        }
        self.closed.push(Closed {
            reader: self.reader,
            table_id: self.table_id,
            columns: Arc::clone(&self.columns),
            day: self.day,
            last_at: self.last_at,
            fresh,
            before,
        });
    }
}

/// What a lease read on a day since the last writing.
#[derive(Debug)]
struct Closed {
    reader: Reader,
    table_id: TableId,
    columns: Arc<[String]>,
    day: i64,
    last_at: Timestamp,
    fresh: Columns,
    before: Columns,
}

impl Closed {
    fn add_to(&self, readings: &mut Readings) {
        let mut add = |column: ReadColumn, was_counted: bool| {
            let Reader { principal_id, binding_id } = self.reader;
            let reading = Reading { table_id: self.table_id, binding_id, principal_id, column };
            let extent = Extent { n_leases: u64::from(!was_counted), last_at: self.last_at };
            add_extent(readings, (self.day, reading), extent);
        };
        if self.fresh.everything {
            add(ReadColumn::Everything, self.before.everything);
        }
        for (place, name) in self.columns.iter().enumerate() {
            if self.fresh.has(place) {
                add(ReadColumn::Named(name.clone()), self.before.has(place));
            }
        }
    }
}

/// A set of columns, by their places.
#[derive(Clone, Debug, Default)]
struct Columns {
    everything: bool,
    bits: Vec<u64>,
}

impl Columns {
    /// None of these.
    fn none(columns: &[String]) -> Self {
        Self { everything: false, bits: vec![0; columns.len().div_ceil(64)] }
    }

    fn add(&mut self, column: u32) {
        let place = usize::try_from(column).unwrap_or(usize::MAX);
        if let Some(bits) = self.bits.get_mut(place / 64) {
            *bits |= 1 << (place % 64);
        }
    }

    fn add_all(&mut self, other: &Self) {
        self.everything |= other.everything;
        self.bits.iter_mut().zip(&other.bits).for_each(|(bits, other)| *bits |= other);
    }

    fn has(&self, place: usize) -> bool {
        self.bits.get(place / 64).is_some_and(|bits| bits & (1 << (place % 64)) != 0)
    }

    fn count(&self) -> usize {
        self.bits.iter().map(|bits| usize::try_from(bits.count_ones()).unwrap_or(0)).sum()
    }

    fn is_empty(&self) -> bool {
        !self.everything && self.bits.iter().all(|bits| *bits == 0)
    }
}
