//! What is no verdict about the change: a missing tool, nothing to prove, a tree that will not hold still.

use std::path::PathBuf;
use std::time::Duration;

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

#[test]
fn a_test_that_hangs_floods_forks_or_asks_for_a_service_ends_with_its_reason() {
    for (body, gap) in [
        ("    while True:\n        pass\n", "TEST_TIMES_OUT"),
        (
            "    import socket\n    socket.create_connection(('127.0.0.1', 5432), 1)\n",
            "NEEDS_SERVICE",
        ),
        (
            "    import os, signal\n    children = []\n    try:\n        while True:\n            child = os.fork()\n            if not child:\n                signal.pause()\n            children.append(child)\n    finally:\n        for child in children:\n            os.kill(child, signal.SIGKILL)\n            os.waitpid(child, 0)\n",
            "LIMIT_REACHED",
        ),
    ] {
        let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
        bench.write(&[
            ("calc.py", FIX),
            ("tests/test_odd.py", &format!("def test_odd():\n{body}")),
        ]);
        let proven = bench
            .prove("bug-fix", bug_fix(), |request| {
                request.limits.wall = Duration::from_secs(20);
                request.limits.processes = 64;
            })
            .unwrap();
        expect(&proven, Verdict::Unproven);
        assert_eq!(proven.proof.gaps, [gap], "{}", proven.one_fact);
    }
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let flood = "\n\ndef test_flood(capsys):\n    with capsys.disabled():\n        for _ in range(40_000):\n            print('x' * 1_000)\n";
    let test = format!("{NEW_TEST}{flood}");
    expect(
        &bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", &test)]),
        Verdict::Proven,
    );
}
