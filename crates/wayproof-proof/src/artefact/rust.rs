//! Cargo: `cargo build --locked` into an empty folder; binaries are asked for help, libraries are used from outside.

use std::path::Path;

use serde_json::Value;
use wayproof_receipt::predicate::{CheckKind, Side};

use super::{Artefact, Built, NOT_LOCKED, Needs, Try, error_of, step};
use crate::plan::Suite;
use crate::report::CompileFormat;
use crate::run::{Host, Tree, Trouble};
use crate::runner::{cargo_output, rust};

/// Builds, and says how to try it.
pub(super) fn build(host: &Host<'_>, suite: &Suite, tree: &Tree) -> Result<Built, Trouble> {
    let (checker, target) = rust::builder(host, suite, tree)?;
    let cwd = tree.path.join(&suite.dir);
    let mut built = Built::default();
    if !cwd.join("Cargo.lock").exists() {
        built.gaps.insert(NOT_LOCKED);
    }
    let needs = Needs {
        env: checker.env,
        writable: checker.writable,
        readable: checker.readable,
    };
    let (ran, check) = step(host, tree, &cwd, CheckKind::Build, checker.argv, &needs)?;
    if let Some(sentence) = cargo_output::missing_dependency(&super::said(&ran)) {
        return Err(Trouble::Infra(sentence));
    }
    built.error = error_of(&ran, Some(CompileFormat::Cargo));
    built.checks.push(check);
    if built.error.is_some() {
        return Ok(built);
    }
    let made = read(&ran.stdout, &tree.path.to_string_lossy());
    let mut artefact = Artefact {
        place: target.join("debug"),
        needs,
        tries: Vec::new(),
    };
    for program in &made.programs {
        let ask = |flag: &str| vec![program.clone(), flag.to_owned()];
        artefact.tries.push(Try {
            argv: ask("--help"),
            cwd: target.clone(),
            or: vec![ask("--version")],
        });
    }
    for library in &made.libraries {
        link(
            host,
            tree,
            (library, &made.native),
            &target,
            (&mut artefact, &mut built),
        )?;
    }
    built.artefact = Some(artefact);
    Ok(built)
}

/// Links a program against a built library; its start is then a try.
fn link(
    host: &Host<'_>,
    tree: &Tree,
    (library, native): (&Library, &[String]),
    target: &Path,
    (artefact, built): (&mut Artefact, &mut Built),
) -> Result<(), Trouble> {
    let out = host.fresh("consumer")?;
    let (source, program) = (out.join("consumer.rs"), out.join("consumer"));
    std::fs::write(&source, consumer(library))
        .map_err(Trouble::io("write a program that uses the library"))?;
    let text = |place: &Path| place.to_string_lossy().into_owned();
    let rustc = host.program("rustc", "the change needs it to build")?;
    let mut argv = vec![rustc, "--edition".to_owned(), library.edition.clone()];
    argv.extend([
        "-o".to_owned(),
        text(&program),
        text(&source),
        "--extern".to_owned(),
    ]);
    argv.push(format!("{}={}", library.name, library.file));
    let places = std::iter::once(format!(
        "dependency={}",
        target.join("debug/deps").display()
    ));
    argv.extend(
        places
            .chain(native.iter().cloned())
            .flat_map(|place| ["-L".to_owned(), place]),
    );
    artefact.needs.writable.push(out.clone());
    let (ran, mut check) = step(host, tree, &out, CheckKind::Smoke, argv, &artefact.needs)?;
    check.side = Side::Other;
    built.checks.push(check);
    // A library that cannot be linked on its own says nothing by that: its host program links it.
    if ran.exit == Some(0) {
        let argv = vec![text(&program)];
        artefact.tries.push(Try {
            argv,
            cwd: out,
            or: Vec::new(),
        });
    }
    Ok(())
}

struct Library {
    name: String,
    file: String,
    edition: String,
    items: Vec<String>,
}

#[derive(Default)]
struct Made {
    programs: Vec<String>,
    libraries: Vec<Library>,
    native: Vec<String>,
}

/// What cargo says it made of the packages in the tree.
fn read(stdout: &[u8], tree: &str) -> Made {
    let mut made = Made::default();
    for line in stdout.split(|byte| *byte == b'\n') {
        let Ok(message) = serde_json::from_slice::<Value>(line) else {
            continue;
        };
        let text = |pointer: &str| {
            message
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let list = |pointer: &str| -> Vec<String> {
            let list = message
                .pointer(pointer)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        if text("/reason") == "build-script-executed" {
            made.native.extend(list("/linked_paths"));
        }
        let source = text("/target/src_path");
        if text("/reason") != "compiler-artifact" || !source.starts_with(tree) {
            continue;
        }
        let kinds = list("/target/kind");
        if kinds.iter().any(|kind| kind == "bin") {
            made.programs
                .extend(Some(text("/executable")).filter(|program| !program.is_empty()));
        }
        let file = list("/filenames")
            .into_iter()
            .find(|file| file.ends_with(".rlib"));
        if let Some(file) =
            file.filter(|_| kinds.iter().any(|kind| kind == "lib" || kind == "rlib"))
        {
            made.libraries.push(Library {
                name: text("/target/name").replace('-', "_"),
                file,
                edition: text("/target/edition"),
                items: items(&std::fs::read_to_string(source).unwrap_or_default()),
            });
        }
    }
    made
}

/// The public items at the root of a library that are always there.
fn items(text: &str) -> Vec<String> {
    let Ok(file) = syn::parse_file(text) else {
        return Vec::new();
    };
    let is_open = |vis: &syn::Visibility, attrs: &[syn::Attribute]| {
        matches!(vis, syn::Visibility::Public(_))
            && !attrs.iter().any(|one| one.path().is_ident("cfg"))
    };
    let name = |item: &syn::Item| {
        let (vis, attrs, ident) = match item {
            syn::Item::Fn(one) => (&one.vis, &one.attrs, &one.sig.ident),
            syn::Item::Struct(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Enum(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Trait(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Type(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Const(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Static(one) => (&one.vis, &one.attrs, &one.ident),
            syn::Item::Mod(one) => (&one.vis, &one.attrs, &one.ident),
            _ => return None,
        };
        (is_open(vis, attrs) && ident != "_").then(|| ident.to_string())
    };
    file.items.iter().filter_map(name).collect()
}

/// A program that names every public item of the built library, and says so when it could be linked and started.
fn consumer(library: &Library) -> String {
    let name = &library.name;
    let items = || library.items.iter().enumerate();
    let uses =
        items().map(|(number, item)| format!("mod used{number} {{ pub use {name}::{item}; }}\n"));
    let uses: String = uses.collect();
    let mut says = vec![
        format!("1..{}", library.items.len() + 1),
        format!("ok 1 - {name} links and starts"),
    ];
    says.extend(
        items().map(|(number, item)| format!("ok {} - {name}::{item} is there", number + 2)),
    );
    let says = says.join("\n") + "\n";
    format!(
        "#![allow(unused_imports, deprecated)]\nextern crate {name};\n{uses}fn main() {{\n    print!({says:?});\n}}\n"
    )
}
