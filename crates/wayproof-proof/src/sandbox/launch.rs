//! The launcher: the same binary, started again with one thread, that confines itself and then becomes the command.
//! It refuses to run from a terminal: what to run comes as a description on standard input.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use rustix::process::{
    DumpableBehavior, Pid, Signal, WaitOptions, set_dumpable_behavior,
    set_parent_process_death_signal, waitpid,
};

use super::spec::{Note, Spec, Status, Way};
use super::{IsolationFloor, bwrap, namespaces, private, root, supervise, sys};

/// What an attempt exits with when its way is closed.
const CLOSED: i32 = 90;
/// The most bytes of a description.
const SPEC_LIMIT: u64 = 16 << 20;

/// Runs the launcher with the arguments behind `sandbox-exec`. The calling program must not have started a thread.
pub fn sandbox_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // The launcher must not outlive whoever waits for it.
    let result = set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| error.to_string())
        .and_then(|()| match arguments.as_slice() {
            [] => outside(),
            [mark, descriptor] if mark == "--inside" => inside(&descriptor.to_string_lossy()),
            [..] => Err("this command is for wayproof itself".to_owned()),
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // Nobody may be reading any more; the exit code tells as well.
            writeln!(std::io::stderr(), "wayproof sandbox: {reason}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Reads the description of the command.
fn read_spec() -> Result<Spec, String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(SPEC_LIMIT)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| format!("unusable description: {error}"))
}

/// Tries each way until one is open.
fn outside() -> Result<(), String> {
    let spec = read_spec()?;
    let status = Status::open(&private::status_file(&spec.private))
        .map_err(|error| format!("status: {error}"))?;
    for way in spec.ways.iter().copied() {
        if way == Way::Bare && spec.floor == IsolationFloor::Namespaces {
            status.say(&Note::BelowFloor("namespaces".to_owned()));
            return Ok(());
        }
        status.say(&Note::Trying(way));
        let attempt = match way {
            Way::Own => sys::fork(|| code(own(&spec, &status), &status)).map(Some),
            Way::Bwrap => with_bwrap(&spec, &status),
            Way::Bare => sys::fork(|| code(bare(&spec, &status), &status)).map(Some),
        };
        match attempt.map(|pid| pid.map(wait_for)) {
            Ok(Some(CLOSED) | None) => {}
            Ok(Some(_)) => return Ok(()),
            Err(error) => status.lacking("attempt", error),
        }
    }
    Err("no way to run a command is open".to_owned())
}

/// Turns the result of an attempt into its exit status.
fn code(result: Result<(), String>, status: &Status) -> i32 {
    match result {
        Ok(()) => 0,
        Err(reason) => {
            status.lacking("namespaces", reason);
            CLOSED
        }
    }
}

/// Dies with the parent, which changing users undoes.
fn die_with_parent() -> Result<(), String> {
    set_parent_process_death_signal(Some(Signal::KILL)).map_err(|error| error.to_string())
}

/// Runs the command in namespaces of our own.
fn own(spec: &Spec, status: &Status) -> Result<(), String> {
    namespaces::enter()?;
    die_with_parent()?;
    let first = sys::fork(|| {
        let entered = die_with_parent().and_then(|()| root::enter(spec));
        code(
            entered.and_then(|()| {
                namespaces::report(status);
                supervise::supervise(spec, Way::Own, status)
            }),
            status,
        )
    });
    match wait_for(first.map_err(|error| format!("fork: {error}"))?) {
        0 => Ok(()),
        // The child has said why already.
        CLOSED => Err("no new root".to_owned()),
        other => {
            status.lacking("supervisor", format!("ended with {other}"));
            Ok(())
        }
    }
}

/// Runs the command with limits, Landlock and seccomp only.
fn bare(spec: &Spec, status: &Status) -> Result<(), String> {
    die_with_parent()?;
    // Without namespaces the command could look at this process; this closes its files and memory to others.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| error.to_string())?;
    supervise::supervise(spec, Way::Bare, status)
}

/// Runs this launcher again inside bubblewrap; gives nothing when there is none.
fn with_bwrap(spec: &Spec, status: &Status) -> std::io::Result<Option<Pid>> {
    let Some(program) = bwrap::program() else {
        return Ok(None);
    };
    let launcher = std::env::current_exe()?;
    sys::fork(|| match run_bwrap(&program, &launcher, spec, status) {
        Ok(true) => 0,
        Ok(false) => CLOSED,
        Err(error) => code(Err(error.to_string()), status),
    })
    .map(Some)
}

/// Starts bubblewrap and tells whether the launcher inside did its work.
fn run_bwrap(
    program: &Path,
    launcher: &Path,
    spec: &Spec,
    status: &Status,
) -> std::io::Result<bool> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The launcher inside takes the status file over from this process.
    rustix::io::fcntl_setfd(status.file(), rustix::io::FdFlags::empty())?;
    let mut child = bwrap::command(program, launcher, spec, status).spawn()?;
    if let Some(mut pipe) = child.stdin.take() {
        // A bubblewrap that cannot make namespaces ends without reading; its exit status tells.
        serde_json::to_writer(&mut pipe, spec).ok();
    }
    Ok(child.wait()?.success())
}

/// Goes on inside bubblewrap.
fn inside(descriptor: &str) -> Result<(), String> {
    let descriptor: u32 = descriptor
        .parse()
        .map_err(|_| "unusable descriptor".to_owned())?;
    let status = Status::open(Path::new(&format!("/proc/self/fd/{descriptor}")))
        .map_err(|error| error.to_string())?;
    let spec = read_spec()?;
    status.held("bwrap");
    namespaces::report(&status);
    supervise::supervise(&spec, Way::Bwrap, &status)
}

/// Waits for a child; a death by signal is no exit status of ours.
fn wait_for(pid: Pid) -> i32 {
    loop {
        match waitpid(Some(pid), WaitOptions::empty()) {
            Ok(Some((_, state))) => return state.exit_status().unwrap_or(-1),
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return -1,
        }
    }
}
