//! Changes to a settings file, and taking back exactly those.
//!
//! A change is a value at a place or an item of a list. What an edit came to is read back from its text and compared
//! with what was wanted, so a file is either changed as told or not at all.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    document::{DocumentError, Format, place},
    margins::Margins,
};

/// Something that a settings file should say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub(crate) enum Change {
    /// A value at a place, whatever stood there.
    Set { at: Vec<String>, value: Value },
    /// A value at a place, unless something of the user's stands there.
    Offer { at: Vec<String>, value: Value },
    /// An item of a list, beside what is in it.
    Item { at: Vec<String>, value: Value },
}

/// A change that was made, with what is needed to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    change: Change,
    /// What stood there before.
    was: Option<Value>,
    /// How much of the place was there before: objects below that depth are ours.
    depth: usize,
}

/// A text with changes, and how to take them back.
#[derive(Debug)]
pub(crate) struct Edited {
    pub(crate) text: String,
    pub(crate) made: Vec<Made>,
}

/// A text without our changes, and what was left because somebody else changed it since.
#[derive(Debug)]
pub(crate) struct Undone {
    pub(crate) text: String,
    pub(crate) left: Vec<String>,
}

/// Why a text was not edited, as the end of a sentence about the file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// Reading back found something else than what was to be.
    #[error("would not say what it should after the change, so it is left as it is")]
    Otherwise,
}

impl Change {
    /// A value at a dotted place; names with dots in them are not for this.
    pub(crate) fn set(at: &[&str], value: impl Into<Value>) -> Self {
        Self::Set {
            at: owned(at),
            value: value.into(),
        }
    }

    pub(crate) fn offer(at: &[&str], value: impl Into<Value>) -> Self {
        Self::Offer {
            at: owned(at),
            value: value.into(),
        }
    }

    pub(crate) fn item(at: &[&str], value: impl Into<Value>) -> Self {
        Self::Item {
            at: owned(at),
            value: value.into(),
        }
    }

    fn parts(&self) -> (&[String], &Value) {
        match self {
            Self::Set { at, value } | Self::Offer { at, value } | Self::Item { at, value } => {
                (at, value)
            }
        }
    }

    /// Whether a document says so already, or has something of the user's that we leave.
    pub(crate) fn holds_in(&self, all: &Value) -> bool {
        let (at, value) = self.parts();
        let found = find(all, at);
        match self {
            Self::Set { .. } => found == Some(value),
            Self::Offer { .. } => found.is_some(),
            Self::Item { .. } => found
                .and_then(Value::as_array)
                .is_some_and(|items| items.contains(value)),
        }
    }

    /// The place, as people write it.
    pub(crate) fn place(&self) -> String {
        place(self.parts().0)
    }
}

/// What a text says with the changes in it. The text itself comes back where it says all that already.
pub(crate) fn apply(text: &str, format: Format, changes: &[Change]) -> Result<Edited, EditError> {
    let whole = text;
    let (margins, text) = Margins::off(text);
    let text = text.as_str();
    let mut wanted = format.read(text)?;
    let mut document = format.parse(text)?;
    let mut made = Vec::new();
    for change in changes {
        if change.holds_in(&wanted) {
            continue;
        }
        let (at, value) = change.parts();
        let was = match change {
            Change::Set { .. } => find(&wanted, at).cloned(),
            Change::Offer { .. } | Change::Item { .. } => None,
        };
        made.push(Made {
            change: change.clone(),
            was,
            depth: depth(&wanted, at),
        });
        match change {
            Change::Set { .. } | Change::Offer { .. } => {
                document.set(at, value)?;
                put(&mut wanted, at, value.clone());
            }
            Change::Item { .. } => {
                document.push(at, value)?;
                add(&mut wanted, at, value.clone());
            }
        }
    }
    if made.is_empty() {
        return Ok(Edited {
            text: whole.to_owned(),
            made,
        });
    }
    let text = checked(document.text(), format, &wanted)?;
    Ok(Edited {
        text: margins.on(&text),
        made,
    })
}

