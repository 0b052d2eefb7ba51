//! A proof that ran to its verdict.

use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use wayproof_ledger::{Event, ProofFinished};
use wayproof_receipt::Verdict;

use super::{Piece, happened, names_of, span};
use crate::{
    attributes::Attributes,
    ids::{self, Of},
    names,
};

pub(crate) fn proof(event: &Event, finished: &ProofFinished) -> Span {
    let status = match finished.verdict {
        Verdict::Proven | Verdict::ProvenWithGaps => "success",
        Verdict::Refuted => "failure",
        Verdict::Unproven | Verdict::InvalidInfra => "skipped",
    };
    let attributes = evaluation(finished)
        .with(names_of(event))
        .text(names::SPAN_KIND, "EVALUATOR")
        .text(names::TASK, &finished.task)
        .text(names::VERDICT, finished.verdict.name())
        .text(names::SUITE, format!("wayproof.{}", finished.task))
        .text(names::SUITE_STATUS, status)
        .maybe(names::TREE, finished.head_tree.as_deref())
        .maybe(names::RECEIPT, finished.receipt_digest.as_deref());
    let piece = Piece {
        id: ids::span(Of::Proof, &event.id.to_string()),
        name: format!("wayproof.proof {}", finished.task),
        kind: SpanKind::Internal,
        start_us: event.at_us - finished.wall_us.unwrap_or(0).max(0),
        attributes,
    };
    let mut made = span(event, piece);
    made.events.push(happened(
        event.at_us,
        names::EVALUATION,
        evaluation(finished),
    ));
    made
}

/// The verdict in the conventions' own words: 1 proven, 0.5 neither, 0 refuted.
pub(crate) fn evaluation(finished: &ProofFinished) -> Attributes {
    let score = match finished.verdict {
        Verdict::Proven => Some(1.0),
        Verdict::ProvenWithGaps | Verdict::Unproven => Some(0.5),
        Verdict::Refuted => Some(0.0),
        // The machine failed, so nothing was judged.
        Verdict::InvalidInfra => None,
    };
    Attributes::default()
        .text(
            names::EVALUATION_NAME,
            format!("wayproof.{}", finished.task),
        )
        .text(names::EVALUATION_LABEL, finished.verdict.name())
        .float(names::EVALUATION_SCORE, score)
        .maybe(names::EVALUATION_WHY, finished.one_fact.as_deref())
}
