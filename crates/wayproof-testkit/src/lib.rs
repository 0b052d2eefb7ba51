#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod fixture;
mod identity;
mod play;
#[cfg(unix)]
mod postgres;
mod provider;
mod transcript;
mod voice;

pub use fixture::{Fixture, FixtureError};
pub use identity::{Identity, Signing};
pub use play::{Persona, Play, Step};
#[cfg(unix)]
pub use postgres::Postgres;
pub use provider::{Captured, Frame, Provider, Reply};
