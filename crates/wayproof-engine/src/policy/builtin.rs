//! The built-in matrix: a policy file that ships with the crate and is read by the same code as any other.

use std::sync::LazyLock;

use super::{
    Policy,
    document::{Document, Preset},
    merge::merge,
    resolve,
};

/// The file, with its comments.
pub(crate) const TEXT: &str = include_str!("builtin.toml");

static CASCADE: LazyLock<Document> =
    LazyLock::new(|| merge(document(), read(include_str!("cascade.toml"))));
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| read(TEXT));
static POLICY: LazyLock<Policy> = LazyLock::new(build);

/// The file as read.
pub(crate) fn document() -> &'static Document {
    &DOCUMENT
}

/// What a file with this preset is laid over.
pub(crate) fn preset(preset: Option<Preset>) -> &'static Document {
    match preset {
        None | Some(Preset::Matrix) => document(),
        Some(Preset::Cascade) => &CASCADE,
    }
}

/// The policy it makes.
pub(crate) fn policy() -> Policy {
    POLICY.clone()
}

#[expect(
    clippy::expect_used,
    reason = "the text ships with the crate and every test reads it"
)]
fn read(text: &str) -> Document {
    toml::from_str(text).expect("the built-in policy follows the file's shape")
}

#[expect(
    clippy::expect_used,
    reason = "the text ships with the crate and every test reads it"
)]
fn build() -> Policy {
    let policy = resolve::resolve(document(), TEXT, &mut |_, problem| {
        debug_assert!(false, "built-in policy: {}", problem.message);
    });
    Policy {
        // It stands in no file that somebody could change.
        text: Box::default(),
        ..policy.expect("the built-in policy has no problems")
    }
}
