//! Merges a manifest: dependencies and features as the change wants them, runner settings as the base has them.
//!
//! A manifest mixes what a change may honestly need (a dependency) with what must not move under a proof (how tests
//! are found and run), so it can be taken whole from neither side.

mod declared;
mod pom;

use toml::{Table, Value};

use super::{FileChange, Role};

/// A manifest put together from both sides.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Merged {
    /// What stands in the tree.
    pub text: String,
    /// The settings that differed and were taken from the base.
    pub kept_from_base: Vec<String>,
}

impl Merged {
    fn whole(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            kept_from_base: Vec::new(),
        }
    }
}

/// Merges the two versions of the manifest at `path`. A manifest the base does not know comes from the head.
pub(crate) fn merge(path: &str, base: Option<&str>, head: &str) -> Merged {
    let name = path.rsplit('/').next().unwrap_or(path);
    let merged = match name {
        "Cargo.toml" => merge_cargo(base.unwrap_or_default(), head),
        "pyproject.toml" => merge_pyproject(base.unwrap_or_default(), head),
        "package.json" => base.and_then(|base| merge_package(base, head)),
        "setup.cfg" | "tox.ini" => Some(merge_ini(base.unwrap_or_default(), head)),
        "pom.xml" => base.and_then(|base| pom::merge(base, head)),
        _ => base.and_then(|base| declared::merge(name, base, head)),
    };
    merged.unwrap_or_else(|| Merged::whole(head))
}

/// A `CMakeLists.txt` for a tree that lacks the source files the change adds.
pub(crate) fn without_new_sources(path: &str, text: &str, changes: &[FileChange]) -> String {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    let is_new = |change: &&FileChange| change.role == Role::Source && change.old_blob.is_none();
    let new: Vec<&str> = changes
        .iter()
        .filter(is_new)
        .filter_map(|change| change.path.strip_prefix(folder))
        .map(|name| name.trim_start_matches('/'))
        .collect();
    let mut text = text.to_owned();
    for name in new {
        for (before, after) in [(" ", " "), (" ", ")"), (" ", "\n"), ("\n", "\n")] {
            text = text.replace(&format!("{before}{name}{after}"), after);
        }
    }
    text
}

fn merge_cargo(base: &str, head: &str) -> Option<Merged> {
    let base: Table = toml::from_str(base).ok()?;
    let mut table: Table = toml::from_str(head).ok()?;
    let mut kept = Vec::new();
    for key in ["profile", "patch", "replace"] {
        take(&mut table, &base, key, key, &mut kept);
    }
    if let Some(Value::Table(package)) = table.get_mut("package") {
        let empty = Table::new();
        let from = base
            .get("package")
            .and_then(Value::as_table)
            .unwrap_or(&empty);
        for key in ["autotests", "build"] {
            take(package, from, key, &format!("package.{key}"), &mut kept);
        }
    }
    for section in ["lib", "test", "bin", "bench", "example"] {
        for (number, target) in targets_mut(&mut table, section).into_iter().enumerate() {
            let name = target
                .get("name")
                .and_then(Value::as_str)
                .map(str::to_owned);
            let empty = Table::new();
            let from = target_named(&base, section, name.as_deref()).unwrap_or(&empty);
            for key in ["harness", "test", "doctest"] {
                take(
                    target,
                    from,
                    key,
                    &format!("{section}[{number}].{key}"),
                    &mut kept,
                );
            }
        }
    }
    finish_toml(&table, head, kept)
}

fn targets_mut<'a>(table: &'a mut Table, section: &str) -> Vec<&'a mut Table> {
    match table.get_mut(section) {
        Some(Value::Table(one)) => vec![one],
        Some(Value::Array(many)) => many.iter_mut().filter_map(Value::as_table_mut).collect(),
        _ => Vec::new(),
    }
}

fn target_named<'a>(base: &'a Table, section: &str, name: Option<&str>) -> Option<&'a Table> {
    match base.get(section)? {
        Value::Table(one) => Some(one),
        Value::Array(many) => many
            .iter()
            .filter_map(Value::as_table)
            .find(|target| target.get("name").and_then(Value::as_str) == name),
        _ => None,
    }
}

fn merge_pyproject(base: &str, head: &str) -> Option<Merged> {
    let base: Table = toml::from_str(base).ok()?;
    let mut table: Table = toml::from_str(head).ok()?;
    let empty = Table::new();
    let base_tools = base.get("tool").and_then(Value::as_table).unwrap_or(&empty);
    let mut kept = Vec::new();
    if !table.contains_key("tool") && !base_tools.is_empty() {
        table.insert("tool".to_owned(), Value::Table(Table::new()));
    }
    if let Some(Value::Table(tools)) = table.get_mut("tool") {
        let markers = tools
            .get("pytest")
            .and_then(|pytest| pytest.get("ini_options"))
            .and_then(|ini| ini.get("markers"))
            .cloned();
        let before = tools.clone();
        for key in ["pytest", "coverage", "tox", "nox"] {
            take(tools, base_tools, key, &format!("tool.{key}"), &mut kept);
        }
        // A new marker only names things; without it a strict runner would refuse the new tests.
        if let (Some(markers), Some(Value::Table(ini))) = (
            markers,
            tools
                .get_mut("pytest")
                .and_then(|pytest| pytest.get_mut("ini_options")),
        ) {
            ini.insert("markers".to_owned(), markers);
        }
        if *tools == before {
            kept.clear();
        }
    }
    finish_toml(&table, head, kept)
}

