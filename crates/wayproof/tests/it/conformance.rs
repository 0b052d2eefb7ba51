//! What the tests of real agents have shown, for `docs/reference/conformance.md`: a line for each that passed.
//!
//! Written only where `WAYPROOF_CONFORMANCE` names a folder, as `cargo xtask conformance` does.

use std::{fs, path::PathBuf};

/// An agent went from a failing test to a proven fix; `protocol` is its provider's only one.
pub(crate) fn record(program: &str, protocol: Option<&str>) {
    write(program, "loop", protocol.unwrap_or("native"));
}

/// An agent worked with nothing but what `connect` wrote.
pub(crate) fn connected(program: &str) {
    write(program, "connect", "native");
}

/// An agent did the right thing with every failure.
pub(crate) fn withstood(program: &str) {
    write(program, "failures", "native");
}

/// A library asked by every provider and understood what it was answered.
pub(crate) fn understood(library: &str) {
    write(library, "sdk", "native");
}

fn write(program: &str, what: &str, protocol: &str) {
    let Some(folder) = std::env::var_os("WAYPROOF_CONFORMANCE").map(PathBuf::from) else {
        return;
    };
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{program}.{what}.{protocol}"));
    fs::write(file, "passed\n").unwrap();
}
