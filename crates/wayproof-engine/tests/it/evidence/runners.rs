//! Test runners: sums, names, and runs that were cut short.

use rstest::rstest;
use wayproof_engine::{EvidenceKind, Grade, Outcome};

use super::{of, read};

/// One case: the tool, the text, the outcome, the sums (run, passed, failed, skipped, errors).
#[rstest]
#[case("cargo-test", "running 2 tests\ntest a::b ... ok\ntest result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.00s\n", Outcome::Passed, [2, 2, 0, 1, 0])]
#[case("cargo-test", "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n", Outcome::Failed, [2, 1, 1, 0, 0])]
#[case("cargo-test", "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("cargo-test", "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\nerror: test failed, to rerun pass `--test b`\nCaused by:\n  process didn't exit successfully (signal: 11, SIGSEGV)\n", Outcome::Failed, [3, 2, 0, 0, 1])]
#[case("cargo-test", "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\nrunning 3 tests\ntest x ... ok\n", Outcome::Unknown, [2, 2, 0, 0, 0])]
#[case("nextest", "     Summary [   0.018s] 3 tests run: 2 passed (1 flaky), 1 failed, 4 skipped\n", Outcome::Failed, [3, 2, 1, 4, 0])]
#[case("nextest", "     Summary [   0.018s] 3/10 tests run: 3 passed, 0 skipped\n", Outcome::Failed, [3, 3, 0, 0, 7])]
#[case("nextest", "     Summary [   1.002s] 2 tests run: 1 passed, 1 timed out, 0 skipped\n", Outcome::Failed, [2, 1, 0, 0, 1])]
#[case("pytest", "==== 3 failed, 59 passed, 2 skipped in 8.37s (0:00:08) ====\n", Outcome::Failed, [62, 59, 3, 2, 0])]
#[case("pytest", "5 passed in 0.02s\n", Outcome::Passed, [5, 5, 0, 0, 0])]
#[case("pytest", "=== 1 failed, 3 passed, 1 xfailed, 1 xpassed, 2 rerun, 1 oddity in 1.00 seconds ===\n", Outcome::Failed, [6, 3, 1, 0, 0])]
#[case("pytest", "=== no tests ran in 0.01s ===\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("pytest", "=== 1 error in 0.55s ===\n", Outcome::Failed, [1, 0, 0, 0, 1])]
#[case("pytest", "=== 4 passed in 0.1s ===\n==== test session starts ====\ncollected 2 items\nFatal Python error: Segmentation fault\n", Outcome::Unknown, [4, 4, 0, 0, 0])]
#[case("unittest", "Ran 157 tests in 1.893s\n\nFAILED (failures=2, errors=1, skipped=3)\n", Outcome::Failed, [154, 151, 2, 3, 1])]
#[case("unittest", "Ran 3 tests in 0.001s\n\nOK (expected failures=1)\n", Outcome::Passed, [3, 2, 0, 0, 0])]
#[case("unittest", "Ran 0 tests in 0.000s\n\nOK\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("unittest", "Ran 3 tests in 0.001s\n", Outcome::Unknown, [3, 0, 0, 0, 0])]
#[case("unittest", "test_a (m.T) ... ok\ntest_b (m.T) ... ok\n", Outcome::Unknown, [2, 2, 0, 0, 0])]
#[case("sympy", " tests finished: 854 passed, 1 failed, 63 skipped, 22 expected to fail,\nin 131.95 seconds\n", Outcome::Failed, [855, 854, 1, 63, 0])]
#[case("jest", "Test Suites: 1 failed, 13 passed, 14 total\nTests:       5 failed, 2 skipped, 1 todo, 124 passed, 132 total\n", Outcome::Failed, [129, 124, 5, 3, 0])]
#[case("jest", "FAIL src/a.test.js\n  \u{25cf} Test suite failed to run\n\nTest Suites: 1 failed, 1 passed, 2 total\nTests:       3 passed, 3 total\n", Outcome::Failed, [4, 3, 0, 0, 1])]
#[case("vitest", " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 5 passed | 1 skipped (7)\n", Outcome::Failed, [6, 5, 1, 1, 0])]
#[case("vitest", " Test Files  1 passed (1)\n      Tests  2 passed (2)\n     Errors  1 error\n", Outcome::Failed, [3, 2, 0, 0, 1])]
#[case("vitest", "No test files found, exiting with code 1\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("mocha", "\n  7 passing (9s)\n  1 pending\n", Outcome::Passed, [7, 7, 0, 1, 0])]
#[case("karma", "\u{2714} 7 tests completed\n\u{2716} 2 tests failed\n", Outcome::Failed, [9, 7, 2, 0, 0])]
#[case("karma", "Chrome 80.0 (Linux): Executed 5 of 6 (1 FAILED) (skipped 1) (0.1 secs / 0.05 secs)\n", Outcome::Failed, [5, 4, 1, 1, 0])]
#[case("karma", "12 specs, 0 failures, 2 pending specs\n", Outcome::Passed, [10, 10, 0, 2, 0])]
#[case("tap", "TAP version 13\nok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP slow\n1..3\n# tests 3\n# pass 1\n# fail 1\n# skipped 1\n", Outcome::Failed, [2, 1, 1, 1, 0])]
#[case("tap", "1..3\nok 1 a\nok 2 b\n", Outcome::Failed, [3, 2, 0, 0, 1])]
#[case("tap", "1..2\nok 1 a\nnot ok 2 b # TODO later\n", Outcome::Passed, [1, 1, 0, 1, 0])]
#[case("tap", "\u{2139} tests 4\n\u{2139} suites 0\n\u{2139} pass 3\n\u{2139} fail 0\n\u{2139} cancelled 1\n\u{2139} skipped 0\n", Outcome::Failed, [4, 3, 0, 0, 1])]
#[case("go-test", "=== RUN   TestA\n--- PASS: TestA (0.00s)\n=== RUN   TestB\n--- SKIP: TestB (0.00s)\nPASS\nok  \tm/p\t0.003s\n", Outcome::Passed, [1, 1, 0, 1, 0])]
#[case("go-test", "--- PASS: TestOne (0.00s)\nPASS\npanic: late\nFAIL\tm/p\t0.005s\n", Outcome::Failed, [2, 1, 0, 0, 1])]
#[case("surefire", "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1, Time elapsed: 0.1 s - in a.BTest\n[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 1\n", Outcome::Passed, [2, 2, 0, 1, 0])]
#[case("surefire", "Tests run: 2, Failures: 0, Errors: 0, Skipped: 0\n[ERROR] Tests run: 4, Failures: 1, Errors: 1, Skipped: 0, Time elapsed: 0.1 s <<< FAILURE! - in a.CTest\n", Outcome::Failed, [6, 4, 1, 0, 1])]
#[case("gradle-test", "> Task :test FAILED\nATest > b() FAILED\n\n20 tests completed, 1 failed, 2 skipped\n", Outcome::Failed, [18, 17, 1, 2, 0])]
#[case("ant-junit", "    [junit] Running a.BTest\n    [junit] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 sec\n    [junit] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.1 sec\n", Outcome::Failed, [3, 2, 1, 0, 0])]
#[case("junit", "[         9 tests found           ]\n[         1 tests skipped         ]\n[         7 tests successful      ]\n[         1 tests failed          ]\n", Outcome::Failed, [8, 7, 1, 1, 0])]
#[case("sbt-test", "[info] Passed: Total 5, Failed 0, Errors 0, Passed 4, Skipped 1\n[info] [error] Failed: Total 3, Failed 1, Errors 1, Passed 1\n", Outcome::Failed, [7, 5, 1, 1, 1])]
#[case("sbt-test", "[info] Passed: Total 0, Failed 0, Errors 0, Passed 0\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("ctest", "60% tests passed, 2 tests failed out of 5\n", Outcome::Failed, [5, 3, 2, 0, 0])]
#[case("ctest", "No tests were found!!!\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("gtest", "[==========] 3 tests from 1 test suite ran. (0 ms total)\n[  PASSED  ] 2 tests.\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] Suite.Broken\n", Outcome::Failed, [3, 2, 1, 0, 0])]
#[case("dotnet-test", "Failed!  - Failed:     1, Passed:     5, Skipped:     2, Total:     8, Duration: 12 ms - A.dll (net9.0)\n", Outcome::Failed, [6, 5, 1, 2, 0])]
#[case("dotnet-test", "Test Run Successful.\nTotal tests: 6\n     Passed: 6\n Total time: 1.2 Seconds\n", Outcome::Passed, [6, 6, 0, 0, 0])]
#[case("rspec", "Finished in 0.1 seconds\n5 examples, 1 failure, 2 pending\n", Outcome::Failed, [3, 2, 1, 2, 0])]
#[case("rspec", "0 examples, 0 failures, 1 error occurred outside of examples\n", Outcome::Failed, [1, 0, 0, 0, 1])]
#[case("minitest", "5 runs, 7 assertions, 1 failures, 1 errors, 1 skips\n", Outcome::Failed, [4, 2, 1, 1, 1])]
#[case("phpunit", "OK (5 tests, 7 assertions)\n", Outcome::Passed, [5, 5, 0, 0, 0])]
#[case("phpunit", "FAILURES!\nTests: 5, Assertions: 7, Failures: 1, Errors: 1, Skipped: 1.\n", Outcome::Failed, [4, 2, 1, 1, 1])]
#[case("phpunit", "No tests executed!\n", Outcome::Unknown, [0, 0, 0, 0, 0])]
#[case("xctest", "Executed 5 tests, with 1 failure (0 unexpected) in 0.1 (0.2) seconds\n", Outcome::Failed, [5, 4, 1, 0, 0])]
fn sums_are_read(
    #[case] tool: &str,
    #[case] text: &str,
    #[case] outcome: Outcome,
    #[case] sums: [u64; 5],
) {
    let found = read(text);
    let evidence = of(&found, tool);
    assert_eq!(evidence.kind, EvidenceKind::Test);
    assert_eq!(evidence.grade, Grade::Observed);
    assert_eq!(evidence.outcome, outcome, "{evidence:#?}");
    let counts = evidence.counts.expect("a runner's sums");
    assert_eq!(
        [
            counts.run,
            counts.passed,
            counts.failed,
            counts.skipped,
            counts.errors
        ],
        sums
    );
}

