//! Less isolation is still isolation, and is said. A sandbox inside a sandbox gets no namespaces, which makes the
//! poorer machine to test on; an ordinary user makes the other.

use std::path::PathBuf;

use wayproof_proof::{IsolationFloor, Sandbox, SandboxError};

use super::{Bench, command_lines, launcher, out};

const MARK: &str = "WAYPROOF_TEST_INNER";

/// Runs one test of this file again, inside the sandbox.
fn run_inside(test: &str) -> String {
    let program = std::env::current_exe().unwrap();
    let mut bench = Bench::new(&[program.to_str().unwrap(), "--exact", test, "--nocapture"]);
    bench.confined.env.insert(MARK.to_owned(), "1".to_owned());
    bench.confined.readable = vec![program, launcher()];
    let ran = bench.run();
    assert_eq!(
        ran.exit,
        Some(0),
        "{}\n{}",
        out(&ran),
        String::from_utf8_lossy(&ran.stderr)
    );
    out(&ran)
}

fn is_inside() -> bool {
    std::env::var_os(MARK).is_some()
}

#[test]
fn without_namespaces_the_rest_still_holds() {
    if !is_inside() {
        run_inside("sandbox::degraded::without_namespaces_the_rest_still_holds");
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    let mut bench = Bench::sh(
        "echo in > here; echo x > $OUT/there; ls $OUT; echo home > $HOME/x && cat $HOME/x; setsid sleep 86395 & exit 5",
    );
    bench.confined.env.insert(
        "OUT".to_owned(),
        outside.path().to_str().unwrap().to_owned(),
    );
    let ran = Sandbox::new(launcher(), IsolationFloor::NoNetwork)
        .run(&bench.confined)
        .unwrap();
    assert_eq!(ran.exit, Some(5), "{ran:?}");
    assert_eq!(out(&ran), "home\n");
    assert!(bench.path().join("here").exists() && !outside.path().join("there").exists());
    assert!(
        !command_lines()
            .iter()
            .any(|line| line.contains("sleep 86395"))
    );
    for lacking in ["userns", "netns", "bwrap"] {
        assert!(
            !ran.isolation.iter().any(|held| held == lacking),
            "{:?}",
            ran.isolation
        );
    }
    for held in ["rlimits", "seccomp", "seccomp-no-inet"] {
        assert!(
            ran.isolation.iter().any(|one| one == held),
            "{:?}",
            ran.isolation
        );
    }
}

#[test]
fn without_namespaces_there_are_no_internet_sockets() {
    if !is_inside() {
        run_inside("sandbox::degraded::without_namespaces_there_are_no_internet_sockets");
        return;
    }
    let bench =
        Bench::perl("use Socket; print socket(my $s, PF_INET, SOCK_STREAM, 0) ? 'open' : $!+0");
    let ran = Sandbox::new(launcher(), IsolationFloor::NoNetwork)
        .run(&bench.confined)
        .unwrap();
    assert_eq!(out(&ran), libc::EPERM.to_string());
}

#[test]
fn a_floor_that_cannot_be_held_is_an_error() {
    if !is_inside() {
        run_inside("sandbox::degraded::a_floor_that_cannot_be_held_is_an_error");
        return;
    }
    let bench = Bench::sh("echo ran > proof");
    let error = Sandbox::new(launcher(), IsolationFloor::Namespaces)
        .run(&bench.confined)
        .unwrap_err();
    assert!(matches!(error, SandboxError::BelowFloor { .. }), "{error}");
    assert!(!bench.path().join("proof").exists());
}

#[test]
fn bubblewrap_keeps_a_command_apart_as_well() {
    let outside = tempfile::tempdir().unwrap();
    let script = format!(
        "echo in > here; ls {}; echo home > $HOME/x && cat $HOME/x; cat /etc/shadow; setsid sleep 86394 & exit 5",
        outside.path().display()
    );
    let bench = Bench::sh(&script);
    std::fs::write(outside.path().join("secret"), "x").unwrap();
    let sandbox = Sandbox::new(launcher(), IsolationFloor::Namespaces).bwrap_first();
    let ran = sandbox.run(&bench.confined).unwrap();
    assert_eq!(ran.exit, Some(5), "{ran:?}");
    assert_eq!(out(&ran), "home\n");
    assert!(bench.path().join("here").exists());
    assert!(
        !command_lines()
            .iter()
            .any(|line| line.contains("sleep 86394"))
    );
    for held in ["bwrap", "userns", "netns", "pidns", "seccomp", "rlimits"] {
        assert!(
            ran.isolation.iter().any(|one| one == held),
            "{:?}",
            ran.isolation
        );
    }
}

#[test]
fn an_ordinary_user_gets_the_same() {
    if is_inside() {
        let ran = Bench::sh("id -u; echo x > here").run();
        assert_eq!(
            out(&ran).trim(),
            rustix::process::geteuid().as_raw().to_string()
        );
        assert!(
            ran.isolation.iter().any(|held| held == "netns"),
            "{:?}",
            ran.isolation
        );
        return;
    }
    // As an ordinary user every other test of this module shows it already.
    let program = std::env::current_exe().unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        as_nobody(&[program])
    } else {
        #[expect(clippy::disallowed_methods, reason = "the test runs itself")]
        std::process::Command::new(program)
    };
    let output = command
        .args([
            "--exact",
            "sandbox::degraded::an_ordinary_user_gets_the_same",
            "--nocapture",
        ])
        .env(MARK, "1")
        .current_dir("/")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Puts a program into the hands of the user nobody.
fn as_nobody(program: &[PathBuf]) -> std::process::Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the test runs itself as somebody else"
    )]
    let mut command = std::process::Command::new("setpriv");
    command
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args(program);
    command
}
