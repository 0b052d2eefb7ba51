//! The text of an event: written once, stored verbatim, hashed as stored, read back here.
//!
//! An event of an unknown kind reads as [`EventBody::Unknown`]: a ledger shared with a later version stays readable.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;
use wayproof_redact::redact_json;

use crate::event::{Event, EventBody, FORMAT, MAX_EVENT_BYTES};

/// Why an event could not be written or read as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Larger than an event may be.
    #[error(
        "an event of {bytes} bytes is longer than the {MAX_EVENT_BYTES} bytes an event may have"
    )]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A value that JSON cannot hold.
    #[error("the event cannot be written as JSON: {0}")]
    Unwritable(String),
    /// Text that is not an event.
    #[error("the stored text is not an event: {0}")]
    Unreadable(String),
}

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    r#type: &'static str,
    id: Uuid,
    at_us: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exchange: &'a Option<String>,
    data: &'a T,
}

/// An event as it is read. Its kind comes before its data where we wrote it, so that one pass over the text is enough.
struct Read(Event);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ReadVisitor)
    }
}

struct ReadVisitor;

/// The data of an event: read already, or waiting for its kind.
enum Data<'de> {
    Read(Box<EventBody>),
    Waiting(&'de RawValue),
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Type,
    Id,
    AtUs,
    Session,
    Job,
    Exchange,
    Data,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for ReadVisitor {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Read, A::Error> {
        let (mut kind, mut id, mut at_us, mut data) = (None::<&str>, None, None, None);
        let (mut session, mut job, mut exchange) = (None, None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Type => once(&mut kind, "type", map.next_value()?)?,
                Field::Id => once(&mut id, "id", map.next_value()?)?,
                Field::AtUs => once(&mut at_us, "at_us", map.next_value()?)?,
                Field::Session => once(&mut session, "session", map.next_value()?)?,
                Field::Job => once(&mut job, "job", map.next_value()?)?,
                Field::Exchange => once(&mut exchange, "exchange", map.next_value()?)?,
                Field::Data => {
                    let read = match kind {
                        Some(kind) => Data::Read(Box::new(map.next_value_seed(Body(kind))?)),
                        None => Data::Waiting(map.next_value()?),
                    };
                    once(&mut data, "data", read)?;
                }
                Field::Other => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        let body = match data.ok_or_else(|| A::Error::missing_field("data"))? {
            Data::Read(body) => *body,
            Data::Waiting(raw) => {
                let mut reader = serde_json::Deserializer::from_str(raw.get());
                Body(kind)
                    .deserialize(&mut reader)
                    .map_err(A::Error::custom)?
            }
        };
        Ok(Read(Event {
            id: id.ok_or_else(|| A::Error::missing_field("id"))?,
            at_us: at_us.ok_or_else(|| A::Error::missing_field("at_us"))?,
            session: session.flatten(),
            job: job.flatten(),
            exchange: exchange.flatten(),
            body,
        }))
    }
}

/// A field that stands twice could be read in two ways.
fn once<T, E: serde::de::Error>(
    slot: &mut Option<T>,
    name: &'static str,
    value: T,
) -> Result<(), E> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// Reads the data of a kind of event.
struct Body<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = EventBody;

    fn deserialize<D: Deserializer<'de>>(self, data: D) -> Result<EventBody, D::Error> {
        Ok(match self.0 {
            "session-started" => EventBody::SessionStarted(Deserialize::deserialize(data)?),
            "job-opened" => EventBody::JobOpened(Deserialize::deserialize(data)?),
            "obligation-frozen" => EventBody::ObligationFrozen(Deserialize::deserialize(data)?),
            "exchange-opened" => EventBody::ExchangeOpened(Deserialize::deserialize(data)?),
            "exchange-settled" => EventBody::ExchangeSettled(Deserialize::deserialize(data)?),
            "evidence-noted" => EventBody::EvidenceNoted(Deserialize::deserialize(data)?),
            "escalated" => EventBody::Escalated(Deserialize::deserialize(data)?),
            "proof-finished" => EventBody::ProofFinished(Deserialize::deserialize(data)?),
            "receipt-issued" => EventBody::ReceiptIssued(Deserialize::deserialize(data)?),
            "review-recorded" => EventBody::ReviewRecorded(Deserialize::deserialize(data)?),
            "books-changed" => EventBody::BooksChanged(Deserialize::deserialize(data)?),
            "quota-sampled" => EventBody::QuotaSampled(Deserialize::deserialize(data)?),
            "job-closed" => EventBody::JobClosed(Deserialize::deserialize(data)?),
            "exchange-imported" => EventBody::ExchangeImported(Deserialize::deserialize(data)?),
            "log-read" => EventBody::LogRead(Deserialize::deserialize(data)?),
            "events-pruned" => EventBody::EventsPruned(Deserialize::deserialize(data)?),
            "content-captured" => EventBody::ContentCaptured(Deserialize::deserialize(data)?),
            "subject-forgotten" => EventBody::SubjectForgotten(Deserialize::deserialize(data)?),
            kind => {
                IgnoredAny::deserialize(data)?;
                EventBody::Unknown {
                    kind: kind.to_owned(),
                }
            }
        })
    }
}

