//! C and C++ under CMake: GoogleTest, Catch2 and plain programs.

use std::path::PathBuf;

use wayproof_engine::ProofRequirement;
use wayproof_receipt::Verdict;
use wayproof_receipt::predicate::RedReason;

use super::bench::{Bench, Files, expect, has};

const LISTS: &str = "cmake_minimum_required(VERSION 3.16)\nproject(calc CXX)\nenable_testing()\nadd_library(calc calc.cpp)\nfind_package(GTest REQUIRED)\ninclude(GoogleTest)\nadd_executable(calc_test tests/calc_test.cpp)\ntarget_link_libraries(calc_test calc GTest::gtest_main)\ngtest_discover_tests(calc_test)\n";
const PLAIN_LISTS: &str = "cmake_minimum_required(VERSION 3.16)\nproject(calc CXX)\nenable_testing()\nadd_library(calc calc.cpp)\nadd_executable(twice tests/twice.cpp)\ntarget_link_libraries(twice calc)\nadd_test(NAME twice COMMAND twice)\n";
const CATCH_LISTS: &str = "cmake_minimum_required(VERSION 3.16)\nproject(calc CXX)\nenable_testing()\nadd_library(calc calc.cpp)\nfind_package(Catch2 REQUIRED)\ninclude(Catch)\nadd_executable(calc_test tests/calc_test.cpp)\ntarget_link_libraries(calc_test calc Catch2::Catch2)\ncatch_discover_tests(calc_test)\n";
const HEADER: &str = "#pragma once\nint add(int a, int b);\nint twice(int a);\n";
const BUG: &str = "#include \"calc.h\"\n\nint add(int a, int b) { return a - b; }\nint twice(int a) { return a * 2; }\n";
const OLD: &str = "#include <gtest/gtest.h>\n\n#include \"../calc.h\"\n\nTEST(Calc, Twice) {\n  EXPECT_EQ(4, twice(2));\n}\n";
const ADDED: &str = "\nTEST(Calc, Add) {\n  EXPECT_EQ(3, add(1, 2));\n}\n";
const PLAIN: &str = "#include <cassert>\n\n#include \"../calc.h\"\n\nint main() {\n  assert(twice(2) == 4);\n  return 0;\n}\n";
const CATCH: &str = "#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n\n#include \"../calc.h\"\n\nTEST_CASE(\"doubles\") {\n  REQUIRE(twice(2) == 4);\n}\n";
const TEST: &str = "tests/calc_test.cpp";

fn fixed() -> String {
    BUG.replace("a - b", "a + b")
}

fn with_add() -> String {
    format!("{OLD}{ADDED}")
}

fn bench(test: &str) -> Bench {
    let files = [
        ("CMakeLists.txt", LISTS),
        ("calc.h", HEADER),
        ("calc.cpp", BUG),
        (TEST, test),
    ];
    Bench::new(&files)
}

#[test]
fn a_googletest_fix_with_its_test_is_proven() {
    let proven = bench(OLD).fix(&[("calc.cpp", &fixed()), (TEST, &with_add())]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason, entry.preexisting),
        ("Calc.Add", RedReason::Assertion, false)
    );
}

#[test]
fn a_catch2_fix_with_its_test_is_proven() {
    let files = [
        ("CMakeLists.txt", CATCH_LISTS),
        ("calc.h", HEADER),
        ("calc.cpp", BUG),
        (TEST, CATCH),
    ];
    let added = format!("{CATCH}\nTEST_CASE(\"adds\") {{\n  REQUIRE(add(1, 2) == 3);\n}}\n");
    let proven = Bench::new(&files).fix(&[("calc.cpp", &fixed()), (TEST, &added)]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason),
        ("adds", RedReason::Assertion)
    );
}

#[test]
fn a_new_program_that_the_change_lists_is_built_on_the_base_too() {
    let files = [
        ("CMakeLists.txt", PLAIN_LISTS),
        ("calc.h", HEADER),
        ("calc.cpp", BUG),
        ("tests/twice.cpp", PLAIN),
    ];
    let lists = PLAIN_LISTS.replace("calc.cpp)", "calc.cpp more.cpp)")
        + "add_executable(add tests/add.cpp)\ntarget_link_libraries(add calc)\nadd_test(NAME add COMMAND add)\n";
    let proven = Bench::new(&files).fix(&[
        ("CMakeLists.txt", &lists),
        ("calc.cpp", &fixed()),
        ("more.cpp", "int more() { return 1; }\n"),
        (
            "tests/add.cpp",
            &PLAIN.replace("twice(2) == 4", "add(1, 2) == 3"),
        ),
    ]);
    expect(&proven, Verdict::Proven);
    let entry = &proven.proof.fail_to_pass[0];
    assert_eq!(
        (entry.test_id.as_str(), entry.red_reason),
        ("add", RedReason::Assertion)
    );
}

