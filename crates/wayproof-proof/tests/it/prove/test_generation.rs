//! New tests: they run, hold still, reach code, and notice planted faults.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::Proven;
use wayproof_receipt::Verdict;

use super::bench::{Bench, Files, expect, tools};

const SHOP: &str = "def total(prices, tax):\n    if not prices:\n        return 0\n    return sum(prices) + tax\n\n\ndef discount(price, percent):\n    if percent > 50:\n        percent = 50\n    return price - price * percent / 100\n";
const OLD: &str = "import shop\n\n\ndef test_total():\n    assert shop.total([1, 2], 1) == 4\n";
const NEW: &str = "import shop\n\n\ndef test_discount():\n    assert shop.discount(100, 10) == 90\n\n\ndef test_discount_is_bounded():\n    assert shop.discount(100, 80) == 50\n";

fn generated(bench: &Bench, files: Files<'_>) -> Proven {
    bench.write(files);
    bench
        .prove(
            "test-generation",
            vec![vec![ProofRequirement::TestsRun]],
            |_| {},
        )
        .unwrap()
}

fn python(files: Files<'_>) -> Proven {
    let bench = Bench::python(&[("shop.py", SHOP), ("tests/test_shop.py", OLD)]);
    generated(&bench, files)
}

/// The first gap, which is the reason of a refusal.
fn gap(proven: &Proven) -> &str {
    proven.proof.gaps.first().map_or("", String::as_str)
}

#[test]
fn tests_that_notice_faults_in_new_lines_are_proven() {
    let proven = python(&[("tests/test_discount.py", NEW)]);
    expect(&proven, Verdict::Proven);
    let made = proven.proof.mutation.unwrap();
    assert!(made.caught > 0 && made.viable >= made.caught, "{made:?}");
    assert!(proven.proof.coverage.unwrap().delta_vs_base > Some(0));
    assert!(proven.proof.flake.unwrap().runs >= 10);
}

#[rstest]
#[case::tautology(
    "import shop\n\n\ndef test_discount():\n    shop.discount(100, 10)\n    assert True\n",
    "TEST_SHOWS_NOTHING"
)]
#[case::nothing_called(
    "def test_sums():\n    price = 100\n    assert price - 10 == 90\n",
    "NO_NEW_COVERAGE"
)]
#[case::logic_of_its_own(
    "import shop\n\n\ndef test_discount():\n    shop.discount(100, 10)\n    price = 100\n    assert price - price * 10 / 100 == 90\n",
    "NO_MUTANT_CAUGHT"
)]
#[case::clock(
    "import time\nimport shop\n\n\ndef test_discount():\n    assert int(time.time() * 2) % 2 == 0 or shop.discount(100, 10) == 91\n",
    ""
)]
#[case::skipped(
    "import pytest\nimport shop\n\n\n@pytest.mark.skip\ndef test_discount():\n    assert shop.discount(100, 10) == 90\n",
    "NEW_TESTS_SKIPPED"
)]
#[case::what_is_known(
    "import shop\n\n\ndef test_total_again():\n    assert shop.total([1, 2], 1) == 4\n",
    "NO_MUTANT_CAUGHT"
)]
#[case::a_digest_of_the_source(
    "import hashlib\nimport shop\n\n\ndef test_discount():\n    shop.discount(100, 10)\n    text = open(shop.__file__, 'rb').read()\n    assert len(hashlib.sha256(text).digest()) == 32\n    assert text.count(b'50') == 2\n",
    "TEST_READS_SOURCE"
)]
#[case::no_test(
    "import shop\n\n\ndef helper():\n    return shop.discount(100, 10)\n",
    "NO_NEW_TESTS"
)]
fn tests_that_show_nothing_are_refused(#[case] test: &str, #[case] wanted: &str) {
    let proven = python(&[("tests/test_discount.py", test)]);
    assert!(
        matches!(proven.proof.verdict, Verdict::Unproven | Verdict::Refuted),
        "{} {:?} {:?}",
        proven.one_fact,
        proven.proof.gaps,
        proven.proof.mutation
    );
    if !wanted.is_empty() {
        assert_eq!(gap(&proven), wanted, "{}", proven.one_fact);
    }
}

