//! pytest and unittest.

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, expect};

pub(crate) const BUG: &str =
    "def add(a, b):\n    return a - b\n\n\ndef twice(a):\n    return a * 2\n";
pub(crate) const FIX: &str =
    "def add(a, b):\n    return a + b\n\n\ndef twice(a):\n    return a * 2\n";
pub(crate) const OLD_TEST: &str =
    "import calc\n\n\ndef test_twice():\n    assert calc.twice(2) == 4\n";
pub(crate) const NEW_TEST: &str = "import calc\n\n\ndef test_twice():\n    assert calc.twice(2) == 4\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n";

#[test]
fn a_new_test_that_needs_the_fix_proves_it() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Proven);
    let fixed = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (fixed.test_id.as_str(), fixed.red_reason, fixed.preexisting),
        ("tests/test_calc.py::test_add", RedReason::Assertion, false)
    );
    assert_eq!(
        (fixed.base_reds, fixed.head_greens, fixed.false_accept_bound),
        (3, 3, Some(1.0 / 64.0))
    );
    assert!(
        proven
            .proof
            .checks
            .iter()
            .all(|check| check.isolation.iter().any(|held| held == "netns"))
    );
}

#[test]
fn an_existing_red_test_made_green_proves_it_best() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", NEW_TEST)]);
    let proven = bench.fix(&[("calc.py", FIX)]);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.fail_to_pass[0].preexisting);
}

#[test]
fn a_wrong_fix_is_refuted_with_the_one_fact() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", NEW_TEST)]);
    let proven = bench.fix(&[(
        "calc.py",
        "def add(a, b):\n    return a * b\n\n\ndef twice(a):\n    return a * 2\n",
    )]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("tests/test_calc.py::test_add")
            && proven.one_fact.contains("test_calc.py:9"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_fix_that_breaks_something_else_is_refuted() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", NEW_TEST)]);
    let proven = bench.fix(&[(
        "calc.py",
        "def add(a, b):\n    return a + b\n\n\ndef twice(a):\n    return a * 3\n",
    )]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven
            .one_fact
            .contains("test_twice passed before the change and fails now"),
        "{}",
        proven.one_fact
    );
    // What it fixed is not run again, since that could not save it.
    let fixed = &proven.proof.fail_to_pass[0];
    assert_eq!((fixed.base_reds, fixed.head_greens), (1, 1));
}

#[test]
fn a_fix_without_a_test_is_unproven() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    expect(&bench.fix(&[("calc.py", FIX)]), Verdict::Unproven);
}

#[test]
fn a_test_that_cannot_import_without_the_change_proves_with_a_gap() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let source = format!("{FIX}\n\ndef triple(a):\n    return a * 3\n");
    let test = "from calc import triple\n\n\ndef test_triple():\n    assert triple(1) == 3\n";
    let proven = bench.fix(&[("calc.py", &source), ("tests/test_triple.py", test)]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert_eq!(proven.proof.gaps, ["RED_BY_BUILD_ONLY"]);
}

#[test]
fn new_fixtures_in_a_conftest_are_no_cheat() {
    let bench = Bench::python(&[
        ("calc.py", BUG),
        ("tests/conftest.py", "import pytest\n"),
        ("tests/test_calc.py", OLD_TEST),
    ]);
    let proven = bench.fix(&[
        ("calc.py", FIX),
        (
            "tests/conftest.py",
            "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n",
        ),
        (
            "tests/test_add.py",
            "import calc\n\n\ndef test_add(one):\n    assert calc.add(one, 2) == 3\n",
        ),
    ]);
    expect(&proven, Verdict::Proven);
}

#[test]
fn a_new_dependency_and_a_new_version_are_no_cheat() {
    let manifest = "[project]\nname = \"calc\"\nversion = \"1\"\n\n[tool.pytest.ini_options]\naddopts = \"-x\"\n";
    let bench = Bench::python(&[
        ("calc.py", BUG),
        ("pyproject.toml", manifest),
        ("tests/test_calc.py", OLD_TEST),
    ]);
    let proven = bench.fix(&[
        ("calc.py", FIX),
        ("pyproject.toml", &manifest.replace("\"1\"", "\"2\"")),
        ("tests/test_calc.py", NEW_TEST),
    ]);
    expect(&proven, Verdict::Proven);
    assert_eq!(
        proven.proof.fail_to_pass[0]
            .ablation
            .as_ref()
            .map(|it| (it.runs, it.reds)),
        Some((1, 1))
    );
}

#[test]
fn a_flaky_test_proves_nothing() {
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)]);
    let test = "import os, calc\n\n\ndef test_now_and_then():\n    seen = os.path.exists('mark')\n    open('mark', 'w').close()\n    assert not seen or calc.add(1, 1) == 3\n";
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_flaky.py", test)]);
    assert_ne!(proven.proof.verdict, Verdict::Proven, "{}", proven.one_fact);
    assert!(proven.proof.fail_to_pass.is_empty());
}

#[test]
fn unittest_is_enough() {
    let test = "import unittest\nimport calc\n\n\nclass Calc(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(calc.add(1, 2), 3)\n";
    let bench = Bench::new(&[("calc.py", BUG), ("test_calc.py", test)]);
    let proven = bench.fix(&[("calc.py", FIX)]);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.fail_to_pass[0].test_id.ends_with("test_add"));
}
