//! node:test, and programs that print TAP.

use wayproof_receipt::Verdict;

use super::bench::{Bench, expect};

const BUG: &str = "exports.add = (a, b) => a - b\nexports.twice = (a) => a * 2\n";
const FIX: &str = "exports.add = (a, b) => a + b\nexports.twice = (a) => a * 2\n";
const OLD: &str = "const test = require('node:test')\nconst assert = require('node:assert')\nconst calc = require('..')\n\ntest('twice', () => { assert.strictEqual(calc.twice(2), 4) })\n";

fn package(script: &str) -> String {
    format!(
        "{{\"name\":\"calc\",\"version\":\"1.0.0\",\"main\":\"index.js\",\"scripts\":{{\"test\":\"{script}\"}}}}\n"
    )
}

#[test]
fn node_test_is_read_by_test() {
    let bench = Bench::new(&[
        ("package.json", &package("node --test test/")),
        ("index.js", BUG),
        ("test/calc.test.js", OLD),
    ]);
    let more = format!(
        "{OLD}\ntest('sums', async (t) => {{ await t.test('add', () => {{ assert.strictEqual(calc.add(1, 2), 3) }}) }})\n"
    );
    let proven = bench.fix(&[("index.js", FIX), ("test/calc.test.js", &more)]);
    expect(&proven, Verdict::Proven);
    let ids: Vec<&str> = proven
        .proof
        .fail_to_pass
        .iter()
        .map(|fixed| fixed.test_id.as_str())
        .collect();
    assert!(ids.contains(&"test/calc.test.js > sums > add"), "{ids:?}");
}

#[test]
fn a_skipped_node_test_is_no_evidence() {
    let bench = Bench::new(&[
        ("package.json", &package("node --test test/")),
        ("index.js", BUG),
        ("test/calc.test.js", OLD),
    ]);
    let more = format!(
        "{OLD}\ntest('add', {{ skip: true }}, () => {{ assert.strictEqual(calc.add(1, 2), 3) }})\n"
    );
    expect(
        &bench.fix(&[("index.js", FIX), ("test/calc.test.js", &more)]),
        Verdict::Unproven,
    );
}

const TAP: &str = "const calc = require('..')\nlet n = 0, bad = 0\nconst test = (name, ok) => { console.log('# ' + name); n += 1; if (!ok) bad += 1; console.log((ok ? 'ok ' : 'not ok ') + n + ' ' + name) }\nconsole.log('TAP version 13')\n";
const TAP_END: &str = "console.log('1..' + n)\nprocess.exitCode = bad ? 1 : 0\n";

#[test]
fn a_program_that_prints_tap_is_read_by_section() {
    let old = format!("{TAP}test('twice', calc.twice(2) === 4)\n{TAP_END}");
    let new = format!(
        "{TAP}test('twice', calc.twice(2) === 4)\ntest('add', calc.add(1, 2) === 3)\n{TAP_END}"
    );
    let bench = Bench::new(&[
        ("package.json", &package("node test/all.js")),
        ("index.js", BUG),
        ("test/all.js", &old),
    ]);
    let proven = bench.fix(&[("index.js", FIX), ("test/all.js", &new)]);
    expect(&proven, Verdict::Proven);
    assert_eq!(proven.proof.fail_to_pass[0].test_id, "test/all.js > add");
}

#[test]
fn a_bare_exit_status_is_a_gap() {
    let old = "require('node:assert').strictEqual(require('..').twice(2), 4)\n";
    let new = format!("{old}require('node:assert').strictEqual(require('..').add(1, 2), 3)\n");
    let bench = Bench::new(&[
        ("package.json", &package("node test.js")),
        ("index.js", BUG),
        ("test.js", &old.replace("'..'", "'.'")),
    ]);
    let proven = bench.fix(&[("index.js", FIX), ("test.js", &new.replace("'..'", "'.'"))]);
    expect(&proven, Verdict::ProvenWithGaps);
    assert_eq!(proven.proof.gaps, ["NO_STRUCTURED_REPORT"]);
}
