//! What a receipt's lines claim: one type a predicate, in reading order of a receipt.
//! Reads predicates it does not know as they are and never lets them count for anything.

mod check;
mod evidence;
mod obligation;
mod proof;
mod review;
mod spend;
mod support;
mod svr;
mod test_result;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

pub use check::{Check, CheckKind, CheckLimits, CheckResult, Side};
pub use evidence::{
    Ablation, AblationMode, Benchmark, Coverage, Dependencies, FailToPass, Flake, MovedPackage,
    Mutation, MutationScope, Oracle, PassToPass, PublicApi, RedReason, Reused, Tests,
    false_accept_bound,
};
pub use obligation::{Obligation, ObligedCheck, ReviewRule, Runs};
pub use proof::{Finding, LedgerRange, Link, Proof, Severity, SurfaceChange, Tier, Verdict};
pub use review::{Disposition, Review, ReviewDecision};
pub use spend::{AgentSession, Escalation, ModelSpend, PriceBasis, QuotaWindow, Spend, SpendTotal};
pub use support::{Ceiling, Reason};
pub use svr::{Svr, Verifier};
pub use test_result::{TestOutcome, TestResult};

/// Predicate type of [`Obligation`].
pub const OBLIGATION_TYPE: &str = "https://wayproof.dev/attestation/obligation/v0.1";
/// Predicate type of [`TestResult`].
pub const TEST_RESULT_TYPE: &str = "https://in-toto.io/attestation/test-result/v0.1";
/// Predicate type of [`Proof`].
pub const PROOF_TYPE: &str = "https://wayproof.dev/attestation/proof/v0.1";
/// Predicate type of [`Review`].
pub const REVIEW_TYPE: &str = "https://wayproof.dev/attestation/review/v0.1";
/// Predicate type of [`Spend`].
pub const SPEND_TYPE: &str = "https://wayproof.dev/attestation/spend/v0.1";
/// Predicate type of [`Svr`].
pub const SVR_TYPE: &str = "https://in-toto.io/attestation/svr/v0.2";

/// The claim of a statement.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// What has to be proven, frozen before the work began.
    Obligation(Box<Obligation>),
    /// The outcome of one test run, for foreign readers.
    TestResult(Box<TestResult>),
    /// What was run and what it showed.
    Proof(Box<Proof>),
    /// What a person decided about the change.
    Review(Box<Review>),
    /// What the work cost.
    Spend(Box<Spend>),
    /// The summary verdict.
    Svr(Box<Svr>),
    /// A claim of a type that is not read here, kept as it was.
    Unknown {
        /// Its type.
        predicate_type: String,
        /// Its JSON.
        body: Box<RawValue>,
    },
}

impl Predicate {
    /// The URI of the claim's type.
    pub fn predicate_type(&self) -> &str {
        match self {
            Self::Obligation(_) => OBLIGATION_TYPE,
            Self::TestResult(_) => TEST_RESULT_TYPE,
            Self::Proof(_) => PROOF_TYPE,
            Self::Review(_) => REVIEW_TYPE,
            Self::Spend(_) => SPEND_TYPE,
            Self::Svr(_) => SVR_TYPE,
            Self::Unknown { predicate_type, .. } => predicate_type,
        }
    }

    /// The name of the line in a receipt.
    pub fn line_name(&self) -> &'static str {
        match self {
            Self::Obligation(_) => "obligation",
            Self::TestResult(_) => "test-result",
            Self::Proof(_) => "proof",
            Self::Review(_) => "review",
            Self::Spend(_) => "spend",
            Self::Svr(_) => "summary",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// Reads the JSON of a claim by its type.
    pub(crate) fn parse(predicate_type: &str, body: &str) -> Result<Self, serde_json::Error> {
        Ok(match predicate_type {
            OBLIGATION_TYPE => Self::Obligation(serde_json::from_str(body)?),
            TEST_RESULT_TYPE => Self::TestResult(serde_json::from_str(body)?),
            PROOF_TYPE => Self::Proof(serde_json::from_str(body)?),
            REVIEW_TYPE => Self::Review(serde_json::from_str(body)?),
            SPEND_TYPE => Self::Spend(serde_json::from_str(body)?),
            SVR_TYPE => Self::Svr(serde_json::from_str(body)?),
            other => Self::Unknown {
                predicate_type: other.to_owned(),
                body: serde_json::from_str(body)?,
            },
        })
    }
}

impl PartialEq for Predicate {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Obligation(a), Self::Obligation(b)) => a == b,
            (Self::TestResult(a), Self::TestResult(b)) => a == b,
            (Self::Proof(a), Self::Proof(b)) => a == b,
            (Self::Review(a), Self::Review(b)) => a == b,
            (Self::Spend(a), Self::Spend(b)) => a == b,
            (Self::Svr(a), Self::Svr(b)) => a == b,
            (
                Self::Unknown {
                    predicate_type: a,
                    body: x,
                },
                Self::Unknown {
                    predicate_type: b,
                    body: y,
                },
            ) => a == b && x.get() == y.get(),
            _ => false,
        }
    }
}

impl Serialize for Predicate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Obligation(body) => body.serialize(serializer),
            Self::TestResult(body) => body.serialize(serializer),
            Self::Proof(body) => body.serialize(serializer),
            Self::Review(body) => body.serialize(serializer),
            Self::Spend(body) => body.serialize(serializer),
            Self::Svr(body) => body.serialize(serializer),
            Self::Unknown { body, .. } => body.serialize(serializer),
        }
    }
}
