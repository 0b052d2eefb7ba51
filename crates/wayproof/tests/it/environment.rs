//! A place of its own for every test: home, data directory, repository, and a clean environment.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::UNIX_EPOCH,
};

use serde_json::Value;
use tempfile::TempDir;
use wayproof_testkit::Fixture;

/// A test's own place.
pub(crate) struct Environment {
    folder: TempDir,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Environment {
    pub(crate) fn new() -> Self {
        // Not under the temporary folder that a sandbox replaces.
        let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let folder = tempfile::Builder::new()
            .prefix("env-")
            .tempdir_in(base)
            .unwrap();
        for name in ["home", "repo"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.path("repo")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("home/.local/share/wayproof")
    }

    /// The program with a clean environment, in the repository.
    pub(crate) fn wayproof<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wayproof"));
        command
            .args(args)
            .current_dir(self.repo())
            .stdin(Stdio::null());
        self.clean(&mut command);
        command
    }

    /// Gives a command this place as its home and nothing else of the outer environment but toolchains.
    pub(crate) fn clean(&self, command: &mut Command) {
        let home = self.path("home");
        command
            .env_clear()
            .env("HOME", &home)
            .env("NO_COLOR", "1")
            .env("TERM", "dumb");
        for name in ["PATH", "CARGO_HOME", "RUSTUP_HOME", "WAYPROOF_TEST_TOOLS"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // The toolchain managers look for their folders in the home that the test replaces.
        let outer = std::env::var_os("HOME")
            .map(PathBuf::from)
            .unwrap_or_default();
        for (name, folder) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
            let folder = outer.join(folder);
            if std::env::var_os(name).is_none() && folder.is_dir() {
                command.env(name, folder);
            }
        }
    }

    pub(crate) fn run<S: AsRef<OsStr>>(&self, args: &[S]) -> Said {
        Said::of(self.wayproof(args).output().unwrap())
    }

    pub(crate) fn fixture(&self) -> Fixture {
        Fixture::init(&self.repo()).unwrap()
    }

    /// What the demonstration says and leaves behind, as `demo` in this place. It runs once for all tests of a build.
    pub(crate) fn demonstration(&self) -> Value {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let program = fs::metadata(env!("CARGO_BIN_EXE_wayproof")).unwrap();
        let built = program.modified().unwrap();
        let built = built.duration_since(UNIX_EPOCH).unwrap().as_micros();
        let made = base.join(format!("demo-{built}"));
        let told = base.join(format!("demo-{built}.json"));
        let only_one = File::create(base.join("demo.lock")).unwrap();
        only_one.lock().unwrap();
        if !told.is_file() {
            let place = made.to_string_lossy().into_owned();
            let said = self.run(&["demo", "--json", "--dir", &place]);
            assert_eq!(said.status, 0, "{said:?}");
            fs::write(&told, said.out).unwrap();
        }
        let here = self.path("demo");
        copy_folder(&made, &here);
        let said = fs::read_to_string(&told).unwrap();
        let said = said.replace(&*made.to_string_lossy(), &here.to_string_lossy());
        serde_json::from_str(&said).unwrap()
    }
}

/// Copies a folder with its modes to a place where nothing is yet.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp")
        .arg("-a")
        .args([from, to])
        .status()
        .unwrap();
    assert!(copied.success());
}

impl Said {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// The folder where `cargo xtask test` puts what the tests need.
pub(crate) fn tools() -> PathBuf {
    let folder = std::env::var_os("WAYPROOF_TEST_TOOLS").map(PathBuf::from);
    folder.expect("WAYPROOF_TEST_TOOLS is not set: run the tests with `cargo xtask test`, which installs what they need")
}

/// A PATH with these folders in front.
pub(crate) fn path_with(folders: &[PathBuf]) -> std::ffi::OsString {
    let outer = std::env::var_os("PATH").unwrap_or_default();
    let all = folders.iter().cloned().chain(std::env::split_paths(&outer));
    std::env::join_paths(all).unwrap()
}
