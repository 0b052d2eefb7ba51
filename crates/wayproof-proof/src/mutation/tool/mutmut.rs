//! mutmut 3 (Python). It writes every fault of a file beside it and shows one as a difference of its function.

use std::collections::BTreeSet;

use super::{Bench, Known, report_at};
use crate::code::Code;
use crate::mutant_report::{mutmut_names, mutmut_shown};
use crate::mutate::{self, Field};
use crate::run::Trouble;
use crate::runner::{node_files::walk, python};

/// Differences that are asked for, so that the draw has a choice.
const MOST_SHOWN: usize = 36;
/// Says the version, and nothing about the folder it is in.
const VERSION: &str = "import importlib.metadata as m; print(m.version('mutmut'))";
/// Runs one command after another in one process.
const DRIVER: &str = "import sys
from mutmut.__main__ import cli
for command in sys.argv[1:]:
    print('wayproof-command ' + command, flush=True)
    try:
        cli(command.split(' '), standalone_mode=False)
    except (Exception, SystemExit) as error:
        print('wayproof-error ' + type(error).__name__, flush=True)
    sys.stdout.flush()
";
const SETTINGS: &str = "[mutmut]\nsource_paths=faulty\n";
const NO_TEST: &str = "def test_nothing():\n    pass\n";

/// What mutmut knows of the fields.
pub(super) fn ask(bench: &mut Bench<'_>) -> Result<Option<Known>, Trouble> {
    let (program, readable) = python::interpreter(&bench.host)?;
    // Isolated: neither the folder nor variables say what is imported.
    let argv = |code: &str, rest: Vec<String>| {
        let fixed = [program.as_str(), "-I", "-c", code].map(str::to_owned);
        [fixed.to_vec(), rest].concat()
    };
    let ran = bench.run(argv(VERSION, Vec::new()), &[], readable.clone())?;
    let version = String::from_utf8_lossy(&ran.stdout).trim().to_owned();
    // Another major version has another command line.
    if ran.exit != Some(0) || !version.starts_with("3.") {
        bench.checks.pop();
        return Ok(None);
    }
    // By numbers, because mutmut makes names of modules of their paths.
    for (number, field) in bench.fields.iter().enumerate() {
        bench.put(&format!("faulty/f{number}.py"), &field.text)?;
    }
    bench.put("setup.cfg", SETTINGS)?;
    bench.put("tests/test_wayproof.py", NO_TEST)?;
    let run = vec!["run --max-children 1".to_owned()];
    bench.run(argv(DRIVER, run), &[], readable.clone())?;
    let names = wanted(bench);
    let shows: Vec<String> = names.iter().map(|name| format!("show {name}")).collect();
    if shows.is_empty() {
        return Ok(None);
    }
    let ran = bench.run(argv(DRIVER, shows), &[], readable)?;
    let mut read = mutmut_shown(&String::from_utf8_lossy(&ran.stdout));
    for one in &mut read {
        let field = field_of(bench, &one.path).and_then(|field| bench.inside(field));
        one.path = field.unwrap_or_default().to_owned();
    }
    Ok(Some(Known {
        tool: format!("mutmut {version}"),
        mutants: bench.made(read),
    }))
}

/// The field that a file of the copy holds.
fn field_of<'f>(bench: &Bench<'f>, path: &str) -> Option<&'f Field> {
    let number = path.strip_prefix("faulty/f")?.strip_suffix(".py")?;
    bench.fields.get(number.parse::<usize>().ok()?)
}

/// Names of faults in functions that have a line of the fields, drawn.
fn wanted(bench: &Bench<'_>) -> Vec<String> {
    let mut functions: BTreeSet<&str> = BTreeSet::new();
    for field in bench.fields {
        let Some(code) = Code::read(&field.path, &field.text) else {
            continue;
        };
        for function in code.functions() {
            let tokens = code.slice(&function.body);
            if let (Some(first), Some(last)) = (tokens.first(), tokens.last())
                && (first.line..=last.line).any(|line| field.is_open(line))
            {
                functions.insert(function.name);
            }
        }
    }
    let folder = bench.place.path.join("mutants");
    let reports = walk(&folder)
        .into_iter()
        .filter(|path| path.ends_with(".meta"));
    let names = reports
        .filter_map(|path| report_at(&folder.join(path)))
        .flat_map(|bytes| mutmut_names(&bytes))
        .filter(|found| functions.contains(found.function.as_str()))
        // A name is a word of a command.
        .filter(|found| !found.name.contains(char::is_whitespace) && !found.name.starts_with('-'));
    let named = names.map(|found| (found.name.clone(), (found.name.clone(), 0), found.name));
    mutate::drawn(named.collect(), bench.seed, MOST_SHOWN)
}
