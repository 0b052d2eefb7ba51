//! What an honest command needs works.

use std::path::PathBuf;

use rstest::rstest;
use wayproof_proof::{IsolationFloor, Sandbox, SandboxError};

use super::{Bench, launcher, out};

#[test]
fn a_command_runs_and_everything_holds() {
    let ran = Bench::sh("echo hello; echo trouble >&2; exit 3").run();
    assert_eq!(
        (ran.exit, ran.signal, ran.is_timed_out, ran.is_truncated),
        (Some(3), None, false, false)
    );
    assert_eq!(out(&ran), "hello\n");
    assert_eq!(ran.stderr, b"trouble\n");
    for mechanism in [
        "userns",
        "mountns",
        "pidns",
        "netns",
        "ipcns",
        "utsns",
        "rlimits",
        "no-new-privs",
        "seccomp",
    ] {
        assert!(
            ran.isolation.iter().any(|held| held == mechanism),
            "{mechanism} is not in {:?}",
            ran.isolation
        );
    }
    assert!(
        ran.isolation
            .iter()
            .any(|held| held.starts_with("landlock-abi")),
        "{:?}",
        ran.isolation
    );
}

#[test]
fn a_death_by_signal_is_told_from_an_exit() {
    let ran = Bench::sh("kill -SEGV $$").run();
    assert_eq!((ran.exit, ran.signal), (None, Some(libc::SIGSEGV)));
}

#[test]
fn the_environment_is_what_was_given_and_a_home() {
    let mut bench = Bench::new(&["env"]);
    bench.confined.env.insert("CI".to_owned(), "1".to_owned());
    bench
        .confined
        .env
        .insert("PATH".to_owned(), "/usr/bin:/bin".to_owned());
    let ran = bench.run();
    let mut lines: Vec<_> = out(&ran).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines, ["CI=1", "HOME=/home/wayproof", "PATH=/usr/bin:/bin"]);
}

#[test]
fn writable_places_keep_what_is_written_and_scratch_does_not() {
    let bench = Bench::sh(
        "echo kept > file && echo gone > /tmp/scratch && echo gone > $HOME/scratch && cat /tmp/scratch",
    );
    let ran = bench.run();
    assert_eq!(
        ran.exit,
        Some(0),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert_eq!(
        std::fs::read_to_string(bench.path().join("file")).unwrap(),
        "kept\n"
    );
    assert!(!PathBuf::from("/tmp/scratch").exists());
}

#[test]
fn a_server_on_the_own_loopback_can_be_reached() {
    let ran = Bench::perl(
        "use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen=>1, LocalAddr=>'127.0.0.1') or die \"listen $!\";
         my $c = IO::Socket::INET->new(PeerAddr=>'127.0.0.1', PeerPort=>$s->sockport) or die \"connect $!\"; print 'ok'",
    )
    .run();
    assert_eq!(out(&ran), "ok", "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn a_given_readable_place_is_readable_through_links() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("real")).unwrap();
    std::fs::write(folder.path().join("real/data"), "seen").unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    let link = folder.path().join("link");
    let mut bench = Bench::sh(&format!("cat {}/data", link.display()));
    bench.confined.readable.push(link);
    let ran = bench.run();
    assert_eq!(
        out(&ran),
        "seen",
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn a_place_inside_the_callers_home_can_be_worked_in() {
    let folder = tempfile::tempdir_in(std::env::home_dir().unwrap()).unwrap();
    let mut bench = Bench::sh("echo x > made && pwd");
    bench.confined.cwd = folder.path().to_owned();
    bench.confined.writable = vec![folder.path().to_owned()];
    let ran = bench.run();
    assert_eq!(out(&ran).trim(), folder.path().to_str().unwrap());
    assert!(folder.path().join("made").exists());
}

#[rstest]
#[case(&["cargo", "--version"], "cargo ")]
#[case(&["rustc", "--version"], "rustc ")]
#[case(&["git", "--version"], "git version")]
fn the_callers_toolchains_start(#[case] argv: &[&str], #[case] expected: &str) {
    let mut bench = Bench::new(argv);
    let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
    bench.confined.env.insert("PATH".to_owned(), path);
    let ran = bench.run();
    assert!(
        out(&ran).starts_with(expected),
        "{} {}",
        out(&ran),
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn what_cannot_be_run_is_said() {
    let sandbox = Sandbox::new(launcher(), IsolationFloor::Namespaces);
    let error = |bench: &Bench| sandbox.run(&bench.confined).unwrap_err();
    assert!(matches!(
        error(&Bench::new(&[])),
        SandboxError::EmptyCommand
    ));
    let missing = error(&Bench::new(&["no-such-program"]));
    assert!(
        matches!(&missing, SandboxError::CannotStart { program, .. } if program == "no-such-program"),
        "{missing}"
    );
    let mut bench = Bench::sh("true");
    bench.confined.cwd = PathBuf::from("/var");
    assert!(matches!(error(&bench), SandboxError::OutsidePlaces(_)));
    bench.confined.cwd = PathBuf::from("/nowhere");
    assert!(matches!(error(&bench), SandboxError::Missing(_)));
    let mut bench = Bench::sh("true");
    bench.confined.writable.push(PathBuf::from("/nowhere"));
    assert!(matches!(error(&bench), SandboxError::Missing(_)));
    let other = Sandbox::new(
        PathBuf::from("/nowhere/launcher"),
        IsolationFloor::BestEffort,
    );
    assert!(matches!(
        other.run(&Bench::sh("true").confined),
        Err(SandboxError::Launcher { .. })
    ));
    let other = Sandbox::new(PathBuf::from("/bin/false"), IsolationFloor::BestEffort);
    assert!(matches!(
        other.run(&Bench::sh("true").confined),
        Err(SandboxError::NoResult(_))
    ));
}
