//! Python: a wheel built by the project's own backend and unpacked where the source is not; without a backend, the
//! files compile and are loaded as they lie.

use std::path::{Path, PathBuf};

use wayproof_receipt::predicate::{Check, CheckKind, CheckResult};

use super::{Artefact, Built, NOT_BUILT, NOT_LOCKED, Needs, Try, error_of, said, step};
use crate::checkout::changes_source;
use crate::plan::Suite;
use crate::row::Case;
use crate::run::{Host, Tree, Trouble};
use crate::runner::python;

const SMOKE: &str = include_str!("assets/wayproof_smoke.py");
/// What is said where the machine has no backend, which is no fault of the change.
const NO_BACKEND: &[&str] = &[
    "No module named pip",
    "BackendUnavailable",
    "Cannot import 'setuptools.build_meta'",
    "No module named 'setuptools'",
    "No module named 'hatchling'",
    "No module named 'poetry'",
    "No module named 'flit_core'",
    "No module named 'wheel'",
    "invalid command 'bdist_wheel'",
];

/// Builds, and says how to try it.
#[expect(
    clippy::too_many_lines,
    reason = "one procedure, read from top to bottom"
)]
pub(super) fn build(case: &Case<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    let host = case.host;
    let (program, readable) = python::interpreter(host)?;
    let cwd = tree.path.join(&suite.dir);
    let out = host.fresh("wheel")?;
    let mut built = Built::default();
    if !is_locked(&cwd) && !is_locked(&tree.path) && asks_for_others(&cwd) {
        built.gaps.insert(NOT_LOCKED);
    }
    let fixed = [
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
        ("PYTHONNOUSERSITE", "1"),
    ];
    let needs = Needs {
        env: fixed
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        writable: vec![out.clone()],
        readable,
    };
    let script = out.join("wayproof_smoke.py");
    std::fs::write(&script, SMOKE).map_err(Trouble::io("write the smoke script"))?;
    let mut wheel = None;
    if is_package(&cwd) {
        let options = [
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--no-build-isolation",
            "--no-index",
            "--no-cache-dir",
            "-w",
        ];
        let mut argv = vec![program.clone()];
        argv.extend(options.map(str::to_owned));
        argv.extend([out.to_string_lossy().into_owned(), ".".to_owned()]);
        let (ran, check) = step(host, tree, &cwd, CheckKind::Build, argv, &needs)?;
        let has_backend = !NO_BACKEND.iter().any(|words| said(&ran).contains(words));
        if ran.exit == Some(0) || has_backend {
            built.error = error_of(&ran, None);
            built.checks.push(check);
            wheel = find_wheel(&out);
        }
        if built.error.is_some() {
            return Ok(built);
        }
    }
    let python = Python {
        host,
        tree,
        program,
        needs,
    };
    built.artefact = Some(if let Some(wheel) = wheel {
        python.unpacked(&wheel, &out, &script, &mut built.checks)?
    } else {
        built.gaps.insert(NOT_BUILT);
        built.error = python.compiled(&cwd, &mut built.checks)?;
        python.as_it_lies(case, suite, &cwd, &script)
    });
    Ok(built)
}

struct Python<'a> {
    host: &'a Host<'a>,
    tree: &'a Tree,
    program: String,
    needs: Needs,
}

