//! A PostgreSQL server of our own in a temporary directory, which tests may stop as a crash would.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A PostgreSQL server on a Unix socket, under a user that is not root.
pub(crate) struct Server {
    bin: PathBuf,
    data: PathBuf,
    socket: PathBuf,
}

impl Server {
    pub(crate) fn create(directory: &Path) -> Self {
        let bin = find_bin();
        let data = directory.join("pg");
        let socket = directory.join("socket");
        fs::create_dir(&data).expect("a directory");
        fs::create_dir(&socket).expect("a directory");
        for path in [directory, &data, &socket] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("permissions");
        }
        let server = Self { bin, data, socket };
        server.give_away();
        let data = server.data.to_str().expect("a plain path").to_owned();
        server.run(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "wayproof",
                "-A",
                "trust",
                "--no-sync",
                "-E",
                "UTF8",
            ],
        );
        server.start();
        server
    }

    pub(crate) fn start(&self) {
        let data = self.data.to_str().expect("a plain path");
        let socket = self.socket.to_str().expect("a plain path");
        let options =
            format!("-k {socket} -c listen_addresses='' -c fsync=off -c max_connections=40");
        let log = format!("{socket}/log");
        self.run(
            "pg_ctl",
            &["-D", data, "-w", "-l", &log, "-o", &options, "start"],
        );
    }

    pub(crate) fn stop(&self) {
        let data = self.data.to_str().expect("a plain path");
        self.run("pg_ctl", &["-D", data, "-w", "-m", "immediate", "stop"]);
    }

    pub(crate) fn url(&self) -> String {
        let socket = self
            .socket
            .to_str()
            .expect("a plain path")
            .replace('/', "%2F");
        format!("postgres://wayproof@{socket}/postgres")
    }

    /// PostgreSQL refuses to run as root, so its files belong to the user it runs as.
    fn give_away(&self) {
        if is_root() {
            for path in [&self.data, &self.socket] {
                succeed(
                    "chown",
                    command("chown").args(["nobody"]).arg(path).output(),
                );
            }
            fs::set_permissions(&self.data, fs::Permissions::from_mode(0o700))
                .expect("permissions");
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let path = self.bin.join(program);
        let output = if is_root() {
            let mut setpriv = command("setpriv");
            setpriv
                .args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"])
                .arg(path)
                .args(arguments);
            setpriv.current_dir("/").output()
        } else {
            command(path).args(arguments).current_dir("/").output()
        };
        succeed(program, output);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A program to start.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of durability need processes to kill, and a server to run on"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

fn is_root() -> bool {
    let id = command("id")
        .arg("-u")
        .output()
        .expect("the program `id` runs");
    id.stdout == b"0\n"
}

fn find_bin() -> PathBuf {
    let newest = fs::read_dir("/usr/lib/postgresql")
        .ok()
        .and_then(|versions| {
            let bins = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
            bins.filter(|bin| bin.join("initdb").exists()).max()
        });
    newest
        .or_else(|| std::env::split_paths(&std::env::var_os("PATH")?).find(|bin| bin.join("initdb").exists()))
        .expect("these tests need a PostgreSQL server's programs (initdb, pg_ctl): install the package `postgresql`")
}

fn succeed(what: &str, output: std::io::Result<Output>) {
    let output = output.unwrap_or_else(|error| panic!("cannot run {what}: {error}"));
    assert!(
        output.status.success(),
        "{what} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
