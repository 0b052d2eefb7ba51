//! What the ledger records: one JSON object an event, stored and hashed as written here.
//!
//! Money is integer nano-dollars, time integer microseconds, and what is not known is absent, never zero.
//! Listed, billed and subscription money are three columns that nothing here adds up.
//! Prompts and answers have no place in an event; neither have secrets.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;
use wayproof_engine::{Cause, Evidence, Heard};
use wayproof_receipt::Verdict;
use wayproof_wire::{Loss, Protocol, SealMark, Usage};

use crate::import_event::{ExchangeImported, LogRead};
use crate::made_by::MadeBy;
use crate::privacy_event::{ContentCaptured, SubjectForgotten};

/// The format written into every event.
pub(crate) const FORMAT: u32 = 1;

/// The longest event, in bytes of JSON.
pub const MAX_EVENT_BYTES: usize = 60 * 1024;

/// One thing that happened, as it goes into the ledger.
#[derive(Debug, Clone)]
pub struct Event {
    /// Unique and growing within a process.
    pub id: Uuid,
    /// When it happened, in microseconds since 1970.
    pub at_us: i64,
    /// The agent's conversation it belongs to.
    pub session: Option<String>,
    /// The piece of work it belongs to.
    pub job: Option<String>,
    /// The client request it belongs to.
    pub exchange: Option<String>,
    /// What happened.
    pub body: EventBody,
}

/// The closed list of things that happen.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each variant is documented at its type")]
pub enum EventBody {
    SessionStarted(SessionStarted),
    JobOpened(JobOpened),
    ObligationFrozen(ObligationFrozen),
    ExchangeOpened(Box<ExchangeOpened>),
    ExchangeSettled(Box<ExchangeSettled>),
    EvidenceNoted(EvidenceNoted),
    Escalated(Escalated),
    ProofFinished(ProofFinished),
    ReceiptIssued(ReceiptIssued),
    ReviewRecorded(ReviewRecorded),
    QuotaSampled(QuotaSampled),
    JobClosed(JobClosed),
    BooksChanged(BooksChanged),
    ExchangeImported(Box<ExchangeImported>),
    LogRead(Box<LogRead>),
    EventsPruned(EventsPruned),
    ContentCaptured(ContentCaptured),
    SubjectForgotten(SubjectForgotten),
    /// An event of a later version, kept and hashed but not understood.
    Unknown {
        kind: String,
    },
}

/// An agent's conversation began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// The coding harness, in its own short name.
    pub agent: String,
    /// Its version, where it tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_version: Option<String>,
    /// How the session was told apart: `header`, `body` or `fingerprint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The conversation that started this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Where the agent works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The repository, as its remote or its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The branch checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
}

/// A piece of work began.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobOpened {
    /// The policy's row.
    pub task: String,
    /// The class the work starts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// SHA-256 of what was asked, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_digest: Option<String>,
    /// SHA-256 of the key that marks the job's exchanges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_digest: Option<String>,
    /// The id of the key it was opened with, whose holder's account its exchanges go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_with: Option<String>,
    /// The repository, as its remote or its path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo: Option<String>,
    /// The commit the work starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The agent at work, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The rule that chose the task, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was heard of the ask: all that a policy looks at, and no word of it beyond the paths it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Box<Heard>>,
}

/// The proof a job owes, fixed before the first edit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ObligationFrozen {
    /// The policy's row.
    pub task: String,
    /// All of the outer list are owed, any one of an inner list pays.
    pub requirements: Vec<Vec<String>>,
    /// SHA-256 of the policy's text.
    pub policy_digest: String,
    /// The commit the proof compares against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// SHA-256 of the obligation statement, as the receipt repeats it.
    pub obligation_digest: String,
}

/// A client's request was read and decided, and nothing of an answer has left yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExchangeOpened {
    /// The dialect the client speaks.
    pub protocol: Protocol,
    /// The coding harness, in its own short name.
    pub agent: String,
    /// The model the client asked for.
    pub requested_model: String,
    /// Whose request it is.
    #[serde(default, skip_serializing_if = "MadeBy::is_nobody")]
    pub by: MadeBy,
    /// The policy's row.
    pub task: String,
    /// The class decided on; absent for requests that are not routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The provider tried first.
    pub provider: String,
    /// The model tried first.
    pub model: String,
    /// `routed`, `pinned` or `passed-through`.
    pub routing: String,
    /// The housekeeping shape recognized, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub housekeeping: Option<String>,
    /// Whether the client wants a stream.
    pub is_streaming: bool,
    /// Length of the request's body.
    pub request_bytes: u64,
    /// The engine's decision, whole, as its own JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Box<RawValue>>,
}

/// How an exchange ended for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeOutcome {
    /// A whole answer was delivered.
    Completed,
    /// The provider refused or failed before an answer began.
    Failed,
    /// The answer broke off in the middle.
    Cut,
    /// The client went away.
    Cancelled,
    /// Wayproof refused: budget, limits or policy.
    Refused,
}

