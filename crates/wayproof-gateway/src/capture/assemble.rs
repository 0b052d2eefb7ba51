//! A stream of JSON values put together: what grows piece by piece stands there whole, once.
//!
//! It knows no protocol. Strings under the names that providers send pieces under are joined by where they stand;
//! of everything else the last value counts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Names under which pieces of something longer come.
const GROWING: [&str; 14] = [
    "text",
    "thinking",
    "partial_json",
    "content",
    "arguments",
    "delta",
    "reasoning_content",
    "reasoning",
    "refusal",
    "response",
    "signature",
    "input",
    "transcript",
    "code",
];

/// The parts of a value that say which of several things a piece belongs to.
const WHICH: [&str; 5] = [
    "type",
    "index",
    "output_index",
    "content_index",
    "summary_index",
];

/// How deep values are looked into.
const DEEPEST: usize = 32;

/// The stream as one JSON object; `None` where it is none of JSON values, one a line.
pub(super) fn assemble(text: &str) -> Option<String> {
    let mut whole = BTreeMap::<String, Value>::new();
    let mut count = 0_u64;
    for line in text.lines() {
        let data = line.strip_prefix("data:").unwrap_or(line).trim();
        if !data.starts_with('{') {
            continue;
        }
        let value: Value = serde_json::from_str(data).ok()?;
        count += 1;
        let mut path = String::new();
        for name in WHICH {
            match value.get(name) {
                Some(Value::String(text)) => path.push_str(text),
                Some(Value::Number(number)) => path.push_str(&number.to_string()),
                _ => continue,
            }
            path.push('/');
        }
        take(&value, &mut path, "", &mut whole, 0);
    }
    if count == 0 {
        return None;
    }
    let mut object = Map::new();
    object.insert("events".to_owned(), count.into());
    object.extend(whole);
    Some(Value::Object(object).to_string())
}

fn take(
    value: &Value,
    path: &mut String,
    name: &str,
    whole: &mut BTreeMap<String, Value>,
    depth: usize,
) {
    let length = path.len();
    match value {
        Value::Object(map) if depth < DEEPEST => {
            for (name, value) in map {
                path.push('.');
                path.push_str(name);
                take(value, path, name, whole, depth + 1);
                path.truncate(length);
            }
        }
        Value::Array(list) if depth < DEEPEST => {
            for (at, value) in list.iter().enumerate() {
                let index = value.get("index").and_then(Value::as_u64);
                path.push('.');
                path.push_str(&index.unwrap_or(at as u64).to_string());
                take(value, path, name, whole, depth + 1);
                path.truncate(length);
            }
        }
        Value::String(piece) if GROWING.contains(&name) => {
            match whole
                .entry(path.clone())
                .or_insert_with(|| Value::String(String::new()))
            {
                Value::String(text) => text.push_str(piece),
                other => *other = Value::String(piece.clone()),
            }
        }
        value => {
            whole.insert(path.clone(), value.clone());
        }
    }
}
