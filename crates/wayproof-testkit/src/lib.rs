#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod fixture;
mod play;
mod provider;
mod transcript;
mod voice;

pub use fixture::{Fixture, FixtureError};
pub use play::{Persona, Play, Step};
pub use provider::{Captured, Frame, Provider, Reply};