#[test]
fn a_wrong_fix_is_refuted_with_its_place() {
    let proven = bench(&with_add()).fix(&[("calc.cpp", &BUG.replace("a * 2", "a * 3"))]);
    expect(&proven, Verdict::Refuted);
    assert!(
        proven
            .one_fact
            .contains("Calc.Twice passed before the change and fails now")
            && proven.one_fact.contains("tests/calc_test.cpp:6"),
        "{}",
        proven.one_fact
    );
}

#[track_caller]
fn refuted(files: Files<'_>, code: &str) {
    let proven = bench(OLD).fix(files);
    expect(&proven, Verdict::Refuted);
    assert!(has(&proven, code), "{:?}", proven.proof.findings);
}

#[test]
fn a_disabled_test_is_caught() {
    let disabled = with_add().replace("Calc, Twice", "Calc, DISABLED_Twice");
    refuted(&[("calc.cpp", &fixed()), (TEST, &disabled)], "G1");
}

#[test]
fn a_skipped_test_is_caught() {
    let skipped = with_add().replace("  EXPECT_EQ(4", "  GTEST_SKIP();\n  EXPECT_EQ(4");
    refuted(&[("calc.cpp", &fixed()), (TEST, &skipped)], "G1");
}

#[test]
fn a_deleted_test_is_caught() {
    let deleted = format!("#include <gtest/gtest.h>\n\n#include \"../calc.h\"\n{ADDED}");
    refuted(&[("calc.cpp", &fixed()), (TEST, &deleted)], "G1");
}

#[test]
fn an_emptied_test_is_caught() {
    let emptied = with_add().replace("EXPECT_EQ(4, twice(2));", "twice(2);");
    refuted(&[("calc.cpp", &fixed()), (TEST, &emptied)], "G2");
}

#[test]
fn a_test_that_leaves_early_is_caught() {
    let leaving = with_add().replace("  EXPECT_EQ(3", "  exit(0);\n  EXPECT_EQ(3");
    refuted(&[("calc.cpp", &fixed()), (TEST, &leaving)], "G5");
}

#[test]
fn a_list_that_bends_tests_is_not_taken_over() {
    let test = PLAIN.replace("twice(2) == 4", "add(1, 2) == 3");
    let files = [
        ("CMakeLists.txt", PLAIN_LISTS),
        ("calc.h", HEADER),
        ("calc.cpp", BUG),
        ("tests/twice.cpp", test.as_str()),
    ];
    let bent = format!("{PLAIN_LISTS}set_tests_properties(twice PROPERTIES WILL_FAIL TRUE)\n");
    let proven = Bench::new(&files).fix(&[
        ("calc.cpp", &format!("{BUG}// fixed\n")),
        ("CMakeLists.txt", &bent),
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
fn a_base_that_does_not_build_is_no_verdict_on_the_change() {
    let files = [
        ("CMakeLists.txt", LISTS),
        ("calc.h", HEADER),
        ("calc.cpp", "int add(\n"),
        (TEST, OLD),
    ];
    let proven = Bench::new(&files).fix(&[("calc.cpp", "int add(\n// more\n")]);
    expect(&proven, Verdict::InvalidInfra);
    assert!(
        proven.one_fact.contains("do not start at the base either"),
        "{}",
        proven.one_fact
    );
}

#[test]
fn what_the_machine_lacks_is_one_sentence() {
    let lists = LISTS.replace(
        "find_package(GTest REQUIRED)",
        "find_package(NoSuchLibrary REQUIRED)",
    );
    let files = [
        ("CMakeLists.txt", lists.as_str()),
        ("calc.h", HEADER),
        ("calc.cpp", BUG),
        (TEST, OLD),
    ];
    let lacking = Bench::new(&files);
    let proven = lacking.fix(&[("calc.cpp", &fixed())]);
    expect(&proven, Verdict::InvalidInfra);
    assert_eq!(
        proven.one_fact,
        "`NoSuchLibrary` is not installed, and CMakeLists.txt needs it"
    );
    let proven = lacking
        .prove(
            "bug-fix",
            vec![vec![ProofRequirement::FailingTestBecomesGreen]],
            |request| request.machine.path = vec![PathBuf::from("/nonexistent")],
        )
        .unwrap();
    assert_eq!(
        proven.one_fact,
        "`cmake` is not installed, and the change needs it to build and run its tests"
    );
}

#[test]
fn a_small_edit_is_held_against_its_compiler() {
    expect(&bench(OLD).edit(&[("calc.cpp", &fixed())]), Verdict::Proven);
    let proven = bench(OLD).edit(&[("calc.cpp", &BUG.replace("a * 2", "nothing"))]);
    expect(&proven, Verdict::Refuted);
}
