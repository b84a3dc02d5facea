//! `duplicateValues`: rows minus distinct keys, among the rows whose key has no null.
//!
//! Keys are divided by their hash into partitions, each small enough for a processor's cache. A thread collects keys for
//! all partitions and then adds those of one after the other, so that threads rarely wait for each other. Equal hashes
//! are compared by their keys, so the number is exact.

use std::mem::size_of;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ahash::RandomState;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use domain::table::ColumnPath;
use hashbrown::HashTable;

use super::column::Column;
use super::failure::{NO_MEMORY, failure};
use crate::floats;

const N_PARTITIONS: usize = 256;
/// The bits of a hash that choose the partition. The table in it uses those above and below.
const PARTITION_SHIFT: u32 = 40;
/// A hash and a length before each collected key of bytes.
const HEAD_BYTES: usize = 2 * size_of::<u32>();

/// The keys seen so far.
pub(super) struct Keys {
    columns: Vec<Column>,
    form: Form,
    /// Of this process, so that no table can be made whose keys have equal hashes.
    hashes: RandomState,
    partitions: Vec<Mutex<Partition>>,
    n_rows: AtomicU64,
    n_bytes: AtomicUsize,
    has_failed: AtomicBool,
    failure: Mutex<String>,
}

/// What stands for a key. Equal floating-point numbers have equal bits before.
enum Form {
    /// The bits of a value of at most 8 bytes.
    Number,
    /// The bytes of a text.
    Text,
    /// Arrow's row format, in which two keys are equal exactly if their values are.
    Row(RowConverter),
}

/// The distinct keys of one partition.
#[derive(Default)]
struct Partition {
    numbers: HashTable<u64>,
    texts: HashTable<Text>,
    bytes: Vec<u8>,
}

/// A key among the bytes of its partition.
#[derive(Clone, Copy)]
struct Text {
    hash: u32,
    start: u32,
    length: u32,
}

/// Keys that one thread has collected and not yet added.
pub(super) struct Waiting {
    partitions: Vec<WaitingPartition>,
    n_bytes: usize,
    max_bytes: usize,
}

#[derive(Clone, Default)]
struct WaitingPartition {
    numbers: Vec<u64>,
    bytes: Vec<u8>,
}

impl Waiting {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { partitions: vec![WaitingPartition::default(); N_PARTITIONS], n_bytes: 0, max_bytes }
    }
}

impl Keys {
    /// No key of these columns.
    ///
    /// # Errors
    /// There is no column, one is missing, or its type has no equality, as a message for the contract's author.
    pub(super) fn of(schema: &Schema, columns: &[ColumnPath]) -> Result<Self, String> {
        let columns = columns.iter().map(|column| Column::find(schema, column)).collect::<Result<Vec<_>, _>>()?;
        let form = match columns.as_slice() {
            [] => return Err("the key has no column".to_owned()),
            [column] if matches!(column.data_type.primitive_width(), Some(1 | 2 | 4 | 8)) => Form::Number,
            [column] if column.data_type == DataType::Utf8 => Form::Text,
            columns => {
                let types = columns.iter().map(|column| SortField::new(column.data_type.clone())).collect();
                let converter = RowConverter::new(types);
                Form::Row(converter.map_err(|_| "a column of the key has a type without equality".to_owned())?)
            }
        };
        Ok(Self {
            columns,
            form,
            hashes: RandomState::new(),
            partitions: (0..N_PARTITIONS).map(|_| Mutex::default()).collect(),
            n_rows: AtomicU64::new(0),
            n_bytes: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
            failure: Mutex::default(),
        })
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter()
    }

    /// Collects the keys of a batch of these columns of the table. Returns whether there are enough to add them.
    pub(super) fn collect(&self, batch: &RecordBatch, columns: &[usize], waiting: &mut Waiting) -> bool {
        if self.has_failed.load(Ordering::Relaxed) {
            return false;
        }
        if let Err(error) = self.try_collect(batch, columns, waiting) {
            self.fail(&failure(&error));
        }
        waiting.n_bytes >= waiting.max_bytes
    }

    fn try_collect(&self, batch: &RecordBatch, columns: &[usize], waiting: &mut Waiting) -> Result<(), ArrowError> {
        let values: Vec<_> = self.columns.iter().map(|column| column.values(batch, columns)).collect();
        let valid = values
            .iter()
            .fold(None, |valid: Option<NullBuffer>, values| NullBuffer::union(valid.as_ref(), values.valid.as_ref()));
        let arrays: Vec<ArrayRef> =
            values.iter().map(|values| floats::normal(&values.array)).collect::<Result<_, _>>()?;
        let n_valid = batch.num_rows() - valid.as_ref().map_or(0, NullBuffer::null_count);
        self.n_rows.fetch_add(n_valid as u64, Ordering::Relaxed);
        let valid = valid.as_ref();
        match (&self.form, arrays.as_slice()) {
            (Form::Number, [array]) => {
                let data = array.to_data();
                match array.data_type().primitive_width() {
                    Some(1) => self.collect_numbers(data.buffer::<u8>(0), data.len(), valid, waiting),
                    Some(2) => self.collect_numbers(data.buffer::<u16>(0), data.len(), valid, waiting),
                    Some(4) => self.collect_numbers(data.buffer::<u32>(0), data.len(), valid, waiting),
                    _ => self.collect_numbers(data.buffer::<u64>(0), data.len(), valid, waiting),
                }
            }
            (Form::Text, [array]) => {
                let texts = array.as_string::<i32>();
                self.collect_bytes(|row| texts.value(row).as_bytes(), texts.len(), valid, waiting);
            }
            (Form::Row(converter), arrays) => {
                let rows = converter.convert_columns(arrays)?;
                self.collect_bytes(|row| rows.row(row).data(), rows.num_rows(), valid, waiting);
            }
            (Form::Number | Form::Text, _) => return Err(ArrowError::SchemaError("a key of one column".to_owned())),
        }
        Ok(())
    }