#[test]
fn a_new_test_that_fails_refutes() {
    let proven = python(&[("tests/test_discount.py", &NEW.replace("== 90", "== 91"))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven.one_fact.contains("test_discount"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn source_that_changes_with_its_tests_needs_another_proof() {
    let proven = python(&[
        ("tests/test_discount.py", NEW),
        ("shop.py", &SHOP.replace("sum(prices)", "sum(list(prices))")),
    ]);
    expect(&proven, Verdict::Unproven);
    assert_eq!(gap(&proven), "SOURCE_CHANGED");
}

#[test]
fn coverage_below_the_policy_is_unproven() {
    let bench = Bench::python(&[("shop.py", SHOP)]);
    bench.write(&[(
        "tests/test_discount.py",
        NEW.split_once("\n\n\ndef test_discount_is").unwrap().0,
    )]);
    let proven = bench
        .prove(
            "test-generation",
            vec![vec![ProofRequirement::TestsRun]],
            |request| {
                request.min_coverage = Some(90);
            },
        )
        .unwrap();
    expect(&proven, Verdict::Unproven);
    assert_eq!(gap(&proven), "LOW_COVERAGE", "{}", proven.one_fact);
}

#[test]
fn python_without_pytest_is_measured_too() {
    let old = "import unittest\nimport shop\n\n\nclass Total(unittest.TestCase):\n    def test_total(self):\n        self.assertEqual(shop.total([1, 2], 1), 4)\n";
    let new = "import unittest\nimport shop\n\n\nclass Discount(unittest.TestCase):\n    def test_discount(self):\n        self.assertEqual(shop.discount(100, 10), 90)\n\n    def test_bound(self):\n        self.assertEqual(shop.discount(100, 80), 50)\n";
    let bench = Bench::new(&[
        ("shop.py", SHOP),
        ("tests/__init__.py", "#\n"),
        ("tests/test_shop.py", old),
    ]);
    let proven = generated(&bench, &[("tests/test_discount.py", new)]);
    expect(&proven, Verdict::Proven);
    let bare = new
        .replace(
            "self.assertEqual(shop.discount(100, 10), 90)",
            "shop.discount(100, 10)",
        )
        .replace(
            "self.assertEqual(shop.discount(100, 80), 50)",
            "shop.discount(100, 80)",
        );
    let bench = Bench::new(&[
        ("shop.py", SHOP),
        ("tests/__init__.py", "#\n"),
        ("tests/test_shop.py", old),
    ]);
    let proven = generated(&bench, &[("tests/test_discount.py", &bare)]);
    expect(&proven, Verdict::Unproven);
    assert_eq!(gap(&proven), "TEST_SHOWS_NOTHING");
}

const PACKAGE: &str =
    "{\"name\": \"shop\", \"type\": \"module\", \"scripts\": {\"test\": \"node --test\"}}\n";
const SHOP_JS: &str = "export function total (prices, tax) {\n  if (prices.length === 0) return 0\n  return prices.reduce((sum, price) => sum + price, 0) + tax\n}\n\nexport function discount (price, percent) {\n  if (percent > 50) {\n    percent = 50\n  }\n  return price - price * percent / 100\n}\n";
const OLD_JS: &str = "import test from 'node:test'\nimport assert from 'node:assert'\nimport { total } from '../shop.js'\n\ntest('adds', () => {\n  assert.equal(total([1, 2], 1), 4)\n})\n";
const NEW_JS: &str = "import test from 'node:test'\nimport assert from 'node:assert'\nimport { discount } from '../shop.js'\n\ntest('takes off', () => {\n  assert.equal(discount(100, 10), 90)\n  assert.equal(discount(100, 80), 50)\n})\n";

#[test]
fn new_tests_of_scripts() {
    let base: Files<'_> = &[
        ("package.json", PACKAGE),
        ("shop.js", SHOP_JS),
        ("test/shop.test.js", OLD_JS),
    ];
    let honest = generated(&Bench::new(base), &[("test/discount.test.js", NEW_JS)]);
    expect(&honest, Verdict::Proven);
    assert!(honest.proof.coverage.unwrap().delta_vs_base > Some(0));
    let flaky = NEW_JS.replace(
        "assert.equal(discount(100, 80), 50)",
        "assert.ok(Date.now() % 2000 < 1200)",
    );
    let flaky = generated(&Bench::new(base), &[("test/discount.test.js", &flaky)]);
    assert!(
        flaky.proof.verdict == Verdict::Refuted || gap(&flaky) == "FLAKY",
        "{}",
        flaky.one_fact
    );
    let idle = NEW_JS
        .replace("discount(100, 10), 90", "90, 90")
        .replace("discount(100, 80), 50", "typeof discount, 'function'");
    let idle = generated(&Bench::new(base), &[("test/discount.test.js", &idle)]);
    expect(&idle, Verdict::Unproven);
}

const MODULE: &str = "module example.org/shop\n\ngo 1.18\n";
const SHOP_GO: &str = "package shop\n\nfunc Total(prices []int, tax int) int {\n\tsum := 0\n\tfor _, price := range prices {\n\t\tsum += price\n\t}\n\treturn sum + tax\n}\n\nfunc Discount(price, percent int) int {\n\tif percent > 50 {\n\t\tpercent = 50\n\t}\n\treturn price - price*percent/100\n}\n";
const OLD_GO: &str = "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tif got := Total([]int{1, 2}, 1); got != 4 {\n\t\tt.Fatalf(\"got %d\", got)\n\t}\n}\n";
const NEW_GO: &str = "package shop\n\nimport \"testing\"\n\nfunc TestDiscount(t *testing.T) {\n\tif got := Discount(100, 10); got != 90 {\n\t\tt.Fatalf(\"got %d\", got)\n\t}\n\tif got := Discount(100, 80); got != 50 {\n\t\tt.Fatalf(\"got %d\", got)\n\t}\n}\n";

#[test]
fn new_tests_of_go() {
    let base: Files<'_> = &[
        ("go.mod", MODULE),
        ("shop.go", SHOP_GO),
        ("shop_test.go", OLD_GO),
    ];
    let honest = generated(&Bench::new(base), &[("discount_test.go", NEW_GO)]);
    expect(&honest, Verdict::Proven);
    assert!(honest.proof.coverage.unwrap().delta_vs_base > Some(0));
    let bare = "package shop\n\nimport \"testing\"\n\nfunc TestDiscount(t *testing.T) {\n\tDiscount(100, 10)\n\tt.Log(\"fine\")\n}\n";
    let bare = generated(&Bench::new(base), &[("discount_test.go", bare)]);
    expect(&bare, Verdict::Unproven);
}

const MANIFEST: &str = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const SHOP_RS: &str = "pub fn total(prices: &[i64], tax: i64) -> i64 {\n    prices.iter().sum::<i64>() + tax\n}\n\npub fn discount(price: i64, percent: i64) -> i64 {\n    let percent = if percent > 50 { 50 } else { percent };\n    price - price * percent / 100\n}\n";
const OLD_RS: &str = "#[test]\nfn adds() {\n    assert_eq!(shop::total(&[1, 2], 1), 4);\n}\n";
const NEW_RS: &str = "#[test]\nfn takes_off() {\n    assert_eq!(shop::discount(100, 10), 90);\n    assert_eq!(shop::discount(100, 80), 50);\n}\n";

#[test]
fn new_tests_of_rust() {
    let base: Files<'_> = &[
        ("Cargo.toml", MANIFEST),
        (".gitignore", "target\nCargo.lock\n"),
        ("src/lib.rs", SHOP_RS),
        ("tests/total.rs", OLD_RS),
    ];
    let honest = generated(&Bench::new(base), &[("tests/discount.rs", NEW_RS)]);
    expect(&honest, Verdict::ProvenWithGaps);
    assert_eq!(honest.proof.gaps, ["COVERAGE_UNMEASURED"]);
    assert!(honest.proof.mutation.unwrap().caught > 0);
    let own = NEW_RS
        .replace("shop::discount(100, 10), 90", "100 - 100 * 10 / 100, 90")
        .replace("shop::discount(100, 80), 50", "shop::total(&[1, 2], 1), 4");
    let own = generated(&Bench::new(base), &[("tests/discount.rs", &own)]);
    expect(&own, Verdict::Unproven);
    assert_eq!(gap(&own), "NO_MUTANT_CAUGHT", "{}", own.one_fact);
}

const CART: &str = "class Cart:\n    def __init__(self, prices):\n        self.prices = prices\n\n    def discount(self, percent):\n        if percent > 50:\n            percent = 50\n        return sum(self.prices) * (100 - percent) / 100\n";
const NEW_CART: &str = "from store.cart import Cart\n\n\ndef test_discount():\n    assert Cart([60, 40]).discount(10) == 90\n\n\ndef test_discount_is_bounded():\n    assert Cart([100]).discount(80) == 50\n    assert Cart([100]).discount(51) == 50\n";

#[test]
fn faults_are_those_of_mutmut_where_it_is_installed() {
    let bench = || {
        let base: Files<'_> = &[
            ("store/__init__.py", "#\n"),
            ("store/cart.py", CART),
            ("shop.py", SHOP),
            ("tests/test_shop.py", OLD),
            // What the repository says to the tool is not heard.
            ("setup.cfg", "[mutmut]\nsource_paths=nowhere\n"),
        ];
        let mut bench = Bench::new(base);
        bench.find_first(tools().join("mutmut/bin"));
        bench
    };
    let honest = generated(&bench(), &[("tests/test_cart.py", NEW_CART)]);
    expect(&honest, Verdict::Proven);
    let made = honest.proof.mutation.unwrap();
    assert_eq!(made.tool, "mutmut 3.8.1", "{made:?}");
    assert!(made.caught > 0 && made.viable >= made.caught, "{made:?}");
    // A test that asks whether the tool is at work notices no fault.
    let sly = "import os\nfrom store.cart import Cart\n\n\ndef test_discount():\n    Cart([60, 40]).discount(10)\n    assert 'MUTANT_UNDER_TEST' not in os.environ\n";
    let sly = generated(&bench(), &[("tests/test_cart.py", sly)]);
    // Faults that crash are noticed by any test that gets there; the assertion notices none.
    assert_ne!(sly.proof.verdict, Verdict::Proven, "{}", sly.one_fact);
    let gaps = &sly.proof.gaps;
    assert!(
        gaps.contains(&"CAUGHT_BY_CRASH_ONLY".to_owned()),
        "{gaps:?}"
    );
    assert_eq!(sly.proof.mutation.unwrap().tool, "mutmut 3.8.1");
}

