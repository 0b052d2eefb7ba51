//! Reports real tools wrote, and reports nobody should have written.

mod dialects;
mod forged;
mod props;

use std::fmt::Write;

use wayproof_proof::{
    Compilation, CompileFormat, JunitDialect, Location, TestFormat, TestRun, read_diagnostics,
    read_tests,
};

/// Reads a report with the paths of the golden files.
pub(crate) fn read(format: &TestFormat, text: &str) -> TestRun {
    read_tests(format, "/work-dir", text.as_bytes())
}

/// Shows a run, one test a line.
pub(crate) fn show(run: &TestRun) -> String {
    let mut text = format!("complete: {}\n", run.is_complete);
    for problem in &run.problems {
        writeln!(text, "problem: {problem}").unwrap();
    }
    for (id, result) in &run.results {
        let red = result
            .red
            .map(|red| format!(" {red:?}"))
            .unwrap_or_default();
        let at = result.location.as_ref().map(place).unwrap_or_default();
        let message = result.message.lines().next().unwrap_or_default();
        writeln!(text, "{:?}{red}  {id}{at}  | {message}", result.status).unwrap();
    }
    text
}

/// Shows diagnostics, one a line.
fn show_diagnostics(compilation: &Compilation) -> String {
    let mut text = format!("succeeded: {:?}\n", compilation.succeeded);
    for problem in &compilation.problems {
        writeln!(text, "problem: {problem}").unwrap();
    }
    for found in &compilation.diagnostics {
        let at = found.location.as_ref().map(place).unwrap_or_default();
        writeln!(
            text,
            "{:?} {:?}{at}  | {}",
            found.severity, found.code, found.message
        )
        .unwrap();
    }
    text
}

/// Shows a place.
fn place(at: &Location) -> String {
    let number = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
    format!(" @{}:{}:{}", at.file, number(at.line), number(at.column))
}

/// Compares what is read from a golden file with its snapshot.
fn golden(name: &str, format: &TestFormat) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/report/golden")
        .join(name);
    let run = read(format, &std::fs::read_to_string(path).unwrap());
    insta::with_settings!({ snapshot_path => "report/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, show(&run));
    });
}

#[test]
fn the_reports_of_real_runners_are_read() {
    use JunitDialect::{Jest, Mocha, Nextest, Node, Pytest, Vitest};
    for (name, format) in [
        ("pytest.xml", TestFormat::Junit(Pytest)),
        ("pytest-xunit1.xml", TestFormat::Junit(Pytest)),
        ("pytest-collection.xml", TestFormat::Junit(Pytest)),
        ("pytest-none.xml", TestFormat::Junit(Pytest)),
        ("nextest.xml", TestFormat::Junit(Nextest)),
        ("vitest.xml", TestFormat::Junit(Vitest)),
        ("jest.xml", TestFormat::Junit(Jest)),
        ("mocha.xml", TestFormat::Junit(Mocha)),
        ("node.xml", TestFormat::Junit(Node)),
        ("node.tap", TestFormat::Tap),
        ("mocha.tap", TestFormat::Tap),
        ("tape.tap", TestFormat::Tap),
        ("jest.json", TestFormat::Jest),
        ("vitest.json", TestFormat::Jest),
        ("mocha.json", TestFormat::Mocha),
        ("go.jsonl", TestFormat::GoTest),
        (
            "libtest.txt",
            TestFormat::Libtest {
                binary: "calc".to_owned(),
            },
        ),
    ] {
        golden(name, &format);
    }
}

#[test]
fn the_reports_of_real_compilers_are_read() {
    for (name, format) in [
        ("cargo.jsonl", CompileFormat::Cargo),
        ("tsc.txt", CompileFormat::Tsc),
        ("tsc-pretty.txt", CompileFormat::Tsc),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/it/report/golden")
            .join(name);
        let compilation = read_diagnostics(format, &std::fs::read(path).unwrap());
        insta::with_settings!({ snapshot_path => "report/snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, show_diagnostics(&compilation));
        });
    }
}
