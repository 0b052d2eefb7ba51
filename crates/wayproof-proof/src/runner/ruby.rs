//! minitest and RSpec through a runner of ours, which lists the tests first and writes every result down.
//!
//! A bundle that is complete is used as it is; nothing is installed. test-unit is not known and said so.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::CheckKind;

use super::{events, node_files};
use crate::machine::Machine;
use crate::plan::Suite;
use crate::report::TestId;
use crate::run::{Command, Host, Selection, SuiteRun, Tree, Trouble, report};
use crate::typecheck::Checker;

const RUNNER: &str = include_str!("assets/wayproof_ruby.rb");
/// Compiles files without running them.
const SYNTAX: &str = "ARGV.each { |file| RubyVM::InstructionSequence.compile_file(file) }";

/// The two families of tests, with the files of each.
#[derive(Debug, Default, PartialEq, Eq)]
struct Families {
    minitest: Vec<String>,
    rspec: Vec<String>,
}

/// Runs the suite.
pub(crate) fn run(
    host: &Host<'_>,
    suite: &Suite,
    tree: &Tree,
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let ruby = host.program("ruby", "the change needs it to run its tests")?;
    let cwd = tree.path.join(&suite.dir);
    let mut whole = SuiteRun::empty();
    if !cwd.is_dir() {
        return Ok(whole);
    }
    let families = families(&cwd)?;
    for (family, files) in [("minitest", families.minitest), ("rspec", families.rspec)] {
        let files = chosen(files, selection);
        if files.is_empty() {
            continue;
        }
        let run = run_family(host, &ruby, (family, &files), (&cwd, tree), selection)?;
        whole.planned.extend(run.planned);
        whole.results.extend(run.results);
        whole.stopped.extend(run.stopped);
        whole.problems.extend(run.problems);
        whole.checks.extend(run.checks);
        whole.is_complete &= run.is_complete;
    }
    Ok(whole)
}

fn run_family(
    host: &Host<'_>,
    ruby: &str,
    (family, files): (&str, &[String]),
    (cwd, tree): (&Path, &Tree),
    selection: Selection<'_>,
) -> Result<SuiteRun, Trouble> {
    let out = host.fresh("ruby")?;
    let assets = host.shared("assets/ruby")?;
    let script = assets.join("wayproof_ruby.rb");
    if !script.exists() {
        std::fs::write(&script, RUNNER).map_err(Trouble::io("write the reporter"))?;
    }
    let events_file = out.join("events.jsonl");
    let mut env = environment(host.machine, cwd);
    env.push((
        "WAYPROOF_EVENTS".to_owned(),
        events_file.to_string_lossy().into_owned(),
    ));
    if let Selection::Only(ids) = selection {
        let names: Vec<&str> = ids.iter().map(TestId::as_str).collect();
        let list = out.join("only.json");
        std::fs::write(&list, serde_json::json!(names).to_string())
            .map_err(Trouble::io("write the list of tests"))?;
        env.push((
            "WAYPROOF_ONLY".to_owned(),
            list.to_string_lossy().into_owned(),
        ));
    }
    let start = [
        ruby.to_owned(),
        script.to_string_lossy().into_owned(),
        family.to_owned(),
    ];
    let command = Command {
        kind: CheckKind::Test,
        argv: [start.to_vec(), files.to_vec()].concat(),
        cwd: cwd.to_path_buf(),
        env,
        writable: vec![out],
        readable: [vec![assets], gems(host.machine)].concat(),
        tree,
    };
    let (ran, mut check) = host.run(command)?;
    let bytes = std::fs::read(&events_file).unwrap_or_default();
    let mut run = events::read(&bytes, &cwd.to_string_lossy());
    if let Some(stop) = run
        .stopped
        .get("")
        .filter(|stop| lacks_runner(&stop.message))
    {
        let sentence = format!("{family} is not installed for ruby: {}", stop.message);
        return Err(Trouble::Infra(sentence));
    }
    events::hold_against_exit(&mut run, &ran);
    check.is_complete &= run.is_complete;
    check.reports = vec![report("application/x-ndjson", &bytes)];
    check.parser = Some(format!("wayproof-{family}"));
    run.checks.push(check);
    Ok(run)
}

/// How to check these files: whether they compile.
pub(crate) fn checker(host: &Host<'_>, files: &[String]) -> Result<Option<Checker>, Trouble> {
    if files.is_empty() {
        return Ok(None);
    }
    let ruby = host.program("ruby", "the change needs it to check its syntax")?;
    let start = [ruby, "-e".to_owned(), SYNTAX.to_owned()];
    Ok(Some(Checker {
        argv: [start.to_vec(), files.to_vec()].concat(),
        env: Vec::new(),
        writable: Vec::new(),
        readable: Vec::new(),
        format: None,
    }))
}

