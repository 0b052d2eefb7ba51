//! Limits hold, and nothing outlives its run.

use std::time::Duration;

use wayproof_proof::OverLimit;

use super::{Bench, command_lines, out};

#[test]
fn time_runs_out() {
    let mut bench = Bench::sh("sleep 86399");
    bench.confined.limits.wall = Duration::from_millis(200);
    let ran = bench.run();
    assert!(ran.is_timed_out);
    assert_eq!((ran.exit, ran.signal), (None, Some(libc::SIGKILL)));
    assert!(
        !command_lines()
            .iter()
            .any(|line| line.contains("sleep 86399"))
    );
}

#[test]
fn processor_time_runs_out() {
    let mut bench = Bench::perl("1 while 1");
    bench.confined.limits.cpu_s = 1;
    let ran = bench.run();
    assert!(
        matches!(ran.signal, Some(libc::SIGXCPU | libc::SIGKILL)),
        "{ran:?}"
    );
    assert!(!ran.is_timed_out);
}

#[test]
fn a_fork_bomb_is_stopped() {
    let mut bench =
        Bench::perl("while (1) { my $p = fork; if (defined $p && !$p) { 1 while sleep 86398 } }");
    bench.confined.limits.processes = 64;
    bench.confined.limits.wall = Duration::from_secs(20);
    let ran = bench.run();
    assert!(
        ran.over_limit == Some(OverLimit::Processes) || ran.is_timed_out,
        "{ran:?}"
    );
    assert!(
        !command_lines()
            .iter()
            .any(|line| line.contains("sleep 86398"))
    );
}

#[test]
fn a_memory_bomb_is_stopped() {
    let mut bench =
        Bench::perl("my $x = ''; my @x; while (1) { push @x, 'a' x (1 << 20) } print 'survived'");
    bench.confined.limits.memory_bytes = 128 << 20;
    let ran = bench.run();
    assert_ne!(ran.exit, Some(0), "{ran:?}");
    assert!(!out(&ran).contains("survived"));
}

#[test]
fn memory_is_counted_over_all_processes() {
    let mut bench = Bench::perl(
        "for (1..8) { if (!fork) { my @x; push @x, 'a' x (1 << 20) for 1..40; sleep 86397 } } sleep 86397",
    );
    bench.confined.limits.memory_bytes = 128 << 20;
    let ran = bench.run();
    assert_eq!(ran.over_limit, Some(OverLimit::Memory), "{ran:?}");
    assert!(!command_lines().iter().any(|line| line.contains("86397")));
}

#[test]
fn a_scratch_directory_cannot_eat_the_memory() {
    let mut bench = Bench::sh("head -c 200000000 /dev/zero > /tmp/big && echo wrote");
    bench.confined.limits.memory_bytes = 64 << 20;
    let ran = bench.run();
    assert_eq!(out(&ran), "");
}

#[test]
fn a_file_cannot_grow_without_end() {
    let mut bench = Bench::sh("head -c 5000000 /dev/zero > big && echo wrote");
    bench.confined.limits.file_bytes = 1 << 20;
    let ran = bench.run();
    assert_eq!(out(&ran), "");
    assert!(std::fs::metadata(bench.path().join("big")).unwrap().len() <= 1 << 20);
}

#[test]
fn an_output_flood_keeps_its_beginning_and_its_end() {
    let mut bench =
        Bench::perl("print 'begin', 'x' x 50_000_000, 'end'; print STDERR 'y' x 3_000_000");
    bench.confined.limits.output_bytes = 10_000;
    let ran = bench.run();
    assert!(ran.is_truncated);
    let text = out(&ran);
    assert!(
        text.starts_with("begin") && text.ends_with("end") && text.contains(" bytes left out]")
    );
    assert!(text.len() < 11_000 && ran.stderr.len() < 11_000);
}

#[test]
fn output_within_bounds_is_whole() {
    let mut bench = Bench::perl("print 'x' x 10_000");
    bench.confined.limits.output_bytes = 10_000;
    let ran = bench.run();
    assert_eq!((ran.stdout.len(), ran.is_truncated), (10_000, false));
}

#[test]
fn children_that_want_to_outlive_their_parent_do_not() {
    let ran = Bench::sh(
        "setsid sh -c 'trap \"\" HUP TERM; sleep 86396' >/dev/null 2>&1 & (sleep 86396 &) ; exit 0",
    )
    .run();
    assert_eq!(ran.exit, Some(0));
    assert!(!command_lines().iter().any(|line| line.contains("86396")));
}
