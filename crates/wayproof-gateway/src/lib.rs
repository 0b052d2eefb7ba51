#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod admin;
mod body;
mod callers;
mod capture;
mod envelope;
mod exchange;
mod fault;
mod front;
mod gateway;
mod gemini;
mod glance;
mod jobs;
mod keepers;
mod keys;
mod metrics;
mod models;
mod ollama;
mod origins;
mod plan;
mod proofs;
mod quota;
mod rate;
mod remember;
mod routes;
mod serve;
mod sessions;
mod socket;
mod world;

pub use gateway::{Gateway, Parts, Settings};
pub use glance::{Glance, ProviderSeen};
pub use keys::{CallerKey, KeyDigest, mint_key, mint_key_again};
pub use proofs::ProofStep;
pub use serve::ServeError;
pub use world::takes_own_key;
