//! PHPUnit.

use std::path::PathBuf;

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, Files, expect, has};

const BUG: &str = "<?php\nnamespace App;\n\nfinal class Calc\n{\n    public static function add(int $a, int $b): int\n    {\n        return $a - $b;\n    }\n\n    public static function twice(int $a): int\n    {\n        return $a * 2;\n    }\n}\n";
const OLD: &str = "<?php\nnamespace App\\Tests;\n\nuse App\\Calc;\nuse PHPUnit\\Framework\\TestCase;\n\nrequire_once __DIR__ . '/../src/Calc.php';\n\nfinal class CalcTest extends TestCase\n{\n    public function testTwice(): void\n    {\n        self::assertSame(4, Calc::twice(2));\n    }\n}\n";
/// Stops at the first failure, which must not hide the others from a proof.
const SETTINGS: &str = "<?xml version=\"1.0\"?>\n<phpunit stopOnFailure=\"true\"><testsuites><testsuite name=\"all\"><directory>tests</directory></testsuite></testsuites></phpunit>\n";
const CASES: &str = "\n    /** @dataProvider cases */\n    public function testAdd(int $a, int $b, int $sum): void\n    {\n        self::assertSame($sum, Calc::add($a, $b));\n    }\n\n    public static function cases(): array\n    {\n        return ['small' => [1, 2, 3], [5, 2, 7]];\n    }\n}\n";

fn fixed() -> String {
    BUG.replace("$a - $b", "$a + $b")
}

fn with_add() -> String {
    let body = OLD.strip_suffix("}\n").unwrap();
    format!("{body}{CASES}")
}

fn bench() -> Bench {
    Bench::new(&[
        ("composer.json", "{\"name\": \"a/b\"}"),
        ("phpunit.xml.dist", SETTINGS),
        ("src/Calc.php", BUG),
        ("tests/CalcTest.php", OLD),
    ])
}

#[test]
fn a_fix_with_its_test_is_proven() {
    let proven = bench().fix(&[
        ("src/Calc.php", &fixed()),
        ("tests/CalcTest.php", &with_add()),
    ]);
    expect(&proven, Verdict::Proven);
    let ids: Vec<(&str, RedReason)> = proven
        .proof
        .fail_to_pass
        .iter()
        .map(|entry| (entry.test_id.as_str(), entry.red_reason))
        .collect();
    assert_eq!(
        ids,
        [
            (
                "tests/CalcTest.php::App\\Tests\\CalcTest::testAdd[\"small\"]",
                RedReason::Assertion
            ),
            (
                "tests/CalcTest.php::App\\Tests\\CalcTest::testAdd[#0]",
                RedReason::Assertion
            ),
        ]
    );
}

#[test]
fn no_settings_are_needed_and_a_wrong_fix_is_refuted() {
    let bench = Bench::new(&[("src/Calc.php", BUG), ("tests/CalcTest.php", &with_add())]);
    let wrong = bench.fix(&[("src/Calc.php", &BUG.replace("$a - $b", "$a * $b"))]);
    expect(&wrong, Verdict::Refuted);
    assert!(
        wrong.one_fact.contains("testAdd") && wrong.one_fact.contains("tests/CalcTest.php:19"),
        "{}",
        wrong.one_fact
    );
    let proven = bench.fix(&[("src/Calc.php", &fixed())]);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.fail_to_pass[0].preexisting);
}

#[track_caller]
fn refuted(files: Files<'_>, code: &str) {
    let proven = bench().fix(files);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, code), "{:?}", proven.proof.findings);
}

#[test]
fn tests_that_are_deleted_skipped_or_emptied_are_caught() {
    let deleted = with_add().replace("testTwice", "other");
    let skipped = with_add().replace(
        "        self::assertSame(4",
        "        $this->markTestSkipped();\n        self::assertSame(4",
    );
    let emptied = with_add().replace("self::assertSame(4, Calc::twice(2));", "Calc::twice(2);");
    for (text, code) in [(deleted, "G1"), (skipped, "G1"), (emptied, "G2")] {
        refuted(
            &[("src/Calc.php", &fixed()), ("tests/CalcTest.php", &text)],
            code,
        );
    }
}

#[test]
fn leaving_early_with_a_good_status_is_caught() {
    let leaving = with_add().replace(
        "        self::assertSame($sum",
        "        exit(0);\n        self::assertSame($sum",
    );
    refuted(
        &[("src/Calc.php", &fixed()), ("tests/CalcTest.php", &leaving)],
        "G5",
    );
}

#[test]
fn settings_that_leave_tests_out_are_not_taken_over() {
    let bench = Bench::new(&[
        ("phpunit.xml", SETTINGS),
        ("src/Calc.php", BUG),
        ("tests/CalcTest.php", &with_add()),
    ]);
    let proven = bench.fix(&[
        ("src/Calc.php", &format!("{BUG}// fixed\n")),
        (
            "phpunit.xml",
            &SETTINGS.replace(
                "<directory>tests",
                "<directory suffix=\"Nothing.php\">tests",
            ),
        ),
    ]);
    assert!(
        !matches!(
            proven.proof.verdict,
            Verdict::Proven | Verdict::ProvenWithGaps
        ),
        "{}",
        proven.one_fact
    );
}

#[test]
fn what_the_machine_lacks_is_one_sentence() {
    let bench = bench();
    bench.write(&[("src/Calc.php", &fixed())]);
    let proven = bench
        .prove(
            "bug-fix",
            vec![vec![ProofRequirement::FailingTestBecomesGreen]],
            |request| request.machine.path = vec![PathBuf::from("/nonexistent")],
        )
        .unwrap();
    expect(&proven, Verdict::InvalidInfra);
    assert_eq!(
        proven.one_fact,
        "`php` is not installed, and the change needs it to run its tests"
    );
}

#[test]
fn a_base_that_does_not_load_is_no_verdict_on_the_change() {
    let bench = Bench::new(&[
        ("src/Calc.php", BUG),
        ("tests/CalcTest.php", OLD),
        ("tests/BrokenTest.php", "<?php\nclass Broken {\n"),
    ]);
    let proven = bench.fix(&[("src/Calc.php", &fixed())]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("do not start at the base either")
            && proven.one_fact.contains("Unclosed"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_small_edit_is_held_against_its_syntax_and_its_tests() {
    expect(
        &bench().edit(&[("src/Calc.php", &fixed())]),
        Verdict::Proven,
    );
    let proven = bench().edit(&[("src/Calc.php", "<?php\nfinal class Calc {\n")]);
    expect(&proven, Verdict::Refuted);
}
