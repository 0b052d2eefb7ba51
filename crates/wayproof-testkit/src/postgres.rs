//! A PostgreSQL server of a test's own in its directory, which may be stopped as a crash would.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The name of the socket in its directory.
const SOCKET: &str = ".s.PGSQL.5432";

/// A PostgreSQL server on a Unix socket, under a user that is not root. It stops when dropped.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    data: PathBuf,
    socket: PathBuf,
}

impl Postgres {
    /// Makes a database in an existing directory and starts its server.
    ///
    /// # Errors
    /// When the programs of a server are not installed, or one of them fails.
    pub fn create(directory: &Path) -> io::Result<Self> {
        let server = Self {
            bin: find_bin()?,
            data: directory.join("pg"),
            socket: directory.join("socket"),
        };
        fs::create_dir(&server.data)?;
        fs::create_dir(&server.socket)?;
        for path in [directory, &server.data, &server.socket] {
            fs::set_permissions(path, Permissions::from_mode(0o777))?;
        }
        server.give_away()?;
        let initdb = "-U wayproof -A trust --no-sync -E UTF8 -D".split(' ');
        server.run(
            "initdb",
            initdb.map(OsStr::new).chain([server.data.as_os_str()]),
        )?;
        server.start()?;
        Ok(server)
    }

    /// Starts the server again.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(&self) -> io::Result<()> {
        let socket = self.socket.display();
        let options =
            format!("-k {socket} -c listen_addresses='' -c fsync=off -c max_connections=60");
        let log = format!("{socket}/log");
        let arguments = ["-w", "-l", &log, "-o", &options, "start"];
        self.control(&arguments)
    }

    /// Stops the server as a crash would.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> io::Result<()> {
        self.control(&["-w", "-m", "immediate", "stop"])
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        Self::url_by(&self.socket)
    }

    /// The address of a database whose socket is in a directory.
    pub fn url_by(directory: &Path) -> String {
        let directory = directory.display().to_string().replace('/', "%2F");
        format!("postgres://wayproof@{directory}/postgres")
    }

    /// The socket the server listens on.
    pub fn socket(&self) -> PathBuf {
        self.socket.join(SOCKET)
    }

    /// The socket that an address by a directory leads to.
    pub fn socket_in(directory: &Path) -> PathBuf {
        directory.join(SOCKET)
    }

    fn control(&self, arguments: &[&str]) -> io::Result<()> {
        let place = [OsStr::new("-D"), self.data.as_os_str()];
        let arguments = arguments.iter().map(OsStr::new);
        self.run("pg_ctl", place.into_iter().chain(arguments))
    }

    /// PostgreSQL refuses to run as root, so its files belong to the user it runs as.
    fn give_away(&self) -> io::Result<()> {
        if is_root()? {
            for path in [&self.data, &self.socket] {
                succeed(command("chown").arg("nobody").arg(path))?;
            }
            fs::set_permissions(&self.data, Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    fn run<'a>(&self, program: &str, arguments: impl Iterator<Item = &'a OsStr>) -> io::Result<()> {
        let path = self.bin.join(program);
        let mut program = if is_root()? {
            let mut setpriv = command("setpriv");
            setpriv.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]);
            setpriv.arg(path);
            setpriv
        } else {
            command(path)
        };
        succeed(program.args(arguments).current_dir("/"))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A server that a test has stopped does not stop again.
        drop(self.stop());
    }
}

fn is_root() -> io::Result<bool> {
    let id = command("id").arg("-u").output()?;
    Ok(id.stdout == b"0\n")
}

fn find_bin() -> io::Result<PathBuf> {
    let is_there = |bin: &PathBuf| bin.join("initdb").exists();
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let newest = versions
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(is_there)
        .max();
    let path = std::env::var_os("PATH").unwrap_or_default();
    newest
        .or_else(|| std::env::split_paths(&path).find(is_there))
        .ok_or_else(|| {
            let missing = "these tests need a PostgreSQL server's programs (initdb, pg_ctl): install the package `postgresql`";
            io::Error::new(io::ErrorKind::NotFound, missing)
        })
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?} failed: {said}")))
}

/// A program to start.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of replicas need a server to run on"
)]
fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}
