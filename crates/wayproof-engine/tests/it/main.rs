//! Tests of the engine through its public API. Nothing here reads a clock, an environment or the network.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and its helpers do too"
)]

mod adapt;
mod advise;
mod catalog;
mod counterfactual;
mod deciding;
mod evidence;
mod judging;
mod minding;
mod policy;
mod props;
mod scenarios;
mod setting;
mod simulate;
mod switching;
