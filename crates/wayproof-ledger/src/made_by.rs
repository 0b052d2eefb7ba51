//! Who made an exchange: the key that was shown, whom it was given to, and their teams.
//!
//! Names only, as operators gave them. It is written with the exchange, because keys and teams change and what was
//! spent does not.

use serde::{Deserialize, Serialize};

/// Whose exchange it is. Nobody's where no key was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeBy {
    /// The name of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The person it was given to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The teams of both, in the order of their names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<String>,
}

impl MadeBy {
    /// Whether nobody is known.
    pub const fn is_nobody(&self) -> bool {
        self.key.is_none() && self.person.is_none() && self.teams.is_empty()
    }

    /// The teams as one text, so that money of who is in several is counted once.
    pub fn team(&self) -> Option<String> {
        (!self.teams.is_empty()).then(|| self.teams.join(", "))
    }
}
