//! A settings file as its owner wrote it, with a few values changed: order, comments and spacing of the rest stay.
//!
//! Each format edits its own text. What an edit did is then read back: where more came of it than was asked for, it is
//! refused.

mod dotenv;
mod json;
mod toml;
mod yaml;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{dotenv::DotEnv, json::Json, toml::Toml, yaml::Yaml};
use super::margins::Margins;

/// How a settings file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    /// JSON, with comments where the agent allows them.
    Json,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
    /// Lines of NAME=VALUE.
    DotEnv,
}

/// Why a document was not changed, as the end of a sentence about it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum DocumentError {
    /// It is not what its name says.
    #[error("is not {what}: {why}")]
    Broken {
        /// The format it should have.
        what: &'static str,
        /// Where and why.
        why: String,
    },
    /// It is written in a way that we do not edit.
    #[error("has {place} in a form that is not edited here; put {value} there by hand")]
    Unedited {
        /// The place, dotted.
        place: String,
        /// What belongs there.
        value: String,
    },
}

/// A text that is edited in place.
pub(crate) trait Document {
    /// Everything it says.
    fn read(&self) -> Result<Value, DocumentError>;
    /// Puts a value at a place, with the objects on the way.
    fn set(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError>;
    /// Takes a place away; what is not there stays so.
    fn remove(&mut self, at: &[String]);
    /// Adds an item at the end of a list, and the list where there is none.
    fn push(&mut self, at: &[String], value: &Value) -> Result<(), DocumentError>;
    /// Takes one item of a list away.
    fn take(&mut self, at: &[String], index: usize);
    /// The text.
    fn text(&self) -> String;
}

impl Format {
    /// Reads a text; an empty one is an empty document.
    pub(crate) fn parse(self, text: &str) -> Result<Box<dyn Document>, DocumentError> {
        Ok(match self {
            Self::Json => Box::new(Json::parse(text)?),
            Self::Toml => Box::new(Toml::parse(text)?),
            Self::Yaml => Box::new(Yaml::parse(text)?),
            Self::DotEnv => Box::new(DotEnv::parse(text)),
        })
    }

    /// Everything that a text says.
    pub(crate) fn read(self, text: &str) -> Result<Value, DocumentError> {
        self.parse(&Margins::off(text).1)?.read()
    }
}

/// That a place is written in a form that is left to its owner.
fn unedited(at: &[String], value: &Value) -> DocumentError {
    DocumentError::Unedited {
        place: place(at),
        value: value.to_string(),
    }
}

/// A place as people write it.
pub(crate) fn place(at: &[String]) -> String {
    if at.is_empty() {
        "the list".to_owned()
    } else {
        at.join(".")
    }
}
