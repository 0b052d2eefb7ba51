//! minitest and RSpec.

use std::path::PathBuf;

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, Files, expect, has};

const BUG: &str = "module Calc\n  def self.add(a, b)\n    a - b\n  end\n\n  def self.twice(a)\n    a * 2\n  end\nend\n";
const OLD: &str = "require \"minitest/autorun\"\nrequire \"calc\"\n\nclass CalcTest < Minitest::Test\n  def test_twice\n    assert_equal 4, Calc.twice(2)\n  end\nend\n";
const SPEC: &str = "require \"calc\"\n\nRSpec.describe Calc do\n  it \"doubles\" do\n    expect(Calc.twice(2)).to eq(4)\n  end\nend\n";

fn fixed() -> String {
    BUG.replace("a - b", "a + b")
}

/// The test file with a test that the bug fails.
fn with_add() -> String {
    OLD.replace(
        "\nend\n",
        "\n\n  def test_add\n    assert_equal 3, Calc.add(1, 2)\n  end\nend\n",
    )
}

fn spec_with_add() -> String {
    SPEC.replace(
        "  end\nend\n",
        "  end\n\n  it \"adds\" do\n    expect(Calc.add(1, 2)).to eq(3)\n  end\nend\n",
    )
}

fn minitest() -> Bench {
    Bench::new(&[
        (
            "Gemfile",
            "source \"https://rubygems.org\"\ngem \"minitest\"\n",
        ),
        ("lib/calc.rb", BUG),
        ("test/calc_test.rb", OLD),
    ])
}

fn rspec() -> Bench {
    Bench::new(&[
        (".rspec", "--require spec_helper\n--fail-fast\n"),
        ("lib/calc.rb", BUG),
        (
            "spec/spec_helper.rb",
            "RSpec.configure { |config| config.fail_fast = true }\n",
        ),
        ("spec/calc_spec.rb", SPEC),
    ])
}

#[test]
fn a_minitest_fix_with_its_test_is_proven() {
    let proven = minitest().fix(&[
        ("lib/calc.rb", &fixed()),
        ("test/calc_test.rb", &with_add()),
    ]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason, entry.preexisting),
        (
            "test/calc_test.rb::CalcTest#test_add",
            RedReason::Assertion,
            false
        )
    );
}

#[test]
fn an_rspec_fix_with_its_example_is_proven() {
    let proven = rspec().fix(&[
        ("lib/calc.rb", &fixed()),
        ("spec/calc_spec.rb", &spec_with_add()),
    ]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason),
        ("spec/calc_spec.rb > Calc adds", RedReason::Assertion)
    );
}

#[test]
fn an_existing_red_test_is_the_best_proof_and_a_wrong_fix_is_refuted() {
    let bench = Bench::new(&[("lib/calc.rb", BUG), ("test/calc_test.rb", &with_add())]);
    let wrong = bench.fix(&[("lib/calc.rb", &BUG.replace("a - b", "a * b"))]);
    expect(&wrong, Verdict::Refuted);
    assert!(
        wrong.one_fact.contains("CalcTest#test_add") && wrong.one_fact.contains("calc_test.rb:10"),
        "{}",
        wrong.one_fact
    );
    let proven = bench.fix(&[("lib/calc.rb", &fixed())]);
    expect(&proven, Verdict::Proven);
    assert!(proven.proof.fail_to_pass[0].preexisting);
}

#[track_caller]
fn refuted(bench: &Bench, files: Files<'_>, code: &str) {
    let proven = bench.fix(files);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, code), "{:?}", proven.proof.findings);
}

