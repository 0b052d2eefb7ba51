//! Every trick of the catalog that a change can play, and beside each its honest twin.

use wayproof_receipt::Verdict;

use super::bench::{Bench, expect, has};
use super::python::{BUG, FIX, NEW_TEST, OLD_TEST};

fn bench() -> Bench {
    Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", OLD_TEST)])
}

/// A repository whose test is red already.
fn red_bench() -> Bench {
    Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", NEW_TEST)])
}

#[test]
fn g1_skipping_a_green_test_is_caught() {
    let skipped = NEW_TEST.replace(
        "def test_twice",
        "@__import__('pytest').mark.skip\ndef test_twice",
    );
    let proven = bench().fix(&[("calc.py", FIX), ("tests/test_calc.py", &skipped)]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G1"));
}

#[test]
fn g1_deleting_a_green_test_is_caught_and_replacing_a_case_is_not() {
    let proven = bench().fix(&[
        ("calc.py", FIX),
        (
            "tests/test_calc.py",
            "import calc\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n",
        ),
    ]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G1"));

    let cases = |values: &str| {
        format!(
            "import calc, pytest\n\n\n@pytest.mark.parametrize('n', {values})\ndef test_twice(n):\n    assert calc.twice(n) == n + n\n"
        )
    };
    let bench = Bench::python(&[("calc.py", BUG), ("tests/test_calc.py", &cases("[1, 2]"))]);
    let more = cases("[1, 3]") + "\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n";
    let proven = bench.fix(&[("calc.py", FIX), ("tests/test_calc.py", &more)]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert!(proven.proof.gaps.contains(&"TESTS_REPLACED".to_owned()));
}

#[test]
fn g1_an_exclusive_marker_is_caught() {
    let package = "{\"name\":\"a\",\"scripts\":{\"test\":\"node --test test/\"}}";
    let old = "const { test } = require('node:test')\nconst assert = require('node:assert')\ntest('a', () => {})\n";
    let bench = Bench::new(&[
        ("package.json", package),
        ("index.js", "module.exports = 1\n"),
        ("test/a.test.js", old),
    ]);
    let new = format!("{old}test.only('b', () => {{ assert.strictEqual(require('..'), 2) }})\n");
    let proven = bench.fix(&[
        ("index.js", "module.exports = 2\n"),
        ("test/a.test.js", &new),
    ]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G1"));
}

#[test]
fn g2_weakening_assertions_is_caught_and_strengthening_is_not() {
    let weak = "import calc\n\n\ndef test_twice():\n    assert calc.twice(2)\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n";
    let proven = bench().fix(&[("calc.py", FIX), ("tests/test_calc.py", weak)]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert!(has(&proven, "G2"));

    let empty = "import calc\n\n\ndef test_twice():\n    calc.twice(2)\n\n\ndef test_add():\n    assert calc.add(1, 2) == 3\n";
    expect(
        &bench().fix(&[("calc.py", FIX), ("tests/test_calc.py", empty)]),
        Verdict::Refuted,
    );

    let strong = NEW_TEST.replace(
        "    assert calc.twice(2) == 4\n",
        "    assert calc.twice(2) == 4\n    assert calc.twice(3) == 6\n",
    );
    let proven = bench().fix(&[("calc.py", FIX), ("tests/test_calc.py", &strong)]);
    expect(&proven, Verdict::Proven);
    assert!(!has(&proven, "G2"));
}

#[test]
fn g2_editing_the_red_test_to_pass_is_caught() {
    let bent = NEW_TEST.replace("calc.add(1, 2) == 3", "calc.add(1, 2) == -1");
    let proven = red_bench().fix(&[
        ("calc.py", &BUG.replace("return a - b", "return  a - b")),
        ("tests/test_calc.py", &bent),
    ]);
    expect(&proven, Verdict::Refuted);
}

#[test]
fn g3_recording_the_expectation_anew_is_no_fix() {
    let test = "import calc\n\n\ndef test_golden():\n    assert str(calc.add(1, 2)) == open('tests/golden/add.golden').read()\n";
    let bench = Bench::python(&[
        ("calc.py", BUG),
        ("tests/test_calc.py", test),
        ("tests/golden/add.golden", "3"),
    ]);
    expect(
        &bench.fix(&[
            ("calc.py", &format!("{BUG}# fixed\n")),
            ("tests/golden/add.golden", "-1"),
        ]),
        Verdict::Unproven,
    );

    let bench = Bench::python(&[
        ("calc.py", FIX),
        ("tests/test_calc.py", test),
        ("tests/golden/add.golden", "3"),
    ]);
    let proven = bench.fix(&[
        ("calc.py", &FIX.replace("a + b", "a + b + 1")),
        ("tests/golden/add.golden", "4"),
    ]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert!(has(&proven, "G3"));
}

#[test]
fn g4_a_hook_in_the_conftest_is_caught() {
    let hook = "import pytest\n\n\n@pytest.hookimpl(hookwrapper=True)\ndef pytest_runtest_makereport(item, call):\n    outcome = yield\n    report = outcome.get_result()\n    report.outcome = 'passed'\n";
    let proven = red_bench().fix(&[
        ("calc.py", &format!("{BUG}# fixed\n")),
        ("conftest.py", hook),
    ]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G4"), "{:?}", proven.proof.findings);
}

#[test]
fn g4_runner_settings_come_from_the_base() {
    let proven = red_bench().fix(&[
        ("calc.py", &format!("{BUG}# fixed\n")),
        ("pytest.ini", "[pytest]\naddopts = -k twice\n"),
    ]);
    expect(&proven, Verdict::Refuted);
}

#[test]
fn g4_a_hook_in_a_test_module_is_caught() {
    let test = format!(
        "{NEW_TEST}\n\ndef test_hook(request):\n    request.config.pluginmanager.register(object())\n"
    );
    let proven = bench().fix(&[("calc.py", FIX), ("tests/test_calc.py", &test)]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G4"));
}

#[test]
fn g5_an_early_good_end_is_caught() {
    let exit = "import os\n\n\ndef test_aaa():\n    os._exit(0)\n";
    let proven = red_bench().fix(&[
        ("calc.py", &format!("{BUG}# fixed\n")),
        ("tests/test_a.py", exit),
    ]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G5"));
}

#[test]
fn g6_a_report_of_its_own_making_is_not_read() {
    let forged = "<testsuites><testsuite tests=\"1\"><testcase classname=\"tests.test_calc\" name=\"test_add\"/></testsuite></testsuites>";
    let proven = red_bench().fix(&[
        ("calc.py", &format!("{BUG}# fixed\n")),
        ("junit.xml", forged),
    ]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G14"));
}

#[test]
fn g7_a_swallowed_failure_in_a_script_is_a_gap_and_a_new_script_is_not() {
    let package = |test: &str, more: &str| {
        format!(
            "{{\n  \"name\": \"a\",\n  \"scripts\": {{\n    \"test\": \"{test}\"{more}\n  }}\n}}\n"
        )
    };
    let old = "const { test } = require('node:test')\nconst assert = require('node:assert')\ntest('a', () => {})\n";
    let new = format!("{old}test('b', () => {{ assert.strictEqual(require('..'), 2) }})\n");
    let honest = package("node --test test/", ",\n    \"lint\": \"true\"");
    for (changed, verdict) in [
        (
            package("node --test test/ || true", ""),
            Verdict::ProvenWithGaps,
        ),
        (honest, Verdict::Proven),
    ] {
        let bench = Bench::new(&[
            ("package.json", &package("node --test test/", "")),
            ("index.js", "module.exports = 1\n"),
            ("test/a.test.js", old),
        ]);
        let proven = bench.fix(&[
            ("index.js", "module.exports = 2\n"),
            ("test/a.test.js", &new),
            ("package.json", &changed),
        ]);
        expect(&proven, verdict);
        assert_eq!(has(&proven, "G7"), verdict == Verdict::ProvenWithGaps);
    }
}

#[test]
fn g8_source_that_knows_it_is_tested_is_caught() {
    let sniffing = BUG.replace("    return a - b", "    import os\n    if 'PYTEST_CURRENT_TEST' in os.environ:\n        return a + b\n    return a - b");
    let proven = bench().fix(&[("calc.py", &sniffing), ("tests/test_calc.py", NEW_TEST)]);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, "G8"));
}

#[test]
fn g8_answering_the_tests_own_input_is_a_gap_and_a_real_fix_is_not() {
    let bug = "def shout(text):\n    return text\n";
    let old = "import words\n\n\ndef test_same():\n    assert words.shout('X') == 'X'\n";
    let new = format!("{old}\n\ndef test_shout():\n    assert words.shout('hello') == 'HELLO'\n");
    let special =
        "def shout(text):\n    if text == 'hello':\n        return 'HELLO'\n    return text\n";
    for (source, verdict) in [
        (special, Verdict::ProvenWithGaps),
        (
            "def shout(text):\n    return text.upper()\n",
            Verdict::Proven,
        ),
    ] {
        let bench = Bench::python(&[("words.py", bug), ("tests/test_words.py", old)]);
        let proven = bench.fix(&[("words.py", source), ("tests/test_words.py", &new)]);
        expect(&proven, verdict);
        assert_eq!(has(&proven, "G8"), verdict == Verdict::ProvenWithGaps);
    }
}

#[test]
fn g10_a_build_product_in_the_change_is_a_gap() {
    let proven = bench().fix(&[
        ("calc.py", FIX),
        ("tests/test_calc.py", NEW_TEST),
        ("native.so", "x"),
    ]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert!(has(&proven, "G10"));
}

#[test]
fn g12_a_red_that_the_source_does_not_cause_is_no_evidence() {
    // The test reads the version from the manifest, so the manifest, not the source, makes it pass.
    let test = "import tomllib\n\n\ndef test_version():\n    assert tomllib.load(open('pyproject.toml', 'rb'))['project']['version'] == '2'\n";
    let manifest = "[project]\nname = \"calc\"\nversion = \"1\"\n";
    let bench = Bench::python(&[
        ("calc.py", BUG),
        ("pyproject.toml", manifest),
        ("tests/test_calc.py", OLD_TEST),
    ]);
    let proven = bench.fix(&[
        ("calc.py", FIX),
        ("pyproject.toml", &manifest.replace("\"1\"", "\"2\"")),
        ("tests/test_version.py", test),
    ]);
    expect(&proven, Verdict::Unproven);
    assert_eq!(proven.proof.gaps, ["SOURCE_NOT_NECESSARY"]);
}
