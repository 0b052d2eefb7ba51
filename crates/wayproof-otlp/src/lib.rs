#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attributes;
mod encoder;
mod ids;
mod logs;
mod meter;
mod names;
mod recent;
mod span;

pub use encoder::{Batch, Encoder, Source};