#[test]
fn tests_that_are_deleted_skipped_or_emptied_are_caught() {
    let deleted = with_add().replace("test_twice", "other");
    let skipped = with_add().replace("    assert_equal 4", "    skip\n    assert_equal 4");
    let emptied = with_add().replace("assert_equal 4, Calc.twice(2)", "Calc.twice(2)");
    for (text, code) in [(deleted, "G1"), (skipped, "G1"), (emptied, "G2")] {
        refuted(
            &minitest(),
            &[("lib/calc.rb", &fixed()), ("test/calc_test.rb", &text)],
            code,
        );
    }
    let pending = spec_with_add().replace("it \"doubles\"", "xit \"doubles\"");
    refuted(
        &rspec(),
        &[("lib/calc.rb", &fixed()), ("spec/calc_spec.rb", &pending)],
        "G1",
    );
}

#[test]
fn a_weakened_assertion_is_a_gap() {
    let weak = with_add().replace("assert_equal 4, Calc.twice(2)", "assert Calc.twice(2)");
    let proven = minitest().fix(&[("lib/calc.rb", &fixed()), ("test/calc_test.rb", &weak)]);
    assert_ne!(proven.proof.verdict, Verdict::Proven, "{}", proven.one_fact);
}

#[test]
fn leaving_early_with_a_good_status_is_caught() {
    let leaving = with_add().replace("    assert_equal 3", "    exit!(0)\n    assert_equal 3");
    refuted(
        &minitest(),
        &[("lib/calc.rb", &fixed()), ("test/calc_test.rb", &leaving)],
        "G5",
    );
}

#[test]
fn a_helper_that_steers_the_runner_is_not_taken_over() {
    let files = [
        (".rspec", "--require spec_helper\n"),
        ("lib/calc.rb", BUG),
        ("spec/spec_helper.rb", "# nothing\n"),
    ];
    let spec = spec_with_add();
    let bench = Bench::new(&[files.as_slice(), &[("spec/calc_spec.rb", spec.as_str())]].concat());
    let proven = bench.fix(&[
        ("lib/calc.rb", &format!("{BUG}# fixed\n")),
        (
            "spec/spec_helper.rb",
            "RSpec.configure { |config| config.around(:each) { |_example| nil } }\nmodule RSpec::Matchers\n  def eq(_)\n    be_truthy\n  end\nend\n",
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
fn a_file_that_does_not_load_hides_no_other() {
    let proven = minitest().fix(&[
        ("lib/calc.rb", &format!("{}module Extra\n  def self.one = 1\nend\n", fixed())),
        ("test/calc_test.rb", &with_add()),
        (
            "test/extra_test.rb",
            "require \"minitest/autorun\"\nrequire \"calc\"\n\nclass ExtraTest < Minitest::Test\n  ONE = Extra.one\n\n  def test_one\n    assert_equal 1, ONE\n  end\nend\n",
        ),
    ]);
    expect(&proven, Verdict::Proven);
    assert_eq!(
        proven.proof.fail_to_pass.len(),
        2,
        "{:#?}",
        proven.proof.fail_to_pass
    );
}

#[test]
fn what_the_machine_lacks_is_one_sentence() {
    let bench = minitest();
    bench.write(&[("lib/calc.rb", &fixed())]);
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
        "`ruby` is not installed, and the change needs it to run its tests"
    );

    let needs = OLD.replace(
        "require \"calc\"",
        "require \"no_such_gem\"\nrequire \"calc\"",
    );
    let bench = Bench::new(&[("lib/calc.rb", BUG), ("test/calc_test.rb", &needs)]);
    let proven = bench.fix(&[("lib/calc.rb", &fixed())]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("no_such_gem"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_base_that_does_not_load_is_no_verdict_on_the_change() {
    let bench = Bench::new(&[("lib/calc.rb", "module Calc\n"), ("test/calc_test.rb", OLD)]);
    let proven = bench.fix(&[("lib/calc.rb", "module Calc\n# more\n")]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("do not start at the base either"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_small_edit_is_held_against_its_syntax_and_its_tests() {
    expect(
        &minitest().edit(&[("lib/calc.rb", &fixed())]),
        Verdict::Proven,
    );
    let proven = minitest().edit(&[("lib/calc.rb", "module Calc\n  def\nend\n")]);
    expect(&proven, Verdict::Refuted);
}
