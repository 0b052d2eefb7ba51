//! The gateway that is broken, the provider behind it, and clients that write down what they were answered.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::run::command;

/// Clients at once.
const CLIENTS: usize = 4;

/// A client waits no longer than this for a gateway that is gone.
const PATIENCE: Duration = Duration::from_secs(20);

/// The benchmark's provider.
pub(super) struct Provider {
    child: Child,
    pub(super) port: u16,
}

impl Provider {
    pub(super) fn start(work: &Path) -> Result<Self> {
        let port_file = work.join("provider.port");
        let xtask = std::env::current_exe().context("finding this program")?;
        let place = port_file.to_string_lossy().into_owned();
        let mut child = command(&xtask.to_string_lossy(), &["bench-provider", &place])
            .spawn()
            .context("starting the provider")?;
        let port = wait_for_port(&port_file, &mut child)?;
        Ok(Self { child, port })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn wait_for_port(file: &Path, child: &mut Child) -> Result<u16> {
    for _ in 0..6_000 {
        if let Ok(port) = fs::read_to_string(file).unwrap_or_default().trim().parse() {
            return Ok(port);
        }
        if let Some(status) = child.try_wait()? {
            bail!("it ended with {status} before it listened");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    bail!("it does not listen")
}

/// A running gateway.
pub(super) struct Gateway {
    child: Child,
    pub(super) address: SocketAddr,
    log: PathBuf,
}

impl Gateway {
    /// Starts one over a data directory, with more variables and, where asked for, synced before each answer.
    pub(super) fn start(
        bench: &Bench,
        data: &Path,
        variables: &[(&str, &str)],
        is_synced: bool,
    ) -> Result<Self> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let port_file = bench.work.join(format!("gateway-{number}.port"));
        let log = bench.work.join(format!("gateway-{number}.log"));
        let provider = format!("mock=http://127.0.0.1:{}", bench.provider.port);
        let (port_place, data) = (port_file.to_string_lossy(), data.to_string_lossy());
        let mut args = vec![
            "up",
            "--listen",
            "127.0.0.1:0",
            "--port-file",
            &port_place,
            "--data",
            &data,
            "--provider",
            &provider,
        ];
        if is_synced {
            args.push("--sync-before-answer");
        }
        let out = File::create(&log).context("making a log")?;
        let mut gateway = command(&bench.binary.to_string_lossy(), &args);
        gateway.envs(variables.iter().copied());
        let mut child = gateway
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .context("starting the gateway")?;
        let port = wait_for_port(&port_file, &mut child)
            .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        fs::remove_file(&port_file).context("removing the port file")?;
        Ok(Self {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            log,
        })
    }

    /// Kills it at once.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill().context("killing the gateway")?;
        self.child.wait().context("waiting for the gateway")?;
        Ok(())
    }

    /// Lets it end in order.
    pub(super) fn stop(&mut self) -> Result<()> {
        let id = self.child.id().to_string();
        command("kill", &["-TERM", &id])
            .status()
            .context("stopping the gateway")?;
        self.child.wait().context("waiting for the gateway")?;
        Ok(())
    }

    /// What it said.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Usually it is dead already.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_file(&self.log));
    }
}

/// Asks from several clients until so many answers came and `then` was done; gives the exchanges that were answered.
pub(super) fn load(
    address: &SocketAddr,
    answers: u64,
    then: impl FnOnce() -> Result<()>,
) -> Result<Vec<String>> {
    let answered = Arc::new(Mutex::new(Vec::new()));
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (address, answered) = (*address, Arc::clone(&answered));
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || {
                let mut turn = 0;
                while !is_over.load(Ordering::Acquire) {
                    turn += 1;
                    match ask(address, &format!("client {client}, turn {turn}")) {
                        Ok(Some(id)) => answered
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(id),
                        // Refused, which acknowledges nothing.
                        Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                        // Nobody is there any more.
                        Err(_) => return,
                    }
                }
            })
        })
        .collect();
    let count = || {
        answered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64
    };
    let mut waited = Duration::ZERO;
    while count() < answers && clients.iter().any(|client| !client.is_finished()) {
        std::thread::sleep(Duration::from_micros(500));
        waited += Duration::from_micros(500);
        if waited > PATIENCE {
            bail!("only {} of {answers} answers came", count());
        }
    }
    let done = then();
    is_over.store(true, Ordering::Release);
    for client in clients {
        if client.join().is_err() {
            bail!("a client panicked");
        }
    }
    done?;
    Ok(std::mem::take(
        &mut *answered.lock().unwrap_or_else(PoisonError::into_inner),
    ))
}

/// Asks once: the exchange's id as soon as the head of a good answer is there, whatever becomes of the rest.
pub(super) fn ask(address: SocketAddr, text: &str) -> Result<Option<String>> {
    let body = format!(
        "{{\"model\":\"mock-model\",\"max_tokens\":64,\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}"
    );
    let mut socket = TcpStream::connect_timeout(&address, PATIENCE)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    write!(
        socket,
        "POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\nx-api-key: none\r\n\
         anthropic-version: 2023-06-01\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut reader = BufReader::new(socket);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let is_good = line.starts_with("HTTP/1.1 200");
    if line.is_empty() {
        bail!("no answer");
    }
    let mut id = None;
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            bail!("the head of the answer broke off");
        }
        let field = line.trim_end();
        if field.is_empty() {
            break;
        }
        if let Some((name, value)) = field.split_once(':')
            && name.eq_ignore_ascii_case("x-wayproof-exchange")
        {
            id = Some(value.trim().to_owned());
        }
    }
    // The head is what acknowledges; a body that breaks off is a cut answer.
    let mut rest = Vec::new();
    drop(reader.read_to_end(&mut rest));
    Ok(id.filter(|_| is_good))
}
