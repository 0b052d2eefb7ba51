//! Forms of JUnit XML and other reports whose tools write them rarely or not here.

use wayproof_proof::{JunitDialect, RedReason, Status, TestFormat, TestId, TestRun};

use super::read;

fn surefire(text: &str) -> TestRun {
    read(&TestFormat::Junit(JunitDialect::Surefire), text)
}

fn status(run: &TestRun, id: &str) -> (Status, Option<RedReason>) {
    let result = run
        .results
        .get(&TestId::new(id))
        .unwrap_or_else(|| panic!("no {id} in {:?}", run.results.keys()));
    (result.status, result.red)
}

#[test]
fn a_bare_suite_with_grouped_numbers_is_a_report() {
    let run = surefire(
        r#"<testsuite name="com.example.CalcTest" time="1,234.5" tests="4" errors="1" skipped="1" failures="1">
             <properties><property name="java.version" value="17"/></properties>
             <testcase name="adds" classname="com.example.CalcTest" time="1,200.001"/>
             <testcase name="fails" classname="com.example.CalcTest" time="0.1">
               <failure message="expected:&lt;1&gt; but was:&lt;2&gt;" type="org.opentest4j.AssertionFailedError"><![CDATA[org.opentest4j.AssertionFailedError: expected: <1> but was: <2>
	at org.junit.jupiter.api.AssertionUtils.fail(AssertionUtils.java:55)
	at com.example.CalcTest.fails(CalcTest.java:14)]]></failure></testcase>
             <testcase name="throws" classname="com.example.CalcTest"><error message="boom" type="java.lang.IllegalStateException">x</error></testcase>
             <testcase name="skipped" classname="com.example.CalcTest"><skipped message="not now"/></testcase>
           </testsuite>"#,
    );
    assert!(run.is_complete, "{:?}", run.problems);
    assert_eq!(
        status(&run, "com.example.CalcTest::adds"),
        (Status::Passed, None)
    );
    assert_eq!(
        status(&run, "com.example.CalcTest::fails"),
        (Status::Failed, Some(RedReason::Assertion))
    );
    assert_eq!(
        status(&run, "com.example.CalcTest::throws"),
        (Status::Error, Some(RedReason::Exception))
    );
    assert_eq!(
        status(&run, "com.example.CalcTest::skipped"),
        (Status::Skipped, None)
    );
    let at = run.results[&TestId::new("com.example.CalcTest::fails")]
        .location
        .clone()
        .unwrap();
    assert_eq!((at.file.as_str(), at.line), ("CalcTest.java", Some(14)));
}

#[test]
fn a_test_that_passed_only_again_is_red() {
    let run = surefire(
        r#"<testsuite name="A" tests="2">
             <testcase name="flaky" classname="A"><flakyFailure message="first" type="java.lang.AssertionError"/></testcase>
             <testcase name="never" classname="A"><failure message="no" type="x"/><rerunFailure message="no" type="x"/></testcase>
           </testsuite>"#,
    );
    assert_eq!(
        status(&run, "A::flaky"),
        (Status::Failed, Some(RedReason::Assertion))
    );
    assert_eq!(status(&run, "A::never").0, Status::Failed);
}

#[test]
fn suites_nest_and_escapes_are_undone() {
    let run = surefire(
        r#"<?xml version="1.0"?><testsuites tests="2"><testsuite name="outer" tests="2"><testsuite name="inner" tests="1">
             <testcase name="a &lt;b&gt; &quot;c&quot;&#10;d &#x41;"><failure message="one&#10;two"/></testcase></testsuite>
             <testcase name="plain"/></testsuite></testsuites>"#,
    );
    assert!(run.is_complete, "{:?}", run.problems);
    let result = &run.results[&TestId::new("inner::a <b> \"c\"\nd A")];
    assert_eq!(result.message, "one\ntwo");
    assert_eq!(status(&run, "outer::plain"), (Status::Passed, None));
}

#[test]
fn the_worse_of_two_results_stays() {
    let run = surefire(
        r#"<testsuite name="A" tests="3"><testcase name="t"/><testcase name="t"><failure/></testcase><testcase name="t"/></testsuite>"#,
    );
    assert_eq!(run.results.len(), 1);
    assert_eq!(status(&run, "A::t").0, Status::Failed);
}

#[test]
fn gotestsum_names_tests_as_go_does() {
    let run = read(
        &TestFormat::Junit(JunitDialect::Gotestsum),
        r#"<testsuites tests="3"><testsuite tests="3" failures="2" name="example.com/calc">
             <testcase classname="example.com/calc" name="TestAdds"/>
             <testcase classname="example.com/calc" name="TestTable/a_b"><failure message="Failed" type="">=== RUN TestTable/a_b
    calc_test.go:9: sub
--- FAIL: TestTable/a_b (0.00s)</failure></testcase>
             <testcase classname="example.com/calc" name="TestPanics"><failure message="Failed" type="">panic: nil map</failure></testcase>
           </testsuite></testsuites>"#,
    );
    assert!(run.is_complete, "{:?}", run.problems);
    assert_eq!(
        status(&run, "example.com/calc.TestTable/a_b"),
        (Status::Failed, Some(RedReason::Assertion))
    );
    assert_eq!(
        status(&run, "example.com/calc.TestPanics"),
        (Status::Failed, Some(RedReason::Exception))
    );
}

