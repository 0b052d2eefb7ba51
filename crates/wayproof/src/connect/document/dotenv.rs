//! Lines of NAME=VALUE, as agents read them into their environment. Of several lines with one name the last holds.

use serde_json::{Map, Value};

use super::{Document, DocumentError, unedited};

/// The lines, each with its end.
pub(super) struct DotEnv(Vec<String>);

impl DotEnv {
    pub(super) fn parse(text: &str) -> Self {
        Self(text.split_inclusive('\n').map(str::to_owned).collect())
    }

    fn line_of(&self, name: &str) -> Option<usize> {
        self.0
            .iter()
            .rposition(|line| split(line).is_some_and(|(found, _)| found == name))
    }
}

/// The name and the value of a line.
fn split(line: &str) -> Option<(&str, String)> {
    let line = line.trim();
    if line.starts_with('#') {
        return None;
    }
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote)
            && let Some((inner, _)) = rest.rsplit_once(quote)
        {
            return Some((name, inner.to_owned()));
        }
    }
    // Outside quotes a comment begins at a blank and a number sign.
    let bare = value.split(" #").next().unwrap_or_default();
    Some((name, bare.trim_end().to_owned()))
}

fn written(name: &str, value: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if value.chars().all(is_bare) {
        format!("{name}={value}")
    } else {
        format!("{name}=\"{value}\"")
    }
}

impl Document for DotEnv {
    fn read(&self) -> Result<Value, DocumentError> {
        let values: Map<String, Value> = self
            .0
            .iter()
            .filter_map(|line| split(line))
            .map(|(name, value)| (name.to_owned(), Value::String(value)))
            .collect();
        Ok(Value::Object(values))
    }

    fn set(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let ([name], Value::String(text)) = (at, value) else {
            return Err(unedited(at, value));
        };
        if text.contains(['"', '\n', '\\', '$', '`']) {
            return Err(unedited(at, value));
        }
        let line = written(name, text);
        if let Some(old) = self.line_of(name).and_then(|at| self.0.get_mut(at)) {
            let end = if old.ends_with('\n') { "\n" } else { "" };
            let is_exported = old.trim_start().starts_with("export ");
            let export = if is_exported { "export " } else { "" };
            *old = format!("{export}{line}{end}");
            return Ok(());
        }
        if let Some(last) = self.0.last_mut()
            && !last.ends_with('\n')
        {
            last.push('\n');
        }
        self.0.push(line + "\n");
        Ok(())
    }

    fn remove(&mut self, at: &[String]) {
        if let [name] = at
            && let Some(index) = self.line_of(name)
        {
            self.0.remove(index);
        }
    }

    fn push(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        Err(unedited(at, value))
    }

    fn take(&mut self, _at: &[String], _index: usize) {}

    fn text(&self) -> String {
        self.0.concat()
    }
}
