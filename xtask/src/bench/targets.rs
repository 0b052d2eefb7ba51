//! What is measured: direct access, nginx, our gateway, and peers that already run.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail};

use super::{
    Extra, TARGET_CORE,
    bodies::{self, Size, Speech},
    cases::Case,
    load::{Order, Vary},
    memory_of,
    mock::now_ns,
    process::{Pinned, wait_for},
    send,
};
use crate::run::{command, read};

/// An address under measurement, with the process behind it.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    pub(crate) id: Option<u32>,
    /// Which cases it is for.
    serves: Serves,
    /// Ends the process when the target goes.
    _process: Option<Pinned>,
}

/// Which cases a target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serves {
    /// All of them.
    All,
    /// Those whose provider is asked in this protocol; `None` is the client's own.
    AskedIn(Option<&'static str>),
}

impl Target {
    /// Whether a case is measured with this target.
    pub(crate) fn is_for(&self, case: &Case) -> bool {
        if case.live_pages > 0 && self.name != OURS {
            return false;
        }
        match self.serves {
            Serves::All => true,
            Serves::AskedIn(asked_in) => asked_in == case.asked_in,
        }
    }
}

/// What the gateway is called in the results.
pub(crate) const OURS: &str = "wayproof";

/// The folder of release builds.
pub(crate) fn release_folder() -> Result<PathBuf> {
    let metadata = read(&mut command(
        "cargo",
        &["metadata", "--format-version=1", "--no-deps", "--locked"],
    ))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let target = metadata["target_directory"]
        .as_str()
        .context("cargo names no target folder")?;
    Ok(Path::new(target).join("release"))
}

/// Waits for a port file.
pub(crate) fn read_port(file: &Path, process: &mut Pinned, log: &Path) -> Result<u16> {
    for _ in 0..5_000 {
        if let Ok(port) = fs::read_to_string(file).unwrap_or_default().trim().parse() {
            return Ok(port);
        }
        process.check(log)?;
        std::thread::sleep(Duration::from_millis(2));
    }
    bail!("{} was not written", file.display())
}

/// Starts every target of a round.
pub(crate) fn start_all(
    release: &Path,
    work: &Path,
    provider: u16,
    peers: &[String],
) -> Result<Vec<Target>> {
    let direct = Target {
        name: "direct".to_owned(),
        address: SocketAddr::from(([127, 0, 0, 1], provider)),
        id: None,
        serves: Serves::All,
        _process: None,
    };
    let mut targets = vec![
        direct,
        nginx(work, provider)?,
        wayproof(release, work, provider, None)?,
        wayproof(release, work, provider, Some("chat"))?,
        wayproof(release, work, provider, Some("responses"))?,
    ];
    for peer in peers {
        targets.push(parse_peer(peer)?);
    }
    Ok(targets)
}

fn parse_peer(spec: &str) -> Result<Target> {
    let parse = || {
        let (name, rest) = spec.split_once('=')?;
        let (address, id) = rest.split_once(',')?;
        let (address, id) = (address.parse().ok()?, id.parse().ok()?);
        Some(Target {
            name: name.to_owned(),
            address,
            id: Some(id),
            serves: Serves::AskedIn(None),
            _process: None,
        })
    };
    parse().ok_or_else(|| anyhow!("--peer {spec}: it should read NAME=HOST:PORT,PID"))
}

fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?.port())
}

fn nginx(work: &Path, provider: u16) -> Result<Target> {
    let port = free_port()?;
    let folder = work.join(format!("nginx-{port}"));
    fs::create_dir_all(&folder)?;
    let conf = format!(
        "daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;\n\
         events {{ worker_connections 1024; }}\n\
         http {{ access_log off; client_max_body_size 0; client_body_buffer_size 2m; tcp_nodelay on;\n\
         client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
         uwsgi_temp_path uwsgi; scgi_temp_path scgi; keepalive_requests 1000000;\n\
         upstream provider {{ server 127.0.0.1:{provider}; keepalive 64; keepalive_requests 1000000; }}\n\
         server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://provider; proxy_http_version 1.1;\n\
         proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}\n"
    );
    fs::write(folder.join("nginx.conf"), conf)?;
    let place = folder.to_string_lossy().into_owned();
    let start = now_ns();
    let process = Pinned::start(
        TARGET_CORE,
        "nginx",
        &["-p", &place, "-e", "error.log", "-c", "nginx.conf"],
        &folder.join("out.log"),
    )
    .context("starting nginx, which the benchmark compares with; install it with the system's package manager")?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    wait_for(address, start)?;
    Ok(Target {
        name: "nginx".to_owned(),
        address,
        id: Some(process.id()),
        serves: Serves::All,
        _process: Some(process),
    })
}

fn wayproof(
    release: &Path,
    work: &Path,
    provider: u16,
    asked_in: Option<&'static str>,
) -> Result<Target> {
    let folder = work.join(format!("wayproof-{}", free_port()?));
    fs::create_dir_all(&folder)?;
    let port_file = folder.join("port");
    let (data, port_argument) = (
        folder.join("data"),
        port_file.to_string_lossy().into_owned(),
    );
    let data = data.to_string_lossy().into_owned();
    let protocol = asked_in.map(|protocol| format!(",protocol={protocol}"));
    let provider = format!(
        "mock=http://127.0.0.1:{provider}{}",
        protocol.unwrap_or_default()
    );
    let args = [
        "up",
        "--listen",
        "127.0.0.1:0",
        "--port-file",
        &port_argument,
        "--data",
        &data,
        "--provider",
        &provider,
    ];
    let binary = release.join("wayproof").to_string_lossy().into_owned();
    let log = folder.join("out.log");
    let mut process = Pinned::start(TARGET_CORE, &binary, &args, &log)?;
    let port = read_port(&port_file, &mut process, &log)?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    Ok(Target {
        name: OURS.to_owned(),
        address,
        id: Some(process.id()),
        serves: Serves::AskedIn(asked_in),
        _process: Some(process),
    })
}

/// Fresh processes: time to the first answer, memory then, and memory after 100,000 exchanges at 32 connections.
pub(crate) fn memory_and_start(
    release: &Path,
    work: &Path,
    provider: u16,
    xtask: &str,
) -> Result<Vec<Extra>> {
    let body_file = work.join("memory.json");
    fs::write(
        &body_file,
        bodies::build(Speech::Messages, Size::Small, false),
    )?;
    let mut extra = Vec::new();
    for is_ours in [false, true] {
        let start = now_ns();
        let target = if is_ours {
            wayproof(release, work, provider, None)?
        } else {
            nginx(work, provider)?
        };
        let mut order = Order {
            address: target.address,
            path: Speech::Messages.path().to_owned(),
            body_file: body_file.to_string_lossy().into_owned(),
            headers: vec![("x-api-key".to_owned(), "benchmark".to_owned())],
            connections: 1,
            rate: None,
            seconds: 5.0,
            most: Some(1),
            vary: Vary::Conversation,
            is_streaming: false,
        };
        send(xtask, &order)?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a start takes few nanoseconds for a float"
        )]
        let start_ms = (now_ns() - start) as f64 / 1e6;
        let idle_mib = memory_of(&target);
        order.connections = 32;
        order.seconds = 120.0;
        order.most = Some(100_000);
        send(xtask, &order)?;
        let after_mib = memory_of(&target);
        extra.push(Extra {
            name: target.name.clone(),
            idle_mib,
            after_mib,
            start_ms,
        });
    }
    Ok(extra)
}