impl Python<'_> {
    fn unpacked(
        &self,
        wheel: &Path,
        out: &Path,
        script: &Path,
        checks: &mut Vec<Check>,
    ) -> Result<Artefact, Trouble> {
        let site = out.join("site");
        let argv = [
            self.program.as_str(),
            "-m",
            "zipfile",
            "-e",
            &wheel.to_string_lossy(),
            &site.to_string_lossy(),
        ];
        let (ran, check) = step(
            self.host,
            self.tree,
            out,
            CheckKind::Build,
            argv.map(str::to_owned).to_vec(),
            &self.needs,
        )?;
        if ran.exit != Some(0) || check.result != CheckResult::Passed {
            return Err(Trouble::Infra(format!(
                "the wheel cannot be unpacked: {}",
                said(&ran).trim()
            )));
        }
        checks.push(check);
        let argv = [
            self.program.as_str(),
            &script.to_string_lossy(),
            &site.to_string_lossy(),
        ]
        .map(str::to_owned)
        .to_vec();
        let mut needs = self.needs.clone();
        needs
            .env
            .push(("PYTHONPATH".to_owned(), site.to_string_lossy().into_owned()));
        Ok(Artefact {
            place: site,
            needs,
            tries: vec![Try {
                argv,
                cwd: out.to_path_buf(),
                or: Vec::new(),
            }],
        })
    }

    /// Compiles every file, so that what does not parse is told.
    fn compiled(&self, cwd: &Path, checks: &mut Vec<Check>) -> Result<Option<String>, Trouble> {
        let cache = self.host.fresh("pycache")?;
        let mut needs = self.needs.clone();
        needs
            .env
            .retain(|(name, _)| name != "PYTHONDONTWRITEBYTECODE");
        needs.env.push((
            "PYTHONPYCACHEPREFIX".to_owned(),
            cache.to_string_lossy().into_owned(),
        ));
        needs.writable.push(cache);
        let skipped = r"(^|/)(\.venv|venv|env|node_modules|\.git)(/|$)";
        let argv = [
            self.program.as_str(),
            "-m",
            "compileall",
            "-q",
            "-x",
            skipped,
            ".",
        ]
        .map(str::to_owned)
        .to_vec();
        let (ran, check) = step(self.host, self.tree, cwd, CheckKind::Build, argv, &needs)?;
        checks.push(check);
        Ok(error_of(&ran, None))
    }

    /// The modules that changed, loaded from the tree.
    #[expect(
        clippy::too_many_lines,
        reason = "one procedure, read from top to bottom"
    )]
    fn as_it_lies(&self, case: &Case<'_>, suite: &Suite, cwd: &Path, script: &Path) -> Artefact {
        let root = ["src", "lib"]
            .iter()
            .map(|name| cwd.join(name))
            .find(|root| root.is_dir());
        let root = root
            .filter(|root| !root.join("__init__.py").exists())
            .unwrap_or_else(|| cwd.to_path_buf());
        let place = self.tree.path.join(&suite.dir);
        let module = |path: &str| -> Option<String> {
            let file = self.tree.path.join(path);
            let inside = file
                .strip_prefix(&root)
                .ok()
                .or_else(|| file.strip_prefix(&place).ok())?
                .with_extension("");
            let parts: Vec<String> = inside
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            let parts = parts
                .strip_suffix(&["__init__".to_owned()])
                .map_or(parts.clone(), <[String]>::to_vec);
            let is_name = |part: &String| part.chars().all(|c| c.is_alphanumeric() || c == '_');
            (!parts.is_empty()
                && parts.iter().all(is_name)
                && parts.last().is_none_or(|last| last != "__main__"))
            .then(|| parts.join("."))
        };
        let changed = case.changes.iter().filter(|change| {
            changes_source(change)
                && change.new_blob.is_some()
                && crate::plan::extension(&change.path) == "py"
        });
        // A file that acts when it is loaded is a program; loading it says nothing.
        let is_program = |text: &str| {
            text.starts_with("#!") || text.contains("sys.argv") || text.contains("parse_args(")
        };
        let names: Vec<String> = changed
            .filter(|change| {
                !change.after.as_deref().is_some_and(is_program)
                    && !change.path.ends_with("setup.py")
            })
            .filter_map(|change| module(&change.path))
            .collect();
        let mut argv = [
            self.program.as_str(),
            &script.to_string_lossy(),
            &root.to_string_lossy(),
        ]
        .map(str::to_owned)
        .to_vec();
        let has_names = !names.is_empty();
        argv.extend(names);
        let tries = Vec::from_iter(has_names.then(|| Try {
            argv,
            cwd: cwd.to_path_buf(),
            or: Vec::new(),
        }));
        let mut needs = self.needs.clone();
        needs
            .env
            .push(("PYTHONPATH".to_owned(), root.to_string_lossy().into_owned()));
        Artefact {
            place: root,
            needs,
            tries,
        }
    }
}

fn find_wheel(out: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(out)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    entries
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
}

fn is_package(cwd: &Path) -> bool {
    let pyproject = std::fs::read_to_string(cwd.join("pyproject.toml")).unwrap_or_default();
    let says = |section: &str| pyproject.lines().any(|line| line.trim() == section);
    says("[build-system]")
        || says("[project]") && !says("[tool.uv]")
        || cwd.join("setup.py").exists()
        || cwd.join("setup.cfg").exists()
}

fn is_locked(cwd: &Path) -> bool {
    let names = [
        "uv.lock",
        "poetry.lock",
        "Pipfile.lock",
        "pylock.toml",
        "pdm.lock",
    ];
    let is_pinned = |name: &str| {
        let text = std::fs::read_to_string(cwd.join(name)).unwrap_or_default();
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '-']))
            .collect();
        !lines.is_empty()
            && lines
                .iter()
                .all(|line| line.contains("==") || line.contains(" @ "))
    };
    names.iter().any(|name| cwd.join(name).exists()) || is_pinned("requirements.txt")
}

/// Whether anything but the standard library is asked for.
fn asks_for_others(cwd: &Path) -> bool {
    let pyproject = std::fs::read_to_string(cwd.join("pyproject.toml")).unwrap_or_default();
    let mut asked = crate::dependencies::read_manifest("pyproject.toml", &pyproject).names();
    for tool in [
        "setuptools",
        "wheel",
        "hatchling",
        "flit-core",
        "poetry-core",
    ] {
        asked.remove(tool);
    }
    !asked.is_empty() || cwd.join("requirements.txt").exists() || cwd.join("Pipfile").exists()
}
