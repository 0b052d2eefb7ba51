//! Which files and options a JavaScript test command means, told without a shell.

use std::path::Path;

use super::events;
use crate::plan::script::{ScriptCommand, ScriptRunner};

/// Node's own options before the program, and the files after them.
pub(crate) fn split_program(script: &ScriptCommand) -> (Vec<String>, Vec<String>) {
    let mut options = Vec::new();
    let mut patterns = Vec::new();
    let mut args = script.args.iter();
    while let Some(arg) = args.next() {
        let takes_value = matches!(
            arg.as_str(),
            "-r" | "--require" | "--import" | "--loader" | "-i" | "--ignore"
        );
        match (arg.starts_with('-'), script.runner) {
            (false, ScriptRunner::Program) if !patterns.is_empty() => {}
            (false, _) => patterns.push(arg.clone()),
            (true, _) if takes_value => {
                let value = args.next().cloned().unwrap_or_default();
                if !matches!(arg.as_str(), "-i" | "--ignore") {
                    options.extend([arg.clone(), value]);
                }
            }
            (true, ScriptRunner::Program) => options.push(arg.clone()),
            (true, _) => {}
        }
    }
    (options, patterns)
}

/// Mocha's options without its reporter and what would stop or hide results.
pub(crate) fn without_reporter(args: &[String]) -> Vec<String> {
    let mut kept = Vec::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-R" | "--reporter" | "--reporter-option" | "--reporter-options" | "-O" => {
                args.next();
            }
            "--bail" | "-b" | "--watch" | "-w" | "--allow-uncaught" => {}
            other if other.starts_with("--reporter") => {}
            other => kept.push(other.to_owned()),
        }
    }
    kept
}

/// Whether node's runner takes a file for a test when nobody names one.
pub(crate) fn is_node_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    path.split('/')
        .rev()
        .skip(1)
        .any(|folder| folder == "test" || folder == "tests" || folder == "__tests__")
        || stem == "test"
        || stem.starts_with("test-")
        || [".test", "-test", "_test", ".spec"]
            .iter()
            .any(|end| stem.ends_with(end))
}

/// Every file of a tree but its dependencies, sorted.
pub(crate) fn walk(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && name != "node_modules" && name != ".git" {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(events::relative(
                    &entry.path().to_string_lossy(),
                    &root.to_string_lossy(),
                ));
            }
        }
    }
    files.sort();
    files
}

/// The files a glob pattern means.
pub(crate) fn matching(files: &[String], pattern: &str) -> Vec<String> {
    let glob = globset::GlobBuilder::new(pattern)
        .literal_separator(true)
        .build();
    let Ok(matcher) = glob.map(|glob| glob.compile_matcher()) else {
        return Vec::new();
    };
    files
        .iter()
        .filter(|file| matcher.is_match(file))
        .cloned()
        .collect()
}
