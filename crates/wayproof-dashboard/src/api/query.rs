//! What an address asks for, read strictly: a program's mistake is told and not guessed around.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use wayproof_ledger::{Days, Dimension, Page};

use super::wrong;
use crate::problem::Problem;

/// The most rows of one answer.
pub(super) const MOST_ROWS: i64 = 200;

/// The longest value.
pub(super) const LONGEST: usize = 200;

/// The last day that is understood, some 2,700 years from 1970.
pub(super) const LAST_DAY: i64 = 1_000_000;

/// What a report is grouped by, as it is written.
pub(super) const DIMENSIONS: [(&str, Dimension); 12] = [
    ("task", Dimension::Task),
    ("class", Dimension::Class),
    ("model", Dimension::Model),
    ("provider", Dimension::Provider),
    ("repo", Dimension::Repo),
    ("agent", Dimension::Agent),
    ("job", Dimension::Job),
    ("day", Dimension::Day),
    ("source", Dimension::Source),
    ("person", Dimension::Person),
    ("team", Dimension::Team),
    ("key", Dimension::Key),
];

/// Names and values as they were sent.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let text = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(text.as_bytes()).take(64);
        let pairs: Vec<(String, String)> = pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        std::future::ready(Ok(Self(pairs))).await
    }
}

impl Query {
    /// Refuses what is not known, stands twice, is empty or too long.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Problem> {
        for (at, (name, value)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(wrong(format!(
                    "There is no parameter of that name; there are {}.",
                    if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    }
                )));
            }
            if self.0.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(wrong(format!("`{name}` stands twice.")));
            }
            if value.is_empty()
                || value.chars().count() > LONGEST
                || value.chars().any(char::is_control)
            {
                return Err(wrong(format!(
                    "`{name}` has to have 1 to {LONGEST} characters, and none that controls."
                )));
            }
        }
        Ok(self)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    fn number(&self, name: &str, (least, most): (i64, i64)) -> Result<Option<i64>, Problem> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text
            .parse()
            .ok()
            .filter(|number| (least..=most).contains(number));
        match number.filter(|_| is_plain) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(format!(
                "`{name}` has to be a whole number from {least} to {most}."
            ))),
        }
    }

    /// How much to show and where to go on.
    pub(super) fn page(&self) -> Result<Page, Problem> {
        let limit = self.number("limit", (1, MOST_ROWS))?.unwrap_or(50);
        Ok(Page {
            limit: u32::try_from(limit).unwrap_or(50),
            before: self.number("before", (0, i64::MAX))?,
        })
    }

    /// Whole days since 1970.
    pub(super) fn days(&self) -> Result<Days, Problem> {
        Ok(Days {
            from: self.number("from", (0, LAST_DAY))?,
            until: self.number("until", (0, LAST_DAY))?,
        })
    }

    /// What a report is grouped by, with the names; by nothing unless said.
    pub(super) fn dimensions(&self) -> Result<Vec<(&'static str, Dimension)>, Problem> {
        const MOST: usize = 3;
        let Some(text) = self.text("by") else {
            return Ok(Vec::new());
        };
        let mut by = Vec::new();
        for name in text.split(',') {
            let known = DIMENSIONS.iter().find(|(known, _)| *known == name);
            match known {
                Some(known) if !by.contains(known) && by.len() < MOST => by.push(*known),
                _ => {
                    let names = DIMENSIONS.map(|(name, _)| name).join(", ");
                    return Err(wrong(format!(
                        "`by` takes up to {MOST} of {names}, each once, with commas between them."
                    )));
                }
            }
        }
        Ok(by)
    }
}
