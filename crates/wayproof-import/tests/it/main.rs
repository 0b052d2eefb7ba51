//! Imports through the public API, from logs as agents write them, into a ledger that is verified afterwards.

#![expect(
    clippy::expect_used,
    reason = "a place that cannot be set up stops the test"
)]

mod formats;
mod hostile;
mod once;
mod place;
mod speed;