#[rstest]
#[case("cargo-test", "test a::b ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n", &["a::b"])]
#[case("nextest", "        FAIL [   0.005s] (3/9) krate::it module::broken\n     TIMEOUT [  60.000s] krate slow\n", &["krate::it module::broken", "krate slow"])]
#[case("pytest", "FAILED tests/test_a.py::TestX::test_b[a - b] - assert 1 == 2\nERROR tests/test_c.py - ImportError: no\n=== 1 failed, 1 error in 0.1s ===\n", &["tests/test_a.py::TestX::test_b[a - b]", "tests/test_c.py"])]
#[case("pytest", "tests/a.py::test_ok PASSED [ 50%]\ntests/a.py::test_no FAILED [100%]\n", &["tests/a.py::test_no"])]
#[case("pytest", "_______ TestX.test_y _______\n\nE   assert 0\n=== 1 failed in 0.1s ===\n", &["TestX.test_y"])]
#[case("pytest", "tests/a.py::test_b FAILED [100%]\nFAILED tests/a.py::test_b - FileNotFoundError: [Errno 2] No such file: '/a/b [c] - d'\n=== 1 failed in 0.1s ===\n", &["tests/a.py::test_b"])]
#[case("unittest", "======\nFAIL: test_a (m.T.test_a)\n------\n======\nERROR: test_b (m.T)\n------\nRan 2 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n", &["test_a (m.T.test_a)", "test_b (m.T)"])]
#[case("jest", "FAIL src/a.test.js\n  \u{25cf} Console\n\n  \u{25cf} sums \u{203a} adds\n\nTests:       1 failed, 1 total\n", &["sums \u{203a} adds"])]
#[case("mocha", "  1 passing (1s)\n  2 failing\n\n  1) sums\n       adds:\n     Error: no\n  2) sums subtracts:\n\n", &["sums adds", "sums subtracts"])]
#[case("tap", "not ok 1 - outer\n    not ok 1 - inner\n1..1\n", &["outer", "inner"])]
#[case("go-test", "--- FAIL: TestA (0.00s)\n    --- FAIL: TestA/sub (0.00s)\nFAIL\nFAIL\tm/p\t0.1s\nFAIL\tm/q [build failed]\n", &["TestA", "TestA/sub", "m/q"])]
#[case("go-test", "{\"Action\":\"fail\",\"Package\":\"m/p\",\"Test\":\"TestA\"}\n{\"Action\":\"fail\",\"Package\":\"m/p\"}\n{\"Action\":\"fail\",\"Package\":\"m/q\"}\n", &["TestA", "m/q"])]
#[case("surefire", "[ERROR] testA(a.BTest)  Time elapsed: 0.1 s  <<< FAILURE!\n[ERROR] a.CTest.testD -- Time elapsed: 0.1 s <<< ERROR!\n", &["testA(a.BTest)", "a.CTest.testD"])]
#[case("gradle-test", "> Task :test\nGradle Test Run :test > Gradle Test Executor 1 > ATest > b(int) > [1] 5 FAILED\n", &["b(int).[1] 5"])]
#[case("ant-junit", "[junit] Testsuite: a.BTest\n[junit] Testcase: one took 0.1 sec\n[junit] Testcase: two took 0.1 sec\n[junit] \tFAILED\n", &["a.BTest.two"])]
#[case("sbt-test", "[error] Test a.BTest.c failed: java.lang.AssertionError: no, took 0.1s\n[info] - adds *** FAILED ***\n[error] ==> X a.BSuite.subtracts  0.1s no\n[error] x divides\n[error] Failed: Total 9, Failed 4, Errors 0, Passed 5\n", &["a.BTest.c", "adds", "a.BSuite.subtracts", "divides"])]
#[case("ctest", "50% tests passed, 1 tests failed out of 2\n\nThe following tests FAILED:\n\t  2 - broken one (Failed)\nErrors while running CTest\n", &["broken one"])]
#[case("dotnet-test", "  Failed A.B.C(x: 1) [12 ms]\nFailed!  - Failed: 1, Passed: 0, Skipped: 0, Total: 1\n", &["A.B.C(x: 1)"])]
#[case("rspec", "1 example, 1 failure\n\nFailed examples:\n\nrspec ./spec/a_spec.rb:10 # Sum adds\n", &["Sum adds"])]
#[case("minitest", "  1) Failure:\nSumTest#test_adds [test/sum_test.rb:10]:\nno\n\n1 runs, 1 assertions, 1 failures, 0 errors, 0 skips\n", &["SumTest#test_adds"])]
#[case("phpunit", "1) App\\SumTest::testAdds with data set \"x\"\nno\n\nFAILURES!\nTests: 1, Assertions: 1, Failures: 1.\n", &["App\\SumTest::testAdds with data set \"x\""])]
#[case("xctest", "Test Case '-[A.B testC]' failed (0.1 seconds).\nExecuted 1 test, with 1 failure (0 unexpected) in 0.1 seconds\n", &["A.B testC"])]
fn failed_tests_are_named(#[case] tool: &str, #[case] text: &str, #[case] names: &[&str]) {
    let found = read(text);
    let evidence = of(&found, tool);
    assert_eq!(evidence.outcome, Outcome::Failed);
    let named: Vec<&str> = evidence
        .failures
        .iter()
        .map(|failure| failure.name.as_str())
        .collect();
    assert_eq!(named, names);
}

