//! Refactoring: nothing public changes, and every test passes as it was.

use rstest::rstest;
use wayproof_engine::ProofRequirement;
use wayproof_proof::Proven;
use wayproof_receipt::Verdict;

use super::bench::{Bench, Files, expect};

const SHOP: &str = "def total(prices, tax=0):\n    result = 0\n    for price in prices:\n        result = result + price\n    return result + tax\n\n\ndef half(price):\n    return price / 2\n";
const BETTER: &str = "def total(prices, tax=0):\n    return _sum(prices) + tax\n\n\ndef half(price):\n    return price / 2\n\n\ndef _sum(prices):\n    return sum(prices)\n";
const TEST: &str = "import shop\n\n\ndef test_total():\n    assert shop.total([1, 2], 1) == 4\n\n\ndef test_half():\n    assert shop.half(8) == 4\n";

fn refactor(bench: &Bench, files: Files<'_>) -> Proven {
    bench.write(files);
    bench
        .prove(
            "refactor",
            vec![vec![ProofRequirement::ApiUnchanged]],
            |_| {},
        )
        .unwrap()
}

fn python(files: Files<'_>) -> Proven {
    refactor(
        &Bench::python(&[("shop.py", SHOP), ("tests/test_shop.py", TEST)]),
        files,
    )
}

#[test]
fn the_same_in_other_words_is_proven() {
    let proven = python(&[("shop.py", BETTER)]);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.public_api.unwrap().items >= 2);
}

#[rstest]
#[case::another_answer(&[("shop.py", &*BETTER.replace("sum(prices)", "sum(prices[:1])"))], Verdict::Refuted, "")]
#[case::an_export_renamed(&[("shop.py", &*BETTER.replace("def half", "def halve")), ("tests/test_shop.py", &*TEST.replace("shop.half", "shop.halve"))], Verdict::Refuted, "API_CHANGED")]
#[case::a_parameter_renamed(&[("shop.py", &*BETTER.replace("tax", "fee"))], Verdict::Refuted, "API_CHANGED")]
#[case::a_test_bent_to_the_code(&[("shop.py", &*BETTER.replace("price / 2", "price / 4")), ("tests/test_shop.py", &*TEST.replace("half(8) == 4", "half(8) == 2"))], Verdict::Refuted, "BEHAVIOR_CHANGED")]
#[case::a_test_edited_for_nothing(&[("shop.py", BETTER), ("tests/test_shop.py", &*TEST.replace("half(8) == 4", "half(6) == 3"))], Verdict::ProvenWithGaps, "TESTS_EDITED")]
#[case::something_new(&[("shop.py", &*format!("{BETTER}\n\ndef third(price):\n    return price / 3\n"))], Verdict::ProvenWithGaps, "API_ADDED")]
#[case::a_test_gone(&[("shop.py", BETTER), ("tests/test_shop.py", TEST.split_once("\n\n\ndef test_half").unwrap().0)], Verdict::Refuted, "")]
#[case::a_test_skipped(&[("shop.py", BETTER), ("tests/test_shop.py", &*TEST.replace("def test_half", "import pytest\n\n\n@pytest.mark.skip\ndef test_half"))], Verdict::Refuted, "")]
#[case::no_source(&[("tests/test_more.py", "import shop\n\n\ndef test_more():\n    assert shop.half(2) == 1\n")], Verdict::Unproven, "NO_SOURCE_CHANGE")]
fn what_is_more_than_that_is_not(
    #[case] files: Files<'_>,
    #[case] verdict: Verdict,
    #[case] gap: &str,
) {
    let proven = python(files);
    expect(&proven, verdict);
    let has_gap = proven.proof.gaps.iter().any(|found| found == gap);
    assert!(
        gap.is_empty() || has_gap,
        "{} {:?}",
        proven.one_fact,
        proven.proof.gaps
    );
}

#[test]
fn nothing_is_shown_without_tests() {
    let bench = Bench::python(&[("shop.py", SHOP)]);
    let proven = refactor(&bench, &[("shop.py", BETTER)]);
    expect(&proven, Verdict::Unproven);
}

#[test]
fn scripts() {
    let package =
        "{\"name\": \"shop\", \"type\": \"module\", \"scripts\": {\"test\": \"node --test\"}}\n";
    let shop = "export function total (prices) {\n  let sum = 0\n  for (const price of prices) sum += price\n  return sum\n}\n";
    let test = "import test from 'node:test'\nimport assert from 'node:assert'\nimport * as shop from '../shop.js'\n\ntest('adds', () => {\n  const all = Object.values(shop)\n  assert.equal(all[0]([1, 2]), 3)\n})\n";
    let base: Files<'_> = &[
        ("package.json", package),
        ("shop.js", shop),
        ("test/shop.test.js", test),
    ];
    let better = "const add = (sum, price) => sum + price\n\nexport function total (prices) {\n  return prices.reduce(add, 0)\n}\n";
    expect(
        &refactor(&Bench::new(base), &[("shop.js", better)]),
        Verdict::Proven,
    );
    let renamed = refactor(
        &Bench::new(base),
        &[("shop.js", &better.replace("function total", "function sum"))],
    );
    expect(&renamed, Verdict::Refuted);
    assert!(renamed.one_fact.contains("total"), "{}", renamed.one_fact);
}

#[test]
fn go() {
    let shop = "package shop\n\nfunc Total(prices []int) int {\n\tresult := 0\n\tfor i := 0; i < len(prices); i++ {\n\t\tresult = result + prices[i]\n\t}\n\treturn result\n}\n\nfunc Unused(a int) int { return a }\n";
    let test = "package shop\n\nimport \"testing\"\n\nfunc TestTotal(t *testing.T) {\n\tif Total([]int{1, 2}) != 3 {\n\t\tt.Fatal(\"total\")\n\t}\n}\n";
    let base: Files<'_> = &[
        ("go.mod", "module example.org/shop\n\ngo 1.18\n"),
        ("shop.go", shop),
        ("shop_test.go", test),
    ];
    let better = "package shop\n\nfunc Total(values []int) (sum int) {\n\tfor _, value := range values {\n\t\tsum += value\n\t}\n\treturn sum\n}\n\nfunc Unused(a int) int { return a }\n";
    expect(
        &refactor(&Bench::new(base), &[("shop.go", better)]),
        Verdict::Proven,
    );
    let hidden = refactor(
        &Bench::new(base),
        &[("shop.go", &better.replace("Unused", "unused"))],
    );
    expect(&hidden, Verdict::Refuted);
}

#[test]
fn rust() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
    let lib = "pub fn total(prices: &[u32]) -> u32 {\n    let mut sum = 0;\n    for price in prices {\n        sum += price;\n    }\n    sum\n}\n\npub fn unused() -> u8 {\n    1\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::total(&[1, 2]), 3);\n    }\n}\n";
    let base: Files<'_> = &[
        ("Cargo.toml", manifest),
        (".gitignore", "target\nCargo.lock\n"),
        ("src/lib.rs", lib),
    ];
    let better = lib.replace(
        "    let mut sum = 0;\n    for price in prices {\n        sum += price;\n    }\n    sum\n",
        "    prices.iter().sum()\n",
    );
    expect(
        &refactor(&Bench::new(base), &[("src/lib.rs", &better)]),
        Verdict::Proven,
    );
    let hidden = refactor(
        &Bench::new(base),
        &[("src/lib.rs", &better.replace("pub fn unused", "fn unused"))],
    );
    expect(&hidden, Verdict::Refuted);
    assert!(
        hidden.proof.gaps.contains(&"API_CHANGED".to_owned()),
        "{}",
        hidden.one_fact
    );
}
