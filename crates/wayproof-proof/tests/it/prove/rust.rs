//! Cargo, with tests beside the source and apart from it.

use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, expect};

const MANIFEST: &str = "[package]\nname = \"calc\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const IGNORE: &str = "target\nCargo.lock\n";
const TESTS: &str = "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn doubles() {\n        assert_eq!(twice(2), 4);\n    }\n}\n";
const MORE_TESTS: &str = "\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn doubles() {\n        assert_eq!(twice(2), 4);\n    }\n\n    #[test]\n    fn adds() {\n        assert_eq!(add(1, 2), 3);\n    }\n}\n";

fn source(sum: &str, tests: &str) -> String {
    format!(
        "pub fn add(a: i32, b: i32) -> i32 {{\n    {sum}\n}}\n\npub fn twice(a: i32) -> i32 {{\n    a * 2\n}}\n{tests}"
    )
}

#[test]
fn a_test_beside_the_source_is_taken_apart_from_it() {
    let bench = Bench::new(&[
        ("Cargo.toml", MANIFEST),
        (".gitignore", IGNORE),
        ("src/lib.rs", &source("a - b", TESTS)),
    ]);
    let proven = bench.fix(&[
        ("src/lib.rs", &source("a + b", MORE_TESTS)),
        ("Cargo.toml", &MANIFEST.replace("0.1.0", "0.1.1")),
    ]);
    expect(&proven, Verdict::Proven);
    let fixed = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (fixed.test_id.as_str(), fixed.red_reason),
        ("calc::tests::adds", RedReason::Assertion)
    );
    assert_eq!(
        proven
            .proof
            .tests
            .as_ref()
            .map(|tests| (tests.planned, tests.passed)),
        Some((2, 2))
    );
}

#[test]
fn an_ignored_test_and_an_unfixed_source_prove_nothing() {
    let bench = Bench::new(&[
        ("Cargo.toml", MANIFEST),
        (".gitignore", IGNORE),
        ("src/lib.rs", &source("a - b", TESTS)),
    ]);
    let ignored = MORE_TESTS.replace(
        "    #[test]\n    fn adds",
        "    #[test]\n    #[ignore]\n    fn adds",
    );
    let proven = bench.fix(&[("src/lib.rs", &source("a - b", &ignored))]);
    expect(&proven, Verdict::Unproven);
    bench.write(&[("src/lib.rs", &source("a - b", MORE_TESTS))]);
    let proven = bench.fix(&[]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("calc::tests::adds") && proven.one_fact.contains("src/lib.rs:"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_test_that_does_not_build_without_the_change_proves_with_a_gap() {
    let it = "#[test]\nfn triples() {\n    assert_eq!(calc::triple(1), 3);\n}\n";
    let bench = Bench::new(&[
        ("Cargo.toml", MANIFEST),
        (".gitignore", IGNORE),
        ("src/lib.rs", &source("a + b", TESTS)),
    ]);
    let more = source("a + b", TESTS) + "\npub fn triple(a: i32) -> i32 {\n    a * 3\n}\n";
    let proven = bench.fix(&[("src/lib.rs", &more), ("tests/it.rs", it)]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert_eq!(proven.proof.gaps, ["RED_BY_BUILD_ONLY"]);
}

#[test]
fn a_head_that_does_not_build_is_refuted() {
    let bench = Bench::new(&[
        ("Cargo.toml", MANIFEST),
        (".gitignore", IGNORE),
        ("src/lib.rs", &source("a - b", MORE_TESTS)),
    ]);
    let proven = bench.fix(&[("src/lib.rs", &source("a + c", MORE_TESTS))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("does not build") && proven.one_fact.contains("src/lib.rs:2"),
        "{}",
        proven.one_fact
    );
}
