//! cargo-mutants (Rust). It lists its faults as differences and builds nothing for that.

use super::{Bench, Known};
use crate::mutant_report::cargo_mutants_list;
use crate::run::{Tree, Trouble};

/// What cargo-mutants knows of the fields.
pub(super) fn ask(bench: &mut Bench<'_>, head: &Tree) -> Result<Option<Known>, Trouble> {
    let Some(program) = bench.host.machine.find("cargo-mutants") else {
        return Ok(None);
    };
    let program = program.to_string_lossy().into_owned();
    let word = |words: &[&str]| -> Vec<String> {
        let program = std::iter::once(program.clone());
        program
            .chain(words.iter().map(|word| (*word).to_owned()))
            .collect()
    };
    let ran = bench.run(word(&["mutants", "--version"]), &[], Vec::new())?;
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let Some(version) = said
        .split_whitespace()
        .next_back()
        .filter(|_| ran.exit == Some(0))
    else {
        return Ok(None);
    };
    // Settings of the repository could leave out what it does not want to be asked about.
    let mut argv = word(&["mutants", "--no-config", "--list", "--json", "--diff"]);
    for field in bench.fields {
        if let Some(path) = bench.inside(field) {
            argv.extend(["--file".to_owned(), path.to_owned()]);
        }
    }
    let cwd = head.path.join(&bench.suite.dir);
    let ran = bench.run_in(
        &cwd,
        argv,
        &[("CARGO_NET_OFFLINE", "true")],
        vec![head.path.clone()],
    )?;
    Ok(Some(Known {
        tool: format!("cargo-mutants {version}"),
        mutants: bench.made(cargo_mutants_list(&ran.stdout)),
    }))
}
