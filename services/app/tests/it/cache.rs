//! The bounded cache.

use app::cache::bounded::Cache;

#[test]
fn a_full_cache_keeps_recently_used_entries() {
    let cache = Cache::of_entries(1_000);
    let used = 0..20;
    for key in used.clone() {
        cache.insert(key, key);
    }
    for key in 1_000..11_000 {
        cache.insert(key, key);
        for key in used.clone() {
            assert_eq!(cache.get(&key), Some(key), "an entry in use was evicted");
        }
    }
    assert!(cache.weight() <= 1_000, "{} entries", cache.weight());
    assert!(cache.weight() > 500, "a full cache dropped everything: {} entries are left", cache.weight());
}

#[test]
fn a_cache_of_bytes_stays_below_its_limit_and_keeps_what_is_used() {
    let cache = Cache::of_bytes(1 << 20);
    cache.insert_bytes("used", 1, 100 << 10);
    for n in 0..1_000 {
        cache.insert_bytes(["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"][n % 12], 2, 100 << 10);
        assert_eq!(cache.get("used"), Some(1), "an entry in use was evicted");
        assert!(cache.weight() <= 1 << 20, "{} bytes", cache.weight());
    }
}

#[test]
fn an_entry_larger_than_the_cache_evicts_nothing() {
    let cache = Cache::of_bytes(1 << 20);
    cache.insert_bytes("small", 1, 1 << 10);
    cache.insert_bytes("large", 2, 2 << 20);
    assert_eq!((cache.get("small"), cache.get("large")), (Some(1), None));
}
