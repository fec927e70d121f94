//! A small map for things that never change once they exist.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, PoisonError},
};

/// Keeps the last `capacity` entries that were put in. Values are cheap to clone (an `Arc`) and immutable, so an entry is never
/// wrong, only absent; the oldest goes first, which for versions of workflows is as good as the least used.
#[derive(Debug)]
pub struct Cache<K, V> {
    capacity: usize,
    entries: Mutex<Entries<K, V>>,
}

#[derive(Debug)]
struct Entries<K, V> {
    by_key: HashMap<K, V>,
    oldest_first: VecDeque<K>,
}

impl<K: Copy + Eq + Hash, V: Clone> Cache<K, V> {
    /// An empty cache.
    pub fn new(capacity: usize) -> Self {
        let entries = Entries { by_key: HashMap::new(), oldest_first: VecDeque::new() };
        Self { capacity, entries: Mutex::new(entries) }
    }

    /// The value, if it is still kept.
    pub fn get(&self, key: &K) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.by_key.get(key).cloned()
    }

    /// Keeps a value, in place of the oldest one where there is no room.
    pub fn insert(&self, key: K, value: V) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.by_key.insert(key, value).is_none() {
            entries.oldest_first.push_back(key);
        }
        while entries.oldest_first.len() > self.capacity {
            if let Some(oldest) = entries.oldest_first.pop_front() {
                entries.by_key.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_makes_room() {
        let cache = Cache::new(2);
        for (key, value) in [(1, "a"), (2, "b"), (2, "b"), (3, "c")] {
            cache.insert(key, value);
        }
        assert_eq!([cache.get(&1), cache.get(&2), cache.get(&3)], [None, Some("b"), Some("c")]);
    }
}
