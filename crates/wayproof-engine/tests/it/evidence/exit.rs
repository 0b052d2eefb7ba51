//! Exit status against text, and what the command line tells.

use rstest::rstest;
use wayproof_engine::{EvidenceKind, Outcome, recognize};
use wayproof_wire::Exit;

use super::of;

#[rstest]
#[case(Exit::Code(1))]
#[case(Exit::Code(137))]
#[case(Exit::Failed)]
fn a_failed_command_gives_no_pass(#[case] exit: Exit) {
    for text in [
        "=== 5 passed in 0.1s ===\n",
        "test result: ok. 5 passed; 0 failed; 0 ignored\n",
        "All tests passed!\n",
        "BUILD SUCCESSFUL in 3s\n",
        "ok  \tm/p\t0.1s\n",
        "",
    ] {
        let found = recognize(text, Some("make check"), exit);
        assert!(
            found
                .iter()
                .all(|evidence| evidence.outcome != Outcome::Passed),
            "{found:#?}"
        );
        assert!(
            found
                .iter()
                .any(|evidence| evidence.outcome == Outcome::Failed),
            "{found:#?}"
        );
    }
}

#[rstest]
#[case("All tests passed!\n")]
#[case("I ran the tests and they are green: 12 passed.\n")]
#[case("OK\n")]
#[case("PASS\n")]
fn prose_gives_no_pass(#[case] text: &str) {
    for exit in [Exit::Unknown, Exit::Succeeded, Exit::Code(0)] {
        let found = recognize(text, None, exit);
        assert!(
            found
                .iter()
                .all(|evidence| evidence.outcome != Outcome::Passed),
            "{found:#?}"
        );
    }
}

#[test]
fn a_pipe_that_hides_the_status_hides_no_failure() {
    let found = recognize(
        "=== 1 failed, 4 passed in 0.1s ===\n",
        Some("pytest | tail -3"),
        Exit::Code(0),
    );
    assert_eq!(of(&found, "pytest").outcome, Outcome::Failed);
}

#[rstest]
#[case("tsc --noEmit", "tsc", EvidenceKind::Typecheck)]
#[case("cd web && npx tsc -p . 2>&1", "tsc", EvidenceKind::Typecheck)]
#[case("bash -lc 'go vet ./...'", "go-vet", EvidenceKind::Lint)]
#[case(
    "RUSTFLAGS=-Dwarnings cargo fmt --check",
    "rustfmt",
    EvidenceKind::Lint
)]
fn silence_of_a_silent_checker_is_a_pass(
    #[case] command: &str,
    #[case] tool: &str,
    #[case] kind: EvidenceKind,
) {
    let found = recognize("\n", Some(command), Exit::Code(0));
    let evidence = of(&found, tool);
    assert_eq!((evidence.kind, evidence.outcome), (kind, Outcome::Passed));
}

#[rstest]
#[case("tsc --noEmit | head")]
#[case("tsc --noEmit; true")]
#[case("tsc --noEmit > out.txt")]
#[case("pytest -q")]
#[case("ls")]
fn other_silence_is_nothing(#[case] command: &str) {
    assert_eq!(recognize("", Some(command), Exit::Code(0)), []);
}

#[rstest]
#[case("cat build.log")]
#[case("cd x && grep -n 'a|b' notes.txt | head -5")]
#[case("git log -3; git diff")]
#[case("bash -lc \"sed -n 1,5p a.log && cat b.log\"")]
fn text_that_was_only_shown_is_no_evidence(#[case] command: &str) {
    let text = "=== 5 passed in 0.1s ===\nsrc/a.c:1:2: error: no\n";
    assert_eq!(recognize(text, Some(command), Exit::Code(0)), []);
}

#[test]
fn a_wrapped_command_is_not_mistaken_for_reading() {
    let text = "=== 5 passed in 0.1s ===\n";
    let found = recognize(text, Some("bash -lc 'cd x && pytest'"), Exit::Code(0));
    assert_eq!(of(&found, "pytest").outcome, Outcome::Passed);
}

#[rstest]
#[case("sh: 1: foo: not found\n", "sh: 1: foo: not found")]
#[case("bash: foo: command not found\n", "bash: foo: command not found")]
#[case(
    "Traceback (most recent call last):\n  File \"a.py\", line 1, in <module>\n    x\nNameError: name 'x' is not defined\n",
    "NameError: name 'x' is not defined"
)]
#[case(
    "thread 'main' panicked at src/main.rs:3:5:\nboom\n",
    "thread 'main' panicked at src/main.rs:3:5:"
)]
#[case("x\nfatal: not a git repository\n", "fatal: not a git repository")]
fn shells_and_run_times_complain(#[case] text: &str, #[case] message: &str) {
    for exit in [Exit::Unknown, Exit::Code(1)] {
        let found = recognize(text, None, exit);
        let shell = of(&found, "shell");
        assert_eq!(
            (shell.kind, shell.outcome),
            (EvidenceKind::Shell, Outcome::Failed)
        );
        assert_eq!(
            shell.diagnostics.first().map(|one| one.message.as_str()),
            Some(message)
        );
    }
    assert_eq!(recognize(text, None, Exit::Code(0)), []);
}
