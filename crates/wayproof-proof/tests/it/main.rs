//! The public interface of the crate, with real processes.

#[cfg(test)]
mod prove;
#[cfg(test)]
mod report;
#[cfg(test)]
mod sandbox;
