//! The program as people and CI meet it: commands, exit statuses, real agents, real proofs.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests start the program and stop at the first surprise"
)]

mod agents;
mod backtest;
mod bad_input;
mod behind_tls;
mod books;
mod clouds;
mod conformance;
mod connect;
mod connected;
mod demo;
mod desk;
mod doctor;
mod documentation;
mod environment;
mod failing;
mod foreign;
mod forge;
mod gate;
mod generated;
mod hook;
mod import;
mod keeping;
mod lying;
mod mcp;
mod models;
mod otlp;
mod policy;
mod privacy;
mod prove;
mod read_api;
mod readme;
mod real_model;
mod replicas;
mod report;
mod review;
mod review_models;
mod run;
mod sdks;
mod sign_in;
mod stop_hooks;
mod tokens;
mod top;
mod up;
mod webhook;