/// A name that one run prints twice is one failure; in another run it is another.
#[rstest]
#[case(
    "cargo-test",
    "test a ... FAILED\n---- a stdout ----\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n"
)]
#[case(
    "nextest",
    "    Starting 1 test across 1 binary\n        FAIL [   0.005s] krate a\n     Summary [   0.018s] 1 test run: 0 passed, 1 failed\n        FAIL [   0.005s] krate a\n"
)]
#[case(
    "pytest",
    "tests/a.py::test_no FAILED [100%]\nFAILED tests/a.py::test_no - assert 0\n=== 1 failed in 0.1s ===\n"
)]
#[case(
    "unittest",
    "======\nFAIL: test_a (m.T)\n------\nRan 1 test in 0.1s\n\nFAILED (failures=1)\n"
)]
#[case(
    "jest",
    "FAIL a.test.js\n  \u{25cf} sums \u{203a} adds\n\nSummary of all failing tests\n  \u{25cf} sums \u{203a} adds\n\nTests:       1 failed, 1 total\n"
)]
#[case(
    "vitest",
    " FAIL  a.test.ts > adds\nno\n FAIL  a.test.ts > adds\nno\n Test Files  1 failed (1)\n      Tests  1 failed (1)\n"
)]
#[case(
    "surefire",
    "[ERROR] testA(a.BTest)  Time elapsed: 0.1 s  <<< FAILURE!\n[ERROR] Tests run: 1, Failures: 1, Errors: 0, Skipped: 0\n"
)]
#[case(
    "gradle-test",
    "> Task :test\nATest > b() FAILED\n\n1 test completed, 1 failed\n"
)]
#[case(
    "sbt-test",
    "[error] Test a.BTest.c failed: no\n[error] Failed: Total 1, Failed 1, Errors 0, Passed 0\n"
)]
#[case("go-test", "--- FAIL: TestA (0.00s)\nFAIL\nFAIL\tm/p\t0.1s\n")]
#[case(
    "gtest",
    "[==========] Running 1 test from 1 test suite.\n[  FAILED  ] S.T (0 ms)\n[==========] 1 test from 1 test suite ran. (0 ms total)\n[  PASSED  ] 0 tests.\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] S.T\n"
)]
#[case(
    "ctest",
    "0% tests passed, 1 tests failed out of 1\n\nThe following tests FAILED:\n\t  1 - a (Failed)\n"
)]
#[case(
    "minitest",
    "  1) Failure:\nT#test_a [a.rb:1]:\nno\n\n1 runs, 1 assertions, 1 failures, 0 errors, 0 skips\n"
)]
fn a_failure_is_kept_for_every_run(#[case] tool: &str, #[case] run: &str) {
    let failures = |text: &str| of(&read(text), tool).failures.len();
    assert_eq!(failures(run), 1);
    assert_eq!(failures(&run.repeat(3)), 3);
}

