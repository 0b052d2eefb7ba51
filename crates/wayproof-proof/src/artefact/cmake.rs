//! C and C++: installed by CMake into a prefix of its own, whose headers compile, whose libraries load and whose
//! programs start.

use std::path::{Path, PathBuf};

use super::packed::{Packed, Packing, files_of, text};
use super::{Needs, Try};
use crate::run::Trouble;
use crate::runner::node_files::walk;

/// Headers that are tried.
const MOST_HEADERS: usize = 200;

/// Installs the project.
pub(super) fn pack(packing: &mut Packing<'_>) -> Result<Packed, Trouble> {
    let installs = |path: &String| {
        let is_list = path.ends_with("CMakeLists.txt") || path.ends_with(".cmake");
        is_list
            && std::fs::read_to_string(packing.cwd.join(path))
                .is_ok_and(|lists| lists.contains("install(") || lists.contains("install ("))
    };
    let Some(cmake) = packing.find("cmake") else {
        return Ok(Packed::Unknown);
    };
    if !walk(&packing.cwd).iter().any(installs) {
        return Ok(Packed::Unknown);
    }
    let (build, prefix) = (packing.out.join("build"), packing.out.join("prefix"));
    let needs = Needs {
        env: vec![("CMAKE_BUILD_PARALLEL_LEVEL".to_owned(), "2".to_owned())],
        ..Needs::default()
    };
    let (built, there) = (text(&build), text(&prefix));
    let steps: [&[&str]; 3] = [
        &[
            "-S",
            ".",
            "-B",
            &built,
            "-G",
            "Unix Makefiles",
            "-DCMAKE_BUILD_TYPE=Debug",
            "-DBUILD_TESTING=OFF",
            "-DCMAKE_INSTALL_LIBDIR=lib",
        ],
        &["--build", &built],
        &["--install", &built, "--prefix", &there],
    ];
    for words in steps {
        let all = std::iter::once(cmake.as_str()).chain(words.iter().copied());
        let argv = all.map(str::to_owned).collect();
        if let Some(why) = packing.run(argv, &needs)? {
            return Ok(Packed::Failed(why));
        }
    }
    try_it(packing, &prefix)
}

/// Builds a program that uses what is installed.
fn try_it(packing: &mut Packing<'_>, prefix: &Path) -> Result<Packed, Trouble> {
    let include = prefix.join("include");
    let headers: Vec<String> = walk(&include)
        .into_iter()
        .filter(|path| is_header(path))
        .take(MOST_HEADERS)
        .collect();
    let libraries: Vec<PathBuf> = files_of(&prefix.join("lib"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "so"))
        .collect();
    let programs = files_of(&prefix.join("bin"));
    if headers.is_empty() && libraries.is_empty() && programs.is_empty() {
        return Ok(Packed::Unknown);
    }
    let needs = Needs::default();
    let mut artefact = packing.artefact(prefix.to_path_buf(), needs.clone())?;
    let cwd = packing.away();
    if !headers.is_empty() || !libraries.is_empty() {
        let is_c = !walk(&packing.cwd).iter().any(|path| is_cpp(path));
        let (compiler, name) = if is_c {
            ("cc", "consumer.c")
        } else {
            ("c++", "consumer.cpp")
        };
        let Some(compiler) = packing.find(compiler) else {
            return Ok(Packed::Unknown);
        };
        let source = packing.put(name, &consumer(&headers, &libraries))?;
        let program = text(&packing.out.join("consumer"));
        let words = [
            text(&source),
            "-I".to_owned(),
            text(&include),
            "-o".to_owned(),
            program.clone(),
            "-ldl".to_owned(),
        ];
        if let Some(why) = packing.run([vec![compiler], words.to_vec()].concat(), &needs)? {
            return Ok(Packed::Failed(why));
        }
        artefact.tries.push(Try {
            argv: vec![program],
            cwd: cwd.clone(),
            or: Vec::new(),
        });
    }
    for program in programs {
        let ask = |flag: &str| vec![text(&program), flag.to_owned()];
        artefact.tries.push(Try {
            argv: ask("--help"),
            cwd: cwd.clone(),
            or: vec![ask("--version"), ask("-h")],
        });
    }
    Ok(Packed::Made(artefact))
}

fn is_header(path: &str) -> bool {
    [".h", ".hh", ".hpp", ".hxx"]
        .iter()
        .any(|end| path.ends_with(end))
}

fn is_cpp(path: &str) -> bool {
    let ends = [".cc", ".cpp", ".cxx", ".hh", ".hpp", ".hxx"];
    ends.iter().any(|end| path.ends_with(end))
}

/// Includes every header, opens every shared library, and says so by TAP.
fn consumer(headers: &[String], libraries: &[PathBuf]) -> String {
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = String::from("#include <dlfcn.h>\n#include <stdio.h>\n");
    for header in headers
        .iter()
        .filter(|header| !header.contains(['>', '\n']))
    {
        out.extend(["#include <", header, ">\n"]);
    }
    out.push_str("int main(void) {\n");
    let all = headers.len() + libraries.len();
    out.push_str(&quote_line(&format!("1..{all}")));
    for (number, header) in (1..).zip(headers) {
        out.push_str(&quote_line(&format!(
            "ok {number} - {} compiles",
            quoted(header)
        )));
    }
    for (number, library) in (headers.len() + 1..).zip(libraries) {
        let place = quoted(&text(library));
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        let name = quoted(&name);
        out.extend([
            format!("  if (dlopen(\"{place}\", RTLD_NOW)) puts(\"ok {number} - {name} loads\");\n"),
            format!("  else puts(\"not ok {number} - {name} does not load\");\n"),
        ]);
    }
    out.push_str("  return 0;\n}\n");
    out
}

fn quote_line(line: &str) -> String {
    format!("  puts(\"{line}\");\n")
}
