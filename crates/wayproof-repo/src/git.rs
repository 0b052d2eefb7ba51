//! Starts the `git` command, the only door to a repository. It refuses hooks, prompts, pagers, lazy fetches
//! and every `GIT_*` variable of the caller that could point git somewhere else.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

/// The most bytes of one answer of git that are taken into memory.
const OUTPUT_LIMIT: u64 = 256 << 20;
/// The most bytes of git's complaint that are kept.
const COMPLAINT_LIMIT: u64 = 64 << 10;

/// Settings that would make git start another program or believe what it has not looked at.
const SETTINGS: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.commitGraph=false",
    "core.alternateRefsCommand=false",
    "core.askPass=",
    "core.editor=false",
    "core.sshCommand=false",
    "credential.helper=",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
];

/// What could not be done with a repository.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// The directory is in no git repository.
    #[error("{} is not inside a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The repository is bare, or its working tree is somewhere its configuration should not point.
    #[error("the git repository at {} has no working tree of its own", .0.display())]
    NoWorkTree(PathBuf),
    /// Git does not trust the owner of the repository.
    #[error(
        "{} belongs to another user; if you trust it, run: git config --global --add safe.directory {}",
        .0.display(),
        .0.display()
    )]
    UnsafeOwner(PathBuf),
    /// The repository has no commit yet.
    #[error("the repository at {} has no commits yet", .0.display())]
    NoCommits(PathBuf),
    /// The revision names no commit.
    #[error("unknown revision {0:?}")]
    UnknownRevision(String),
    /// The revision names no commit that this shallow clone has.
    #[error(
        "unknown revision {0:?}; this clone is shallow, so it may be missing only here: git fetch --unshallow"
    )]
    UnknownInShallow(String),
    /// An object that is not there; nothing is fetched on the way.
    #[error(
        "this clone lacks {0}; if it is partial, get what it left out: git fetch --refetch --no-filter"
    )]
    LeftOut(String),
    /// Two commits share no history.
    #[error("{base} and {head} have no common ancestor{hint}")]
    NoMergeBase {
        /// The first commit.
        base: String,
        /// The second commit.
        head: String,
        /// What to do about it, where that may help.
        hint: &'static str,
    },
    /// No git on this machine.
    #[error("git is not installed or not on PATH")]
    GitMissing,
    /// The place to write files to is not an empty directory.
    #[error("{} is not an empty directory", .0.display())]
    NotEmpty(PathBuf),
    /// A reference that is not a notes reference.
    #[error("{0:?} is not a notes reference (refs/notes/…)")]
    BadNotesRef(String),
    /// An answer larger than anything sensible.
    #[error("the answer of git {command} is larger than {limit} bytes")]
    TooLarge {
        /// The git command.
        command: String,
        /// The limit it broke.
        limit: u64,
    },
    /// Git said something this program does not understand.
    #[error("git {command} gave an unexpected answer: {detail}")]
    Unexpected {
        /// The git command.
        command: String,
        /// What was strange.
        detail: String,
    },
    /// Git failed.
    #[error("git {command} failed: {complaint}")]
    Failed {
        /// The git command.
        command: String,
        /// What git said on its error output.
        complaint: String,
    },
    /// The operating system failed.
    #[error("could not {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl RepoError {
    /// Wraps an operating system error with what was being done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

/// What git answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) command: String,
    pub(crate) is_success: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Answer {
    /// Gives the output, or git's complaint as an error.
    pub(crate) fn output(self) -> Result<Vec<u8>, RepoError> {
        if self.is_success {
            return Ok(self.stdout);
        }
        if let Some(object) = left_out(&self.stderr) {
            return Err(RepoError::LeftOut(object));
        }
        Err(RepoError::Failed {
            command: self.command,
            complaint: first_line(&self.stderr),
        })
    }

    /// Gives the output as text without its last line feed.
    pub(crate) fn line(self) -> Result<String, RepoError> {
        let command = self.command.clone();
        let mut text = String::from_utf8(self.output()?).map_err(|_| RepoError::Unexpected {
            command,
            detail: "it is not UTF-8".to_owned(),
        })?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }
}

/// One call of git, being put together.
#[derive(Debug)]
pub(crate) struct Git {
    command: Command,
    directory: PathBuf,
    name: String,
    input: Vec<u8>,
}

