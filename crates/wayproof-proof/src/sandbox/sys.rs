//! The system calls no safe interface exists for. It is the only place in the workspace where code is unsafe, and it
//! refuses to hold anything else.
#![expect(
    unsafe_code,
    reason = "fork, unshare, mount_setattr, the loopback ioctls and close_range have no safe wrapper"
)]

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rustix::process::Pid;
use rustix::thread::UnshareFlags;

/// What a child exits with when its code panicked.
const PANICKED: i32 = 91;

/// The flag of an interface that is up, in the width the kernel keeps flags in.
const UP: libc::c_short = 1;

/// How a mount is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This mount alone.
    One,
    /// This mount and all below it.
    All,
}

/// Runs a closure in a child process, which exits with what the closure returns.
pub(super) fn fork(child: impl FnOnce() -> i32) -> io::Result<Pid> {
    // SAFETY: the launcher has one thread when it gets here, so no lock is held by a thread that the child lacks.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        let code = catch_unwind(AssertUnwindSafe(child)).unwrap_or(PANICKED);
        // SAFETY: `_exit` takes any status and does not return; nothing of the parent's is flushed or dropped twice.
        unsafe { libc::_exit(code) }
    }
    Pid::from_raw(pid)
        .filter(|_| pid > 0)
        .ok_or_else(io::Error::last_os_error)
}

/// Leaves namespaces for fresh ones.
pub(super) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    // SAFETY: the launcher never asks for a file table of its own, the one thing that could pull a descriptor away
    // from under safe code.
    unsafe { rustix::thread::unshare_unsafe(flags.difference(UnshareFlags::FILES)) }
}

/// Sets attributes of a mount (`MOUNT_ATTR_*`).
pub(super) fn set_mount_attributes(path: &Path, attributes: u64, reach: Reach) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    let request = libc::mount_attr {
        attr_set: attributes,
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let flags = match reach {
        Reach::One => 0,
        Reach::All => libc::AT_RECURSIVE,
    };
    // SAFETY: the path ends in NUL, the request has the size that is passed, and both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            libc::AT_FDCWD,
            path.as_ptr(),
            flags,
            &raw const request,
            size_of::<libc::mount_attr>(),
        )
    };
    check(result)
}

/// Brings the loopback interface of the current network namespace up.
pub(super) fn raise_loopback() -> io::Result<()> {
    // SAFETY: `socket` takes plain numbers and gives a descriptor or -1.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    check(i64::from(socket))?;
    // SAFETY: an all-zero `ifreq` is a valid one with an empty name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(*b"lo") {
        *to = from.cast_signed();
    }
    // SAFETY: the request is a complete `ifreq` that outlives the call, and the flags are the member this call fills.
    let read = check(i64::from(unsafe {
        libc::ioctl(socket, libc::SIOCGIFFLAGS, &raw mut request)
    }));
    let result = read.and_then(|()| {
        // SAFETY: the call above filled the flags member of the union.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        request.ifr_ifru.ifru_flags = flags | UP;
        // SAFETY: the request is a complete `ifreq` that outlives the call.
        check(i64::from(unsafe {
            libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request)
        }))
    });
    // SAFETY: the descriptor was opened above, is owned here and not used again.
    unsafe { libc::close(socket) };
    result
}

/// Marks every descriptor beside the standard ones to be closed when a program is started.
pub(super) fn close_on_exec() -> io::Result<()> {
    // SAFETY: the call takes plain numbers; with this flag it closes nothing now.
    let result = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            u32::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    check(result)
}

/// Turns the -1 of a system call into its error.
fn check(result: i64) -> io::Result<()> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
