//! The crate through its public face: published vectors, properties, forgeries, pages.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod bundles;
mod fixture;
mod forgeries;
mod keys;
mod notes;
mod pages;
mod properties;
mod statements;
mod support;
mod trees;
mod vectors;
mod verification;
