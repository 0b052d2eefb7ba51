//! What is no verdict about the change: a missing tool, nothing to prove, a tree that will not hold still.

use std::path::PathBuf;

use wayproof_engine::ProofRequirement;
use wayproof_proof::{ProveError, Runs};
use wayproof_receipt::Verdict;

use super::bench::{Bench, expect, machine};
use super::python::{BUG, FIX, NEW_TEST, OLD_TEST};

fn bug_fix() -> Vec<Vec<ProofRequirement>> {
    vec![vec![ProofRequirement::FailingTestBecomesGreen]]
}

#[test]
fn a_missing_toolchain_is_one_sentence() {
    let bench = Bench::new(&[("go.mod", "module m\n\ngo 1.18\n"), ("a.go", "package m\n")]);
    bench.write(&[("a.go", "package m\n\nvar A = 1\n")]);
    let proven = bench
        .prove("bug-fix", bug_fix(), |request| {
            request.machine = machine(&[], request.machine.scratch.clone());
            request.machine.path = vec![PathBuf::from("/nonexistent")];
        })
        .unwrap();
    expect(&proven, Verdict::InvalidInfra);
    assert_eq!(
        proven.one_fact,
        "`go` is not installed, and the change needs it to run its tests"
    );
}

#[test]
fn tests_that_need_pytest_say_so() {
    let test =
        "import pytest\n\n\ndef test_add():\n    import calc\n    assert calc.add(1, 2) == 3\n";
    let bench = Bench::new(&[("calc.py", BUG), ("test_calc.py", test)]);
    let proven = bench.fix(&[("calc.py", FIX)]);
    // A machine whose python3 has pytest proves it; any other says what is missing.
    if proven.proof.verdict != Verdict::Proven {
        expect(&proven, Verdict::InvalidInfra);
        assert!(
            proven.one_fact.contains("need pytest"),
            "{}",
            proven.one_fact
        );
    }
}

#[test]
fn a_dependency_that_is_not_there_is_the_machines_fault() {
    let manifest = "[package]\nname = \"calc\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nno-such-crate-anywhere = \"1\"\n";
    let bench = Bench::new(&[("Cargo.toml", manifest), ("src/lib.rs", "pub fn a() {}\n")]);
    let proven = bench.fix(&[("src/lib.rs", "pub fn a() {}\npub fn b() {}\n")]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("no-such-crate-anywhere"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_clean_tree_without_a_base_has_nothing_to_prove() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let error = bench
        .prove("bug-fix", bug_fix(), |request| request.base = None)
        .unwrap_err();
    assert!(matches!(error, ProveError::NothingToProve), "{error}");
}

#[test]
fn more_runs_make_a_smaller_bound() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", NEW_TEST)]);
    bench.write(&[("calc.py", FIX)]);
    let proven = bench
        .prove("bug-fix", bug_fix(), |request| {
            request.runs = Runs { base: 5, head: 5 }
        })
        .unwrap();
    expect(&proven, Verdict::Proven);
    assert_eq!(
        proven.proof.fail_to_pass[0].false_accept_bound,
        Some(1.0 / 1024.0)
    );
}

#[test]
fn no_test_at_all_is_unproven() {
    let bench = Bench::python(&[("calc.py", BUG)]);
    let proven = bench.fix(&[("calc.py", FIX)]);
    expect(&proven, Verdict::Unproven);
    assert_eq!(proven.proof.gaps, ["NO_TESTS_RAN"]);
}