#[test]
fn newer_go_tells_of_failed_builds_in_the_stream() {
    let run = read(
        &TestFormat::GoTest,
        r#"{"ImportPath":"x/a [x/a.test]","Action":"build-output","Output":"a_test.go:3:2: undefined: nope\n"}
{"ImportPath":"x/a [x/a.test]","Action":"build-fail"}
{"Action":"start","Package":"x/a"}
{"Action":"output","Package":"x/a","Output":"FAIL\tx/a [build failed]\n"}
{"Action":"fail","Package":"x/a","Elapsed":0,"FailedBuild":"x/a [x/a.test]"}"#,
    );
    assert_eq!(
        status(&run, "x/a"),
        (Status::Error, Some(RedReason::BuildError))
    );
    assert!(run.is_complete, "{:?}", run.problems);
}

#[test]
fn older_and_ignored_libtest_lines_are_read() {
    let run = read(
        &TestFormat::Libtest {
            binary: String::new(),
        },
        "\nrunning 2 tests\ntest src/lib.rs - add (line 1) ... ok\ntest slow ... ignored\n\ntest result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out\n\n\nrunning 0 tests\n\ntest result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
    );
    assert!(run.is_complete, "{:?}", run.problems);
    assert_eq!(
        status(&run, "src/lib.rs - add (line 1)"),
        (Status::Passed, None)
    );
    assert_eq!(status(&run, "slow"), (Status::Skipped, None));
}

#[test]
fn phpunit_names_files_classes_and_data_sets() {
    let text = r#"<testsuites><testsuite name="all" tests="4"><testsuite name="App\CalcTest" file="/work-dir/tests/CalcTest.php" tests="4">
        <testcase name="testAdd" class="App\CalcTest" classname="App.CalcTest" file="/work-dir/tests/CalcTest.php" line="7" assertions="1">
          <failure type="PHPUnit\Framework\ExpectationFailedException">App\CalcTest::testAdd
Failed asserting that -1 is identical to 3.

/work-dir/tests/CalcTest.php:8</failure></testcase>
        <testsuite name="App\CalcTest::testCases" tests="1"><testcase name="testCases with data set #0" class="App\CalcTest" file="/work-dir/tests/CalcTest.php" line="10"/></testsuite>
        <testcase name="testSkip" class="App\CalcTest" file="/work-dir/tests/CalcTest.php"><skipped/></testcase>
        <testcase name="testThrow" class="App\CalcTest" file="/work-dir/tests/CalcTest.php"><error type="Error">Error: Class "App\Nope" not found</error></testcase>
      </testsuite></testsuite></testsuites>"#;
    let run = read(&TestFormat::Junit(JunitDialect::PhpUnit), text);
    assert!(run.is_complete, "{:?}", run.problems);
    let id = |name: &str| format!("tests/CalcTest.php::App\\CalcTest::{name}");
    assert_eq!(
        status(&run, &id("testAdd")),
        (Status::Failed, Some(RedReason::Assertion))
    );
    assert_eq!(status(&run, &id("testCases[#0]")), (Status::Passed, None));
    assert_eq!(status(&run, &id("testSkip")).0, Status::Skipped);
    assert_eq!(
        status(&run, &id("testThrow")),
        (Status::Error, Some(RedReason::Exception))
    );
    let at = run.results[&TestId::new(id("testAdd"))].location.clone();
    assert_eq!(
        at.map(|at| (at.file, at.line)),
        Some(("tests/CalcTest.php".to_owned(), Some(8)))
    );
}

fn ctest(cases: &str) -> TestRun {
    let text = format!("<testsuite name=\"(empty)\">{cases}</testsuite>");
    read(&TestFormat::Junit(JunitDialect::Ctest), &text)
}

#[test]
fn ctest_says_why_by_what_programs_print() {
    let run = ctest(
        r#"<testcase name="Calc.Add" classname="Calc.Add" status="fail"><failure message=""/><system-out>[==========] Running 1 test
[ RUN      ] Calc.Add
/work-dir/tests/calc_test.cpp:4: Failure
Expected equality of these values:</system-out></testcase>
        <testcase name="plain" classname="plain" status="fail"><failure message=""/><system-out>plain: /work-dir/tests/plain.c:3: int main(): Assertion `a' failed.</system-out></testcase>
        <testcase name="bare" classname="bare" status="fail"><failure message=""/><system-out></system-out></testcase>
        <testcase name="Calc.Off" classname="Calc.Off" status="disabled"><system-out>Disabled</system-out></testcase>
        <testcase name="good" classname="good" status="run"><system-out></system-out></testcase>"#,
    );
    assert!(run.is_complete, "{:?}", run.problems);
    for (id, line) in [("Calc.Add", 4), ("plain", 3)] {
        assert_eq!(
            status(&run, id),
            (Status::Failed, Some(RedReason::Assertion)),
            "{id}"
        );
        let at = run.results[&TestId::new(id)].location.clone().unwrap();
        assert_eq!(at.line, Some(line), "{id}");
    }
    assert_eq!(
        status(&run, "bare"),
        (Status::Failed, Some(RedReason::Exception))
    );
    assert_eq!(status(&run, "Calc.Off").0, Status::Skipped);
    assert_eq!(status(&run, "good").0, Status::Passed);
}

#[test]
fn a_test_program_that_ends_well_in_the_middle_did_not_pass() {
    let google = "[==========] Running 1 test from 1 test suite.\n[ RUN      ] Calc.Leave\n";
    for said in [google, "Filters: leaves\n"] {
        let run = ctest(&format!(
            "<testcase name=\"a\" classname=\"a\" status=\"run\"><system-out>{said}</system-out></testcase>"
        ));
        assert!(!run.is_complete && run.results.is_empty(), "{said}");
    }
    let whole = "Filters: adds\n====\nAll tests passed (1 assertion in 1 test case)\n";
    let run = ctest(&format!(
        "<testcase name=\"a\" classname=\"a\" status=\"run\"><system-out>{whole}</system-out></testcase>"
    ));
    assert!(run.is_complete);
}
