//! Ways out, each tried and closed.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;

use rstest::rstest;

use super::{Bench, out};

#[test]
fn the_callers_home_cannot_be_read() {
    let home = std::env::home_dir().unwrap();
    let folder = tempfile::tempdir_in(&home).unwrap();
    std::fs::write(folder.path().join("id_ed25519"), "secret").unwrap();
    let script = format!(
        "cat {0}/id_ed25519 ~/.ssh/*; ls -A {0} {1}/.ssh",
        folder.path().display(),
        home.display()
    );
    let ran = Bench::sh(&script).run();
    assert_eq!(out(&ran), "");
    assert_ne!(ran.exit, Some(0));
}

#[rstest]
#[case("/etc/shadow")]
#[case("/var/log")]
#[case("/run")]
#[case("/root/.bash_history")]
#[case("/dev/sda")]
#[case("/dev/mem")]
#[case("/sys/kernel")]
#[case("/proc/1/environ")]
#[case("/proc/1/root/etc")]
#[case("/proc/1/cwd/etc")]
fn the_rest_of_the_machine_is_not_there(#[case] path: &str) {
    let ran = Bench::sh(&format!("cat {path} {path}/*")).run();
    assert_eq!(out(&ran), "");
    assert_ne!(ran.exit, Some(0));
}

#[test]
fn a_link_in_a_writable_place_leads_nowhere() {
    let secret = tempfile::tempdir().unwrap();
    std::fs::write(secret.path().join("key"), "secret").unwrap();
    let bench = Bench::sh("cat out/key; echo forged > out/new");
    std::os::unix::fs::symlink(secret.path(), bench.path().join("out")).unwrap();
    let ran = bench.run();
    assert_eq!(out(&ran), "");
    assert!(!secret.path().join("new").exists());
}

#[test]
fn nothing_outside_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Bench::sh(
        "for place in / /usr /usr/bin /etc /dev /proc/sys/kernel \"$READABLE\"; do
             echo x > $place/wayproof-escape 2>/dev/null && echo wrote $place; done
         echo x > /proc/sys/kernel/core_pattern && echo wrote core_pattern
         echo 99 > /proc/sys/kernel/pid_max && echo wrote pid_max
         mv /usr/bin/env /usr/bin/env2 && echo moved; ln -s /x /etc/wayproof-escape && echo linked",
    );
    bench.confined.readable.push(folder.path().to_owned());
    bench.confined.env.insert(
        "READABLE".to_owned(),
        folder.path().to_str().unwrap().to_owned(),
    );
    let ran = bench.run();
    assert_eq!(out(&ran), "");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_server_of_the_machine_cannot_be_reached() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let ran = Bench::perl(&format!(
        "use IO::Socket::INET; print IO::Socket::INET->new(PeerAddr=>'127.0.0.1', PeerPort=>{}) ? 'in' : 'out'",
        server.local_addr().unwrap().port()
    ))
    .run();
    assert_eq!(out(&ran), "out");
    assert!(server.accept().is_err());
}

#[test]
fn no_other_network_is_there() {
    let ran = Bench::sh(
        "cat /proc/net/dev | grep -v '|' | cut -d: -f1; cat /proc/net/route | tail -n +2",
    )
    .run();
    assert_eq!(out(&ran).trim(), "lo");
}

#[test]
fn a_unix_socket_of_the_machine_cannot_be_reached() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = UnixListener::bind(&path).unwrap();
    server.set_nonblocking(true).unwrap();
    let ran = Bench::perl(&format!(
        "use IO::Socket::UNIX; print IO::Socket::UNIX->new(Peer=>'{}') ? 'in' : 'out'",
        path.display()
    ))
    .run();
    assert_eq!(out(&ran), "out");
    assert!(server.accept().is_err());
}

