//! Entering fresh namespaces. It refuses to gain a user or group it did not have: each is mapped to itself.

use std::fs;

use rustix::process::{getegid, geteuid};
use rustix::thread::UnshareFlags;

use super::spec::Status;
use super::sys;

/// The namespaces a command gets, with the words a receipt uses for them.
const NAMESPACES: &[(UnshareFlags, &str)] = &[
    (UnshareFlags::NEWUSER, "userns"),
    (UnshareFlags::NEWNS, "mountns"),
    (UnshareFlags::NEWPID, "pidns"),
    (UnshareFlags::NEWNET, "netns"),
    (UnshareFlags::NEWIPC, "ipcns"),
    (UnshareFlags::NEWUTS, "utsns"),
];

/// Puts this process into fresh namespaces; the PID namespace takes its next child as the first process.
pub(super) fn enter() -> Result<(), String> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let all = NAMESPACES
        .iter()
        .fold(UnshareFlags::empty(), |all, (flag, _)| all | *flag);
    sys::unshare(all).map_err(|error| format!("namespaces: {error}"))?;
    let write = |file: &str, text: String| {
        fs::write(format!("/proc/self/{file}"), text).map_err(|error| format!("{file}: {error}"))
    };
    write("setgroups", "deny".to_owned())?;
    write("uid_map", format!("{user} {user} 1"))?;
    write("gid_map", format!("{group} {group} 1"))?;
    rustix::system::sethostname(b"wayproof").map_err(|error| format!("hostname: {error}"))?;
    sys::raise_loopback().map_err(|error| format!("loopback: {error}"))
}

/// Says which namespaces hold.
pub(super) fn report(status: &Status) {
    for (_, name) in NAMESPACES {
        status.held(name);
    }
}
