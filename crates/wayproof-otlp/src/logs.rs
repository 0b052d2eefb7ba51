//! Log records: what a person is told of, with the span it belongs to.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use wayproof_ledger::{Event, EventBody};
use wayproof_receipt::Verdict;

use crate::{
    attributes::{Attributes, any, nanos},
    ids::{self, Of},
    names,
    span::{self, trace_of},
};

/// What is told of an event.
struct Said {
    name: &'static str,
    severity: SeverityNumber,
    text: String,
    attributes: Attributes,
    /// The span of its own that it belongs to, else the job's.
    of: Option<Of>,
}

impl Said {
    fn new(name: &'static str, text: String, attributes: Attributes) -> Self {
        Self {
            name,
            severity: SeverityNumber::Info,
            text,
            attributes,
            of: None,
        }
    }
}

fn said(event: &Event) -> Option<Said> {
    Some(match &event.body {
        EventBody::ProofFinished(finished) => Said {
            severity: match finished.verdict {
                Verdict::Refuted => SeverityNumber::Warn,
                Verdict::InvalidInfra => SeverityNumber::Error,
                Verdict::Proven | Verdict::ProvenWithGaps | Verdict::Unproven => {
                    SeverityNumber::Info
                }
            },
            of: Some(Of::Proof),
            ..Said::new(
                names::EVALUATION,
                format!("{} {}", finished.task, finished.verdict),
                span::evaluation(finished),
            )
        },
        EventBody::Escalated(escalated) => Said {
            of: Some(Of::Escalation),
            ..Said::new(
                "wayproof.escalation",
                format!("{} → {}: {}", escalated.from, escalated.to, escalated.why),
                span::escalation_facts(Attributes::default(), escalated),
            )
        },
        EventBody::ReviewRecorded(review) => Said::new(
            "wayproof.review",
            format!("{} {}", review.reviewer, review.decision),
            span::review_facts(review),
        ),
        EventBody::ReceiptIssued(issued) => Said::new(
            "wayproof.receipt",
            format!("receipt {}", issued.verdict),
            span::receipt_facts(issued),
        ),
        EventBody::BooksChanged(changed) => Said::new(
            "wayproof.books",
            format!("{} {}", changed.change, changed.subject),
            Attributes::default()
                .text("wayproof.change", &changed.change)
                .text("wayproof.subject", &changed.subject)
                .maybe("wayproof.detail", changed.detail.as_deref())
                .maybe("wayproof.by", changed.by.as_deref()),
        ),
        _ => return None,
    })
}

/// The record of an event, if it has one.
pub(crate) fn record(event: &Event) -> Option<LogRecord> {
    let said = said(event)?;
    let attributes = said
        .attributes
        .maybe(names::SESSION, event.session.as_deref())
        .maybe(names::JOB, event.job.as_deref());
    Some(LogRecord {
        time_unix_nano: nanos(event.at_us),
        observed_time_unix_nano: nanos(event.at_us),
        severity_number: said.severity.into(),
        severity_text: severity_text(said.severity).to_owned(),
        body: Some(any(&said.text)),
        attributes: attributes.into_vec(),
        trace_id: trace_of(event),
        span_id: match said.of {
            Some(of) => ids::span(of, &event.id.to_string()),
            None => span::parent_of(event),
        },
        event_name: said.name.to_owned(),
        ..LogRecord::default()
    })
}

const fn severity_text(severity: SeverityNumber) -> &'static str {
    match severity {
        SeverityNumber::Warn => "WARN",
        SeverityNumber::Error => "ERROR",
        _ => "INFO",
    }
}
