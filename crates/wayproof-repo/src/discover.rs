//! Finds the repository a directory belongs to. It refuses bare repositories, owners git does not trust and
//! configurations that move the working tree away.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::git::{Git, RepoError};
use crate::path;
use crate::shadow::Shadow;

/// Folders that hold downloaded or built things and that builds expect to find again.
const DEPENDENCY_DIRS: &[&str] = &[
    ".gradle",
    ".m2",
    ".nox",
    ".pnp",
    ".tox",
    ".venv",
    ".yarn",
    "__pypackages__",
    "bower_components",
    "deps",
    "env",
    "node_modules",
    "target",
    "vendor",
    "venv",
];

/// An opened repository with a working tree.
#[derive(Debug, Clone)]
pub struct Repo {
    root: PathBuf,
    shadow: Arc<Shadow>,
}

impl Repo {
    /// Opens the repository that a directory is in.
    pub fn discover(start: &Path) -> Result<Self, RepoError> {
        let metadata =
            fs::metadata(start).map_err(RepoError::io(format!("open {}", start.display())))?;
        if !metadata.is_dir() {
            return Err(RepoError::NotARepository(start.to_owned()));
        }
        let answer = Git::at(start)
            .args([
                "rev-parse",
                "--path-format=absolute",
                "--show-object-format",
                "--git-common-dir",
            ])
            .args(["--git-path", "objects", "--is-inside-work-tree"])
            .run()?;
        if !answer.is_success {
            return Err(complaint(start, &answer.stderr));
        }
        let lines = answer.line()?;
        let [object_format, git_dir, objects, "true"] = *lines.split('\n').collect::<Vec<_>>()
        else {
            return Err(RepoError::NoWorkTree(start.to_owned()));
        };
        let root = PathBuf::from(
            Git::at(start)
                .args(["rev-parse", "--show-toplevel"])
                .line()?,
        );
        // A configuration can point the working tree anywhere; a real one has its `.git` in it.
        if fs::symlink_metadata(root.join(".git")).is_err() {
            return Err(RepoError::NoWorkTree(start.to_owned()));
        }
        let shadow = Shadow::new(Path::new(git_dir), PathBuf::from(objects), object_format)?;
        Ok(Self {
            root,
            shadow: Arc::new(shadow),
        })
    }

    /// The top of the working tree.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The address of the remote `origin`, without any password in it.
    pub fn remote_url(&self) -> Result<Option<String>, RepoError> {
        let answer = self
            .git()
            .args(["config", "--get", "remote.origin.url"])
            .run()?;
        if !answer.is_success {
            return Ok(None);
        }
        Ok(Some(without_userinfo(&answer.line()?)))
    }

    /// Lists ignored folders that hold dependencies or build products, relative to the root, sorted.
    ///
    /// A symbolic link is never one of them, whatever it is called.
    pub fn ignored_dirs(&self) -> Result<Vec<PathBuf>, RepoError> {
        let listing = self
            .git()
            .args([
                "ls-files",
                "--others",
                "--ignored",
                "--exclude-standard",
                "--directory",
                "-z",
            ])
            .output()?;
        let mut found: Vec<PathBuf> = listing
            .split(|byte| *byte == 0)
            .filter_map(|name| name.strip_suffix(b"/"))
            .map(|name| PathBuf::from(path::to_text(name)))
            .filter(|name| name.file_name().is_some_and(is_dependency_dir))
            .filter(|name| {
                fs::symlink_metadata(self.root.join(name)).is_ok_and(|metadata| metadata.is_dir())
            })
            .collect();
        found.sort();
        Ok(found)
    }

    /// Starts a call in the repository itself: for names, notes and the list of tracked paths.
    pub(crate) fn git(&self) -> Git {
        Git::at(&self.root)
    }

    /// Starts a call that sees objects only.
    pub(crate) fn objects(&self) -> Git {
        self.shadow.git()
    }

    /// The private git directory.
    pub(crate) fn shadow(&self) -> &Shadow {
        &self.shadow
    }
}

/// Tells whether a folder name is one of a package manager or a build.
fn is_dependency_dir(name: &std::ffi::OsStr) -> bool {
    name.to_str()
        .is_some_and(|name| DEPENDENCY_DIRS.contains(&name))
}

/// Turns git's complaint about a directory into ours.
fn complaint(start: &Path, stderr: &str) -> RepoError {
    if stderr.contains("dubious ownership") {
        let named = stderr
            .split('\'')
            .nth(1)
            .map_or_else(|| start.to_owned(), PathBuf::from);
        return RepoError::UnsafeOwner(named);
    }
    if stderr.contains("not a git repository") {
        return RepoError::NotARepository(start.to_owned());
    }
    if stderr.contains("must be run in a work tree") {
        return RepoError::NoWorkTree(start.to_owned());
    }
    RepoError::Failed {
        command: "rev-parse".to_owned(),
        complaint: stderr
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("fatal: ")
            .to_owned(),
    }
}

/// Takes a user name and password out of an address; the user of `git@host:path` is no secret and stays.
fn without_userinfo(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, Some(path)),
        None => (rest, None),
    };
    let host = authority.rsplit('@').next().unwrap_or(authority);
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    #[rstest]
    #[case("https://me:secret@example.com/a/b.git", "https://example.com/a/b.git")]
    #[case("https://token@example.com", "https://example.com")]
    #[case("git@example.com:a/b.git", "git@example.com:a/b.git")]
    #[case("/srv/git/a@b.git", "/srv/git/a@b.git")]
    #[case("https://example.com/a@b", "https://example.com/a@b")]
    fn addresses_lose_their_secrets(#[case] url: &str, #[case] expected: &str) {
        assert_eq!(super::without_userinfo(url), expected);
    }
}
