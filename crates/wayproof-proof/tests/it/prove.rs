//! Whole proofs over small repositories, with the real runners of every ecosystem.

mod bench;
mod cheats;
mod go;
mod javascript;
mod python;
mod rust;
mod small_edit;
mod trouble;
