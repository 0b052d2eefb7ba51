#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod assets;
mod desk;
mod escape;
mod frame;
mod guard;
mod live;
mod pages;
mod params;
mod problem;
mod routes;
mod show;

pub use desk::{House, Parts, ProviderSeen, Setting};
pub use routes::{StartError, router};