impl Git {
    /// Starts a call in a directory, with git's own discovery of the repository and the user's configuration.
    pub(crate) fn at(directory: &Path) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this crate is the one that starts git"
        )]
        let mut command = Command::new("git");
        for (name, _) in std::env::vars_os() {
            if is_redirecting(&name) {
                command.env_remove(name);
            }
        }
        command
            .current_dir(directory)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_LITERAL_PATHSPECS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_ALLOW_PROTOCOL", "")
            .arg("--no-pager");
        SETTINGS.iter().fold(
            Self {
                command,
                directory: directory.to_owned(),
                name: String::new(),
                input: Vec::new(),
            },
            |git, one| git.setting(one),
        )
    }

    /// Overrides one setting, whatever the repository's configuration says. Comes before the git command.
    pub(crate) fn setting(mut self, assignment: &str) -> Self {
        self.command.args(["-c", assignment]);
        self
    }

    /// Sets an environment variable of the call.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Adds one argument; the first one names the git command in messages.
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        if self.name.is_empty() {
            self.name = argument.as_ref().to_string_lossy().into_owned();
        }
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = S>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Gives bytes to git's standard input.
    pub(crate) fn input(mut self, bytes: Vec<u8>) -> Self {
        self.input = bytes;
        self
    }

    /// Runs the call; a failing git is an [`Answer`], not an error.
    pub(crate) fn run(mut self) -> Result<Answer, RepoError> {
        let mut child = self
            .command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::NotFound if self.directory.is_dir() => RepoError::GitMissing,
                _ => RepoError::Io {
                    doing: "start git".to_owned(),
                    source,
                },
            })?;
        let (stdout, stderr) = converse(&mut child, &self.input)
            .map_err(RepoError::io(format!("talk to git {}", self.name)))?;
        if stdout.len() as u64 > OUTPUT_LIMIT {
            // A child that is already gone needs no killing; waiting below reaps it either way.
            child.kill().ok();
        }
        let status = child
            .wait()
            .map_err(RepoError::io(format!("wait for git {}", self.name)))?;
        if stdout.len() as u64 > OUTPUT_LIMIT {
            return Err(RepoError::TooLarge {
                command: self.name,
                limit: OUTPUT_LIMIT,
            });
        }
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ok(Answer {
            command: self.name,
            is_success: status.success(),
            stdout,
            stderr,
        })
    }

    /// Runs the call and gives its output.
    pub(crate) fn output(self) -> Result<Vec<u8>, RepoError> {
        self.run()?.output()
    }

    /// Runs the call and gives its output as one line.
    pub(crate) fn line(self) -> Result<String, RepoError> {
        self.run()?.line()
    }
}

/// Writes the input while reading both outputs, so that no pipe can fill up and stall.
fn converse(child: &mut Child, input: &[u8]) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    thread::scope(|scope| {
        let writer = scope.spawn(move || match stdin {
            // Git may stop reading early; its exit status then tells why.
            Some(mut pipe) => match pipe.write_all(input) {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error),
                Ok(()) | Err(_) => Ok(()),
            },
            None => Ok(()),
        });
        let complaints = scope.spawn(move || read_up_to(stderr, COMPLAINT_LIMIT));
        let answer = read_up_to(stdout, OUTPUT_LIMIT + 1);
        join(writer)?;
        Ok((answer?, join(complaints)?))
    })
}

/// Waits for a helper thread; a panic in it becomes an error.
fn join<T>(handle: thread::ScopedJoinHandle<'_, std::io::Result<T>>) -> std::io::Result<T> {
    handle
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("a reader thread panicked")))
}

/// Reads at most `limit` bytes and closes the pipe.
fn read_up_to(pipe: Option<impl Read>, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Tells whether a variable of the caller would steer git away from what was asked.
fn is_redirecting(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let is_kept = matches!(
        name.as_ref(),
        "GIT_CONFIG_GLOBAL"
            | "GIT_CONFIG_SYSTEM"
            | "GIT_CONFIG_NOSYSTEM"
            | "GIT_EXEC_PATH"
            | "GIT_CEILING_DIRECTORIES"
    );
    name.starts_with("GIT_") && !is_kept
}

/// The object that a partial clone would have to fetch.
fn left_out(complaint: &str) -> Option<String> {
    let words = [
        "lazy fetching disabled",
        "promisor remote",
        "unable to read ",
    ];
    if !words.iter().any(|words| complaint.contains(words)) {
        return None;
    }
    let is_name =
        |word: &&str| word.len() >= 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut parts = complaint.split(|c: char| !c.is_ascii_alphanumeric());
    parts.find(is_name).map(str::to_owned)
}

/// Gives the first line of a complaint that says something, without git's prefix.
fn first_line(complaint: &str) -> String {
    let line = complaint
        .lines()
        .find(|line| !line.trim().is_empty())
        .unwrap_or("it gave no reason");
    line.trim_start_matches("fatal: ")
        .trim_start_matches("error: ")
        .trim()
        .to_owned()
}
