//! A piece of work from its ask to its end.

use opentelemetry_proto::tonic::trace::v1::{
    Span, Status,
    span::{Event as SpanEvent, SpanKind},
    status::StatusCode,
};
use wayproof_ledger::{
    Event, EventBody, JobClosed, JobOpened, ObligationFrozen, ReceiptIssued, ReviewRecorded,
};
use wayproof_receipt::Verdict;

use super::{Piece, happened, names_of, span};
use crate::{
    attributes::Attributes,
    ids::{self, Of},
    names,
};

/// The most things told of one job.
const MOST_EVENTS: usize = 256;

/// What a job's end needs of its beginning.
#[derive(Debug)]
pub(crate) struct OpenJob {
    pub(crate) seq: i64,
    opened_us: i64,
    opened: JobOpened,
    story: Vec<SpanEvent>,
    untold: u32,
}

impl OpenJob {
    pub(crate) fn new(seq: i64, event: &Event, opened: &JobOpened) -> Self {
        Self {
            seq,
            opened_us: event.at_us,
            opened: opened.clone(),
            story: Vec::new(),
            untold: 0,
        }
    }

    /// Takes in what happened on the way.
    pub(crate) fn hear(&mut self, event: &Event) {
        let Some(told) = told(event) else { return };
        if self.story.len() < MOST_EVENTS {
            self.story.push(told);
        } else {
            self.untold += 1;
        }
    }
}

fn told(event: &Event) -> Option<SpanEvent> {
    let (name, attributes) = match &event.body {
        EventBody::ObligationFrozen(frozen) => ("wayproof.obligation", obligation(frozen)),
        EventBody::Escalated(escalated) => (
            "wayproof.escalation",
            super::escalation::facts(Attributes::default(), escalated),
        ),
        EventBody::ProofFinished(finished) => (names::EVALUATION, super::evaluation(finished)),
        EventBody::ReceiptIssued(issued) => ("wayproof.receipt", receipt(issued)),
        EventBody::ReviewRecorded(review) => ("wayproof.review", self::review(review)),
        _ => return None,
    };
    Some(happened(event.at_us, name, attributes))
}

fn obligation(frozen: &ObligationFrozen) -> Attributes {
    let owed: Vec<String> = frozen
        .requirements
        .iter()
        .map(|any| any.join(" or "))
        .collect();
    let owed: Vec<&str> = owed.iter().map(String::as_str).collect();
    Attributes::default()
        .text(names::TASK, &frozen.task)
        .texts("wayproof.owed", &owed)
        .text("wayproof.policy", &frozen.policy_digest)
        .maybe(names::BASE_REVISION, frozen.base.as_deref())
}

pub(crate) fn receipt(issued: &ReceiptIssued) -> Attributes {
    Attributes::default()
        .text(names::RECEIPT, &issued.receipt_digest)
        .text(names::VERDICT, issued.verdict.name())
        .maybe(names::REVISION, issued.commit.as_deref())
        .maybe(names::TREE, issued.tree.as_deref())
        .maybe(names::KEY_ID, issued.key_id.as_deref())
}

pub(crate) fn review(review: &ReviewRecorded) -> Attributes {
    Attributes::default()
        .text(names::REVIEWER, &review.reviewer)
        .text(names::DECISION, &review.decision)
        .maybe(names::TREE, review.tree.as_deref())
}

/// The job's span. Of one whose beginning is not known only the end is told.
pub(crate) fn job(event: &Event, closed: &JobClosed, open: Option<OpenJob>) -> Span {
    let mut attributes = names_of(event)
        .text(names::OPERATION, "invoke_agent")
        .text(names::SPAN_KIND, "AGENT")
        .maybe(names::VERDICT, closed.verdict.map(Verdict::name))
        .maybe(names::WHY, closed.why.as_deref());
    let mut name = "invoke_agent".to_owned();
    if let Some(open) = &open {
        let opened = &open.opened;
        if let Some(agent) = &opened.agent {
            name = format!("invoke_agent {agent}");
        }
        attributes = attributes
            .text(names::TASK, &opened.task)
            .maybe(names::CLASS, opened.class.as_deref())
            .maybe(names::AGENT, opened.agent.as_deref())
            .maybe(names::REPOSITORY, opened.repo.as_deref())
            .maybe(names::BASE_REVISION, opened.base.as_deref())
            .maybe(names::RULE, opened.rule.as_deref());
    }
    let piece = Piece {
        id: ids::span(Of::Job, event.job.as_deref().unwrap_or_default()),
        name,
        kind: SpanKind::Internal,
        start_us: open.as_ref().map_or(event.at_us, |open| open.opened_us),
        attributes,
    };
    let mut made = span(event, piece);
    made.parent_span_id = Vec::new();
    made.status = closed.verdict.and_then(status);
    if let Some(open) = open {
        made.events = open.story;
        made.dropped_events_count = open.untold;
    }
    made
}

fn status(verdict: Verdict) -> Option<Status> {
    let code = match verdict {
        Verdict::Proven | Verdict::ProvenWithGaps => StatusCode::Ok,
        Verdict::Refuted => StatusCode::Error,
        Verdict::Unproven | Verdict::InvalidInfra => return None,
    };
    Some(Status {
        message: match code {
            StatusCode::Error => verdict.name().to_owned(),
            StatusCode::Ok | StatusCode::Unset => String::new(),
        },
        code: code.into(),
    })
}
