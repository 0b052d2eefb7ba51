//! Namespaces by way of bubblewrap, for systems that let it make them and nobody else. It refuses to be found through
//! `PATH`: only the system's own copy is used.

use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::spec::{Spec, Status};

/// Where systems keep bubblewrap.
const PROGRAMS: &[&str] = &["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"];

/// Finds bubblewrap.
pub(super) fn program() -> Option<PathBuf> {
    PROGRAMS
        .iter()
        .map(PathBuf::from)
        .find(|path| path.is_file())
}

/// Puts together the call that runs a launcher inside.
pub(super) fn command(program: &Path, launcher: &Path, spec: &Spec, status: &Status) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "bubblewrap is one of the ways to confine a command"
    )]
    let mut command = Command::new(program);
    command
        .env_clear()
        .stdin(Stdio::piped())
        .arg("--unshare-all")
        .args(["--die-with-parent", "--new-session"]);
    command.args(["--hostname", "wayproof", "--cap-drop", "ALL"]);
    for path in &spec.places.scratch {
        command.arg("--tmpfs").arg(path);
    }
    let mut shown: Vec<(&PathBuf, &str)> = spec
        .places
        .read_only
        .iter()
        .map(|path| (path, "--ro-bind"))
        .collect();
    shown.extend(spec.places.writable.iter().map(|path| (path, "--bind")));
    shown.sort_by(|one, other| one.0.cmp(other.0));
    for (path, option) in shown {
        command.arg(option).arg(path).arg(path);
    }
    for (path, target) in &spec.places.links {
        let is_shown = spec
            .places
            .read_only
            .iter()
            .chain(&spec.places.writable)
            .any(|shown| path.starts_with(shown));
        if !is_shown {
            command.arg("--symlink").arg(target).arg(path);
        }
    }
    command
        .args(["--proc", "/proc", "--dev", "/dev", "--ro-bind"])
        .arg(launcher)
        .arg("/.wayproof");
    command.args([
        "--",
        "/.wayproof",
        "sandbox-exec",
        "--inside",
        &status.file().as_raw_fd().to_string(),
    ]);
    command
}
