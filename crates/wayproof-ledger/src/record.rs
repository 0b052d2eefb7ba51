//! The text of an event: written once, stored verbatim, hashed as stored, read back here.
//!
//! An event of an unknown kind reads as [`EventBody::Unknown`]: a ledger shared with a later version stays readable.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

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

#[derive(Deserialize)]
struct Read<'a> {
    r#type: &'a str,
    id: Uuid,
    at_us: i64,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    job: Option<String>,
    #[serde(default)]
    exchange: Option<String>,
    #[serde(borrow)]
    data: &'a RawValue,
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
        Ok(text)
    }

    /// Reads an event back from its text.
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let read: Read<'_> = parse(text)?;
        let data = read.data.get();
        let body = match read.r#type {
            "session-started" => EventBody::SessionStarted(parse_data(data)?),
            "job-opened" => EventBody::JobOpened(parse_data(data)?),
            "obligation-frozen" => EventBody::ObligationFrozen(parse_data(data)?),
            "exchange-opened" => EventBody::ExchangeOpened(parse_data(data)?),
            "exchange-settled" => EventBody::ExchangeSettled(parse_data(data)?),
            "evidence-noted" => EventBody::EvidenceNoted(parse_data(data)?),
            "escalated" => EventBody::Escalated(parse_data(data)?),
            "proof-finished" => EventBody::ProofFinished(parse_data(data)?),
            "receipt-issued" => EventBody::ReceiptIssued(parse_data(data)?),
            "review-recorded" => EventBody::ReviewRecorded(parse_data(data)?),
            "books-changed" => EventBody::BooksChanged(parse_data(data)?),
            "quota-sampled" => EventBody::QuotaSampled(parse_data(data)?),
            "job-closed" => EventBody::JobClosed(parse_data(data)?),
            "exchange-imported" => EventBody::ExchangeImported(parse_data(data)?),
            "log-read" => EventBody::LogRead(parse_data(data)?),
            kind => EventBody::Unknown {
                kind: kind.to_owned(),
            },
        };
        let Read {
            id,
            at_us,
            session,
            job,
            exchange,
            ..
        } = read;
        Ok(Self {
            id,
            at_us,
            session,
            job,
            exchange,
            body,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, RecordError> {
    serde_json::from_str(text).map_err(|error| RecordError::Unreadable(error.to_string()))
}

fn parse_data<T: DeserializeOwned>(text: &str) -> Result<T, RecordError> {
    parse(text)
}
