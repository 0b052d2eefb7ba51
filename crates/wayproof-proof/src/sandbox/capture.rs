//! The parent's side of a run: starts the launcher, keeps what the command prints within bounds, and reads the
//! result. It refuses to wait for ever: a launcher that does not end on time is killed.

use std::collections::VecDeque;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process_group};

use super::private::{PrivateDir, status_file};
use super::spec::{Note, Spec};
use super::{Cancel, Ran, SandboxError};

/// How long after its time a launcher may take to clean up.
const GRACE: Duration = Duration::from_secs(10);
/// How often a silent launcher is thought of.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long a launcher that was killed may hold its outputs open.
const DYING: Duration = Duration::from_secs(5);
/// How much of the status file is read.
const STATUS_LIMIT: u64 = 1 << 20;

/// Runs a described command.
pub(super) fn run(
    launcher: &Path,
    spec: &Spec,
    private: PrivateDir,
    cancel: &Cancel,
) -> Result<Ran, SandboxError> {
    let description = serde_json::to_vec(spec).map_err(SandboxError::Describe)?;
    let started = now();
    let mut child = start(launcher)?;
    let doing = |doing: &'static str| {
        move |source| SandboxError::Io {
            doing: doing.to_owned(),
            source,
        }
    };
    if let Some(mut pipe) = child.stdin.take() {
        // A launcher that does not read has failed, and the missing result says so.
        pipe.write_all(&description).ok();
    }
    let captured = capture(&mut child, spec, started, cancel);
    let ended = child.wait().map_err(doing("wait for the launcher"));
    let (stdout, stderr) = captured.map_err(doing("read the output of the command"))?;
    let wall = now().duration_since(started);
    ended?;
    let mut outcome = Outcome::read(&status_file(private.path()))
        .map_err(doing("read the result of the command"))?;
    drop(private);
    let ended = match outcome.ended.take() {
        Some(ended) if outcome.fault.is_none() => ended,
        Some(_) | None => return Err(outcome.error(spec, &stderr)),
    };
    Ok(Ran {
        exit: ended.exit,
        signal: ended.signal,
        is_timed_out: ended.is_timed_out,
        over_limit: ended.over_limit,
        is_truncated: stdout.is_truncated() || stderr.is_truncated(),
        stdout: stdout.into_bytes(),
        stderr: stderr.into_bytes(),
        wall,
        isolation: outcome.held,
    })
}

/// Reads the monotonic clock.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a process runs is measured where it is started"
)]
fn now() -> Instant {
    Instant::now()
}

/// Starts the launcher as the leader of a process group.
fn start(launcher: &Path) -> Result<Child, SandboxError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the launcher is how this crate starts processes"
    )]
    Command::new(launcher)
        .arg("sandbox-exec")
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| SandboxError::Launcher {
            launcher: launcher.to_owned(),
            source,
        })
}

/// Reads both outputs until they end, killing the launcher when it is late or not wanted any more.
fn capture(
    child: &mut Child,
    spec: &Spec,
    started: Instant,
    cancel: &Cancel,
) -> std::io::Result<(Kept, Kept)> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let bytes = spec.limits.output_bytes;
    let patience = Patience {
        until: started + spec.limits.wall + GRACE,
        cancel,
        group: i32::try_from(child.id()).ok().and_then(Pid::from_raw),
    };
    thread::scope(|scope| {
        let errors = scope.spawn(|| patience.drain(stderr, bytes));
        let output = patience.drain(stdout, bytes);
        let errors = errors
            .join()
            .unwrap_or_else(|_| Err(std::io::Error::other("a reader thread panicked")));
        Ok((output?, errors?))
    })
}

/// How long a launcher is waited for.
struct Patience<'a> {
    until: Instant,
    cancel: &'a Cancel,
    group: Option<Pid>,
}

