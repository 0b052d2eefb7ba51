//! What a project asks for itself: names with how they are asked for.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use toml::{Table, Value};

use super::words::{python_name, requirement};

/// Names with what is asked of them: a range, an address, a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Asked(pub BTreeMap<String, String>);

impl Asked {
    /// The names.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (name, how) in other.0 {
            let known = self.0.entry(name).or_default();
            if *known != how {
                known.push_str(&how);
            }
        }
    }

    fn put(&mut self, name: &str, how: impl Into<String>) {
        let mut one = Self::default();
        one.0.insert(name.to_owned(), how.into());
        self.merge(one);
    }
}

/// Whether a file names what its project asks for.
pub(super) fn is_manifest(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    matches!(
        name,
        "Cargo.toml"
            | "package.json"
            | "pyproject.toml"
            | "go.mod"
            | "composer.json"
            | "Gemfile"
            | "Pipfile"
    ) || is_requirements(name)
}

/// `requirements.txt`, `requirements-dev.in`, `dev-requirements.txt`, `constraints.txt`.
pub(super) fn is_requirements(name: &str) -> bool {
    (name.contains("requirements") || name.contains("constraints"))
        && matches!(crate::plan::extension(name), "txt" | "in")
}

/// What a manifest asks for; nothing where it cannot be read, which its build will say.
pub(crate) fn read(path: &str, text: &str) -> Asked {
    let name = path.rsplit('/').next().unwrap_or(path);
    let mut asked = Asked::default();
    match name {
        "Cargo.toml" => {
            if let Ok(table) = toml::from_str::<Table>(text) {
                cargo(&table, &mut asked);
            }
        }
        "package.json" | "composer.json" => {
            if let Ok(json) = serde_json::from_str::<Json>(text) {
                json_tables(&json, &mut asked);
            }
        }
        "pyproject.toml" | "Pipfile" => {
            if let Ok(table) = toml::from_str::<Table>(text) {
                python(&table, &mut asked);
            }
        }
        "go.mod" => go(text, &mut asked),
        "Gemfile" => gemfile(text, &mut asked),
        _ if is_requirements(name) => {
            for line in super::lock::requirement_lines(text) {
                if let Some((name, how)) = requirement(&line) {
                    asked.put(&name, how);
                }
            }
        }
        _ => {}
    }
    asked
}

fn cargo(table: &Table, asked: &mut Asked) {
    for (key, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        match key.as_str() {
            "dependencies" | "dev-dependencies" | "build-dependencies" | "dev_dependencies" => {
                for (name, how) in inner {
                    let real = how.get("package").and_then(Value::as_str).unwrap_or(name);
                    asked.put(real, how.to_string());
                }
            }
            "workspace" | "target" => {
                cargo(inner, asked);
                if key == "target" {
                    inner
                        .values()
                        .filter_map(Value::as_table)
                        .for_each(|one| cargo(one, asked));
                }
            }
            "patch" => {
                for (_, names) in inner {
                    for (name, how) in names.as_table().into_iter().flatten() {
                        asked.put(name, how.to_string());
                    }
                }
            }
            _ => {}
        }
    }
}

fn json_tables(json: &Json, asked: &mut Asked) {
    const TABLES: &[&str] = &[
        "dependencies",
        "devDependencies",
        "optionalDependencies",
        "peerDependencies",
        "resolutions",
        "overrides",
        "require",
        "require-dev",
    ];
    for key in TABLES {
        for (name, how) in json
            .get(key)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            asked.put(
                name,
                how.as_str().map_or_else(|| how.to_string(), str::to_owned),
            );
        }
    }
}

fn python(table: &Table, asked: &mut Asked) {
    let mut list = |value: Option<&Value>| {
        for text in value
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if let Some((name, how)) = requirement(text) {
                asked.put(&name, how);
            }
        }
    };
    let project = table.get("project");
    list(project.and_then(|one| one.get("dependencies")));
    list(
        table
            .get("build-system")
            .and_then(|one| one.get("requires")),
    );
    let optional = project.and_then(|one| one.get("optional-dependencies"));
    for group in [optional, table.get("dependency-groups")]
        .into_iter()
        .flatten()
    {
        group
            .as_table()
            .into_iter()
            .flatten()
            .for_each(|(_, names)| list(Some(names)));
    }
    let poetry = table.get("tool").and_then(|one| one.get("poetry"));
    let mut tables: Vec<&Value> = Vec::new();
    tables.extend(poetry.and_then(|one| one.get("dependencies")));
    tables.extend(poetry.and_then(|one| one.get("dev-dependencies")));
    let groups = poetry
        .and_then(|one| one.get("group"))
        .and_then(Value::as_table);
    tables.extend(
        groups
            .into_iter()
            .flatten()
            .filter_map(|(_, one)| one.get("dependencies")),
    );
    tables.extend(
        ["packages", "dev-packages"]
            .iter()
            .filter_map(|key| table.get(*key)),
    );
    for (name, how) in tables.into_iter().filter_map(Value::as_table).flatten() {
        if name != "python" {
            asked.put(&python_name(name), how.to_string());
        }
    }
    let sources = table
        .get("tool")
        .and_then(|one| one.get("uv"))
        .and_then(|one| one.get("sources"));
    for (name, how) in sources.and_then(Value::as_table).into_iter().flatten() {
        asked.put(&python_name(name), how.to_string());
    }
}

fn go(text: &str, asked: &mut Asked) {
    let mut block = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") {
            continue;
        }
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let (verb, rest) = if rest.trim() == "(" {
            block = word.to_owned();
            continue;
        } else if line == ")" {
            block.clear();
            continue;
        } else if block.is_empty() {
            (word, rest)
        } else {
            (block.as_str(), line)
        };
        let is_indirect = rest.contains("// indirect");
        let mut words = rest
            .split("//")
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let Some(name) = words.next() else { continue };
        let how: Vec<&str> = words.collect();
        match verb {
            "require" if !is_indirect => asked.put(name, how.join(" ")),
            "replace" => asked.put(name, how.join(" ")),
            _ => {}
        }
    }
}

fn gemfile(text: &str, asked: &mut Asked) {
    for line in text.lines().map(str::trim) {
        let Some(rest) = line.strip_prefix("gem ") else {
            continue;
        };
        let mut parts = rest.split(['"', '\'']);
        parts.next();
        if let Some(name) = parts.next() {
            asked.put(name, rest);
        }
    }
}
