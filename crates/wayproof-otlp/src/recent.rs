//! What was begun and has not ended, in bounded memory: past the limit the older half is forgotten.

use std::collections::HashMap;

/// Values by name, at most about twice the limit.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    limit: usize,
    newer: HashMap<String, V>,
    older: HashMap<String, V>,
}

impl<V> Recent<V> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            newer: HashMap::new(),
            older: HashMap::new(),
        }
    }

    pub(crate) fn insert(&mut self, name: &str, value: V) {
        if self.newer.len() >= self.limit {
            self.older = std::mem::take(&mut self.newer);
        }
        self.older.remove(name);
        self.newer.insert(name.to_owned(), value);
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        match self.newer.get_mut(name) {
            Some(value) => Some(value),
            None => self.older.get_mut(name),
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.newer.get(name).or_else(|| self.older.get(name))
    }

    pub(crate) fn remove(&mut self, name: &str) -> Option<V> {
        self.newer.remove(name).or_else(|| self.older.remove(name))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.newer.values().chain(self.older.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_newest_stay() {
        let mut recent = Recent::new(10);
        for n in 0..1000 {
            recent.insert(&n.to_string(), n);
        }
        assert!(recent.values().count() <= 20);
        assert_eq!(recent.get("999"), Some(&999));
        assert_eq!(recent.get("0"), None);
        assert_eq!(recent.remove("999"), Some(999));
        assert_eq!(recent.get("999"), None);
    }

    #[test]
    fn a_name_has_one_value() {
        let mut recent = Recent::new(1);
        recent.insert("a", 1);
        recent.insert("b", 2);
        recent.insert("a", 3);
        assert_eq!(recent.remove("a"), Some(3));
        assert_eq!(recent.remove("a"), None);
    }
}
