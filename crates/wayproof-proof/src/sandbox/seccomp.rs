//! The system calls a test never needs and an escape might. It refuses to be a list of everything allowed: programs
//! under test differ too much for that.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// Whether sockets to the internet are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sockets {
    /// They are, since the network they reach is the command's own.
    Any,
    /// They are not.
    Local,
}

/// Calls that fail with "not permitted", whatever their arguments.
const DENIED: &[i64] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kcmp,
    libc::SYS_kexec_file_load,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
];

/// Calls that fail as if the kernel did not have them, so that programs take their older way.
const ABSENT: &[i64] = &[
    libc::SYS_clone3,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
];

/// Kinds of namespaces `clone` could ask for.
const NEW_NAMESPACES: &[i32] = &[
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// Families of sockets that talk to the kernel or to the machine around.
const DENIED_FAMILIES: &[i32] = &[
    libc::AF_PACKET,
    libc::AF_ALG,
    libc::AF_VSOCK,
    libc::AF_KEY,
    libc::AF_XDP,
];
/// Families of sockets that reach a network.
const INTERNET_FAMILIES: &[i32] = &[libc::AF_INET, libc::AF_INET6];

/// Installs the filters. They hold for this process and everything it starts.
pub(super) fn apply(sockets: Sockets) -> Result<(), String> {
    for program in [denied(sockets)?, absent()?] {
        seccompiler::apply_filter(&program).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Makes the filter of forbidden calls.
fn denied(sockets: Sockets) -> Result<BpfProgram, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        DENIED.iter().map(|call| (*call, Vec::new())).collect();
    let clone = NEW_NAMESPACES
        .iter()
        .map(|flag| rule(0, masked(*flag), *flag))
        .collect::<Result<Vec<_>, _>>()?;
    rules.insert(libc::SYS_clone, clone);
    let families = match sockets {
        Sockets::Any => DENIED_FAMILIES.to_vec(),
        Sockets::Local => [DENIED_FAMILIES, INTERNET_FAMILIES].concat(),
    };
    let mut socket = families
        .iter()
        .map(|family| rule(0, SeccompCmpOp::Eq, *family))
        .collect::<Result<Vec<_>, _>>()?;
    // The low bits of the second argument are the type; the rest are flags.
    socket.push(rule(1, SeccompCmpOp::MaskedEq(0xf), libc::SOCK_RAW)?);
    rules.insert(libc::SYS_socket, socket);
    // Putting characters into a terminal's input would run them in the shell that owns it.
    rules.insert(
        libc::SYS_ioctl,
        vec![request(libc::TIOCSTI)?, request(libc::TIOCLINUX)?],
    );
    compile(rules, libc::EPERM)
}

/// Makes the filter of calls that are not there.
fn absent() -> Result<BpfProgram, String> {
    compile(
        ABSENT.iter().map(|call| (*call, Vec::new())).collect(),
        libc::ENOSYS,
    )
}

/// Compares all bits of a flag and no others.
fn masked(flag: i32) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(u64::from(flag.cast_unsigned()))
}

/// Makes a rule on one argument.
fn rule(argument: u8, operation: SeccompCmpOp, value: i32) -> Result<SeccompRule, String> {
    let value = u64::from(value.cast_unsigned());
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operation, value);
    condition
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| error.to_string())
}

/// Makes a rule on the request of an `ioctl`.
fn request(number: libc::Ioctl) -> Result<SeccompRule, String> {
    let condition = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, number);
    condition
        .and_then(|condition| SeccompRule::new(vec![condition]))
        .map_err(|error| error.to_string())
}

/// Turns rules into a program for this machine; calls of another architecture end the process.
fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, String> {
    let arch = std::env::consts::ARCH
        .try_into()
        .map_err(|error| format!("{error:?}"))?;
    let refusal = SeccompAction::Errno(errno.cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refusal, arch)
        .and_then(TryInto::try_into)
        .map_err(|error| error.to_string())
}
