//! Compilers, type checkers and linters: places, severities, codes, and who is speaking.

use rstest::rstest;
use wayproof_engine::{Diagnostic, EvidenceKind, Outcome, Severity, recognize};
use wayproof_wire::Exit;

use super::{of, read};

/// One case: the text, then file, line, column, severity and the start of the message.
#[rstest]
#[case(
    "main.c:5:3: error: 'x' undeclared\n",
    "main.c",
    Some(5),
    Some(3),
    Severity::Error,
    "'x' undeclared"
)]
#[case(
    "src/A.java:5: error: cannot find symbol\n",
    "src/A.java",
    Some(5),
    None,
    Severity::Error,
    "cannot find symbol"
)]
#[case(
    "[ERROR] /p/A.java:[12,34] cannot find symbol\n",
    "/p/A.java",
    Some(12),
    Some(34),
    Severity::Error,
    "cannot find symbol"
)]
#[case(
    "e: file:///p/A.kt:5:3 Unresolved reference: x\n",
    "/p/A.kt",
    Some(5),
    Some(3),
    Severity::Error,
    "Unresolved reference"
)]
#[case(
    "w: /p/B.kt: (7, 2): deprecated\n",
    "/p/B.kt",
    Some(7),
    Some(2),
    Severity::Warning,
    "deprecated"
)]
#[case(
    "[error] /a/B.scala:5: not found: value x\n",
    "/a/B.scala",
    Some(5),
    None,
    Severity::Error,
    "not found: value x"
)]
#[case(
    "C:\\a\\B.cs(229,30): warning CS0618: 'Q' is obsolete [C:\\a\\b.csproj]\n",
    "C:\\a\\B.cs",
    Some(229),
    Some(30),
    Severity::Warning,
    "'Q' is obsolete"
)]
#[case(
    "1>main.cpp(5): error C2065: 'x': undeclared identifier\n",
    "main.cpp",
    Some(5),
    None,
    Severity::Error,
    "'x': undeclared"
)]
#[case(
    "tsc.ts(3,13): error TS7006: Parameter 'y'\n",
    "tsc.ts",
    Some(3),
    Some(13),
    Severity::Error,
    "Parameter 'y'"
)]
#[case(
    "src/a.ts:5:3 - error TS2304: Cannot find name 'x'.\n",
    "src/a.ts",
    Some(5),
    Some(3),
    Severity::Error,
    "Cannot find name"
)]
#[case(
    "a.ts[418, 38]: ' should be \"\n",
    "a.ts",
    Some(418),
    Some(38),
    Severity::Unstated,
    "' should be"
)]
#[case(
    "[new.proto:11:5] Found an incorrect indentation\n",
    "new.proto",
    Some(11),
    Some(5),
    Severity::Unstated,
    "Found an"
)]
#[case(
    "a.yml:1:1: [warning] missing document start (document-start)\n",
    "a.yml",
    Some(1),
    Some(1),
    Severity::Warning,
    "missing document start"
)]
#[case(
    "a.haml:33 [W] ImplicitDiv: write it so\n",
    "a.haml",
    Some(33),
    None,
    Severity::Warning,
    "ImplicitDiv"
)]
#[case(
    "a.rb:57 Array#select.first is slow\n",
    "a.rb",
    Some(57),
    None,
    Severity::Unstated,
    "Array#select.first"
)]
#[case(
    "a.py:18 in private class `meta`:\n        D101: Docstring missing\n",
    "a.py",
    Some(18),
    None,
    Severity::Unstated,
    "Docstring missing"
)]
#[case(
    "error file=/a.scala message=Too long line=6 column=7\n",
    "/a.scala",
    Some(6),
    Some(7),
    Severity::Error,
    "Too long"
)]
#[case(
    "would reformat src/a.py\n",
    "src/a.py",
    None,
    None,
    Severity::Unstated,
    "would reformat"
)]
#[case(
    "/a.js: line 2, col 1, Error - 'x' is not defined. (no-undef)\n",
    "/a.js",
    Some(2),
    Some(1),
    Severity::Error,
    "'x' is not defined"
)]
#[case(
    "a.pp - WARNING: double quoted on line 5\n",
    "a.pp",
    Some(5),
    None,
    Severity::Warning,
    "double quoted"
)]
#[case(
    "PHP Parse error:  unexpected '}' in /p/a.php on line 5\n",
    "/p/a.php",
    Some(5),
    None,
    Severity::Error,
    "unexpected '}'"
)]
#[case(
    "========== Linting /w/P.fs ==========\nRefactor this.\nError on line 5 starting at column 3\n",
    "/w/P.fs",
    Some(5),
    Some(3),
    Severity::Error,
    "Refactor this."
)]
#[case(
    "Extra space detected.\nIn file: app/a.erb:5\n",
    "app/a.erb",
    Some(5),
    None,
    Severity::Unstated,
    "Extra space"
)]
#[case(
    "  File \"/p/a.py\", line 5\n    def f(\n         ^\nSyntaxError: '(' was never closed\n",
    "/p/a.py",
    Some(5),
    None,
    Severity::Error,
    "SyntaxError"
)]
#[case(
    "/p/a.js:5\nfoo(;\n    ^\n\nSyntaxError: Unexpected token ';'\n",
    "/p/a.js",
    Some(5),
    None,
    Severity::Error,
    "SyntaxError"
)]
#[case(
    "  error - lib/a.dart:7:1 - Undefined name - undefined_identifier\n",
    "lib/a.dart",
    Some(7),
    Some(1),
    Severity::Error,
    "Undefined name"
)]
#[case(
    "** (CompileError) lib/a.ex:5: undefined function x/0\n",
    "lib/a.ex",
    Some(5),
    None,
    Severity::Error,
    "undefined function"
)]
#[case(
    "error[E0308]: mismatched types\n  --> src/a.rs:3:9\n   |\n",
    "src/a.rs",
    Some(3),
    Some(9),
    Severity::Error,
    "mismatched types"
)]
#[case(
    "F401 [*] `os` imported but unused\n --> a.py:1:8\n  |\n",
    "a.py",
    Some(1),
    Some(8),
    Severity::Unstated,
    "[*] `os`"
)]
#[case(
    "/h/a.js\n  1:10  error  'x' is unused  no-unused-vars\n",
    "/h/a.js",
    Some(1),
    Some(10),
    Severity::Error,
    "'x' is unused"
)]
#[case(
    "a.css\n 116:3   \u{2716}  Unexpected longhand  shorthand\n",
    "a.css",
    Some(116),
    Some(3),
    Severity::Error,
    "Unexpected longhand"
)]
fn findings_are_read(
    #[case] text: &str,
    #[case] file: &str,
    #[case] line: Option<u32>,
    #[case] column: Option<u32>,
    #[case] severity: Severity,
    #[case] message: &str,
) {
    let found = read(text);
    let all: Vec<&Diagnostic> = found
        .iter()
        .flat_map(|evidence| &evidence.diagnostics)
        .collect();
    let [one] = all.as_slice() else {
        panic!("one finding expected in {found:#?}");
    };
    let place = one.location.as_ref().expect("a place");
    assert_eq!(
        (place.file.as_str(), place.line, place.column),
        (file, line, column)
    );
    assert_eq!(one.severity, severity);
    assert!(one.message.starts_with(message), "{one:?}");
}

