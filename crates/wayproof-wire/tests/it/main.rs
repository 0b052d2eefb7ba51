//! Tests of the crate through its public interface.

#[cfg(test)]
mod able;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod clouds;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foreign;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod habits;
#[cfg(test)]
mod peeks;
#[cfg(test)]
mod props;
#[cfg(test)]
mod translation_props;
#[cfg(test)]
mod translations;
#[cfg(test)]
mod unsealing;
