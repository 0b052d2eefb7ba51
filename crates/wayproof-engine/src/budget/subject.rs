//! Whom or what a budget is for, as people write it: `team:core`, `person:*`, `everyone`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Whom or what a budget is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Subject {
    /// What kind of one it is.
    pub kind: SubjectKind,
    /// Its name; `*` for each one of the kind, empty for everyone together.
    pub name: String,
}

/// A kind of spender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectKind {
    /// All requests together.
    Everyone,
    /// A team.
    Team,
    /// A person.
    Person,
    /// A key of this gateway.
    Key,
    /// A repository.
    Repo,
    /// An agent's conversation.
    Session,
    /// A piece of work.
    Job,
}

/// A text that names no subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is nobody's budget; write everyone, team:NAME, person:NAME, key:NAME, repo:NAME, session:NAME or job:ID, with * for each"
)]
pub struct NotASubject(
    /// The text that was given.
    pub String,
);

impl SubjectKind {
    const NAMED: [Self; 6] = [
        Self::Team,
        Self::Person,
        Self::Key,
        Self::Repo,
        Self::Session,
        Self::Job,
    ];

    /// The word before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Team => "team",
            Self::Person => "person",
            Self::Key => "key",
            Self::Repo => "repo",
            Self::Session => "session",
            Self::Job => "job",
        }
    }
}

impl Subject {
    /// Whether it stands for each one of its kind.
    pub fn is_each(&self) -> bool {
        self.name == "*"
    }
}

impl FromStr for Subject {
    type Err = NotASubject;

    fn from_str(text: &str) -> Result<Self, NotASubject> {
        const MOST_BYTES: usize = 512;
        let wrong = || NotASubject(text.to_owned());
        if text == SubjectKind::Everyone.as_str() {
            return Ok(Self {
                kind: SubjectKind::Everyone,
                name: String::new(),
            });
        }
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        let kind = SubjectKind::NAMED
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or_else(wrong)?;
        let is_clean = !name.trim().is_empty()
            && name.trim() == name
            && name.len() <= MOST_BYTES
            && !name.chars().any(char::is_control);
        if !is_clean {
            return Err(wrong());
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SubjectKind::Everyone => f.write_str("everyone"),
            kind => write!(f, "{}:{}", kind.as_str(), self.name),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = NotASubject;

    fn try_from(text: String) -> Result<Self, NotASubject> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_and_written_alike() {
        for text in [
            "everyone",
            "team:core",
            "person:*",
            "repo:git@host:a/b.git",
            "job:019",
        ] {
            let subject: Subject = text.parse().unwrap();
            assert_eq!(subject.to_string(), text);
        }
        for wrong in [
            "",
            "core",
            "team:",
            "team: core",
            "teams:core",
            "everyone:x",
            "key:a\nb",
        ] {
            let error = wrong.parse::<Subject>().unwrap_err();
            assert!(error.to_string().contains("team:NAME"), "{error}");
        }
    }
}
