#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod branches;
mod changes;
mod checkout;
mod contents;
mod discover;
mod git;
mod grep;
mod history;
mod hunks;
mod notes;
mod patch;
mod path;
mod reverts;
mod revision;
mod shadow;
mod snapshot;
mod tree;

pub use branches::Branch;
pub use changes::{Change, ChangeKind};
pub use contents::Missing;
pub use discover::Repo;
pub use git::RepoError;
pub use grep::Hit;
pub use history::{Makers, Person};
pub use hunks::{Hunk, HunkLine, LineKind};
pub use patch::{FilePatch, PatchLine};
pub use path::to_path;
pub use reverts::Revert;
pub use revision::{Commit, Oid};
pub use snapshot::Snapshot;
pub use tree::{EntryKind, TreeEntry};
