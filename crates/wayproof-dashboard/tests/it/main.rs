//! The pages through their one door: over HTTP, and in a real browser.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking, in its helpers as well"
)]

mod advice;
mod browser;
mod budgets;
mod demo;
mod door;
mod hostile;
mod jobs;
mod markup;
mod pages;
mod review;
mod roles;
mod stage;
mod story;
mod zoom;
