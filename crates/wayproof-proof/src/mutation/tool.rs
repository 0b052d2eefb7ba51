//! Faults by the language's own tool, where one is installed: mutmut, Stryker, cargo-mutants. Ours otherwise.
//!
//! The tool makes the faults and never sees the tests: it works on a copy of the source with nothing to run but a test
//! of ours that does nothing. Whether tests notice a fault is found out as always, with the fault in its place and no
//! tool around; a test that asks whether such a tool is at work learns nothing. Which of its faults are tried is drawn
//! by the same seed as ours. A tool that fails, or knows no fault for these lines, leaves the work to ours.

mod cargo_mutants;
mod mutmut;
mod stryker;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wayproof_receipt::predicate::{Check, CheckKind, Side};

use crate::mutant_report::{ReadMutant, apply};
use crate::mutate::{self, Field, Mutant};
use crate::plan::{Ecosystem, Suite};
use crate::request::Step;
use crate::row::Case;
use crate::run::{Command, Host, Tree, Trouble};
use crate::sandbox::{Limits, Ran};

/// How long a tool may take to make its faults.
const WALL: Duration = Duration::from_mins(1);

/// Faults to plant, and who made them.
#[derive(Debug)]
pub(crate) struct Faults {
    /// In the order they are tried.
    pub mutants: Vec<Mutant>,
    /// The name of the tool with its version; `wayproof` for ours.
    pub tool: String,
    /// The commands that made them.
    pub checks: Vec<Check>,
}

/// What a tool knows: its name with its version, and its faults.
struct Known {
    tool: String,
    mutants: Vec<Mutant>,
}

/// A tool at work on a copy of the source.
struct Bench<'a> {
    host: Host<'a>,
    suite: &'a Suite,
    fields: &'a [Field],
    seed: &'a str,
    /// The copy; only the files of the fields are in it, where the suite's folder would be.
    place: Tree,
    checks: Vec<Check>,
}

impl Faults {
    /// Up to `most` faults in the fields.
    pub(crate) fn make(
        case: &Case<'_>,
        suite: &Suite,
        fields: &[Field],
        (seed, most): (&str, usize),
    ) -> Result<Self, Trouble> {
        let limits = Limits {
            wall: WALL,
            ..*case.host.limits
        };
        let mut bench = Bench {
            host: Host {
                limits: &limits,
                ..*case.host
            },
            suite,
            fields,
            seed,
            place: Tree {
                side: Side::Other,
                path: case.host.fresh("faults")?,
                content: None,
            },
            checks: Vec::new(),
        };
        let known = if fields.is_empty() || suite.command.is_some() {
            None
        } else {
            bench.ask(case)?
        };
        let checks = std::mem::take(&mut bench.checks);
        Ok(match known {
            Some(known) => Self {
                mutants: drawn(known.mutants, seed, most),
                tool: known.tool,
                checks,
            },
            None => Self {
                mutants: mutate::mutants(fields, seed, most),
                tool: "wayproof".to_owned(),
                checks,
            },
        })
    }
}

/// Those that are tried, drawn as ours are.
fn drawn(mutants: Vec<Mutant>, seed: &str, most: usize) -> Vec<Mutant> {
    let named = mutants
        .into_iter()
        .map(|mutant| (mutant.name(), (mutant.path.clone(), mutant.line), mutant));
    mutate::drawn(named.collect(), seed, most)
}

impl Bench<'_> {
    /// What the tool of the suite's language knows; nothing if there is none, or it does not work here.
    fn ask(&mut self, case: &Case<'_>) -> Result<Option<Known>, Trouble> {
        case.progress.step(&Step::Checking {
            what: "which faults to plant",
        });
        let known = match self.suite.ecosystem {
            Ecosystem::Python => mutmut::ask(self),
            Ecosystem::JavaScript => stryker::ask(self, &case.trees.head),
            Ecosystem::Rust => cargo_mutants::ask(self, &case.trees.head),
            Ecosystem::Go | Ecosystem::Ruby | Ecosystem::Php | Ecosystem::Java | Ecosystem::C => {
                Ok(None)
            }
        };
        let known = match known {
            Err(Trouble::Infra(_)) => None,
            other => other?,
        };
        Ok(known.filter(|known| !known.mutants.is_empty()))
    }
}

impl Bench<'_> {
    /// The path of a field inside the suite's folder.
    fn inside<'f>(&self, field: &'f Field) -> Option<&'f str> {
        let path = field.path.strip_prefix(&self.suite.dir)?;
        Some(path.trim_start_matches('/'))
    }

    /// Writes a file of the copy.
    fn put(&self, path: &str, text: &str) -> Result<(), Trouble> {
        let place = self.place.path.join(path);
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(Trouble::io("copy source for a tool"))?;
        }
        std::fs::write(&place, text).map_err(Trouble::io("copy source for a tool"))
    }

    /// Copies the fields; nothing else of the repository is there, neither its tests nor its settings.
    fn put_fields(&self) -> Result<(), Trouble> {
        for field in self.fields {
            if let Some(path) = self.inside(field) {
                self.put(path, &field.text)?;
            }
        }
        Ok(())
    }

    /// Runs a command of the tool in the copy.
    fn run(
        &mut self,
        argv: Vec<String>,
        env: &[(&str, &str)],
        readable: Vec<PathBuf>,
    ) -> Result<Ran, Trouble> {
        let cwd = self.place.path.clone();
        self.run_in(&cwd, argv, env, readable)
    }

    fn run_in(
        &mut self,
        cwd: &Path,
        argv: Vec<String>,
        env: &[(&str, &str)],
        readable: Vec<PathBuf>,
    ) -> Result<Ran, Trouble> {
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let (ran, check) = self.host.run(Command {
            kind: CheckKind::Mutation,
            argv,
            cwd: cwd.to_owned(),
            env: env.collect(),
            writable: Vec::new(),
            readable,
            tree: &self.place,
        })?;
        self.checks.push(check);
        Ok(ran)
    }

    /// The faults that a report names, as far as they lie in the fields and can be made.
    fn made(&self, read: Vec<ReadMutant>) -> Vec<Mutant> {
        let by_path: BTreeMap<&str, &Field> = self
            .fields
            .iter()
            .filter_map(|field| Some((self.inside(field)?, field)))
            .collect();
        let made = |one: ReadMutant| {
            let field = by_path.get(one.path.as_str())?;
            let (line, text) = apply(&field.text, &one.edit)?;
            let is_open = field.is_open(line) && !field.test_lines().contains(&line);
            (is_open && text != field.text).then(|| Mutant {
                path: field.path.clone(),
                line,
                what: one.what,
                text,
            })
        };
        read.into_iter().filter_map(made).collect()
    }
}

/// A JSON file of a tool, if it is not larger than such a file is.
fn report_at(place: &Path) -> Option<Vec<u8>> {
    const MOST: u64 = 64 << 20;
    let data = place.symlink_metadata().ok()?;
    if !data.is_file() || data.len() > MOST {
        return None;
    }
    std::fs::read(place).ok()
}
