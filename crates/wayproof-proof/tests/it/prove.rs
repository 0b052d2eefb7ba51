//! Whole proofs over small repositories, with the real runners of every ecosystem.

mod bench;
mod cheats;
mod cmake;
mod go;
mod java;
mod javascript;
mod php;
mod python;
mod ruby;
mod rust;
mod small_edit;
mod trouble;
