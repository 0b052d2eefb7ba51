//! JSON, with comments and commas at the end of lists where somebody wrote them.

use jsonc_parser::{
    ParseOptions,
    cst::{CstArray, CstInputValue, CstObject, CstRootNode},
};
use serde_json::Value;

use super::{Document, DocumentError, unedited};

/// A JSON text.
pub(super) struct Json(CstRootNode);

/// Comments and trailing commas are what agents' own readers allow; anything looser is a mistake.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, DocumentError> {
        let broken = |why: String| DocumentError::Broken { what: "JSON", why };
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let root = CstRootNode::parse(text, &OPTIONS).map_err(|error| broken(error.to_string()))?;
        if root.value().is_none() {
            return Err(broken("it has comments only".to_owned()));
        }
        Ok(Self(root))
    }

    /// The object at a place.
    fn object(&self, at: &[String]) -> Option<CstObject> {
        at.iter().try_fold(self.0.object_value()?, |object, name| {
            object.get(name)?.object_value()
        })
    }

    fn list(&self, at: &[String]) -> Option<CstArray> {
        match at.split_last() {
            None => self.0.array_value(),
            Some((last, way)) => self.object(way)?.get(last)?.array_value(),
        }
    }
}

impl Document for Json {
    fn read(&self) -> Result<Value, DocumentError> {
        self.0.to_serde_value().ok_or(DocumentError::Broken {
            what: "JSON",
            why: "a value in it cannot be read".to_owned(),
        })
    }

    fn set(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        let (Some((last, way)), Some(mut object)) = (at.split_last(), self.0.object_value()) else {
            return Err(unedited(at, value));
        };
        for name in way {
            object = match object.get(name) {
                Some(found) => found.object_value().ok_or_else(|| unedited(at, value))?,
                None => object.object_value_or_set(name),
            };
        }
        match object.get(last) {
            Some(found) => found.set_value(input(value)),
            None => {
                object.append(last, input(value));
            }
        }
        Ok(())
    }

    fn remove(&mut self, at: &[String]) {
        let found = at
            .split_last()
            .and_then(|(last, way)| self.object(way)?.get(last));
        if let Some(found) = found {
            found.remove();
        }
    }

    fn push(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError> {
        if let Some(list) = self.list(at) {
            list.append(input(value));
            return Ok(());
        }
        if at.is_empty() {
            // An empty file of a list.
            let is_empty = self
                .0
                .object_value()
                .is_some_and(|object| object.properties().is_empty());
            if !is_empty {
                return Err(unedited(at, value));
            }
            self.0.set_value(input(&Value::Array(vec![value.clone()])));
            return Ok(());
        }
        let is_taken = at
            .split_last()
            .and_then(|(last, way)| self.object(way)?.get(last));
        if is_taken.is_some() {
            return Err(unedited(at, value));
        }
        self.set(at, &Value::Array(vec![value.clone()]))
    }

    fn take(&mut self, at: &[String], index: usize) {
        let found = self
            .list(at)
            .and_then(|list| list.elements().into_iter().nth(index));
        if let Some(found) = found {
            found.remove();
        }
    }

    fn text(&self) -> String {
        self.0.to_string()
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(is) => CstInputValue::Bool(*is),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(fields) => CstInputValue::Object(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), input(value)))
                .collect(),
        ),
    }
}
