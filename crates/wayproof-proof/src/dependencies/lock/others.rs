//! The lock files of Go, Pipenv, Composer and Bundler.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::super::words::python_name;
use super::{Locked, Pin};

pub(super) fn go_sum(text: &str, locked: &mut Locked) {
    let mut pins: BTreeMap<(String, String), Pin> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, version, digest] = *words.as_slice() else {
            continue;
        };
        let plain = version.trim_end_matches("/go.mod");
        let mark = if plain == version { "" } else { "go.mod:" };
        let pin = pins.entry((name.to_owned(), plain.to_owned())).or_default();
        plain.clone_into(&mut pin.version);
        pin.digests.insert(format!("{mark}{digest}"));
    }
    for ((name, _), pin) in pins {
        locked.put(&name, pin);
    }
}

pub(super) fn go_mod(text: &str, locked: &mut Locked) {
    let mut block = "";
    for line in text.lines().map(str::trim) {
        let plain = line.split("//").next().unwrap_or_default().trim();
        let words: Vec<&str> = plain.split_whitespace().collect();
        let words = match *words.as_slice() {
            [word, "("] => {
                block = word;
                continue;
            }
            [")"] => {
                block = "";
                continue;
            }
            ["require" | "replace", ref rest @ ..] if block.is_empty() => (
                plain.split_whitespace().next().unwrap_or_default(),
                rest.to_vec(),
            ),
            _ => (block, words),
        };
        match words {
            ("require", words) => {
                if let [name, version] = *words.as_slice() {
                    locked.put(
                        name,
                        Pin {
                            version: version.to_owned(),
                            ..Pin::default()
                        },
                    );
                }
            }
            ("replace", words) => {
                let Some(at) = words.iter().position(|word| *word == "=>") else {
                    continue;
                };
                let (name, to) = words.split_at(at);
                let to = to.get(1..).unwrap_or_default().join(" ");
                if let Some(name) = name.first() {
                    locked.put(
                        name,
                        Pin {
                            version: to.clone(),
                            source: format!("replace://{to}"),
                            ..Pin::default()
                        },
                    );
                }
            }
            _ => {}
        }
    }
}

pub(super) fn pipfile(text: &str, locked: &mut Locked) -> Option<()> {
    let json: Json = serde_json::from_str(text).ok()?;
    for section in ["default", "develop"] {
        for (name, package) in json
            .get(section)
            .and_then(Json::as_object)
            .into_iter()
            .flatten()
        {
            let text = |key: &str| package.get(key).and_then(Json::as_str).unwrap_or_default();
            let hashes = package
                .get("hashes")
                .and_then(Json::as_array)
                .into_iter()
                .flatten();
            let source = text("git").to_owned() + text("file") + text("path") + text("index");
            let pin = Pin {
                version: text("version").trim_start_matches('=').to_owned(),
                source,
                digests: hashes.filter_map(Json::as_str).map(str::to_owned).collect(),
                ..Pin::default()
            };
            locked.put(&python_name(name), pin);
        }
    }
    Some(())
}

pub(super) fn composer(text: &str, locked: &mut Locked) -> Option<()> {
    let json: Json = serde_json::from_str(text).ok()?;
    for section in ["packages", "packages-dev"] {
        for package in json
            .get(section)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let text = |pointer: &str| {
                package
                    .pointer(pointer)
                    .and_then(Json::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let needs = package
                .get("require")
                .and_then(Json::as_object)
                .into_iter()
                .flatten();
            let pin = Pin {
                version: text("/version"),
                source: text("/dist/url"),
                digests: Some(text("/dist/shasum"))
                    .filter(|digest| !digest.is_empty())
                    .into_iter()
                    .collect(),
                needs: needs.map(|(name, _)| name.clone()).collect(),
                has_script: text("/type") == "composer-plugin",
            };
            locked.put(&text("/name"), pin);
        }
    }
    Some(())
}

pub(super) fn gemfile(text: &str, locked: &mut Locked) {
    let (mut source, mut name) = (String::new(), String::new());
    let mut pins: BTreeMap<String, Pin> = BTreeMap::new();
    for line in text.lines() {
        let depth = line.len() - line.trim_start().len();
        let entry = line.trim();
        if let Some(remote) = entry.strip_prefix("remote: ") {
            remote.clone_into(&mut source);
        }
        let (word, rest) = entry.split_once(' ').unwrap_or((entry, ""));
        if depth == 4 && rest.starts_with('(') {
            word.clone_into(&mut name);
            let pin = pins.entry(name.clone()).or_default();
            rest.trim_matches(['(', ')']).clone_into(&mut pin.version);
            pin.source.clone_from(&source);
        } else if depth == 6
            && let Some(pin) = pins.get_mut(&name)
        {
            pin.needs.insert(word.trim_end_matches('!').to_owned());
        } else if depth == 0 {
            name.clear();
        }
    }
    for (name, pin) in pins {
        locked.put(&name, pin);
    }
}
