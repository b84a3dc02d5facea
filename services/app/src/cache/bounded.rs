//! The one kind of cache: it has a limit, and where it is full it evicts the entries that were not used lately.
//!
//! Whether an entry is still valid is for its owner to say, by a stamp or a revision beside the value.

use std::fmt;
use std::hash::{Hash, RandomState};

use quick_cache::sync::{self, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

/// Values by keys, up to a total weight.
pub struct Cache<K, V>(sync::Cache<K, Weighed<V>, ByWeight, RandomState>);

#[derive(Clone)]
struct Weighed<V> {
    value: V,
    weight: u64,
}

#[derive(Clone)]
struct ByWeight;

impl<K, V> Weighter<K, Weighed<V>> for ByWeight {
    fn weight(&self, _: &K, weighed: &Weighed<V>) -> u64 {
        weighed.weight
    }
}

/// The bytes of a typical entry: how many entries a cache of bytes plans for.
const TYPICAL_BYTES: usize = 4 << 10;

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    /// A cache of at most this many entries.
    pub fn of_entries(n_entries: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(n_entries).weight_capacity(weight(n_entries));
        Self::new(&options)
    }

    /// A cache of at most this many bytes. It is not sharded, so that one large entry fits.
    pub fn of_bytes(n_bytes: usize) -> Self {
        let mut options = OptionsBuilder::new();
        options.estimated_items_capacity(n_bytes / TYPICAL_BYTES).weight_capacity(weight(n_bytes)).shards(1);
        Self::new(&options)
    }

    #[expect(clippy::unwrap_used, reason = "both capacities are always given")]
    fn new(options: &OptionsBuilder) -> Self {
        let options = options.build().unwrap();
        // Keys may be chosen by callers, so the hash is seeded and resists collisions.
        Self(sync::Cache::with_options(options, ByWeight, RandomState::new(), DefaultLifecycle::default()))
    }

    /// The value of a key, which counts as a use of it.
    pub fn get<Q: Hash + quick_cache::Equivalent<K> + ?Sized>(&self, key: &Q) -> Option<V> {
        self.0.get(key).map(|weighed| weighed.value)
    }

    /// Caches a value, in a cache of entries.
    pub fn insert(&self, key: K, value: V) {
        self.insert_bytes(key, value, 1);
    }

    /// Caches a value of this many bytes, in a cache of bytes. A value larger than the whole cache is not cached.
    pub fn insert_bytes(&self, key: K, value: V, n_bytes: usize) {
        // An entry without weight would never be evicted.
        self.0.insert(key, Weighed { value, weight: weight(n_bytes.max(1)) });
    }

    /// Removes a value.
    pub fn remove<Q: Hash + quick_cache::Equivalent<K> + ?Sized>(&self, key: &Q) {
        self.0.remove(key);
    }

    /// Removes the values for which `keep` is false.
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.0.retain(|_, weighed| keep(&weighed.value));
    }

    /// How much is cached: entries or bytes.
    pub fn weight(&self) -> u64 {
        self.0.weight()
    }
}

fn weight(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cache(..)")
    }
}
