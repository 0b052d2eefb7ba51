//! Maven and Gradle with JUnit 4, as the system's packages have them.

use std::path::PathBuf;

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, expect};

const POM: &str = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  <groupId>a</groupId>\n  <artifactId>calc</artifactId>\n  <version>1</version>\n  <properties>\n    <maven.compiler.source>11</maven.compiler.source>\n    <maven.compiler.target>11</maven.compiler.target>\n    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>\n  </properties>\n  <dependencies>\n    <dependency>\n      <groupId>junit</groupId>\n      <artifactId>junit</artifactId>\n      <version>4.13.2</version>\n      <scope>test</scope>\n    </dependency>\n  </dependencies>\n</project>\n";
const BUG: &str = "package a;\n\npublic final class Calc {\n    public static int add(int a, int b) {\n        return a - b;\n    }\n\n    public static int twice(int a) {\n        return a * 2;\n    }\n}\n";
const OLD: &str = "package a;\n\nimport static org.junit.Assert.assertEquals;\n\nimport org.junit.Test;\n\npublic class CalcTest {\n    @Test\n    public void twice() {\n        assertEquals(4, Calc.twice(2));\n    }\n}\n";
const ADDED: &str =
    "\n    @Test\n    public void add() {\n        assertEquals(3, Calc.add(1, 2));\n    }\n}\n";
const SOURCE: &str = "src/main/java/a/Calc.java";
const TEST: &str = "src/test/java/a/CalcTest.java";

fn fixed() -> String {
    BUG.replace("a - b", "a + b")
}

fn with_add() -> String {
    format!("{}{ADDED}", OLD.strip_suffix("}\n").unwrap())
}

fn bench() -> Bench {
    Bench::new(&[("pom.xml", POM), (SOURCE, BUG), (TEST, OLD)])
}

#[test]
fn a_fix_with_its_test_is_proven() {
    let proven = bench().fix(&[(SOURCE, &fixed()), (TEST, &with_add())]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason, entry.preexisting),
        ("a.CalcTest::add", RedReason::Assertion, false)
    );
}

#[test]
fn gradle_is_read_the_same_way() {
    let build = "apply plugin: 'java'\nrepositories { maven { url \"file:///usr/share/maven-repo\" } }\ndependencies { testCompile 'junit:junit:4.13.2' }\n";
    let bench = Bench::new(&[
        ("build.gradle", build),
        ("settings.gradle", "rootProject.name = 'calc'\n"),
        (SOURCE, BUG),
        (TEST, OLD),
    ]);
    let proven = bench.fix(&[(SOURCE, &fixed()), (TEST, &with_add())]);
    expect(&proven, Verdict::Proven);
    assert_eq!(proven.proof.fail_to_pass[0].test_id, "a.CalcTest::add");
}

#[test]
fn a_wrong_fix_is_refuted() {
    let bench = Bench::new(&[("pom.xml", POM), (SOURCE, BUG), (TEST, &with_add())]);
    let wrong = bench.fix(&[(SOURCE, &BUG.replace("a * 2", "a * 3"))]);
    expect(&wrong, Verdict::Refuted);
    assert!(
        wrong
            .one_fact
            .contains("a.CalcTest::twice passed before the change and fails now"),
        "{}",
        wrong.one_fact
    );
}

#[test]
fn tests_that_are_skipped_deleted_or_emptied_are_caught() {
    let more = "\n    @Test\n    public void twiceNothing() {\n        assertEquals(0, Calc.twice(0));\n    }\n\n    @Test\n    public void twiceOne() {\n        assertEquals(2, Calc.twice(1));\n    }\n}\n";
    let old = format!("{}{more}", OLD.strip_suffix("}\n").unwrap());
    let bench = Bench::new(&[("pom.xml", POM), (SOURCE, BUG), (TEST, &old)]);
    let bent = format!("{}{ADDED}", old.strip_suffix("}\n").unwrap())
        .replacen("    @Test\n", "    @org.junit.Ignore\n    @Test\n", 1)
        .replace(
            "    @Test\n    public void twiceNothing",
            "    public void twiceNothing",
        )
        .replace("assertEquals(2, Calc.twice(1));", "Calc.twice(1);");
    let proven = bench.fix(&[(SOURCE, &fixed()), (TEST, &bent)]);
    expect(&proven, Verdict::Refuted);
    let said: Vec<String> = proven
        .proof
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.code, finding.explanation))
        .collect();
    for words in [
        "G1 a.CalcTest::twice passed before the change and is skipped now",
        "G1 a.CalcTest::twiceNothing passed before the change and is gone now",
        "G2 twiceOne no longer asserts anything",
    ] {
        assert!(said.iter().any(|said| said == words), "{words}: {said:?}");
    }
}

#[test]
fn a_pom_that_leaves_tests_out_is_not_taken_over() {
    let bench = Bench::new(&[("pom.xml", POM), (SOURCE, BUG), (TEST, &with_add())]);
    let skipping = POM.replace(
        "  <properties>\n",
        "  <properties>\n    <skipTests>true</skipTests>\n",
    );
    let proven = bench.fix(&[
        (SOURCE, &format!("{BUG}// fixed\n")),
        ("pom.xml", &skipping),
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
fn a_test_that_ends_the_process_is_refuted() {
    let ending = with_add().replace(
        "        assertEquals(3",
        "        Runtime.getRuntime().halt(0);\n        assertEquals(3",
    );
    let proven = bench().fix(&[(SOURCE, &fixed()), (TEST, &ending)]);
    expect(&proven, Verdict::Refuted);
}

#[test]
fn a_base_that_does_not_build_is_no_verdict_on_the_change() {
    let bench = Bench::new(&[
        ("pom.xml", POM),
        (SOURCE, "package a;\nclass Calc {\n"),
        (TEST, OLD),
    ]);
    let proven = bench.fix(&[(SOURCE, "package a;\nclass Calc {\n// more\n")]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("do not start at the base either"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn a_dependency_that_is_not_there_is_the_machines_fault() {
    let pom = POM.replace(
        "<version>4.13.2</version>",
        "<version>0.0.1-nowhere</version>",
    );
    let bench = Bench::new(&[("pom.xml", &pom), (SOURCE, BUG), (TEST, OLD)]);
    let proven = bench.fix(&[(SOURCE, &fixed())]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("the network is off") && proven.one_fact.contains("0.0.1-nowhere"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn what_the_machine_lacks_is_one_sentence() {
    let bench = bench();
    bench.write(&[(SOURCE, &fixed())]);
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
        "`javac` is not installed, and the change needs it to run its tests"
    );
}

#[test]
fn a_small_edit_is_held_against_its_compiler() {
    let proven = bench().edit(&[(SOURCE, &BUG.replace("return a * 2;", "return nothing;"))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven
            .one_fact
            .contains("cannot find symbol (src/main/java/a/Calc.java:9)"),
        "{}",
        proven.one_fact
    );
}