impl Patience<'_> {
    fn is_over(&self) -> bool {
        now() > self.until || self.cancel.is_cancelled()
    }

    /// Reads one output to its end. The end of both says that nothing of the command is left.
    fn drain<R: Read + std::os::fd::AsFd>(
        &self,
        pipe: Option<R>,
        limit: usize,
    ) -> std::io::Result<Kept> {
        let mut kept = Kept::new(limit);
        let Some(mut pipe) = pipe else {
            return Ok(kept);
        };
        let mut buffer = vec![0; 64 << 10];
        let mut killed: Option<Instant> = None;
        loop {
            if killed.is_some_and(|killed| now().duration_since(killed) > DYING) {
                return Ok(kept);
            }
            if killed.is_none() && self.is_over() {
                if let Some(group) = self.group {
                    kill_process_group(group, Signal::KILL).ok();
                }
                killed = Some(now());
            }
            let pause = Timespec {
                tv_sec: 0,
                tv_nsec: i64::from(LOOK_EVERY.subsec_nanos()),
            };
            let is_ready = match poll(&mut [PollFd::new(&pipe, PollFlags::IN)], Some(&pause)) {
                Ok(ready) => ready > 0,
                Err(rustix::io::Errno::INTR) => false,
                Err(error) => return Err(error.into()),
            };
            if is_ready {
                match pipe.read(&mut buffer)? {
                    0 => return Ok(kept),
                    read => kept.add(buffer.get(..read).unwrap_or_default()),
                }
            }
        }
    }
}

/// The beginning and the end of an output.
#[derive(Debug)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    left_out: u64,
}

impl Kept {
    /// Starts with room for this many bytes.
    fn new(limit: usize) -> Self {
        Self {
            head: Vec::new(),
            tail: VecDeque::new(),
            half: limit.div_ceil(2),
            left_out: 0,
        }
    }

    /// Takes more output.
    fn add(&mut self, bytes: &[u8]) {
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at(room);
        self.head.extend_from_slice(first);
        self.tail.extend(rest);
        let excess = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..excess);
        self.left_out = self.left_out.saturating_add(excess as u64);
    }

    /// Tells whether the middle is missing.
    fn is_truncated(&self) -> bool {
        self.left_out > 0
    }

    /// Gives what was kept, with a line in place of what was not.
    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.head;
        if self.left_out > 0 {
            bytes.extend_from_slice(format!("\n[{} bytes left out]\n", self.left_out).as_bytes());
        }
        bytes.extend(self.tail);
        bytes
    }
}

/// What the status file says in the end.
#[derive(Debug, Default)]
struct Outcome {
    held: Vec<String>,
    lacking: Vec<String>,
    fault: Option<Note>,
    ended: Option<super::spec::Ended>,
}

impl Outcome {
    /// Reads a status file; a line that is none of ours is as good as missing.
    fn read(path: &Path) -> std::io::Result<Self> {
        let mut text = String::new();
        fs::File::open(path)?
            .take(STATUS_LIMIT)
            .read_to_string(&mut text)?;
        let mut outcome = Self::default();
        for note in text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
        {
            match note {
                Note::Trying(_) => outcome.held.clear(),
                Note::Held(mechanism) => outcome.held.push(mechanism),
                Note::Lacking(reason) => outcome.lacking.push(reason),
                Note::BelowFloor(_) | Note::CannotStart(_) => outcome.fault = Some(note),
                Note::Ended(ended) => outcome.ended = Some(ended),
            }
        }
        Ok(outcome)
    }

    /// Says why there is no result.
    fn error(self, spec: &Spec, stderr: &Kept) -> SandboxError {
        let reason = self.lacking.join("; ");
        match self.fault {
            Some(Note::BelowFloor(missing)) => SandboxError::BelowFloor { missing, reason },
            Some(Note::CannotStart(reason)) => SandboxError::CannotStart {
                program: spec.argv.first().cloned().unwrap_or_default(),
                reason,
            },
            Some(Note::Trying(_) | Note::Held(_) | Note::Lacking(_) | Note::Ended(_)) | None => {
                let said = String::from_utf8_lossy(&stderr.head).trim().to_owned();
                SandboxError::NoResult([reason, said].join(" "))
            }
        }
    }
}