impl ExchangeOutcome {
    /// The word used in the ledger.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cut => "cut",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        }
    }
}

/// One upstream try.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptRecord {
    /// Who was asked.
    pub provider: String,
    /// For which model.
    pub model: String,
    /// The status answered, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// When the try began.
    pub started_us: i64,
    /// Time until the first byte of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttfb_us: Option<i64>,
    /// What went wrong, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Three kinds of money that are never added to each other. Absent means unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// What the provider's price list says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_nano_usd: Option<i64>,
    /// What the provider said it charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billed_nano_usd: Option<i64>,
    /// What it is worth by the price list where the caller's own subscription paid for it; the listed price holds it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_nano_usd: Option<i64>,
}

/// An exchange is over, whatever its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExchangeSettled {
    /// How it ended.
    pub outcome: ExchangeOutcome,
    /// The status the client got.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Every upstream try, in order.
    pub attempts: Vec<AttemptRecord>,
    /// Whose request it was, as when it was opened.
    #[serde(default, skip_serializing_if = "MadeBy::is_nobody")]
    pub by: MadeBy,
    /// The policy's row, as when it was opened.
    pub task: String,
    /// The class the answer came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The provider that answered, or was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model that answered, or was tried last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The dialect the provider was asked in, where that is not the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_in: Option<Protocol>,
    /// What translating could not carry over, either way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<Loss>,
    /// The marks of reasoning that the provider sealed, so that nobody else is shown it later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seals: Vec<SealMark>,
    /// Tokens, where the provider reported them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What it cost.
    #[serde(default)]
    pub cost: Cost,
    /// What was held for it on its budgets or its job, in nano-dollars of listed money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_nano_usd: Option<i64>,
    /// The catalog the listed price comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog_digest: Option<String>,
    /// Time until the client got its first byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttfb_us: Option<i64>,
    /// Time until it got the last one.
    pub total_us: i64,
    /// Bytes of the answer.
    pub response_bytes: u64,
    /// Why the model stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// What went wrong by the provider's word: `context-overflow`, or the word it has for what broke its answer off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// The provider's own name for the exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_request_id: Option<String>,
    /// The id under which the provider keeps what was said, for later requests to continue from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<String>,
}

/// A typed fact was read or produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceNoted {
    /// The fact with its grade.
    pub evidence: Evidence,
}

/// A job moved to another class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Escalated {
    /// Why, from the closed list.
    pub cause: Cause,
    /// The class left.
    pub from: String,
    /// The class entered.
    pub to: String,
    /// The evidence in a sentence.
    pub why: String,
}

/// A proof ran to its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProofFinished {
    /// What it showed.
    pub verdict: Verdict,
    /// The policy's row.
    pub task: String,
    /// The tree that was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_tree: Option<String>,
    /// The receipt sealed from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_digest: Option<String>,
    /// The one thing the agent needs to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_fact: Option<String>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_us: Option<i64>,
}

/// A receipt was sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptIssued {
    /// SHA-256 of the bundle, in hexadecimal.
    pub receipt_digest: String,
    /// What it says.
    pub verdict: Verdict,
    /// The commit it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The tree it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// The key that signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// A person or CI reviewed the change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ReviewRecorded {
    /// Who.
    pub reviewer: String,
    /// `approved`, `rejected`, `redo`, or `found` for what models found, which decides nothing.
    pub decision: String,
    /// What they say about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
    /// The tree reviewed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// SHA-256 of the signed review statement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_digest: Option<String>,
}

impl ReviewRecorded {
    /// The decision that sends the work back to the agent.
    pub const REDO: &str = "redo";
}

/// A provider told how much of a quota is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuotaSampled {
    /// Whose quota.
    pub provider: String,
    /// Which window, in the provider's word.
    pub window: String,
    /// Parts per million used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ppm: Option<i64>,
    /// When the window starts anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resets_at_us: Option<i64>,
    /// Where the figure comes from.
    pub source: String,
}

/// An operator changed a key, a person or a budget.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BooksChanged {
    /// What was done: `key-made`, `key-rotated`, `key-revoked`, `key-removed`, `person-set`, `person-removed`,
    /// `budget-set`, `budget-removed`, `log-key-set`.
    pub change: String,
    /// To what.
    pub subject: String,
    /// How it is now, in a few words. Never a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Who did it: the name of the system's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// Events before a place of the log were taken out. Their hashes stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsPruned {
    /// The first place that still has its event.
    pub before: i64,
    /// How many went with this prune; earlier ones may have taken others.
    pub events: i64,
    /// They happened before this moment.
    pub until_us: i64,
    /// SHA-256 of what is kept instead, in hexadecimal.
    pub snapshot_digest: String,
    /// Who did it: the name of the system's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A piece of work ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobClosed {
    /// The last word on it; absent when no proof was owed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// Why it ended, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}
