//! The built-in matrix: a policy file that ships with the crate and is read by the same code as any other.

use std::sync::LazyLock;

use super::{Policy, document::Document, resolve};

/// The file, with its comments.
pub(crate) const TEXT: &str = include_str!("builtin.toml");

static DOCUMENT: LazyLock<Document> = LazyLock::new(read);
static POLICY: LazyLock<Policy> = LazyLock::new(build);

/// The file as read.
pub(crate) fn document() -> &'static Document {
    &DOCUMENT
}

/// The policy it makes.
pub(crate) fn policy() -> Policy {
    POLICY.clone()
}

#[expect(
    clippy::expect_used,
    reason = "the text ships with the crate and every test reads it"
)]
fn read() -> Document {
    toml::from_str(TEXT).expect("the built-in policy follows the file's shape")
}

#[expect(
    clippy::expect_used,
    reason = "the text ships with the crate and every test reads it"
)]
fn build() -> Policy {
    resolve::resolve(document(), TEXT, &mut |_, problem| {
        debug_assert!(false, "built-in policy: {}", problem.message);
    })
    .expect("the built-in policy has no problems")
}
