//! Small edits: typecheck or focused test.

use wayproof_receipt::Verdict;

use super::bench::{Bench, expect, has};
use super::python::{FIX, OLD_TEST};

#[test]
fn an_edit_that_compiles_and_keeps_its_tests_is_proven() {
    let bench = Bench::python(&[("calc.py", FIX), ("tests/test_calc.py", OLD_TEST)]);
    expect(
        &bench.edit(&[("calc.py", &FIX.replace("def add", "def plus"))]),
        Verdict::Proven,
    );
}

#[test]
fn an_edit_that_breaks_the_nearest_test_is_refuted() {
    let bench = Bench::python(&[("calc.py", FIX), ("tests/test_calc.py", OLD_TEST)]);
    let proven = bench.edit(&[("calc.py", &FIX.replace("a * 2", "a * 3"))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("test_twice"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn an_edit_that_does_not_compile_is_refuted() {
    let manifest = "[package]\nname = \"calc\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let bench = Bench::new(&[
        ("Cargo.toml", manifest),
        (".gitignore", "target\nCargo.lock\n"),
        ("src/lib.rs", "pub fn one() -> u8 {\n    1\n}\n"),
    ]);
    let proven = bench.edit(&[("src/lib.rs", "pub fn one() -> u8 {\n    \"1\"\n}\n")]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("src/lib.rs:2"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_large_edit_is_not_small() {
    let bench = Bench::python(&[("calc.py", FIX), ("tests/test_calc.py", OLD_TEST)]);
    let large: Vec<String> = (0..300)
        .map(|number| format!("X{number} = {number}"))
        .collect();
    let proven = bench.edit(&[("calc.py", &format!("{FIX}{}\n", large.join("\n")))]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert!(has(&proven, "G16"));
}
