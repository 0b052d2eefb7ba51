//! Which events have another text than the one their hash is of, because their words were forgotten.
//!
//! The list is kept under its digest, and an event of the log names that digest, so a text can be replaced only by one
//! that the log knows of.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};
use uuid::Uuid;
use wayproof_receipt::sha256_hex;

use crate::event::EventBody;
use crate::fold::read_event;

/// What one deletion replaced and took out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct List {
    pub(crate) v: u32,
    /// So that the list tells nothing to who guesses at what it is of.
    pub(crate) salt: Uuid,
    /// Digests of the new texts, by place.
    pub(crate) events: BTreeMap<i64, String>,
    /// Digests of contents that went.
    pub(crate) contents: BTreeSet<String>,
}

/// All deletions together; a later one counts.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    events: BTreeMap<i64, String>,
    pub(crate) contents: BTreeSet<String>,
    /// The lists that were read, which events of the log must name.
    pub(crate) lists: BTreeSet<String>,
}

impl Replaced {
    /// Reads every list that is kept. One that is missing or damaged replaces nothing, so its events do not fit.
    pub(crate) async fn read(connection: &mut AnyConnection) -> Result<Self, sqlx::Error> {
        const SQL: &str =
            "SELECT events.body FROM milestones JOIN events ON events.seq = milestones.seq
            WHERE milestones.kind = 'subject-forgotten' ORDER BY milestones.seq";
        let rows = sqlx::query(SQL).fetch_all(&mut *connection).await?;
        let mut all = Self::default();
        for row in rows {
            let text: String = row.try_get(0)?;
            let Some(EventBody::SubjectForgotten(told)) = read_event(&text).map(|event| event.body)
            else {
                continue;
            };
            let content: Option<String> =
                sqlx::query_scalar("SELECT content FROM contents WHERE digest = $1")
                    .bind(told.list_digest.clone())
                    .fetch_optional(&mut *connection)
                    .await?;
            let list = content
                .filter(|text| sha256_hex(text.as_bytes()) == told.list_digest)
                .and_then(|text| serde_json::from_str::<List>(&text).ok());
            if let Some(list) = list {
                all.events.extend(list.events);
                all.contents.extend(list.contents);
                all.lists.insert(told.list_digest);
            }
        }
        Ok(all)
    }

    /// The digest of the text that stands in the place of an event's own.
    pub(crate) fn text_at(&self, seq: i64) -> Option<&str> {
        self.events.get(&seq).map(String::as_str)
    }

    /// Whether a text in the log is one that stands for another.
    pub(crate) fn is_replaced(&self, seq: i64, text: &str) -> bool {
        self.text_at(seq)
            .is_some_and(|digest| sha256_hex(text.as_bytes()) == digest)
    }
}
