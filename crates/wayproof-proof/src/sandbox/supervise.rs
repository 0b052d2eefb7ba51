//! Watching over a running command: time, memory, number of processes, and the end of everything it started. It
//! refuses to leave a process behind.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, getpid, kill_process, kill_process_group,
    pidfd_open, set_child_subreaper, wait,
};

use super::spec::{Ended, Note, Spec, Status, Way};
use super::{OverLimit, restrict, sys};

/// How often a running command is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How many rounds of killing what keeps coming back are made.
const KILL_ROUNDS: usize = 10_000;

/// Starts the command, watches it, and reports how it ended.
pub(super) fn supervise(spec: &Spec, way: Way, status: &Status) -> Result<(), String> {
    let family = match way {
        Way::Own => Family::Namespace,
        // Orphans come to this process instead of going to the system's first one, so that they can be found.
        Way::Bwrap | Way::Bare => {
            set_child_subreaper(Some(getpid())).map_err(|error| format!("subreaper: {error}"))?;
            Family::Descendants
        }
    };
    let started = now();
    let main = sys::fork(|| restrict::become_command(spec, way, status))
        .map_err(|error| format!("fork: {error}"))?;
    let mut watch = Watch {
        spec,
        family,
        main,
        started,
    };
    let ended = watch.until_over();
    watch.family.end();
    status.say(&Note::Ended(ended));
    Ok(())
}

/// Reads the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "time limits of a process are the one thing here that needs a clock"
)]
fn now() -> Instant {
    Instant::now()
}

/// A command being watched.
struct Watch<'a> {
    spec: &'a Spec,
    family: Family,
    main: Pid,
    started: Instant,
}

impl Watch<'_> {
    /// Waits until the main process is over, ending it when it breaks a limit.
    fn until_over(&mut self) -> Ended {
        let mut ended = Ended {
            exit: None,
            signal: None,
            is_timed_out: false,
            over_limit: None,
        };
        let mut is_stopped = false;
        let pidfd = pidfd_open(self.main, PidfdFlags::empty()).ok();
        loop {
            if let Some(state) = self.reap() {
                ended.exit = state.exit_status();
                ended.signal = state.terminating_signal();
                return ended;
            }
            if !is_stopped {
                ended.is_timed_out = now().duration_since(self.started) >= self.spec.limits.wall;
                ended.over_limit = self.over_limit();
                is_stopped = ended.is_timed_out || ended.over_limit.is_some();
            }
            if is_stopped {
                self.family.kill();
                kill_process(self.main, Signal::KILL).ok();
            }
            let mut events: Vec<PollFd<'_>> = pidfd
                .iter()
                .map(|fd| PollFd::new(fd, PollFlags::IN))
                .collect();
            let pause = Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(LOOK_EVERY.subsec_nanos()),
            };
            // An interrupted wait is as good as one that ran out.
            poll(&mut events, Some(&pause)).ok();
        }
    }

    /// Collects every ended child; gives the end of the main one.
    fn reap(&self) -> Option<WaitStatus> {
        while let Ok(Some((pid, state))) = wait(WaitOptions::NOHANG) {
            if pid == self.main {
                return Some(state);
            }
        }
        None
    }

    /// Tells which limit all processes together have broken.
    fn over_limit(&self) -> Option<OverLimit> {
        let members = self.family.members();
        let (mut bytes, mut threads) = (0_u64, 0_u64);
        for pid in members {
            bytes = bytes.saturating_add(private_bytes(pid));
            threads = threads.saturating_add(threads_of(pid));
        }
        if bytes > self.spec.limits.memory_bytes {
            return Some(OverLimit::Memory);
        }
        (threads > self.spec.limits.processes).then_some(OverLimit::Processes)
    }
}

/// How the processes of a command are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// They are everything in this PID namespace but this process.
    Namespace,
    /// They are the children of this process and theirs.
    Descendants,
}

impl Family {
    /// Lists the processes.
    fn members(self) -> Vec<i32> {
        match self {
            Self::Namespace => numbers(Path::new("/proc"))
                .into_iter()
                .filter(|pid| *pid != 1)
                .collect(),
            Self::Descendants => {
                let mut found = Vec::new();
                let mut open = children(getpid().as_raw_nonzero().get());
                while let Some(pid) = open.pop() {
                    found.push(pid);
                    open.extend(children(pid));
                }
                found
            }
        }
    }

    /// Kills the processes there are now.
    fn kill(self) {
        match self {
            // The group of the first process stands for every process this one may signal, itself excepted.
            Self::Namespace => {
                kill_process_group(Pid::INIT, Signal::KILL).ok();
            }
            Self::Descendants => {
                for pid in self.members().into_iter().filter_map(Pid::from_raw) {
                    kill_process(pid, Signal::KILL).ok();
                }
            }
        }
    }

    /// Kills until nothing is left.
    fn end(self) {
        for _ in 0..KILL_ROUNDS {
            self.kill();
            match wait(WaitOptions::empty()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// Lists the children of a process.
fn children(pid: i32) -> Vec<i32> {
    let tasks = numbers(Path::new(&format!("/proc/{pid}/task")));
    let lists = tasks
        .iter()
        .filter_map(|task| fs::read_to_string(format!("/proc/{pid}/task/{task}/children")).ok());
    lists
        .flat_map(|list| {
            list.split_ascii_whitespace()
                .filter_map(|child| child.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Lists the entries of a directory that are numbers.
fn numbers(directory: &Path) -> Vec<i32> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}

/// Gives the memory of a process that it shares with nobody.
fn private_bytes(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    let mut pages = text
        .split(' ')
        .skip(1)
        .filter_map(|field| field.parse::<u64>().ok());
    let (resident, shared) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
    resident
        .saturating_sub(shared)
        .saturating_mul(rustix::param::page_size() as u64)
}

/// Gives the number of threads of a process.
fn threads_of(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold anything; the fields are counted behind it.
    let fields = text
        .rsplit_once(')')
        .map(|(_, fields)| fields)
        .unwrap_or_default();
    fields
        .split_ascii_whitespace()
        .nth(17)
        .and_then(|field| field.parse().ok())
        .unwrap_or(1)
}