    fn collect_numbers<N: Copy + Into<u64>>(
        &self,
        numbers: &[N],
        len: usize,
        valid: Option<&NullBuffer>,
        waiting: &mut Waiting,
    ) {
        let mut collect = |number: N| {
            let number = number.into();
            waiting.partitions[partition_of(self.hashes.hash_one(number))].numbers.push(number);
        };
        match valid {
            None => numbers[..len].iter().for_each(|number| collect(*number)),
            Some(valid) => valid.valid_indices().for_each(|row| collect(numbers[row])),
        }
        waiting.n_bytes += len * size_of::<u64>();
    }

    fn collect_bytes<'a>(
        &self,
        key: impl Fn(usize) -> &'a [u8],
        len: usize,
        valid: Option<&NullBuffer>,
        waiting: &mut Waiting,
    ) {
        let mut n_bytes = 0;
        let mut collect = |row: usize| {
            let key = key(row);
            let hash = self.hashes.hash_one(key);
            let partition = &mut waiting.partitions[partition_of(hash)].bytes;
            // A batch holds less than that: its offsets are of 32 bits.
            let length = u32::try_from(key.len()).unwrap_or(u32::MAX);
            partition.extend_from_slice(&(hash as u32).to_le_bytes());
            partition.extend_from_slice(&length.to_le_bytes());
            partition.extend_from_slice(key);
            n_bytes += HEAD_BYTES + key.len();
        };
        match valid {
            None => (0..len).for_each(&mut collect),
            Some(valid) => valid.valid_indices().for_each(&mut collect),
        }
        waiting.n_bytes += n_bytes;
    }

    /// Adds the keys that a thread has collected.
    pub(super) fn add(&self, waiting: &mut Waiting) {
        waiting.n_bytes = 0;
        for (partition, waiting) in self.partitions.iter().zip(&mut waiting.partitions) {
            let has_keys = !waiting.numbers.is_empty() || !waiting.bytes.is_empty();
            if has_keys && !self.has_failed.load(Ordering::Relaxed) {
                let mut partition = lock(partition);
                let before = partition.size_bytes();
                partition.add_numbers(&waiting.numbers, &self.hashes);
                let added = partition.add_texts(&waiting.bytes);
                self.n_bytes.fetch_add(partition.size_bytes() - before, Ordering::Relaxed);
                drop(partition);
                if added.is_none() {
                    self.fail(NO_MEMORY);
                }
            }
            waiting.numbers.clear();
            waiting.bytes.clear();
        }
    }

    /// Gives up, for this reason, and frees the memory.
    pub(super) fn fail(&self, reason: &str) {
        let mut failure = lock(&self.failure);
        if !self.has_failed.swap(true, Ordering::Relaxed) {
            reason.clone_into(&mut failure);
        }
        drop(failure);
        for partition in &self.partitions {
            *lock(partition) = Partition::default();
        }
        self.n_bytes.store(0, Ordering::Relaxed);
    }

    /// Rows minus distinct keys, or why there is no such number.
    pub(super) fn result(&self) -> Result<u64, String> {
        if self.has_failed.load(Ordering::Relaxed) {
            return Err(lock(&self.failure).clone());
        }
        let n_distinct: usize = self.partitions.iter().map(|partition| lock(partition).len()).sum();
        Ok(self.n_rows.load(Ordering::Relaxed) - n_distinct as u64)
    }

    /// The memory that the keys take, but for those that wait; none once it has failed.
    pub(super) fn size_bytes(&self) -> usize {
        if self.has_failed.load(Ordering::Relaxed) { 0 } else { self.n_bytes.load(Ordering::Relaxed) }
    }
}

impl Partition {
    fn add_numbers(&mut self, numbers: &[u64], hashes: &RandomState) {
        for number in numbers {
            let entry = self.numbers.entry(hashes.hash_one(number), |known| known == number, |n| hashes.hash_one(n));
            entry.or_insert(*number);
        }
    }

    /// `None` if there are too many bytes.
    fn add_texts(&mut self, mut waiting: &[u8]) -> Option<()> {
        while let Some((hash, rest)) = waiting.split_first_chunk() {
            let (length, rest) = rest.split_first_chunk()?;
            let (hash, length) = (u32::from_le_bytes(*hash), u32::from_le_bytes(*length));
            let (key, rest) = rest.split_at_checked(length as usize)?;
            waiting = rest;
            let start = u32::try_from(self.bytes.len()).ok()?;
            start.checked_add(length)?;
            let Self { texts, bytes, .. } = self;
            let is_key = |text: &Text| {
                text.hash == hash
                    && bytes.get(text.start as usize..text.start as usize + text.length as usize) == Some(key)
            };
            if texts.find(spread(hash), is_key).is_none() {
                texts.insert_unique(spread(hash), Text { hash, start, length }, |text| spread(text.hash));
                bytes.extend_from_slice(key);
            }
        }
        Some(())
    }

    fn len(&self) -> usize {
        self.numbers.len() + self.texts.len()
    }

    fn size_bytes(&self) -> usize {
        self.numbers.allocation_size() + self.texts.allocation_size() + self.bytes.capacity()
    }
}

fn partition_of(hash: u64) -> usize {
    (hash >> PARTITION_SHIFT) as usize % N_PARTITIONS
}

/// A hash of 64 bits for a table, which looks at both ends.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash) << 32
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