/// Takes changes back, latest first; what is not as we left it stays and is named.
pub(crate) fn undo(text: &str, format: Format, made: &[Made]) -> Result<Undone, EditError> {
    let (margins, text) = Margins::off(text);
    let text = text.as_str();
    let mut wanted = format.read(text)?;
    let mut document = format.parse(text)?;
    let mut left = Vec::new();
    for one in made.iter().rev() {
        let (at, value) = one.change.parts();
        let found = find(&wanted, at);
        match &one.change {
            Change::Set { .. } | Change::Offer { .. } => {
                if found.is_none() {
                    continue;
                }
                if found != Some(value) {
                    left.push(place(at));
                    continue;
                }
                if let Some(was) = &one.was {
                    document.set(at, was)?;
                    put(&mut wanted, at, was.clone());
                    continue;
                }
                document.remove(at);
                cut(&mut wanted, at);
            }
            Change::Item { .. } => {
                let items = found.and_then(Value::as_array);
                let Some(index) = items.and_then(|items| items.iter().position(|it| it == value))
                else {
                    continue;
                };
                document.take(at, index);
                if let Some(items) = find_mut(&mut wanted, at).and_then(Value::as_array_mut) {
                    items.remove(index);
                }
                let is_emptied = find(&wanted, at).is_some_and(is_empty);
                if at.is_empty() || !is_emptied || one.depth == at.len() {
                    continue;
                }
                document.remove(at);
                cut(&mut wanted, at);
            }
        }
        // What we made on the way goes when nothing else came into it.
        for length in (one.depth + 1..at.len()).rev() {
            let way = at.get(..length).unwrap_or_default();
            if !find(&wanted, way).is_some_and(is_empty) {
                break;
            }
            document.remove(way);
            cut(&mut wanted, way);
        }
    }
    let text = checked(document.text(), format, &wanted)?;
    Ok(Undone {
        text: margins.on(&text),
        left,
    })
}

/// A text that says what was wanted and nothing else.
fn checked(text: String, format: Format, wanted: &Value) -> Result<String, EditError> {
    // A table of TOML that has nothing in it needs no header, and may be gone.
    let found = format.read(&text)?;
    if found == *wanted || without_empty(&found) == without_empty(wanted) {
        Ok(text)
    } else {
        Err(EditError::Otherwise)
    }
}

fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), without_empty(value)))
                .filter(|(_, value)| !value.as_object().is_some_and(Map::is_empty))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn owned(at: &[&str]) -> Vec<String> {
    at.iter().map(|&name| name.to_owned()).collect()
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn find<'a>(all: &'a Value, at: &[String]) -> Option<&'a Value> {
    at.iter().try_fold(all, |value, name| value.get(name))
}

fn find_mut<'a>(all: &'a mut Value, at: &[String]) -> Option<&'a mut Value> {
    at.iter().try_fold(all, |value, name| value.get_mut(name))
}

fn depth(all: &Value, at: &[String]) -> usize {
    (0..=at.len())
        .rev()
        .find(|length| find(all, at.get(..*length).unwrap_or_default()).is_some())
        .unwrap_or(0)
}

/// The place, with the objects on the way made.
fn reach<'a>(all: &'a mut Value, at: &[String]) -> &'a mut Value {
    at.iter().fold(all, |value, name| {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        &mut value[name.as_str()]
    })
}

fn put(all: &mut Value, at: &[String], value: Value) {
    *reach(all, at) = value;
}

fn add(all: &mut Value, at: &[String], value: Value) {
    let list = reach(all, at);
    match list.as_array_mut() {
        Some(items) => items.push(value),
        None => *list = Value::Array(vec![value]),
    }
}

