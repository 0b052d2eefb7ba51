//! The public interface of the crate against real repositories made by the real git.

#[cfg(test)]
mod changes;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod contents;
#[cfg(test)]
mod discover;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod notes;
#[cfg(test)]
mod reverts;
#[cfg(test)]
mod snapshot;
