//! The seam to repositories: what waits for a person, the change, and keeping what a person signed. The binary fills it
//! with what `wayproof review` and `wayproof gate` are made of, so that a page accepts exactly what they accept.

use std::pin::Pin;

use wayproof_receipt::{Verdict, Verification};

/// What the seam answers, or why not, in one sentence for the reader.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Changes that people decide on.
pub trait Reviews: Send + Sync + 'static {
    /// Changes of all repositories that owe a person's review, the youngest first.
    fn waiting(&self) -> Answer<'_, Vec<Waiting>>;
    /// One change with all that whoever decides looks at.
    fn change(&self, place: Place) -> Answer<'_, ChangeSeen>;
    /// What has to be signed for a decision.
    fn to_sign(&self, place: Place, decided: Decided) -> Answer<'_, ToSign>;
    /// Verifies a signature over a decision as the gate does, and keeps both.
    fn keep(&self, place: Place, decided: Decided, signature: String) -> Answer<'_, Kept>;
    /// Sends a job's work back.
    fn redo(&self, job: String, by: String, remark: Option<String>) -> Answer<'_, ()>;
    /// Decisions that were made, by month, the latest first.
    fn record(&self) -> Answer<'_, Vec<Month>>;
    /// What differs between two trees; nothing where no repository here has both.
    fn between(&self, base: String, head: String) -> Answer<'_, Option<Difference>>;
}

/// What differs between two trees, as much of it as a page holds.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// The changed files.
    pub files: Vec<FileSeen>,
    /// Whether there is more than is shown.
    pub is_cut: bool,
}

/// Which change is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The repository, by the name the seam gave it.
    pub repo: String,
    /// The commit it goes into.
    pub base: String,
    /// The commit that goes in.
    pub head: String,
    /// The task whose review it owes.
    pub task: String,
}

/// A change that owes a person's review.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub place: Place,
    /// Where the repository is.
    pub repo: String,
    /// Its branch.
    pub branch: String,
    /// What its last commit says.
    pub subject: String,
    /// When its last commit was made.
    pub at_us: i64,
    /// How many files it touches.
    pub files: usize,
    /// Why it owes a review.
    pub why: String,
    /// What is missing, a sentence each; empty if nothing is.
    pub missing: Vec<String>,
    /// Findings of models, if any looked.
    pub findings: Option<usize>,
    /// What the receipt that comes with it shows, the best where there are several.
    pub verdict: Option<Verdict>,
}

/// A receipt that comes with a change, as the gate weighs it.
#[derive(Debug, Clone)]
pub struct ReceiptSeen {
    /// SHA-256 of its bytes.
    pub digest: String,
    /// What verifying it by the base's trust showed.
    pub verification: Verification,
    /// Who signed it: the trusted name, or the key.
    pub signers: Vec<String>,
    /// Why it does not count; empty if it does.
    pub objections: Vec<String>,
}

/// A change as whoever decides looks at it.
#[derive(Debug, Clone, Default)]
pub struct ChangeSeen {
    /// The tree that merging makes.
    pub tree: String,
    /// Where the repository is.
    pub repo: String,
    /// Sensitive surfaces that it touches.
    pub touches: Vec<String>,
    /// Receipts that come with it, those that count first.
    pub receipts: Vec<ReceiptSeen>,
    /// The changed files.
    pub files: Vec<FileSeen>,
    /// Whether there is more than is shown.
    pub is_cut: bool,
    /// Who looked, the columns of the findings; nobody where no model did.
    pub looked: Vec<String>,
    /// What they found.
    pub findings: Vec<FindingSeen>,
    /// The base's checklist.
    pub checklist: String,
    /// Decisions there are.
    pub decisions: Vec<DecisionSeen>,
    /// What is missing; empty if nothing is.
    pub missing: Vec<String>,
    /// Who may decide, by the base's list.
    pub reviewers: Vec<String>,
    /// The command that decides without this page.
    pub command: String,
}

/// One changed file.
#[derive(Debug, Clone, Default)]
pub struct FileSeen {
    /// The path.
    pub path: String,
    /// How it changed, in a word.
    pub kind: &'static str,
    /// Its lines; between two runs something is left out.
    pub runs: Vec<Vec<LineSeen>>,
}

/// One line of a change.
#[derive(Debug, Clone, Default)]
pub struct LineSeen {
    /// `+`, `-` or a space.
    pub mark: char,
    /// Its number.
    pub number: u32,
    /// What it says.
    pub text: String,
}

/// A finding, with what each who looked said of it.
#[derive(Debug, Clone, Default)]
pub struct FindingSeen {
    /// The name by which it is answered.
    pub id: String,
    /// Where.
    pub place: String,
    /// What kind of weakness.
    pub rule: String,
    /// `error`, `warning` or `note`.
    pub level: String,
    /// Whether the change brings it.
    pub is_new: bool,
    /// Whether whoever approves has to answer it.
    pub is_owed: bool,
    /// What each said, in the order of those who looked; nothing from whoever did not find it.
    pub said: Vec<Option<String>>,
}

/// A decision that somebody signed.
#[derive(Debug, Clone, Default)]
pub struct DecisionSeen {
    /// Who.
    pub reviewer: String,
    /// `approved` or `rejected`.
    pub decision: String,
    /// When.
    pub at_us: Option<i64>,
    /// What was said with it.
    pub comment: Option<String>,
    /// Why it does not count; empty if it does.
    pub objections: Vec<String>,
}

/// What somebody decided.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decided {
    /// Whether the change is good.
    pub is_approved: bool,
    /// Who says so, by the base's list.
    pub reviewer: String,
    /// A remark.
    pub comment: Option<String>,
    /// Answers to findings, by their names.
    pub answers: Vec<(String, String)>,
    /// When, in microseconds since 1970.
    pub at_us: i64,
}

/// What has to be signed.
#[derive(Debug, Clone, Default)]
pub struct ToSign {
    /// The command that signs it; its output is pasted.
    pub command: String,
    /// What it says, for whoever signs.
    pub statement: String,
}

/// What was kept.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    /// Who signed.
    pub reviewer: String,
    /// What is still missing.
    pub missing: Vec<String>,
}

/// The decisions of one month.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Month {
    /// Such as `2026-11`.
    pub name: String,
    /// How many said yes.
    pub approved: usize,
    /// How many said no.
    pub rejected: usize,
    /// Findings that were answered along with them.
    pub answered: usize,
    /// Approvals of trees that somebody rejected later.
    pub overturned: usize,
    /// How many different people decided.
    pub people: usize,
    /// Decisions by keys that the base does not list; they count for nothing.
    pub strangers: usize,
    /// How often work was sent back to its agent. The ledger knows, so a seam to repositories leaves it at 0.
    pub redone: usize,
}
