//! Go: built with an empty cache and `-mod=readonly`; commands are asked for help, packages are used from a module of
//! its own.

use std::collections::BTreeSet;
use std::path::Path;

use wayproof_receipt::predicate::{CheckKind, Side};

use super::{Artefact, Built, Needs, Try, error_of, step};
use crate::plan::Suite;
use crate::run::{Host, Tree, Trouble};
use crate::runner::go;

const LIST: &str = "{{.ImportPath}}|{{.Name}}|{{.Dir}}|{{join .GoFiles \",\"}}";

/// Builds, and says how to try it.
pub(super) fn build(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    let checker = go::builder(host, suite, tree)?;
    let program = checker.argv.first().cloned().unwrap_or_default();
    let cwd = tree.path.join(&suite.dir);
    let out = host.fresh("built")?;
    let mut needs = Needs {
        env: checker.env,
        writable: checker.writable,
        readable: checker.readable,
    };
    needs.writable.push(out.clone());
    let mut built = Built::default();
    let (ran, check) = step(host, tree, &cwd, CheckKind::Build, checker.argv, &needs)?;
    if let Some(sentence) = go::missing(&super::said(&ran)) {
        return Err(Trouble::Infra(sentence));
    }
    built.error = error_of(&ran, None);
    built.checks.push(check);
    if built.error.is_some() {
        return Ok(built);
    }
    let argv = [program.as_str(), "list", "-f", LIST, "./..."]
        .map(str::to_owned)
        .to_vec();
    let (listed, _) = step(host, tree, &cwd, CheckKind::Other, argv, &needs)?;
    let packages: Vec<Package> = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter_map(Package::read)
        .collect();
    let mut artefact = Artefact {
        place: out.clone(),
        needs,
        tries: Vec::new(),
    };
    if packages.iter().any(|package| package.name == "main") {
        commands(host, tree, (&program, &cwd), (&mut artefact, &mut built))?;
    }
    let library: Vec<&Package> = packages
        .iter()
        .filter(|package| package.is_open())
        .collect();
    if !library.is_empty() {
        link(
            host,
            tree,
            (&program, &cwd, &library),
            (&mut artefact, &mut built),
        )?;
    }
    built.artefact = Some(artefact);
    Ok(built)
}

/// Builds a module that uses the built one; its start is then a try.
fn link(
    host: &Host<'_>,
    tree: &Tree,
    (program, module, packages): (&str, &Path, &[&Package]),
    (artefact, built): (&mut Artefact, &mut Built),
) -> Result<(), Trouble> {
    let folder = host.fresh("consumer")?;
    consumer(&folder, module, packages)?;
    let mut needs = artefact.needs.clone();
    needs.writable.push(folder.clone());
    needs.readable.push(module.to_path_buf());
    needs.env.retain(|(name, _)| name != "GOFLAGS");
    needs
        .env
        .push(("GOFLAGS".to_owned(), "-mod=mod".to_owned()));
    let argv = [program, "build", "-o", "consumer", "."]
        .map(str::to_owned)
        .to_vec();
    let (ran, mut check) = step(host, tree, &folder, CheckKind::Smoke, argv, &needs)?;
    check.side = Side::Other;
    built.checks.push(check);
    if ran.exit == Some(0) {
        let argv = vec![folder.join("consumer").to_string_lossy().into_owned()];
        artefact.tries.push(Try {
            argv,
            cwd: folder.clone(),
            or: Vec::new(),
        });
        artefact.needs.writable.push(folder);
    }
    Ok(())
}

