//! What holds for any text: an answer, within bounds, and never a pass against the exit status.

use proptest::prelude::*;
use wayproof_engine::{Evidence, Outcome, recognize};
use wayproof_wire::Exit;

use super::read;

/// Pieces that recognizers look for, to be put together in ways no tool would.
const PIECES: [&str; 44] = [
    "=",
    "====",
    "___",
    "\n",
    "\r",
    "\u{1b}[",
    "\u{1b}]",
    " ",
    "  ",
    ":",
    "(",
    "[",
    ")",
    "]",
    "5",
    "99999999999999999999999",
    "passed",
    "failed",
    " in 1s",
    "FAILED ",
    "a.py::b",
    "a.rs:1:2",
    "error: ",
    "error[E1]: ",
    " --> ",
    "test result: ",
    "ok. ",
    "--- FAIL: ",
    "\tm/p",
    "FAIL\t",
    "{\"Action\":\"fail\"}",
    "Tests run: ",
    "Failures: ",
    "<<< FAILURE!",
    "[junit] ",
    "\u{25cf} ",
    "\u{2716} ",
    "not ok ",
    "1..",
    "Executed ",
    " of ",
    "Summary [",
    "Ran ",
    " tests",
];

fn soup() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![4 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned), 1 => "\\PC{0,6}"], 0..120)
        .prop_map(|pieces| pieces.concat())
}

fn exits() -> impl Strategy<Value = Exit> {
    prop_oneof![
        Just(Exit::Unknown),
        Just(Exit::Succeeded),
        Just(Exit::Failed),
        (-3_i32..140).prop_map(Exit::Code)
    ]
}

fn is_bounded(evidence: &Evidence) -> bool {
    evidence.failures.len() <= Evidence::MAX_ITEMS
        && evidence.diagnostics.len() <= Evidence::MAX_ITEMS
        && evidence.failures.iter().all(|one| {
            one.name.len() <= 3 * Evidence::MAX_TEXT && one.message.len() <= Evidence::MAX_TEXT
        })
        && evidence
            .diagnostics
            .iter()
            .all(|one| one.message.len() <= Evidence::MAX_TEXT)
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in any::<String>(), command in proptest::option::of(any::<String>()), exit in exits()) {
        let found = recognize(&text, command.as_deref(), exit);
        prop_assert!(found.iter().all(is_bounded));
    }

    #[test]
    fn soup_has_an_answer_that_the_exit_status_bounds(text in soup(), exit in exits()) {
        let found = recognize(&text, None, exit);
        prop_assert!(found.iter().all(is_bounded));
        if exit.is_failure() {
            prop_assert!(found.iter().all(|evidence| evidence.outcome != Outcome::Passed));
            prop_assert!(found.iter().any(|evidence| evidence.outcome == Outcome::Failed));
        }
    }

    #[test]
    fn counts_and_outcomes_agree(text in soup()) {
        for evidence in read(&text) {
            if let Some(counts) = evidence.counts {
                if counts.failed + counts.errors > 0 || !evidence.failures.is_empty() {
                    prop_assert_eq!(evidence.outcome, Outcome::Failed);
                }
                if counts.run == 0 {
                    prop_assert_ne!(evidence.outcome, Outcome::Passed);
                }
            }
        }
    }

    #[test]
    fn the_same_text_gives_the_same_answer(text in soup(), exit in exits()) {
        prop_assert_eq!(recognize(&text, None, exit), recognize(&text, None, exit));
    }

    /// A failure stays one, whatever is printed around it on other lines.
    #[test]
    fn a_failure_is_not_talked_away(before in soup(), after in soup()) {
        let text = format!("{before}\u{1b}[0m\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n{after}");
        let found = read(&text);
        prop_assert!(found.iter().any(|evidence| evidence.tool == "cargo-test" && evidence.outcome == Outcome::Failed));
    }
}

#[test]
fn endless_lists_are_cut_and_counted() {
    let mut lines: Vec<String> = (0..3_000)
        .map(|number| format!("FAILED tests/a.py::test_{number} - no\n"))
        .collect();
    lines.push("=== 3000 failed in 9s ===\n".to_owned());
    let text = lines.concat();
    let found = read(&text);
    let [evidence] = found.as_slice() else {
        panic!("one item expected");
    };
    assert_eq!(evidence.failures.len(), Evidence::MAX_ITEMS);
    assert_eq!(evidence.counts.map(|counts| counts.failed), Some(3_000));
}

#[test]
fn an_error_behind_a_full_list_still_counts() {
    let warnings = "a.c:1:2: warning: unused\n".repeat(Evidence::MAX_ITEMS + 1);
    let found = read(&format!("{warnings}a.c:3:4: error: undeclared\n"));
    assert!(
        found
            .iter()
            .any(|evidence| evidence.outcome == Outcome::Failed)
    );
    let warnings = "warning: unused\n --> a.rs:1:2\n".repeat(Evidence::MAX_ITEMS + 1);
    let found = read(&format!("{warnings}error: undeclared\n --> a.rs:3:4\n"));
    assert!(
        found
            .iter()
            .any(|evidence| evidence.outcome == Outcome::Failed)
    );
}

#[test]
fn a_stored_item_reads_back() {
    let found = read(
        "FAILED a.py::b - no\n=== 1 failed in 1s ===\nmain.c:5:3: error: 'x' undeclared [-Wx]\n",
    );
    let text = serde_json::to_string(&found).expect("json");
    let back: Vec<Evidence> = serde_json::from_str(&text).expect("evidence");
    assert_eq!(back, found);
}