#[test]
fn equal_titles_and_headings_of_one_run_are_different_tests() {
    let mocha =
        read("  2 failing\n\n  1) sums\n       adds:\n     no\n  2) sums\n       adds:\n     no\n");
    assert_eq!(of(&mocha, "mocha").failures.len(), 2);
    let pytest = read("____ Test.test_a ____\n____ Test.test_a ____\n=== 2 failed in 0.1s ===\n");
    assert_eq!(of(&pytest, "pytest").failures.len(), 2);
}

#[rstest]
#[case(
    "cargo-test",
    "---- a::b stdout ----\n\nthread 'a::b' panicked at src/lib.rs:10:5:\nassertion failed: x\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored\n",
    "src/lib.rs",
    10,
    "assertion failed: x"
)]
#[case(
    "vitest",
    " FAIL  src/a.test.ts > sums > adds\nAssertionError: expected 1 to be 2\n \u{276f} src/a.test.ts:10:5\n\n Test Files  1 failed (1)\n      Tests  1 failed (1)\n",
    "src/a.test.ts",
    10,
    "AssertionError: expected 1 to be 2"
)]
#[case(
    "go-test",
    "=== RUN   TestA\n    a_test.go:9: got 1\n--- FAIL: TestA (0.00s)\nFAIL\n",
    "a_test.go",
    9,
    "got 1"
)]
#[case(
    "go-test",
    "--- FAIL: TestA (0.00s)\n    a_test.go:9: got 1\nFAIL\n",
    "a_test.go",
    9,
    "got 1"
)]
fn failures_are_located(
    #[case] tool: &str,
    #[case] text: &str,
    #[case] file: &str,
    #[case] line: u32,
    #[case] message: &str,
) {
    let found = read(text);
    let failure = of(&found, tool).failures.first().expect("a failed test");
    let place = failure.location.as_ref().expect("its place");
    assert_eq!(
        (place.file.as_str(), place.line, failure.message.as_str()),
        (file, Some(line), message)
    );
}

