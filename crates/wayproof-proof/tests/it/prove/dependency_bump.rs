//! Dependency bumps: what moved has its reasons, is installed, builds from nothing, and every test passes as before.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::Proven;
use wayproof_receipt::Verdict;

use super::bench::{Bench, Files, expect, has};

fn bump(bench: &Bench, files: Files<'_>) -> Proven {
    bench.write(files);
    let asked = vec![vec![ProofRequirement::DependenciesExplained]];
    bench.prove("dependency-bump", asked, |_| {}).unwrap()
}

const TEST: &str = "const test = require('node:test')\nconst assert = require('node:assert')\nconst shop = require('..')\n\ntest('total', () => { assert.strictEqual(shop.total(1), 2) })\n";

fn package(range: &str) -> String {
    format!(
        "{{\"name\":\"shop\",\"version\":\"1.0.0\",\"main\":\"index.js\",\"dependencies\":{{\"plus\":\"{range}\"}},\"scripts\":{{\"test\":\"node --test test/\"}}}}\n"
    )
}

fn lock(range: &str, version: &str, more: &str) -> String {
    format!(
        "{{\"name\":\"shop\",\"version\":\"1.0.0\",\"lockfileVersion\":3,\"requires\":true,\"packages\":{{\"\":{{\"name\":\"shop\",\"version\":\"1.0.0\",\"dependencies\":{{\"plus\":\"{range}\"}}}},\"node_modules/plus\":{{\"version\":\"{version}\",\"resolved\":\"https://registry.npmjs.org/plus/-/plus-{version}.tgz\",\"integrity\":\"sha512-{version}\"}}{more}}}}}\n"
    )
}

/// A project with one package installed, which is ignored as it usually is.
fn project(installed: &str, adds: u8) -> Bench {
    let bench = Bench::new(&[
        (".gitignore", "node_modules/\n"),
        ("package.json", &package("^1.0.0")),
        ("package-lock.json", &lock("^1.0.0", "1.0.0", "")),
        ("index.js", "exports.total = require('plus')\n"),
        ("test/shop.test.js", TEST),
    ]);
    bench.write(&[
        (
            "node_modules/plus/package.json",
            &format!("{{\"name\":\"plus\",\"version\":\"{installed}\",\"main\":\"index.js\"}}"),
        ),
        (
            "node_modules/plus/index.js",
            &format!("module.exports = (n) => n + {adds}\n"),
        ),
    ]);
    bench
}

#[test]
fn an_honest_bump_is_proven_and_says_what_moved() {
    let proven = bump(
        &project("1.1.0", 1),
        &[
            ("package.json", &package("^1.1.0")),
            ("package-lock.json", &lock("^1.1.0", "1.1.0", "")),
        ],
    );
    expect(&proven, Verdict::Proven);
    let moved = proven.proof.dependencies.unwrap().moved;
    assert_eq!(moved.len(), 1);
    assert_eq!(
        (
            moved[0].from.concat(),
            moved[0].to.concat(),
            moved[0].is_direct
        ),
        ("1.0.0".to_owned(), "1.1.0".to_owned(), true)
    );
}

#[test]
fn tests_on_what_was_installed_before_say_nothing() {
    let files = [
        ("package.json", &*package("^1.1.0")),
        ("package-lock.json", &*lock("^1.1.0", "1.1.0", "")),
    ];
    let proven = bump(&project("1.0.0", 1), &files);
    expect(&proven, Verdict::InvalidInfra);
    assert!(proven.one_fact.contains("npm ci"), "{}", proven.one_fact);
}

