//! What operators set: keys, people, budgets.
//!
//! A key itself is shown once, to whoever makes it; only its digest is kept.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use wayproof_engine::{Budget, Scope, Who};

/// A key of the gateway, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// The part of it that may be seen and that it is found by.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// SHA-256 of the key, in hexadecimal.
    pub digest: String,
    /// The digest it had before it was rotated, for as long as that is still good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<FormerDigest>,
    /// The person it was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Teams whose budgets it draws on, beside those of the person.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<String>,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Scope::is_open")]
    pub scope: Scope,
    /// Requests it may make in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens it may use in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// When it was made.
    pub made_us: i64,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_us: Option<i64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_us: Option<i64>,
}

/// A digest that is still good for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerDigest {
    /// SHA-256 of the key, in hexadecimal.
    pub digest: String,
    /// Until when.
    pub until_us: i64,
}

/// What a person may see and do on the pages; each may do what those before it may.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Looks.
    #[default]
    Viewer,
    /// Decides on changes that wait for a person.
    Reviewer,
    /// Sees what the gateway was started with, and whatever else operators see.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Reviewer, Self::Admin];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde passes a reference"
    )]
    fn is_least(&self) -> bool {
        *self == Self::Viewer
    }
}

/// A person who may hold keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What they are called in keys and budgets.
    pub name: String,
    /// The teams whose budgets they draw on.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub teams: BTreeSet<String>,
    /// What they may see and do on the pages.
    #[serde(default, skip_serializing_if = "Role::is_least")]
    pub role: Role,
}

/// Everything operators set, as of one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register {
    /// Counts the changes.
    pub version: i64,
    /// Keys, by their ids.
    pub keys: BTreeMap<String, Key>,
    /// People, by their names.
    pub people: BTreeMap<String, Person>,
    /// Budgets, by subject and window.
    pub budgets: Vec<Budget>,
}

impl Register {
    /// The key of a name.
    pub fn key_named(&self, name: &str) -> Option<&Key> {
        self.keys.values().find(|key| key.name == name)
    }

    /// Whether callers need a key, because one was given out. That none is good any more opens no door: an operator
    /// does, by removing them.
    pub fn needs_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// What whoever holds a key may see and do on the pages: the role of its person, else the least.
    pub fn role_of(&self, key: &Key) -> Role {
        let person = key.person.as_ref().and_then(|name| self.people.get(name));
        person.map(|person| person.role).unwrap_or_default()
    }

    /// The teams of a key: its own and those of its person.
    pub fn teams_of(&self, key: &Key) -> Vec<String> {
        let person = key.person.as_ref().and_then(|name| self.people.get(name));
        let mut teams = key.teams.clone();
        teams.extend(person.into_iter().flat_map(|person| person.teams.clone()));
        teams.into_iter().collect()
    }
}

impl Key {
    /// Whether it is neither revoked nor over.
    pub fn is_good(&self, at_us: i64) -> bool {
        self.revoked_us.is_none() && self.expires_us.is_none_or(|expires| at_us < expires)
    }
}

/// The same as [`Who`], for those who cannot borrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The name of the caller's key.
    pub key: Option<String>,
    /// The person the key was given to.
    pub person: Option<String>,
    /// The teams of the person and of the key.
    pub teams: Vec<String>,
    /// The repository the agent works in.
    pub repo: Option<String>,
    /// The agent's conversation.
    pub session: Option<String>,
    /// The piece of work.
    pub job: Option<String>,
}

impl Holder {
    /// Lends it out.
    pub fn who(&self) -> Who<'_> {
        Who {
            key: self.key.as_deref(),
            person: self.person.as_deref(),
            teams: &self.teams,
            repo: self.repo.as_deref(),
            session: self.session.as_deref(),
            job: self.job.as_deref(),
        }
    }
}