#[test]
fn several_tools_give_several_items() {
    let text = "    Finished `test` profile [unoptimized] target(s) in 0.1s\ntest result: ok. 2 passed; 0 failed; 0 ignored\n\
        ==== 1 failed, 1 passed in 0.1s ====\nsrc/a.ts(3,13): error TS7006: Parameter 'y' implicitly has an 'any' type.\n";
    let found = read(text);
    assert_eq!(of(&found, "rustc").outcome, Outcome::Passed);
    assert_eq!(of(&found, "cargo-test").outcome, Outcome::Passed);
    assert_eq!(of(&found, "pytest").outcome, Outcome::Failed);
    assert_eq!(of(&found, "tsc").kind, EvidenceKind::Typecheck);
}

#[rstest]
#[case("\u{1b}[31m\u{1b}[1m=== 1 failed\u{1b}[0m, 2 passed in 0.1s ===\u{1b}[0m\n")]
#[case("\u{1b}]0;title\u{7}=== 1 failed, 2 passed in 0.1s ===\r\n")]
#[case("50%\r=== 1 failed, 2 passed in 0.1s ===\r\n")]
#[case("2022-03-04T08:19:16.2461427Z === 1 failed, 2 passed in 0.1s ===\n")]
#[case("\u{1b}]8;;http://never.ends\n=== 1 failed, 2 passed in 0.1s ===\u{1b}[")]
fn terminal_and_ci_dressing_is_taken_off(#[case] text: &str) {
    let found = read(text);
    let counts = of(&found, "pytest").counts.expect("sums");
    assert_eq!((counts.failed, counts.passed), (1, 2));
}
