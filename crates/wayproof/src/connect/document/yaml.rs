//! YAML, as far as agents' settings need it: plain values at the top, and lists of objects at the top.
//!
//! The text is edited by lines and read back by a YAML reader; what is written in another form is left to its owner.

use std::ops::Range;

use serde_json::Value;

use super::{Document, DocumentError, unedited};

/// The lines, each with its end.
pub(super) struct Yaml(Vec<String>);

impl Yaml {
    pub(super) fn parse(text: &str) -> Result<Self, DocumentError> {
        let yaml = Self(text.split_inclusive('\n').map(str::to_owned).collect());
        let read = yaml.read()?;
        if !read.is_object() {
            return Err(broken("it is no mapping of names to values".to_owned()));
        }
        Ok(yaml)
    }

    /// The lines of a name at the top: its own, and those that belong to it.
    fn lines_of(&self, name: &str) -> Option<Range<usize>> {
        let start = self
            .0
            .iter()
            .position(|line| key_of(line).is_some_and(|(key, _)| key == name))?;
        let after = self.0.iter().skip(start + 1);
        let more = after
            .take_while(|line| line.trim().is_empty() || line.starts_with([' ', '-', '\t', '#']))
            .count();
        let mut end = start + 1 + more;
        // Empty lines and comments at the margin belong to what follows.
        while end > start + 1
            && self
                .0
                .get(end - 1)
                .is_some_and(|line| line.trim().is_empty() || line.starts_with('#'))
        {
            end -= 1;
        }
        Some(start..end)
    }

    /// Where the items of a list begin, and where the last one ends.
    fn items_of(&self, name: &str) -> Option<(Vec<usize>, usize)> {
        let lines = self.lines_of(name)?;
        let body = lines.start + 1..lines.end;
        let dash = |index: &usize| {
            let line = self.0.get(*index)?;
            let bare = line.trim_start();
            (bare.starts_with("- ") || bare.trim_end() == "-").then(|| line.len() - bare.len())
        };
        let margin = body.clone().find_map(|index| dash(&index))?;
        let starts = body.filter(|index| dash(index) == Some(margin)).collect();
        Some((starts, lines.end))
    }

    fn append(&mut self, line: String) {
        if let Some(last) = self.0.last_mut()
            && !last.ends_with('\n')
        {
            last.push('\n');
        }
        self.0.push(line);
    }
}

fn broken(why: String) -> DocumentError {
    DocumentError::Broken { what: "YAML", why }
}

/// A name at the margin and what stands behind its colon.
fn key_of(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '#', '-']) {
        return None;
    }
    let (name, rest) = line.split_once(':')?;
    let is_value = rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']);
    is_value.then(|| (name.trim().trim_matches(['"', '\'']), rest.trim()))
}

/// A plain value; every JSON text of one line is YAML as well.
fn plain(value: &Value) -> Option<String> {
    let is_plain = !value.is_object() && !value.is_array();
    is_plain.then(|| value.to_string())
}

impl Document for Yaml {
    fn read(&self) -> Result<Value, DocumentError> {
        let text = self.0.concat();
        let has_content = text
            .lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        if !has_content {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_saphyr::from_str(&text).map_err(|error| {
            let message = error.to_string();
            broken(message.lines().next().unwrap_or_default().to_owned())
        })
    }

    fn set(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let refused = || unedited(at, value);
        let [name] = at else { return Err(refused()) };
        let line = format!("{name}: {}", plain(value).ok_or_else(refused)?);
        match self.lines_of(name) {
            None => self.append(line + "\n"),
            Some(lines) if lines.len() == 1 => {
                let old = self.0.get_mut(lines.start).ok_or_else(refused)?;
                let comment = old
                    .split_once(" #")
                    .map(|(_, comment)| format!(" #{}", comment.trim_end()));
                let end = if old.ends_with('\n') { "\n" } else { "" };
                *old = format!("{line}{}{end}", comment.unwrap_or_default());
            }
            Some(_) => return Err(refused()),
        }
        Ok(())
    }

    fn remove(&mut self, at: &[String]) {
        if let [name] = at
            && let Some(lines) = self.lines_of(name)
        {
            self.0.drain(lines);
        }
    }

    fn push(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let refused = || unedited(at, value);
        let ([name], Value::Object(fields)) = (at, value) else {
            return Err(refused());
        };
        let (place, margin) = match (self.items_of(name), self.lines_of(name)) {
            (Some((starts, end)), _) => {
                let first = starts.first().and_then(|index| self.0.get(*index));
                let margin = first.map_or(0, |line| line.len() - line.trim_start().len());
                (end, margin)
            }
            (None, None) => {
                self.append(format!("{name}:\n"));
                (self.0.len(), 2)
            }
            (None, Some(lines)) => {
                let line = self.0.get_mut(lines.start).ok_or_else(refused)?;
                let is_empty =
                    key_of(line).is_some_and(|(_, rest)| matches!(rest, "" | "[]" | "[ ]"));
                if !is_empty || lines.len() != 1 {
                    return Err(refused());
                }
                *line = format!("{name}:\n");
                (lines.end, 2)
            }
        };
        if let Some(before) = place.checked_sub(1).and_then(|index| self.0.get_mut(index))
            && !before.ends_with('\n')
        {
            before.push('\n');
        }
        let mut made = Vec::new();
        for (index, (field, value)) in fields.iter().enumerate() {
            let lead = if index == 0 { "- " } else { "  " };
            // A list of words is written in one line, as JSON is YAML.
            made.push(format!("{:margin$}{lead}{field}: {value}\n", ""));
        }
        self.0.splice(place..place, made);
        Ok(())
    }

    fn take(&mut self, at: &[String], index: usize) {
        let [name] = at else { return };
        let Some((starts, end)) = self.items_of(name) else {
            return;
        };
        let Some(start) = starts.get(index).copied() else {
            return;
        };
        self.0
            .drain(start..starts.get(index + 1).copied().unwrap_or(end));
        if starts.len() == 1
            && let Some(lines) = self.lines_of(name)
            && let Some(line) = self.0.get_mut(lines.start)
        {
            *line = format!("{name}: []\n");
        }
    }

    fn text(&self) -> String {
        self.0.concat()
    }
}