fn cut(all: &mut Value, at: &[String]) {
    if let Some((last, way)) = at.split_last()
        && let Some(fields) = find_mut(all, way).and_then(Value::as_object_mut)
    {
        fields.shift_remove(last);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Change, apply, undo};
    use crate::connect::document::Format;

    /// Changes come and go without a trace, whatever surrounds them.
    fn round(format: Format, text: &str, changes: &[Change], expected: &str) {
        let edited = apply(text, format, changes).unwrap();
        assert_eq!(edited.text, expected);
        let again = apply(&edited.text, format, changes).unwrap();
        assert!(again.made.is_empty() && again.text == edited.text);
        let undone = undo(&edited.text, format, &edited.made).unwrap();
        assert_eq!(undone.left, Vec::<String>::new());
        assert_eq!(
            format.read(&undone.text).unwrap(),
            format.read(text).unwrap()
        );
    }

    #[test]
    fn json_keeps_comments_and_order() {
        let changes = [
            Change::set(&["env", "BASE"], "http://x"),
            Change::item(&["hooks", "Stop"], json!({"hooks": []})),
            Change::offer(&["statusLine"], json!({"command": "ours"})),
        ];
        let text = "{\n  // mine\n  \"model\": \"opus\", // the big one\n  \"env\": { \"A\": \"1\" },\n  \"statusLine\": {\"command\": \"theirs\"},\n}\n";
        let expected = "{\n  // mine\n  \"model\": \"opus\", // the big one\n  \"env\": {\n    \"A\": \"1\",\n    \"BASE\": \"http://x\"\n  },\n  \"statusLine\": {\"command\": \"theirs\"},\n  \"hooks\": {\n    \"Stop\": [\n      {\n        \"hooks\": []\n      }\n    ]\n  },\n}\n";
        round(Format::Json, text, &changes, expected);
    }

    #[test]
    fn a_value_that_stood_there_comes_back() {
        let changes = [Change::set(&["model"], "ours")];
        for (format, text) in [
            (Format::Json, "{\"model\": \"theirs\"}"),
            (
                Format::Toml,
                "# top\nmodel = \"theirs\" # why\n[other]\na = 1\n",
            ),
            (Format::Yaml, "# top\nmodel: theirs # why\nother:\n  - 1\n"),
            (Format::DotEnv, "# top\nexport model=theirs\nOTHER='a b'\n"),
        ] {
            let edited = apply(text, format, &changes).unwrap();
            assert_eq!(format.read(&edited.text).unwrap()["model"], "ours");
            for kept in ["# top", "# why", "other", "OTHER='a b'"] {
                assert_eq!(
                    text.contains(kept),
                    edited.text.contains(kept),
                    "{}",
                    edited.text
                );
            }
            let undone = undo(&edited.text, format, &edited.made).unwrap();
            assert_eq!(format.read(&undone.text).unwrap()["model"], "theirs");
        }
    }

    #[test]
    fn toml_gets_one_table_and_root_keys_above_the_first() {
        let changes = [
            Change::set(&["model"], "wayproof-auto"),
            Change::set(
                &["model_providers", "wayproof"],
                json!({"name": "wayproof", "on": true}),
            ),
        ];
        let text =
            "# Codex\napproval_policy = \"never\"\n\n[projects.\"/a.b\"]\ntrust = 1979-05-27\n";
        let expected = "# Codex\napproval_policy = \"never\"\nmodel = \"wayproof-auto\"\n\n[projects.\"/a.b\"]\ntrust = 1979-05-27\n\n[model_providers.wayproof]\nname = \"wayproof\"\non = true\n";
        round(Format::Toml, text, &changes, expected);
        round(
            Format::Toml,
            "model_providers = { a = { name = \"a\" } }\n",
            &changes[1..],
            "model_providers = { a = { name = \"a\" } , wayproof = { name = \"wayproof\", on = true } }\n",
        );
    }

    #[test]
    fn yaml_lists_get_an_item_in_their_own_style() {
        let changes = [Change::item(
            &["models"],
            json!({"name": "Wayproof", "roles": ["chat"]}),
        )];
        round(
            Format::Yaml,
            "models:\n  - name: a\n    roles:\n      - chat\n# end\nrules: []\n",
            &changes,
            "models:\n  - name: a\n    roles:\n      - chat\n  - name: \"Wayproof\"\n    roles: [\"chat\"]\n# end\nrules: []\n",
        );
        round(
            Format::Yaml,
            "name: x",
            &changes,
            "name: x\nmodels:\n  - name: \"Wayproof\"\n    roles: [\"chat\"]\n",
        );
        round(
            Format::Yaml,
            "models: []\n",
            &changes,
            "models:\n  - name: \"Wayproof\"\n    roles: [\"chat\"]\n",
        );
        assert!(apply("models: [{name: a}]\n", Format::Yaml, &changes).is_err());
    }

    #[test]
    fn what_others_changed_since_is_left_and_named() {
        let changes = [
            Change::set(&["env", "BASE"], "ours"),
            Change::set(&["env", "KEY"], "ours"),
        ];
        let edited = apply("{}", Format::Json, &changes).unwrap();
        let text = edited
            .text
            .replacen("\"BASE\": \"ours\"", "\"BASE\": \"theirs\"", 1);
        let undone = undo(&text, Format::Json, &edited.made).unwrap();
        assert_eq!(undone.left, ["env.BASE"]);
        assert_eq!(
            Format::Json.read(&undone.text).unwrap(),
            json!({"env": {"BASE": "theirs"}})
        );
    }

    #[test]
    fn broken_and_ambiguous_files_are_refused() {
        let changes = [Change::set(&["env", "BASE"], "ours")];
        let cases = [
            (Format::Json, "{\"a\": 1 \"b\": 2}"),
            (Format::Json, "{"),
            (Format::Json, "// nothing else\n"),
            (Format::Json, "[]"),
            (Format::Json, "{\"env\": \"a string\"}"),
            // A reader takes the last of two, an editor the first.
            (
                Format::Json,
                "{\"env\": {\"BASE\": \"a\"}, \"env\": {\"BASE\": \"b\"}}",
            ),
            (Format::Toml, "env = "),
            (Format::Toml, "env = 1\n"),
            (Format::Yaml, "a: [\n"),
            (Format::Yaml, "- a\n"),
        ];
        for (format, text) in cases {
            let refused = apply(text, format, &changes);
            assert!(refused.is_err(), "{text}: {refused:?}");
        }
    }
}
