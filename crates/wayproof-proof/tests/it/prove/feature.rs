//! Features: new tests fail without the change and pass with it; old tests alone prove nothing new.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::Proven;
use wayproof_receipt::Verdict;

use super::bench::{Bench, Files, expect};

const SHOP: &str = "def total(prices):\n    return sum(prices)\n";
const OLD: &str = "import shop\n\n\ndef test_total():\n    assert shop.total([1, 2]) == 3\n";
const DISCOUNT: &str = "\n\ndef discount(price, percent):\n    if percent > 50:\n        percent = 50\n    return price - price * percent / 100\n";
const NEW: &str = "import shop\n\n\ndef test_discount():\n    assert shop.discount(100, 10) == 90\n    assert shop.discount(100, 80) == 50\n";

fn feature(bench: &Bench, files: Files<'_>) -> Proven {
    bench.write(files);
    bench
        .prove(
            "feature",
            vec![vec![ProofRequirement::NewTestsFailAtBase]],
            |_| {},
        )
        .unwrap()
}

fn python(source: &str, test: &str) -> Proven {
    let bench = Bench::python(&[("shop.py", SHOP), ("tests/test_shop.py", OLD)]);
    feature(
        &bench,
        &[("shop.py", source), ("tests/test_discount.py", test)],
    )
}

#[test]
fn a_feature_with_its_test_is_proven() {
    expect(&python(&format!("{SHOP}{DISCOUNT}"), NEW), Verdict::Proven);
}

#[test]
fn a_name_that_does_not_load_yet_is_made_up_for_by_planted_faults() {
    let test = NEW
        .replace("import shop\n", "from shop import discount\n")
        .replace("shop.discount", "discount");
    let proven = python(&format!("{SHOP}{DISCOUNT}"), &test);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.mutation.unwrap().caught > 0);
}

#[rstest]
#[case::old_tests_alone("# more to come\n", "NO_NEW_TESTS")]
#[case::green_at_the_base(
    "import shop\n\n\ndef test_sum():\n    assert shop.total([4]) == 4\n",
    "NEW_TESTS_PASS_AT_BASE"
)]
#[case::asserts_nothing(
    "import shop\n\n\ndef test_discount():\n    shop.discount(100, 10)\n",
    "TEST_SHOWS_NOTHING"
)]
#[case::only_that_it_is_there(
    "from shop import discount\n\n\ndef test_discount():\n    assert discount\n",
    "RED_BY_BUILD_ONLY"
)]
fn tests_that_say_nothing_about_it_are_refused(#[case] test: &str, #[case] gap: &str) {
    let proven = python(&format!("{SHOP}{DISCOUNT}"), test);
    let has_gap = proven.proof.gaps.iter().any(|found| found == gap);
    assert!(
        has_gap && proven.proof.verdict != Verdict::Proven,
        "{} {:?}",
        proven.one_fact,
        proven.proof.gaps
    );
}

#[test]
fn a_feature_that_breaks_what_was_there_is_refuted() {
    let proven = python(
        &format!(
            "{}{DISCOUNT}",
            SHOP.replace("sum(prices)", "sum(prices) + 1")
        ),
        NEW,
    );
    expect(&proven, Verdict::Refuted);
}

#[test]
fn a_feature_whose_test_fails_is_refuted() {
    let proven = python(&format!("{SHOP}{DISCOUNT}"), &NEW.replace("== 50", "== 51"));
    expect(&proven, Verdict::Refuted);
}

#[test]
fn features_of_go_and_scripts() {
    let go = "package shop\n\nfunc Total(a, b int) int { return a + b }\n";
    let old = "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tif Total(1, 2) != 3 {\n\t\tt.Fatal(\"total\")\n\t}\n}\n";
    let new = "package shop\n\nimport \"testing\"\n\nfunc TestHalf(t *testing.T) {\n\tif got := Half(8); got != 4 {\n\t\tt.Fatalf(\"got %d\", got)\n\t}\n}\n";
    let bench = Bench::new(&[
        ("go.mod", "module example.org/shop\n\ngo 1.18\n"),
        ("shop.go", go),
        ("shop_test.go", old),
    ]);
    let proven = feature(
        &bench,
        &[
            (
                "half.go",
                "package shop\n\nfunc Half(a int) int {\n\treturn a / 2\n}\n",
            ),
            ("half_test.go", new),
        ],
    );
    expect(&proven, Verdict::Proven);

    let package = "{\"name\": \"shop\", \"scripts\": {\"test\": \"node --test\"}}\n";
    let bench = Bench::new(&[
        ("package.json", package),
        ("shop.js", "exports.total = (a, b) => a + b\n"),
        (
            "test/shop.test.js",
            "const test = require('node:test')\nconst assert = require('node:assert')\nconst shop = require('../shop.js')\ntest('adds', () => {\n  assert.equal(shop.total(1, 2), 3)\n})\n",
        ),
    ]);
    let proven = feature(
        &bench,
        &[
            (
                "shop.js",
                "exports.total = (a, b) => a + b\nexports.half = (a) => a / 2\n",
            ),
            (
                "test/half.test.js",
                "const test = require('node:test')\nconst assert = require('node:assert')\nconst shop = require('../shop.js')\ntest('halves', () => {\n  assert.equal(shop.half(8), 4)\n})\n",
            ),
        ],
    );
    expect(&proven, Verdict::Proven);
}

#[test]
fn a_feature_of_rust_with_inline_tests() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let before = "pub fn total(a: i64, b: i64) -> i64 {\n    a + b\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::total(1, 2), 3);\n    }\n}\n";
    let after = "pub fn total(a: i64, b: i64) -> i64 {\n    a + b\n}\n\npub fn half(a: i64) -> i64 {\n    a / 2\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::total(1, 2), 3);\n    }\n\n    #[test]\n    fn halves() {\n        assert_eq!(super::half(8), 4);\n    }\n}\n";
    let bench = Bench::new(&[
        ("Cargo.toml", manifest),
        (".gitignore", "target\nCargo.lock\n"),
        ("src/lib.rs", before),
    ]);
    expect(&feature(&bench, &[("src/lib.rs", after)]), Verdict::Proven);
}