impl EventBody {
    /// The kind of event, as the ledger spells it.
    pub fn kind(&self) -> &str {
        match self {
            Self::SessionStarted(_) => "session-started",
            Self::JobOpened(_) => "job-opened",
            Self::ObligationFrozen(_) => "obligation-frozen",
            Self::ExchangeOpened(_) => "exchange-opened",
            Self::ExchangeSettled(_) => "exchange-settled",
            Self::EvidenceNoted(_) => "evidence-noted",
            Self::Escalated(_) => "escalated",
            Self::ProofFinished(_) => "proof-finished",
            Self::ReceiptIssued(_) => "receipt-issued",
            Self::ReviewRecorded(_) => "review-recorded",
            Self::BooksChanged(_) => "books-changed",
            Self::QuotaSampled(_) => "quota-sampled",
            Self::JobClosed(_) => "job-closed",
            Self::ExchangeImported(_) => "exchange-imported",
            Self::LogRead(_) => "log-read",
            Self::EventsPruned(_) => "events-pruned",
            Self::ContentCaptured(_) => "content-captured",
            Self::SubjectForgotten(_) => "subject-forgotten",
            Self::Unknown { kind } => kind,
        }
    }
}

impl Event {
    /// Writes the event as one line of JSON.
    pub fn to_text(&self) -> Result<Vec<u8>, RecordError> {
        let text = match &self.body {
            EventBody::SessionStarted(data) => self.write("session-started", data),
            EventBody::JobOpened(data) => self.write("job-opened", data),
            EventBody::ObligationFrozen(data) => self.write("obligation-frozen", data),
            EventBody::ExchangeOpened(data) => self.write("exchange-opened", data.as_ref()),
            EventBody::ExchangeSettled(data) => self.write("exchange-settled", data.as_ref()),
            EventBody::EvidenceNoted(data) => self.write("evidence-noted", data),
            EventBody::Escalated(data) => self.write("escalated", data),
            EventBody::ProofFinished(data) => self.write("proof-finished", data),
            EventBody::ReceiptIssued(data) => self.write("receipt-issued", data),
            EventBody::ReviewRecorded(data) => self.write("review-recorded", data),
            EventBody::BooksChanged(data) => self.write("books-changed", data),
            EventBody::QuotaSampled(data) => self.write("quota-sampled", data),
            EventBody::JobClosed(data) => self.write("job-closed", data),
            EventBody::ExchangeImported(data) => self.write("exchange-imported", data.as_ref()),
            EventBody::LogRead(data) => self.write("log-read", data.as_ref()),
            EventBody::EventsPruned(data) => self.write("events-pruned", data),
            EventBody::ContentCaptured(data) => self.write("content-captured", data),
            EventBody::SubjectForgotten(data) => self.write("subject-forgotten", data),
            EventBody::Unknown { kind } => {
                let why = format!("events of the kind `{kind}` can only be read");
                Err(RecordError::Unwritable(why))
            }
        }?;
        if text.len() > MAX_EVENT_BYTES {
            return Err(RecordError::TooLong { bytes: text.len() });
        }
        Ok(text)
    }

    fn write<T: Serialize>(&self, kind: &'static str, data: &T) -> Result<Vec<u8>, RecordError> {
        let written = Written {
            v: FORMAT,
            r#type: kind,
            id: self.id,
            at_us: self.at_us,
            session: &self.session,
            job: &self.job,
            exchange: &self.exchange,
            data,
        };
        let mut text = Vec::with_capacity(1024);
        serde_json::to_writer(&mut text, &written)
            .map_err(|error| RecordError::Unwritable(error.to_string()))?;
        let text =
            String::from_utf8(text).map_err(|error| RecordError::Unwritable(error.to_string()))?;
        // What an agent, a tool or an operator said may hold a secret; none gets into the log, from where nothing goes.
        let redacted = match redact_json(&text) {
            Cow::Owned(redacted) => Some(redacted),
            Cow::Borrowed(_) => None,
        };
        Ok(redacted.unwrap_or(text).into_bytes())
    }

    /// Reads an event back from its text.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        serde_json::from_str(text)
            .map(|Read(event)| event)
            .map_err(|error| RecordError::Unreadable(error.to_string()))
    }
}