/// Gives `table[key]` the base's value, and notes it when that changed anything.
fn take(table: &mut Table, base: &Table, key: &str, shown: &str, kept: &mut Vec<String>) {
    if table.get(key) == base.get(key) {
        return;
    }
    kept.push(shown.to_owned());
    match base.get(key) {
        Some(value) => {
            table.insert(key.to_owned(), value.clone());
        }
        None => {
            table.remove(key);
        }
    }
}

fn finish_toml(table: &Table, head: &str, kept: Vec<String>) -> Option<Merged> {
    if kept.is_empty() {
        return Some(Merged::whole(head));
    }
    Some(Merged {
        text: toml::to_string(table).ok()?,
        kept_from_base: kept,
    })
}

fn merge_package(base: &str, head: &str) -> Option<Merged> {
    let base: serde_json::Map<String, serde_json::Value> = serde_json::from_str(base).ok()?;
    let mut package: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(head).ok()?;
    let mut kept = Vec::new();
    for key in [
        "scripts", "jest", "mocha", "ava", "tap", "vitest", "nyc", "c8", "babel",
    ] {
        if package.get(key) == base.get(key) {
            continue;
        }
        kept.push(key.to_owned());
        match base.get(key) {
            Some(value) => package.insert(key.to_owned(), value.clone()),
            None => package.remove(key),
        };
    }
    if kept.is_empty() {
        return Some(Merged::whole(head));
    }
    Some(Merged {
        text: serde_json::to_string_pretty(&package).ok()?,
        kept_from_base: kept,
    })
}

fn merge_ini(base: &str, head: &str) -> Merged {
    let steers = |section: &str| {
        section == "pytest"
            || section == "tool:pytest"
            || section.starts_with("coverage:")
            || section.starts_with("testenv")
    };
    let base_sections = ini_sections(base);
    let head_sections = ini_sections(head);
    let mut kept = Vec::new();
    let mut text = String::new();
    for (name, body) in &head_sections {
        if !steers(name) {
            text.push_str(body);
            continue;
        }
        let from = base_sections.iter().find(|(other, _)| other == name);
        if from.is_none_or(|(_, other)| other.trim() != body.trim()) {
            kept.push(name.clone());
        }
        text.push_str(from.map_or("", |(_, other)| other));
    }
    for (name, body) in base_sections.iter().filter(|(name, _)| steers(name)) {
        if !head_sections.iter().any(|(other, _)| other == name) {
            kept.push(name.clone());
            text.push('\n');
            text.push_str(body);
        }
    }
    if kept.is_empty() {
        Merged::whole(head)
    } else {
        Merged {
            text,
            kept_from_base: kept,
        }
    }
}

/// The sections of an ini file with their header lines; the text before the first is the section "".
fn ini_sections(text: &str) -> Vec<(String, String)> {
    let mut sections = vec![(String::new(), String::new())];
    for line in text.split_inclusive('\n') {
        if let Some(name) = line
            .trim_end()
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            sections.push((name.trim().to_owned(), String::new()));
        }
        if let Some((_, body)) = sections.last_mut() {
            body.push_str(line);
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn a_new_dependency_passes_and_a_new_setting_does_not() {
        let base = "[package]\nname = \"a\"\n[profile.test]\noverflow-checks = true\n";
        let head = "[package]\nname = \"a\"\nautotests = false\n[dependencies]\nb = \"1\"\n[profile.test]\noverflow-checks = false\n[[test]]\nname = \"it\"\nharness = false\n";
        let merged = merge("Cargo.toml", Some(base), head);
        assert_eq!(
            merged.kept_from_base,
            ["profile", "package.autotests", "test[0].harness"]
        );
        assert!(
            merged.text.contains("overflow-checks = true")
                && merged.text.contains("b = \"1\"")
                && !merged.text.contains("harness")
        );
    }

    #[test]
    fn an_unrelated_change_keeps_every_byte() {
        let base = "[project]\nversion = \"1\"\n[tool.pytest.ini_options]\naddopts = \"-q\"\n";
        let head =
            "[project]\nversion = \"2\"   # new\n[tool.pytest.ini_options]\naddopts = \"-q\"\n";
        let merged = merge("pyproject.toml", Some(base), head);
        assert_eq!(
            (merged.text.as_str(), merged.kept_from_base.len()),
            (head, 0)
        );
    }

    #[test]
    fn markers_may_come_with_the_change() {
        let base = "[tool.pytest.ini_options]\nmarkers = [\"a\"]\n";
        let head = "[tool.pytest.ini_options]\nmarkers = [\"a\", \"b\"]\n";
        assert!(
            merge("pyproject.toml", Some(base), head)
                .kept_from_base
                .is_empty()
        );
        let bent =
            "[tool.pytest.ini_options]\nmarkers = [\"a\", \"b\"]\naddopts = \"-k nothing\"\n";
        let merged = merge("pyproject.toml", Some(base), bent);
        assert_eq!(merged.kept_from_base, ["tool.pytest"]);
        assert!(!merged.text.contains("addopts") && merged.text.contains("\"b\""));
    }

    #[test]
    fn scripts_and_sections_come_from_the_base() {
        let merged = merge(
            "package.json",
            Some("{\"scripts\":{\"test\":\"tape\"}}"),
            "{\"version\":\"2\",\"scripts\":{\"test\":\"true\"}}",
        );
        assert!(merged.text.contains("tape") && merged.text.contains("\"2\""));
        let merged = merge(
            "setup.cfg",
            Some("[tool:pytest]\naddopts = -v\n"),
            "[metadata]\nname = x\n[tool:pytest]\naddopts = -k no\n",
        );
        assert_eq!(merged.kept_from_base, ["tool:pytest"]);
        assert!(merged.text.contains("addopts = -v") && merged.text.contains("name = x"));
    }
}
