//! The ledger through its public API. Everything that reads or writes a database runs on SQLite and on PostgreSQL.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a ledger that cannot be set up stops the test"
)]

mod backup;
mod books;
mod callers;
mod clock;
mod copy;
mod crash;
mod cube;
mod damage;
mod engine;
mod event;
mod export;
mod failure;
mod fixture;
mod foreign;
mod forget;
mod pages;
mod process;
mod proof;
mod prune;
mod record;
mod report;
mod signer;
mod spend;
mod verify;
