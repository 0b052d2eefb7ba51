#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod agent;
mod error;
mod files;
mod import;
mod join;
mod lenient;
mod lines;
mod sink;

pub use agent::Source;
pub use error::ImportError;
pub use import::{Counts, Importer, Options, Price, Priced, Progress, Summary};
