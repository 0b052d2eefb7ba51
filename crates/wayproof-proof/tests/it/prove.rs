//! Whole proofs over small repositories, with the real runners of every ecosystem.

mod bench;
mod cheats;
mod cmake;
mod dependency_bump;
mod feature;
mod go;
mod java;
mod javascript;
mod migration;
mod odd;
mod packing;
mod performance;
mod php;
mod python;
mod refactor;
mod ruby;
mod rust;
mod small_edit;
mod test_generation;
mod trouble;
