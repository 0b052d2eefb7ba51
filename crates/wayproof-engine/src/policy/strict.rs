//! Compares a TOML tree with the JSON Schema of the file, reporting every unknown key and wrong type at once.
//! It knows the parts of JSON Schema that the schema of a policy uses and nothing about policies.

use std::ops::Range;

use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::{Problem, list};

/// Every place where the tree does not follow the schema.
pub(crate) fn compare(table: &Spanned<DeTable<'_>>, schema: &Value) -> Vec<Problem> {
    let mut walk = Walk {
        root: schema,
        problems: Vec::new(),
    };
    walk.table(table.get_ref(), table.span(), schema, "the file");
    walk.problems
}

struct Walk<'s> {
    root: &'s Value,
    problems: Vec<Problem>,
}

impl<'s> Walk<'s> {
    fn value(&mut self, value: &DeValue<'_>, span: Range<usize>, schema: &'s Value, place: &str) {
        let Some(schema) = self.branch(value, schema) else {
            let wanted = type_names(self.root, schema);
            self.problems.push(Problem::new(
                span,
                format!("{place} is {}, not {wanted}", article(value.type_str())),
            ));
            return;
        };
        match value {
            DeValue::Table(table) => self.table(table, span, schema, place),
            DeValue::Array(array) => {
                if let Some(items) = schema.get("items") {
                    for item in array {
                        self.value(item.get_ref(), item.span(), items, place);
                    }
                }
            }
            DeValue::String(text) => self.word(text, span, schema, place),
            DeValue::Integer(number) => self.bounds(number.as_str(), span, schema, place),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
        }
    }

    fn table(&mut self, table: &DeTable<'_>, span: Range<usize>, schema: &'s Value, place: &str) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let extra = schema
            .get("additionalProperties")
            .filter(|extra| extra.is_object());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let inner = match place {
                "the file" => format!("`{name}`"),
                outer => format!("`{}.{name}`", outer.trim_matches('`')),
            };
            if let Some(known) = properties.and_then(|known| known.get(name)) {
                self.value(value.get_ref(), value.span(), known, &inner);
            } else if let Some(extra) = extra {
                self.value(value.get_ref(), value.span(), extra, &inner);
            } else {
                let known = properties
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str());
                self.problems.push(
                    Problem::new(key.span(), format!("unknown key `{name}` in {place}"))
                        .suggest(name, known),
                );
            }
        }
        for missing in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(name) = missing.as_str().filter(|name| !table.contains_key(*name)) {
                self.problems.push(Problem::new(
                    span.clone(),
                    format!("{place} lacks the key `{name}`"),
                ));
            }
        }
    }

    fn word(&mut self, text: &str, span: Range<usize>, schema: &Value, place: &str) {
        let words = constants(schema);
        if !words.is_empty() && !words.contains(&text) {
            self.problems.push(
                Problem::new(span, format!("`{text}` is no value for {place}"))
                    .suggest(text, words.iter().copied()),
            );
        }
    }

    fn bounds(&mut self, written: &str, span: Range<usize>, schema: &Value, place: &str) {
        let low = schema
            .get("minimum")
            .and_then(Value::as_i64)
            .unwrap_or(i64::MIN);
        let high = schema
            .get("maximum")
            .and_then(Value::as_i64)
            .unwrap_or(i64::MAX);
        if written
            .parse::<i64>()
            .is_ok_and(|number| (low..=high).contains(&number))
        {
            return;
        }
        let wanted = if low == high {
            format!("must be {low}")
        } else {
            format!("must be between {low} and {high}")
        };
        self.problems
            .push(Problem::new(span, format!("{place} {wanted}")));
    }

    /// The part of the schema that speaks about a value of this type.
    fn branch(&self, value: &DeValue<'_>, schema: &'s Value) -> Option<&'s Value> {
        let schema = follow(self.root, schema);
        if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
            return options.iter().find_map(|option| self.branch(value, option));
        }
        let name = json_type(value);
        match schema.get("type") {
            Some(Value::String(wanted)) => (wanted == name).then_some(schema),
            Some(Value::Array(wanted)) => {
                wanted.iter().any(|wanted| wanted == name).then_some(schema)
            }
            _ if constants(schema).is_empty() => Some(schema),
            _ => (name == "string").then_some(schema),
        }
    }
}

fn follow<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| root.pointer(reference.trim_start_matches('#')))
        .unwrap_or(schema)
}

/// The words a closed list allows; empty for anything else.
fn constants(schema: &Value) -> Vec<&str> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return words.iter().filter_map(Value::as_str).collect();
    }
    let options = schema.get("oneOf").and_then(Value::as_array);
    options
        .into_iter()
        .flatten()
        .filter_map(|option| option.get("const").and_then(Value::as_str))
        .collect()
}

fn type_names(root: &Value, schema: &Value) -> String {
    let schema = follow(root, schema);
    if let Some(options) = schema.get("anyOf").and_then(Value::as_array) {
        let mut names: Vec<String> = options
            .iter()
            .map(|option| type_names(root, option))
            .collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        return names.join(" or ");
    }
    let words = constants(schema);
    if !words.is_empty() {
        return format!("one of {}", list(&words));
    }
    match schema.get("type") {
        Some(Value::String(name)) => spoken(name).to_owned(),
        Some(Value::Array(names)) => {
            let names: Vec<&str> = names
                .iter()
                .filter_map(Value::as_str)
                .map(spoken)
                .filter(|name| !name.is_empty())
                .collect();
            names.join(" or ")
        }
        _ => "something else".to_owned(),
    }
}

fn spoken(json: &str) -> &str {
    match json {
        "object" => "a table",
        "array" => "a list",
        "string" => "a string",
        "integer" => "a whole number",
        "boolean" => "true or false",
        // TOML has no null, so that half of an optional value is not worth a word.
        "null" => "",
        other => other,
    }
}

fn json_type(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Datetime(_) => "datetime",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
    }
}

fn article(kind: &str) -> String {
    match kind {
        "array" => "a list".to_owned(),
        "integer" => "a whole number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "datetime" => "a date".to_owned(),
        other => format!("a {other}"),
    }
}
