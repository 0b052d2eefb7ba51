//! Checks that still hold, one by one: an edit of one line does not make the base run again.
//!
//! A check is found by the content of its tree, by what ran in that tree before it, by itself, and by everything around
//! it that it reads. So the second run of a test is taken over from a second run, and nothing is taken over into a tree
//! in which something else has run. What ran out of its time, was stopped or met a fault of the machine is not kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Serialize, de::DeserializeOwned};
use wayproof_receipt::predicate::{Check, CheckResult, Reused};
use wayproof_receipt::{Time, sha256_hex};

use crate::request::ProofCache;
use crate::run::{Host, SuiteRun, Tree, Trouble};

/// Where checks are kept, and what is the same for all of one proof.
#[derive(Debug)]
pub(crate) struct KeptChecks {
    cache: Arc<dyn ProofCache>,
    /// The digest of everything around the trees that checks read.
    surroundings: String,
    /// What has run in each tree so far, as a digest that begins with the tree's content; nothing if nobody knows.
    histories: Mutex<Histories>,
}

type Histories = BTreeMap<PathBuf, Option<String>>;

/// Something that came of running commands.
pub(crate) trait Outcome: Serialize + DeserializeOwned {
    /// The commands.
    fn checks(&mut self) -> Vec<&mut Check>;
    /// Whether the same would come of it again, as far as the outcome itself tells.
    fn is_settled(&self) -> bool;
}

impl Outcome for SuiteRun {
    fn checks(&mut self) -> Vec<&mut Check> {
        self.checks.iter_mut().collect()
    }

    fn is_settled(&self) -> bool {
        self.is_complete && self.problems.is_empty()
    }
}

impl KeptChecks {
    /// Keeps checks in `cache` for proofs with these surroundings.
    pub(crate) fn new(cache: Arc<dyn ProofCache>, surroundings: &str) -> Self {
        Self {
            cache,
            surroundings: sha256_hex(surroundings.as_bytes()),
            histories: Mutex::default(),
        }
    }

    fn histories(&self) -> MutexGuard<'_, Histories> {
        // A map of digests is whole at any time.
        self.histories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of a check that is about to run in a tree, which from then on has run there.
    fn key(&self, tree: &Tree, content: &str, what: &str) -> Option<String> {
        let mut histories = self.histories();
        let history = histories
            .entry(tree.path.clone())
            .or_insert_with(|| Some(content.to_owned()))
            .as_mut()?;
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "wayproof-check {version} 1\n{}\n{history}\n{what}",
            self.surroundings
        );
        *history = sha256_hex(text.as_bytes());
        Some(format!("check-{history}"))
    }
}

/// Takes over what the same check showed earlier, or runs it and keeps what it shows.
pub(crate) fn or_run<T: Outcome>(
    host: &Host<'_>,
    tree: &Tree,
    what: &str,
    run: impl FnOnce() -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let (Some(kept), Some(content)) = (host.kept, &tree.content) else {
        forget(host, tree);
        return run();
    };
    let Some(key) = kept.key(tree, content, what) else {
        return run();
    };
    if let Some(outcome) = find(host, kept, tree, &key) {
        return Ok(outcome);
    }
    let mut outcome = run()?;
    if outcome.is_settled() && outcome.checks().into_iter().all(|check| is_settled(check)) {
        // What cannot be written down is run again next time.
        if let Ok(bytes) = serde_json::to_vec(&outcome) {
            kept.cache.put(&key, &bytes);
        }
    }
    Ok(outcome)
}

/// Something runs in the tree that no key names, so nothing that runs there afterwards is taken over or kept.
fn forget(host: &Host<'_>, tree: &Tree) {
    if let Some(kept) = host.kept {
        kept.histories().insert(tree.path.clone(), None);
    }
}

/// What was kept, as the checks of this proof.
fn find<T: Outcome>(host: &Host<'_>, kept: &KeptChecks, tree: &Tree, key: &str) -> Option<T> {
    let found = kept.cache.get(key)?;
    let mut outcome: T = serde_json::from_slice(&found.bytes).ok()?;
    for check in outcome.checks() {
        check.id = host.next_check();
        check.side = tree.side;
        check.reused = Some(Reused {
            from: Some(Time(found.at_us)),
            key: key.to_owned(),
        });
    }
    Some(outcome)
}

/// Whether a command ended by itself.
fn is_settled(check: &Check) -> bool {
    check.is_complete
        && check.signal.is_none()
        && matches!(check.result, CheckResult::Passed | CheckResult::Failed)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;
    use std::sync::{Arc, Mutex};

    use wayproof_receipt::predicate::{Check, CheckResult, Side};

    use super::{KeptChecks, Outcome as _, is_settled};
    use crate::request::{KeptProof, ProofCache};
    use crate::run::{SuiteRun, Tree};

    #[derive(Debug, Default)]
    struct Memory(Mutex<BTreeMap<String, Vec<u8>>>);

    impl ProofCache for Memory {
        fn get(&self, key: &str) -> Option<KeptProof> {
            let bytes = self.0.lock().unwrap().get(key)?.clone();
            Some(KeptProof { bytes, at_us: 1 })
        }

        fn put(&self, key: &str, bytes: &[u8]) {
            let mut kept = self.0.lock().unwrap();
            kept.insert(key.to_owned(), bytes.to_vec());
        }
    }

    fn keys(content: &str, whats: &[&str], surroundings: &str) -> Vec<Option<String>> {
        let kept = KeptChecks::new(Arc::new(Memory::default()), surroundings);
        let tree = Tree {
            side: Side::Head,
            path: PathBuf::from("/a/tree"),
            content: Some(content.to_owned()),
        };
        whats
            .iter()
            .map(|what| kept.key(&tree, content, what))
            .collect()
    }

    #[test]
    fn a_check_is_what_ran_where_after_what() {
        let one = keys("tree", &["all", "all", "one"], "here");
        assert_eq!(one, keys("tree", &["all", "all", "one"], "here"));
        assert_ne!(one[0], one[1], "the second run is another");
        for other in [
            keys("other", &["all"], "here"),
            keys("tree", &["one"], "here"),
            keys("tree", &["all"], "elsewhere"),
        ] {
            assert_ne!(other[0], one[0]);
        }
        // The same check after another one is another check.
        assert_ne!(keys("tree", &["all", "one"], "here")[1], one[2]);
    }

    #[test]
    fn what_chance_had_a_part_in_is_not_kept() {
        let ended = Check {
            is_complete: true,
            result: CheckResult::Failed,
            ..Check::default()
        };
        assert!(is_settled(&ended));
        let chance = [
            Check {
                is_complete: false,
                ..ended.clone()
            },
            Check {
                signal: Some(9),
                ..ended.clone()
            },
            Check {
                result: CheckResult::TimedOut,
                ..ended.clone()
            },
            Check {
                result: CheckResult::Infrastructure,
                ..ended
            },
        ];
        assert!(!chance.iter().any(is_settled));
        let mut forged = SuiteRun::empty();
        assert!(forged.is_settled());
        forged.problems.push("two reports disagree".to_owned());
        assert!(!forged.is_settled());
    }
}