#[rstest]
#[case(libc::SYS_ptrace, "0, 0, 0, 0", libc::EPERM)]
#[case(libc::SYS_mount, "'none', '/tmp', 'tmpfs', 0, 0", libc::EPERM)]
#[case(libc::SYS_umount2, "'/tmp', 2", libc::EPERM)]
#[case(libc::SYS_pivot_root, "'/tmp', '/tmp'", libc::EPERM)]
#[case(libc::SYS_chroot, "'/tmp'", libc::EPERM)]
#[case(libc::SYS_unshare, "0x10000000", libc::EPERM)]
#[case(libc::SYS_setns, "0, 0", libc::EPERM)]
#[case(libc::SYS_clone, "0x10000011, 0, 0, 0, 0", libc::EPERM)]
#[case(libc::SYS_clone3, "0, 0", libc::ENOSYS)]
#[case(libc::SYS_bpf, "0, 0, 0", libc::EPERM)]
#[case(libc::SYS_keyctl, "0, 0, 0, 0, 0", libc::EPERM)]
#[case(libc::SYS_add_key, "'user', 'a', 'b', 1, 0", libc::EPERM)]
#[case(libc::SYS_userfaultfd, "0", libc::EPERM)]
#[case(libc::SYS_perf_event_open, "0, 0, 0, 0, 0", libc::EPERM)]
#[case(libc::SYS_process_vm_readv, "1, 0, 0, 0, 0, 0", libc::EPERM)]
#[case(libc::SYS_io_uring_setup, "1, 0", libc::ENOSYS)]
#[case(libc::SYS_open_by_handle_at, "0, 0, 0", libc::EPERM)]
#[case(libc::SYS_init_module, "0, 0, 0", libc::EPERM)]
#[case(libc::SYS_sethostname, "'x', 1", libc::EPERM)]
#[case(libc::SYS_socket, "2, 3, 1", libc::EPERM)]
#[case(libc::SYS_socket, "17, 3, 0", libc::EPERM)]
#[case(libc::SYS_socket, "38, 5, 0", libc::EPERM)]
#[case(libc::SYS_socket, "40, 1, 0", libc::EPERM)]
#[case(libc::SYS_ioctl, "0, 0x5412, 0", libc::EPERM)]
fn a_dangerous_system_call_is_refused(
    #[case] number: i64,
    #[case] arguments: &str,
    #[case] errno: i32,
) {
    let ran = Bench::perl(&format!(
        "my @a = ({arguments}); my $r = syscall({number}, @a); print $r < 0 ? $!+0 : 'allowed'"
    ))
    .run();
    assert_eq!(
        out(&ran),
        errno.to_string(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[test]
fn no_privilege_is_held_or_can_be_had() {
    let ran = Bench::sh(
        "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status",
    )
    .run();
    let text = out(&ran);
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
            .trim()
            .to_owned()
    };
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(value(set), "0000000000000000", "{set}");
    }
    assert_eq!(
        (value("NoNewPrivs:").as_str(), value("Seccomp:").as_str()),
        ("1", "2")
    );
}

#[test]
fn only_its_own_processes_are_seen_and_the_first_cannot_be_killed() {
    let ran = Bench::sh(
        "kill -9 1 2>/dev/null; kill -TERM 1 2>/dev/null; ls -d /proc/[0-9]* | wc -l; echo alive",
    )
    .run();
    let text = out(&ran);
    let (count, alive) = text.trim().split_once('\n').unwrap();
    assert!(count.trim().parse::<u32>().unwrap() <= 4, "{count}");
    assert_eq!(alive, "alive");
    assert_eq!(ran.exit, Some(0));
}

#[test]
fn the_result_cannot_be_forged() {
    let ran = Bench::sh(
        "for fd in /proc/self/fd/* /proc/1/fd/* /proc/$$/fd/*; do
             echo '{\"Ended\":{\"exit\":0,\"signal\":null,\"is_timed_out\":false,\"over_limit\":null}}' >> $fd; done
         find / -maxdepth 3 -name status -path '*wayproof*'; exit 7",
    )
    .run();
    assert_eq!(ran.exit, Some(7));
    assert!(!out(&ran).contains("wayproof-sandbox"), "{}", out(&ran));
}