/// The test files under `test` and `spec`, by the library they are written for.
fn families(cwd: &Path) -> Result<Families, Trouble> {
    let mut families = Families::default();
    let read = |path: &String| std::fs::read_to_string(cwd.join(path)).unwrap_or_default();
    let mut is_test_unit = false;
    let mut specs = Vec::new();
    for path in node_files::walk(cwd) {
        let is_under = |folders: &[&str]| {
            folders
                .iter()
                .any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
        };
        let Some(stem) = path.strip_suffix(".rb") else {
            continue;
        };
        let stem = stem.rsplit('/').next().unwrap_or(stem);
        if stem.ends_with("_spec") && is_under(&["spec/", "test/", "tests/"]) {
            specs.push(path);
        } else if (stem.starts_with("test_") && stem != "test_helper" || stem.ends_with("_test"))
            && is_under(&["test/", "tests/", "spec/"])
        {
            let text = read(&path);
            is_test_unit |= text.contains("test/unit") || text.contains("Test::Unit::TestCase");
            families.minitest.push(path);
        }
    }
    let helpers = ["spec/spec_helper.rb", "spec/minitest_helper.rb"].map(str::to_owned);
    let is_minitest_spec = specs
        .iter()
        .chain(&helpers)
        .any(|path| read(path).contains("minitest"));
    if is_minitest_spec {
        families.minitest.append(&mut specs);
    }
    families.rspec = specs;
    families.minitest.sort();
    families.rspec.sort();
    if is_test_unit {
        let sentence = "the tests use test-unit, which is not supported; minitest and RSpec are";
        return Err(Trouble::Infra(sentence.to_owned()));
    }
    Ok(families)
}

/// The files to load. For chosen tests all are, because a name depends on which file was loaded first.
fn chosen(files: Vec<String>, selection: Selection<'_>) -> Vec<String> {
    match selection {
        Selection::All | Selection::Only(_) => files,
        Selection::Files(wanted) => {
            let wanted: BTreeSet<&String> = wanted.iter().collect();
            files
                .into_iter()
                .filter(|file| wanted.contains(file))
                .collect()
        }
    }
}

fn lacks_runner(message: &str) -> bool {
    ["-- minitest", "-- rspec/"]
        .iter()
        .any(|words| message.contains("cannot load such file") && message.contains(words))
}

/// Gem folders of the operator's own, which checks may read.
/// Folders of gems that are not ruby's own.
pub(crate) fn gems(machine: &Machine) -> Vec<PathBuf> {
    let named = ["GEM_HOME", "GEM_PATH"].iter();
    let named = named.filter_map(|name| machine.variables.get(*name));
    let named = named.flat_map(|value| value.split(':').map(PathBuf::from));
    let homes = [".gem/ruby", ".local/share/gem/ruby"].map(|place| machine.home.join(place));
    let versions = homes
        .iter()
        .flat_map(|home| std::fs::read_dir(home).into_iter().flatten().flatten());
    let own = versions.map(|entry| entry.path());
    let all: BTreeSet<PathBuf> = named.chain(own).filter(|path| path.is_dir()).collect();
    all.into_iter().collect()
}

fn environment(machine: &Machine, cwd: &Path) -> Vec<(String, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let mut env = vec![
        ("RACK_ENV".to_owned(), "test".to_owned()),
        ("RAILS_ENV".to_owned(), "test".to_owned()),
        // Tests that share a process run one after the other.
        ("MT_CPU".to_owned(), "1".to_owned()),
        ("N".to_owned(), "1".to_owned()),
    ];
    let gems = gems(machine);
    if !gems.is_empty() {
        let folders: Vec<String> = gems.iter().map(|path| text(path)).collect();
        // A colon at the end keeps ruby's own folders.
        env.push(("GEM_PATH".to_owned(), format!("{}:", folders.join(":"))));
    }
    if cwd.join("Gemfile").is_file() {
        env.push(("BUNDLE_GEMFILE".to_owned(), text(&cwd.join("Gemfile"))));
        if cwd.join("vendor/bundle").is_dir() {
            env.push(("BUNDLE_PATH".to_owned(), text(&cwd.join("vendor/bundle"))));
        }
    }
    env
}

#[cfg(test)]
mod tests {
    use super::{Families, families};

    fn found(files: &[(&str, &str)]) -> Result<Families, String> {
        let folder = tempfile::TempDir::new().unwrap();
        for (path, text) in files {
            let place = folder.path().join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            std::fs::write(place, text).unwrap();
        }
        families(folder.path()).map_err(|trouble| trouble.to_string())
    }

    #[test]
    fn files_are_sorted_by_the_library_they_are_written_for() {
        let both = found(&[
            ("test/a_test.rb", "require 'minitest/autorun'"),
            ("test/test_helper.rb", ""),
            ("lib/a_test.rb", ""),
            ("spec/a_spec.rb", "RSpec.describe"),
        ])
        .unwrap();
        assert_eq!(both.minitest, ["test/a_test.rb"]);
        assert_eq!(both.rspec, ["spec/a_spec.rb"]);
        let specs = found(&[
            ("spec/spec_helper.rb", "require 'minitest/autorun'"),
            ("spec/a_spec.rb", ""),
        ])
        .unwrap();
        assert_eq!(specs.minitest, ["spec/a_spec.rb"]);
        let error = found(&[("test/a_test.rb", "require 'test/unit'")]).unwrap_err();
        assert!(error.contains("test-unit"), "{error}");
    }
}
