//! Processes under measurement: pinned to a core, their processor time and memory read from the system.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::mock::now_ns;
use crate::run::command;

/// A process that is ended when dropped.
#[derive(Debug)]
pub(crate) struct Pinned {
    child: Child,
}

impl Pinned {
    /// Starts a program on one core, its output in `log`.
    pub(crate) fn start(core: u32, program: &str, args: &[&str], log: &Path) -> Result<Self> {
        let mut taskset = on_core(core, program, args);
        let out = fs::File::create(log).with_context(|| format!("making {}", log.display()))?;
        let child = taskset
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("starting {program} under taskset"))?;
        Ok(Self { child })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with its log when it has ended.
    pub(crate) fn check(&mut self, log: &Path) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!(
                "it ended with {status}: {}",
                fs::read_to_string(log).unwrap_or_default()
            );
        }
        Ok(())
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        let id = self.id().to_string();
        // SIGTERM lets a gateway drain; the wait below ends it if it does not.
        drop(command("kill", &["-TERM", &id]).status());
        for _ in 0..300 {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A command that runs on one core only.
pub(crate) fn on_core(core: u32, program: &str, args: &[&str]) -> Command {
    let mut taskset = command("taskset", &["-c", &core.to_string(), program]);
    taskset.args(args).stdin(Stdio::null());
    taskset
}

/// Waits until something accepts connections; returns how long it took in microseconds.
pub(crate) fn wait_for(address: SocketAddr, since_ns: u64) -> Result<u64> {
    for _ in 0..20_000 {
        if TcpStream::connect(address).is_ok() {
            return Ok((now_ns() - since_ns) / 1_000);
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    bail!("nothing listens at {address}")
}

/// User and system time of a process and its children, in seconds.
pub(crate) fn cpu_seconds(id: u32) -> f64 {
    let ticks: u64 = tree(id).iter().filter_map(|id| ticks_of(*id)).sum();
    #[expect(clippy::cast_precision_loss, reason = "processes use few ticks")]
    let ticks = ticks as f64;
    ticks / 100.0
}

fn ticks_of(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// Resident memory of a process and its children, in MiB.
pub(crate) fn resident_mib(id: u32) -> f64 {
    let kilobytes: u32 = tree(id)
        .iter()
        .filter_map(|id| {
            let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
            let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
            line.split_whitespace().nth(1)?.parse::<u32>().ok()
        })
        .sum();
    f64::from(kilobytes) / 1024.0
}

fn tree(id: u32) -> Vec<u32> {
    let mut found = vec![id];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        found.extend(
            children
                .unwrap_or_default()
                .split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
    }
    found
}
