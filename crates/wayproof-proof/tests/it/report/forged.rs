//! Runs that were cut short, and output that poses as results: none of it counts as complete.

use rstest::rstest;
use wayproof_proof::{CompileFormat, JunitDialect, TestFormat, TestId, read_diagnostics};

use super::read;

fn libtest() -> TestFormat {
    TestFormat::Libtest {
        binary: "b".to_owned(),
    }
}

#[rstest]
// The process left in the middle: no closing line, or none at all.
#[case(libtest(), "\nrunning 2 tests\ntest a ... ok\n")]
#[case(libtest(), "\nrunning 2 tests\n")]
#[case(libtest(), "")]
// A program printed results of its own.
#[case(
    libtest(),
    "\nrunning 1 test\ntest a ... ok\ntest fake ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
)]
#[case(
    libtest(),
    "\nrunning 2 tests\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
)]
#[case(
    libtest(),
    "\nrunning 1 test\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n"
)]
#[case(TestFormat::GoTest, "")]
#[case(TestFormat::GoTest, r#"{"Action":"run","Package":"x","Test":"TestA"}"#)]
#[case(
    TestFormat::GoTest,
    r#"{"Action":"output","Package":"x","Output":"ok  \tx\t0.005s\n"}
{"Action":"pass","Package":"x"}"#
)]
#[case(
    TestFormat::GoTest,
    r#"{"Action":"run","Package":"x","Test":"TestA"}
{"Action":"pass","Package":"x"}"#
)]
#[case(TestFormat::Tap, "")]
#[case(TestFormat::Tap, "TAP version 13\nok 1 - a\n")]
#[case(TestFormat::Tap, "1..2\nok 1 - a\n")]
#[case(TestFormat::Tap, "1..1\nok 1 - a\nok 1 - fake\n")]
#[case(TestFormat::Tap, "1..2\nok 1 - a\nBail out! database\n")]
#[case(TestFormat::Tap, "1..1\nok 1 - /work-dir/a.test.mjs\n")]
#[case(TestFormat::Jest, "{}")]
#[case(TestFormat::Jest, r#"{"numTotalTests":2,"testResults":[{"name":"a","status":"passed","assertionResults":[{"title":"t","status":"passed"}]}]}"#)]
#[case(TestFormat::Jest, r#"{"numTotalTests":1,"wasInterrupted":true,"testResults":[{"name":"a","status":"passed","assertionResults":[{"title":"t","status":"passed"}]}]}"#)]
#[case(
    TestFormat::Mocha,
    r#"{"stats":{"passes":2,"pending":0,"failures":0},"tests":[],"passes":[{"title":"t"}]}"#
)]
#[case(TestFormat::Junit(JunitDialect::Pytest), "")]
#[case(TestFormat::Junit(JunitDialect::Pytest), "not xml")]
#[case(TestFormat::Junit(JunitDialect::Pytest), "<html/>")]
#[case(
    TestFormat::Junit(JunitDialect::Pytest),
    r#"<testsuite tests="1"><testcase classname="a" name="t"/>"#
)]
#[case(
    TestFormat::Junit(JunitDialect::Pytest),
    r#"<testsuite tests="2"><testcase classname="a" name="t"/></testsuite>"#
)]
#[case(
    TestFormat::Junit(JunitDialect::Surefire),
    r#"<testsuite tests="1"><testcase name="t"/><testcase name="fake"/></testsuite>"#
)]
#[case(
    TestFormat::Junit(JunitDialect::Surefire),
    r#"<!DOCTYPE x [<!ENTITY a "b">]><testsuite tests="1"><testcase name="&a;"/></testsuite>"#
)]
#[case(
    TestFormat::Junit(JunitDialect::Node),
    r#"<testsuites><testcase name="a"/></testsuites>"#
)]
fn a_run_that_did_not_end_well_is_not_complete(#[case] format: TestFormat, #[case] text: &str) {
    let run = read(&format, text);
    assert!(!run.is_complete, "{run:?}");
    assert!(!run.problems.is_empty());
}

#[test]
fn results_printed_by_a_failing_test_do_not_count() {
    let run = read(
        &libtest(),
        "\nrunning 1 test\ntest a ... FAILED\n\nfailures:\n\n---- a stdout ----\ntest fake ... ok\ntest a ... ok\n\nfailures:\n    a\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s\n",
    );
    assert!(run.is_complete, "{:?}", run.problems);
    assert_eq!(
        run.results.keys().map(TestId::as_str).collect::<Vec<_>>(),
        ["b::a"]
    );
}

#[test]
fn deep_and_crowded_documents_are_bounded() {
    let deep = "<testsuite>".repeat(100_000);
    let run = read(&TestFormat::Junit(JunitDialect::Surefire), &deep);
    assert!(
        run.problems
            .iter()
            .any(|problem| problem.contains("nested deeper")),
        "{:?}",
        run.problems
    );
    let long = format!(
        "<testsuite tests='1'><testcase name='{}'><failure message='{}'/></testcase></testsuite>",
        "n".repeat(5000),
        "m".repeat(50_000)
    );
    let run = read(&TestFormat::Junit(JunitDialect::Surefire), &long);
    let (id, result) = run.results.first_key_value().unwrap();
    assert!(id.as_str().len() <= 1024 && result.message.len() <= 4096);
    let deep: Vec<String> = (0..5000)
        .map(|depth| format!("{}# Subtest: x", " ".repeat(depth * 4)))
        .collect();
    let deep = deep.join(
        "
",
    );
    assert!(!read(&TestFormat::Tap, &deep).is_complete);
    let deep = "[".repeat(100_000);
    assert!(!read(&TestFormat::Jest, &deep).is_complete);
}

#[test]
fn a_build_that_does_not_say_it_succeeded_did_not() {
    assert_eq!(read_diagnostics(CompileFormat::Cargo, b"").succeeded, None);
    assert_eq!(
        read_diagnostics(
            CompileFormat::Cargo,
            b"{\"reason\":\"build-finished\",\"success\":true}"
        )
        .succeeded,
        Some(true)
    );
    assert_eq!(read_diagnostics(CompileFormat::Tsc, b"").succeeded, None);
}