#[test]
fn faults_are_those_of_stryker_where_it_is_installed() {
    let bench = || {
        let base: Files<'_> = &[
            ("package.json", PACKAGE),
            (".gitignore", "node_modules\n"),
            ("lib/shop.js", SHOP_JS),
            (
                "test/shop.test.js",
                &OLD_JS.replace("../shop", "../lib/shop"),
            ),
            ("stryker.conf.json", "{\"mutate\": []}\n"),
        ];
        let bench = Bench::new(base);
        let modules = bench.root().join("node_modules");
        std::fs::create_dir(&modules).unwrap();
        let installed = tools().join("stryker/node_modules/@stryker-mutator");
        std::os::unix::fs::symlink(installed, modules.join("@stryker-mutator")).unwrap();
        bench
    };
    let new = NEW_JS.replace("../shop", "../lib/shop");
    let honest = generated(&bench(), &[("test/discount.test.js", &new)]);
    expect(&honest, Verdict::Proven);
    let made = honest.proof.mutation.unwrap();
    assert_eq!(made.tool, "stryker 8.7.1", "{made:?}");
    assert!(made.caught > 0 && made.viable >= made.caught, "{made:?}");
    let sly = new
        .replace("assert.equal(discount(100, 10), 90)", "discount(100, 10)")
        .replace(
            "assert.equal(discount(100, 80), 50)",
            "assert.equal(globalThis.__stryker__ ?? process.env.__STRYKER_ACTIVE_MUTANT__, undefined)",
        );
    let sly = generated(&bench(), &[("test/discount.test.js", &sly)]);
    expect(&sly, Verdict::Unproven);
    assert_eq!(sly.proof.mutation.unwrap().tool, "stryker 8.7.1");
}
