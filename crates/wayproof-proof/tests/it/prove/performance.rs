//! Performance: the policy's benchmark takes less time with the change, and every test passes as before.

use wayproof_engine::ProofRequirement;
use wayproof_proof::Proven;
use wayproof_receipt::Verdict;

use super::bench::{Bench, Files, expect};

const SLOW: &str = "def total(count):\n    result = 0\n    for number in range(count):\n        result += number\n    return result\n";
const FAST: &str = "def total(count):\n    return count * (count - 1) // 2\n";
const TEST: &str = "import shop\n\n\ndef test_total():\n    assert shop.total(4) == 6\n";
const SPEED: &str = "import sys\nsys.path.insert(0, '.')\nimport shop\nfor _ in range(4):\n    shop.total(1_000_000)\n";

fn faster(files: Files<'_>, bench: Option<&[&str]>) -> Proven {
    let repository = Bench::python(&[
        ("shop.py", SLOW),
        ("speed.py", SPEED),
        ("tests/test_shop.py", TEST),
    ]);
    repository.write(files);
    repository
        .prove(
            "performance",
            vec![vec![ProofRequirement::Faster]],
            |request| {
                let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
                request.commands.bench = bench.map(words);
            },
        )
        .unwrap()
}

const COMMAND: Option<&[&str]> = Some(&["python3", "speed.py"]);

#[test]
fn what_is_faster_and_does_the_same_is_proven() {
    let proven = faster(&[("shop.py", FAST)], COMMAND);
    expect(&proven, Verdict::Proven);
    let benchmark = proven.proof.benchmark.unwrap();
    assert!(
        benchmark.high < 1.0 && benchmark.pairs >= 6,
        "{benchmark:?}"
    );
}

#[test]
fn what_is_faster_and_does_something_else_is_refuted() {
    expect(
        &faster(&[("shop.py", &FAST.replace("// 2", "// 3"))], COMMAND),
        Verdict::Refuted,
    );
}

#[test]
fn what_only_looks_different_is_not_shown() {
    let proven = faster(&[("shop.py", &SLOW.replace("result", "sum_of"))], COMMAND);
    assert!(
        matches!(proven.proof.verdict, Verdict::Unproven | Verdict::Refuted),
        "{}",
        proven.one_fact
    );
}

#[test]
fn an_edited_benchmark_and_a_missing_one_show_nothing() {
    let bent = faster(
        &[
            ("shop.py", FAST),
            ("speed.py", &SPEED.replace("range(4)", "range(1)")),
        ],
        COMMAND,
    );
    expect(&bent, Verdict::Refuted);
    let none = faster(&[("shop.py", FAST)], None);
    expect(&none, Verdict::Unproven);
    assert!(none.one_fact.contains("[checks]"), "{}", none.one_fact);
}