/// Builds every command of the module; asking them for help is a try.
fn commands(
    host: &Host<'_>,
    tree: &Tree,
    (program, module): (&str, &Path),
    (artefact, built): (&mut Artefact, &mut Built),
) -> Result<(), Trouble> {
    let out = artefact.place.clone();
    let argv = [
        program,
        "build",
        "-o",
        &format!("{}/", out.display()),
        "./...",
    ]
    .map(str::to_owned)
    .to_vec();
    let (ran, check) = step(host, tree, module, CheckKind::Build, argv, &artefact.needs)?;
    built.error = error_of(&ran, None);
    built.checks.push(check);
    for entry in std::fs::read_dir(&out)
        .map_err(Trouble::io("read what was built"))?
        .flatten()
    {
        let file = entry.path().to_string_lossy().into_owned();
        let ask = |flag: &str| vec![file.clone(), flag.to_owned()];
        let or = vec![ask("-version"), ask("version")];
        artefact.tries.push(Try {
            argv: ask("--help"),
            cwd: out.clone(),
            or,
        });
    }
    Ok(())
}

struct Package {
    path: String,
    name: String,
    functions: BTreeSet<String>,
}

impl Package {
    fn read(line: &str) -> Option<Self> {
        let [path, name, folder, files] = *line.split('|').collect::<Vec<_>>() else {
            return None;
        };
        let texts = files
            .split(',')
            .map(|file| std::fs::read_to_string(Path::new(folder).join(file)).unwrap_or_default());
        Some(Self {
            path: path.to_owned(),
            name: name.to_owned(),
            functions: texts.flat_map(|text| functions(&text)).collect(),
        })
    }

    /// Whether another module may use it.
    fn is_open(&self) -> bool {
        self.name != "main"
            && !self
                .path
                .split('/')
                .any(|part| matches!(part, "internal" | "vendor" | "testdata"))
    }
}

/// Public functions without type parameters, which can be named without being called.
fn functions(text: &str) -> Vec<String> {
    let named = text.lines().filter_map(|line| line.strip_prefix("func "));
    named
        .filter_map(|rest| rest.split_once('('))
        .map(|(name, _)| name)
        .filter(|name| {
            name.starts_with(|c: char| c.is_uppercase())
                && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        })
        .map(str::to_owned)
        .collect()
}

/// A module that uses every public package of the one that was built.
fn consumer(folder: &Path, module: &Path, packages: &[&Package]) -> Result<(), Trouble> {
    let manifest =
        std::fs::read_to_string(module.join("go.mod")).map_err(Trouble::io("read go.mod"))?;
    let name = manifest
        .lines()
        .find_map(|line| line.trim().strip_prefix("module "))
        .unwrap_or_default()
        .trim();
    let rest: Vec<&str> = manifest
        .lines()
        .filter(|line| !line.trim().starts_with("module "))
        .collect();
    let text = format!(
        "module wayproof.invalid/consumer\n{}\nrequire {name} v0.0.0-00010101000000-000000000000\n\nreplace {name} => {}\n",
        rest.join("\n"),
        module.display()
    );
    let (mut imports, mut uses, mut says) = (Vec::new(), Vec::new(), Vec::new());
    for (number, package) in packages.iter().enumerate() {
        let path = &package.path;
        let alias = if package.functions.is_empty() {
            "_".to_owned()
        } else {
            format!("p{number}")
        };
        imports.push(format!("import {alias} \"{path}\""));
        says.push(format!("{path} links"));
        for function in &package.functions {
            uses.push(format!("var _ = p{number}.{function}"));
            says.push(format!("{path}.{function} is there"));
        }
    }
    let numbered = says
        .iter()
        .enumerate()
        .map(|(number, what)| format!("ok {} - {what}\n", number + 1));
    let tap = format!("1..{}\n{}", says.len(), numbered.collect::<String>());
    let main = format!(
        "package main\n\nimport \"os\"\n{}\n\n{}\n\nfunc main() {{\n\tos.Stdout.WriteString({tap:?})\n}}\n",
        imports.join("\n"),
        uses.join("\n")
    );
    let write = |file: &str, text: String| {
        std::fs::write(folder.join(file), text)
            .map_err(Trouble::io("write a module that uses the built one"))
    };
    write("go.mod", text)?;
    write(
        "go.sum",
        std::fs::read_to_string(module.join("go.sum")).unwrap_or_default(),
    )?;
    write("main.go", main)
}