#[rstest]
#[case(
    "error[E0308]: x\n --> a.rs:1:1\n",
    Some("cargo check"),
    "rustc",
    EvidenceKind::Typecheck,
    Outcome::Failed
)]
#[case(
    "warning: x\n --> a.rs:1:1\n  = note: `#[warn(clippy::y)]` on by default\n    Finished `dev` profile [unoptimized] target(s) in 0.1s\n",
    None,
    "clippy",
    EvidenceKind::Lint,
    Outcome::Passed
)]
#[case(
    "a.py:3: error: Bad type  [assignment]\nFound 1 error in 1 file (checked 1 source file)\n",
    None,
    "mypy",
    EvidenceKind::Typecheck,
    Outcome::Failed
)]
#[case(
    "Success: no issues found in 3 source files\n",
    None,
    "mypy",
    EvidenceKind::Typecheck,
    Outcome::Passed
)]
#[case(
    "All checks passed!\n",
    None,
    "ruff",
    EvidenceKind::Lint,
    Outcome::Passed
)]
#[case(
    "0 errors, 0 warnings, 0 informations\n",
    None,
    "pyright",
    EvidenceKind::Typecheck,
    Outcome::Passed
)]
#[case(
    "# m/p\n./main.go:4:6: declared and not used: x\n",
    Some("go build ./..."),
    "go",
    EvidenceKind::Compile,
    Outcome::Failed
)]
#[case(
    "a.py:1:1: F401 'os' imported but unused\n",
    Some("cd x && python -m flake8 ."),
    "flake8",
    EvidenceKind::Lint,
    Outcome::Unknown
)]
#[case(
    "[INFO] BUILD FAILURE\n",
    None,
    "maven",
    EvidenceKind::Build,
    Outcome::Failed
)]
#[case(
    "BUILD SUCCESSFUL in 3s\n",
    None,
    "gradle",
    EvidenceKind::Build,
    Outcome::Passed
)]
#[case(
    "make: *** [Makefile:3: all] Error 1\n",
    None,
    "make",
    EvidenceKind::Build,
    Outcome::Failed
)]
#[case(
    "collect2: error: ld returned 1 exit status\n",
    None,
    "ld",
    EvidenceKind::Compile,
    Outcome::Failed
)]
fn the_speaker_is_known(
    #[case] text: &str,
    #[case] command: Option<&str>,
    #[case] tool: &str,
    #[case] kind: EvidenceKind,
    #[case] outcome: Outcome,
) {
    let found = recognize(text, command, Exit::Unknown);
    let evidence = of(&found, tool);
    assert_eq!(
        (evidence.kind, evidence.outcome),
        (kind, outcome),
        "{evidence:#?}"
    );
}

#[test]
fn codes_are_kept() {
    let found = read(
        "a.cs(1,2): error CS0103: The name 'x' does not exist\nb.sh:3:5: warning: Quote this [SC2086]\n",
    );
    let codes: Vec<_> = found
        .iter()
        .flat_map(|evidence| &evidence.diagnostics)
        .map(|one| one.code.as_deref())
        .collect();
    assert_eq!(codes, [Some("CS0103"), Some("SC2086")]);
}

#[rstest]
#[case("total 5\n-rw-r--r-- 1 root root 123 Nov 22 14:05 a.rs\n")]
#[case("14:05:33 server started at http://localhost:8080/a.html\n")]
#[case("    at Object.<anonymous> (src/a.js:1:2)\n")]
#[case("Everything went well: 3 files, 12:30, see README.md\n")]
fn ordinary_text_is_no_evidence(#[case] text: &str) {
    assert_eq!(read(text), []);
}
