//! Remembers which tool calls were counted, so that a request sent twice counts once.
//! A bounded ring of hashes: it forgets the oldest, and a hash that must stay equal across versions is spelled out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The ids of the last tool calls, as hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seen(VecDeque<u64>);

impl Seen {
    /// How many ids are remembered.
    const CAPACITY: usize = 256;

    /// Adds an id; says whether it is new. Results without an id cannot be told apart, so all of them are new.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        if id.is_empty() {
            return true;
        }
        let hash = hash(&[id]);
        if self.0.contains(&hash) {
            return false;
        }
        if self.0.len() == Self::CAPACITY {
            self.0.pop_front();
        }
        self.0.push_back(hash);
        true
    }
}

/// FNV-1a over the parts, with a separator that no text contains.
pub(crate) fn hash(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash
}