#[rstest]
#[case::a_version_that_breaks(
    2,
    "^1.1.0",
    "^1.1.0",
    "",
    Verdict::Unproven,
    "BASE_ENVIRONMENT_UNKNOWN"
)]
#[case::a_package_nobody_asks_for(
    1,
    "^1.1.0",
    "^1.1.0",
    ",\"node_modules/z\":{\"version\":\"1.0.0\",\"resolved\":\"https://registry.npmjs.org/z/-/z-1.0.0.tgz\",\"integrity\":\"sha512-z\"}",
    Verdict::Unproven,
    ""
)]
#[case::one_from_elsewhere(
    1,
    "^1.1.0",
    "^1.1.0",
    ",\"node_modules/z\":{\"version\":\"1.0.0\",\"resolved\":\"http://evil.example/z/-/z-1.0.0.tgz\"}",
    Verdict::Refuted,
    ""
)]
fn what_is_odd_is_not_proven(
    #[case] adds: u8,
    #[case] asked: &str,
    #[case] locked: &str,
    #[case] more: &str,
    #[case] verdict: Verdict,
    #[case] gap: &str,
) {
    let proven = bump(
        &project("1.1.0", adds),
        &[
            ("package.json", &package(asked)),
            ("package-lock.json", &lock(locked, "1.1.0", more)),
        ],
    );
    assert!(
        !proven.proof.verdict.is_above(verdict),
        "{} {:?}",
        proven.one_fact,
        proven.proof.gaps
    );
    if gap == "BUILD_FAILS" {
        assert!(
            proven.proof.gaps.iter().any(|one| one == gap),
            "{} {:?}",
            proven.one_fact,
            proven.proof.gaps
        );
    }
    assert!(
        verdict != Verdict::Refuted || gap == "BUILD_FAILS" || has(&proven, "G23"),
        "{:#?}",
        proven.proof.findings
    );
}

#[test]
fn a_lock_file_that_is_behind_does_not_build() {
    let proven = bump(
        &project("1.0.0", 1),
        &[("package.json", &package("^2.0.0"))],
    );
    expect(&proven, Verdict::Refuted);
    assert_eq!(proven.proof.gaps, ["BUILD_FAILS"], "{}", proven.one_fact);
}

#[test]
fn no_bump_is_none() {
    let proven = bump(
        &project("1.0.0", 1),
        &[("index.js", "exports.total = (n) => n + 1\n")],
    );
    expect(&proven, Verdict::Unproven);
    assert_eq!(proven.proof.gaps, ["NO_DEPENDENCY_CHANGE"]);
}

#[test]
fn a_path_of_cargo_moves_with_its_lock_file() {
    let lock = |version: &str| {
        format!(
            "version = 3\n\n[[package]]\nname = \"part\"\nversion = \"{version}\"\n\n[[package]]\nname = \"shop\"\nversion = \"0.1.0\"\ndependencies = [\n \"part\",\n]\n"
        )
    };
    let part = |version: &str| {
        format!("[package]\nname = \"part\"\nversion = \"{version}\"\nedition = \"2021\"\n")
    };
    let shop = |version: &str| {
        format!(
            "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dependencies]\npart = {{ path = \"part\", version = \"{version}\" }}\n[workspace]\nmembers = [\"part\"]\n"
        )
    };
    let bench = Bench::new(&[
        ("Cargo.toml", &shop("0.1")),
        ("Cargo.lock", &lock("0.1.0")),
        ("part/Cargo.toml", &part("0.1.0")),
        ("part/src/lib.rs", "pub fn one() -> u32 { 1 }\n"),
        (
            "src/lib.rs",
            "pub fn total(n: u32) -> u32 { n + part::one() }\n",
        ),
        (
            "tests/it.rs",
            "#[test]\nfn total() { assert_eq!(shop::total(1), 2); }\n",
        ),
    ]);
    let proven = bump(
        &bench,
        &[
            ("Cargo.toml", &shop("0.2")),
            ("Cargo.lock", &lock("0.2.0")),
            ("part/Cargo.toml", &part("0.2.0")),
        ],
    );
    // The project's own package is no dependency that moved; what the manifest asks for is.
    assert!(
        proven.proof.verdict == Verdict::Unproven || proven.proof.verdict == Verdict::Proven,
        "{}",
        proven.one_fact
    );
}
