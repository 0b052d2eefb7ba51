//! Stryker (JavaScript and TypeScript). Its report names each fault by place and replacement.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Bench, Known, report_at};
use crate::mutant_report::stryker_report;
use crate::run::{Tree, Trouble};

const SETTINGS: &str = "wayproof-stryker.json";
const REPORT: &str = "wayproof-mutation.json";

/// What Stryker knows of the fields.
pub(super) fn ask(bench: &mut Bench<'_>, head: &Tree) -> Result<Option<Known>, Trouble> {
    let Some(folder) = installed(bench, head)? else {
        return Ok(None);
    };
    let node = bench.host.program("node", "Stryker runs on it")?;
    bench.put_fields()?;
    let mutate: Vec<&str> = bench
        .fields
        .iter()
        .filter_map(|field| bench.inside(field))
        // It would be read as a pattern.
        .filter(|path| !path.contains(['*', '?', '{', '[', '!', ':']))
        .collect();
    if mutate.is_empty() {
        return Ok(None);
    }
    bench.put(SETTINGS, &settings(&mutate).to_string())?;
    bench.put("package.json", "{\"private\": true}\n")?;
    let program = folder.join("bin/stryker.js").to_string_lossy().into_owned();
    let words = ["run", SETTINGS].map(str::to_owned);
    // Whatever it needs lies beside it.
    let modules = folder.parent().and_then(Path::parent);
    let readable = modules.map(Path::to_path_buf).into_iter().collect();
    let argv = [vec![node, program], words.to_vec()].concat();
    bench.run(argv, &[], readable)?;
    let Some(bytes) = report_at(&bench.place.path.join(REPORT)) else {
        return Ok(None);
    };
    let report = stryker_report(&bytes);
    Ok(Some(Known {
        tool: format!("stryker {}", report.version).trim_end().to_owned(),
        mutants: bench.made(report.mutants),
    }))
}

/// Where it is installed, which a link leads to out of the tree: a file of the tree itself is not run.
fn installed(bench: &Bench<'_>, head: &Tree) -> Result<Option<PathBuf>, Trouble> {
    let root = head
        .path
        .canonicalize()
        .map_err(Trouble::io("find a tree"))?;
    let folders = ["", &bench.suite.dir].map(|dir| {
        let modules = head.path.join(dir).join("node_modules");
        modules.join("@stryker-mutator/core").canonicalize().ok()
    });
    Ok(folders
        .into_iter()
        .flatten()
        .find(|folder| !folder.starts_with(&root)))
}

/// Nothing of the repository's own settings is heard, and nothing of it runs.
fn settings(mutate: &[&str]) -> Value {
    json!({
        "testRunner": "command",
        "commandRunner": {"command": "true"},
        "mutate": mutate,
        "plugins": [],
        "reporters": ["json"],
        "jsonReporter": {"fileName": REPORT},
        "coverageAnalysis": "off",
        "concurrency": 1,
        "tempDirName": ".stryker-tmp",
        "symlinkNodeModules": false,
        "allowConsoleColors": false,
        "thresholds": {"break": null},
    })
}
