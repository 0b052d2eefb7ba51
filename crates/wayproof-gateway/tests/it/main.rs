//! What the gateway promises, over real sockets.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clouds;
#[cfg(test)]
mod completing;
#[cfg(test)]
mod counting;
#[cfg(test)]
mod dialect;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod embedding;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fitting;
#[cfg(test)]
mod gemini;
#[cfg(test)]
mod generating;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod habits;
#[cfg(test)]
mod hearing;
#[cfg(test)]
mod job_keys;
#[cfg(test)]
mod judging;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod ollama;
#[cfg(test)]
mod origins;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod routing;
#[cfg(test)]
mod socket;
#[cfg(test)]
mod stage;
mod talked;
#[cfg(test)]
mod translating;
#[cfg(test)]
mod unspoken;
#[cfg(test)]
mod virtual_keys;
