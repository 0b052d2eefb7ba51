//! The in-toto Statement v1: which thing (subject) a claim (predicate) is about.
//! Ignores fields it does not know, as the specification asks, and refuses a statement without a
//! subject that a digest pins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Map, Value, value::RawValue};
use thiserror::Error;

use crate::predicate::Predicate;

/// The `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// Digests of one thing by algorithm: `sha256`, `gitTree`, `gitCommit`, `gitBlob`…
pub type DigestSet = BTreeMap<String, String>;

/// A thing a statement speaks about or points to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDescriptor {
    /// Tells things within a statement apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Identifies the thing everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Pins the thing's bytes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: DigestSet,
    /// Where the bytes can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// The type of the bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// What else a reader may want to know.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub annotations: Map<String, Value>,
}

impl ResourceDescriptor {
    /// A named thing with one digest.
    pub fn pinned(name: &str, algorithm: &str, digest: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            ..Self::default()
        }
        .with_digest(algorithm, digest)
    }

    /// A thing known by one digest alone.
    pub fn digest(algorithm: &str, digest: &str) -> Self {
        Self::default().with_digest(algorithm, digest)
    }

    /// A git revision: its commit and its tree.
    pub fn revision(commit: &str, tree: &str) -> Self {
        Self::digest("gitCommit", commit).with_digest("gitTree", tree)
    }

    /// Adds a digest.
    #[must_use]
    pub fn with_digest(mut self, algorithm: &str, digest: &str) -> Self {
        self.digest.insert(algorithm.to_owned(), digest.to_owned());
        self
    }

    /// Adds an annotation.
    #[must_use]
    pub fn with_annotation(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.annotations.insert(name.to_owned(), value.into());
        self
    }

    /// The subjects of a change: its tree, its commit, and the digest of its normalised diff.
    ///
    /// The tree survives amending, squashing and fast-forward merges; the commit is exact.
    pub fn change(
        commit: &str,
        tree: &str,
        change_sha256: &str,
        patch_id: Option<&str>,
    ) -> Vec<Self> {
        let change = Self::pinned("change", "sha256", change_sha256);
        let change = match patch_id {
            Some(id) => change.with_annotation("patchId", id),
            None => change,
        };
        vec![
            Self::pinned("tree", "gitTree", tree),
            Self::pinned("commit", "gitCommit", commit),
            change,
        ]
    }
}

/// A claim about subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// What the claim is about; each is matched by digest alone.
    pub subject: Vec<ResourceDescriptor>,
    /// The claim.
    pub predicate: Predicate,
}

/// Why a payload is not a statement.
#[derive(Debug, Error)]
pub enum StatementError {
    /// The payload is not JSON of a statement's shape.
    #[error("the payload is not an in-toto statement")]
    Json(#[source] serde_json::Error),
    /// The `_type` is another one.
    #[error("the statement has type `{0}`; only {STATEMENT_TYPE} is read")]
    Type(String),
    /// There is no subject, or one without a digest.
    #[error("a statement needs subjects that are pinned by a digest")]
    Subject,
    /// A known predicate does not have its shape.
    #[error("the predicate is not a good {predicate_type}")]
    Predicate {
        /// The predicate's type.
        predicate_type: String,
        /// What does not fit.
        source: serde_json::Error,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parts<'a> {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<ResourceDescriptor>,
    predicate_type: String,
    #[serde(borrow)]
    predicate: Option<&'a RawValue>,
}

impl Statement {
    /// Reads a statement.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        let parts: Parts<'_> = serde_json::from_slice(payload).map_err(StatementError::Json)?;
        if parts.statement_type != STATEMENT_TYPE {
            return Err(StatementError::Type(parts.statement_type));
        }
        if parts.subject.is_empty()
            || parts
                .subject
                .iter()
                .any(|subject| subject.digest.is_empty())
        {
            return Err(StatementError::Subject);
        }
        let body = parts.predicate.map_or("{}", RawValue::get);
        let predicate = Predicate::parse(&parts.predicate_type, body).map_err(|source| {
            StatementError::Predicate {
                predicate_type: parts.predicate_type,
                source,
            }
        })?;
        Ok(Self {
            subject: parts.subject,
            predicate,
        })
    }

    /// Every digest of every subject, as pairs of algorithm and value.
    pub fn digests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subject
            .iter()
            .flat_map(|subject| &subject.digest)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut parts = serializer.serialize_struct("Statement", 4)?;
        parts.serialize_field("_type", STATEMENT_TYPE)?;
        parts.serialize_field("subject", &self.subject)?;
        parts.serialize_field("predicateType", self.predicate.predicate_type())?;
        parts.serialize_field("predicate", &self.predicate)?;
        parts.end()
    }
}
