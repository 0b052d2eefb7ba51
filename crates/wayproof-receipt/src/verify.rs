//! Judging a receipt offline: is it authentic, does it agree with itself, how much does it prove.
//! Never raises a verdict, never believes a key id, and reports three outcomes that differ.

mod agree;
mod authenticate;
mod effective;

use serde::Serialize;

use crate::{
    bundle::Bundle,
    predicate::{Predicate, Proof, Reason, Verdict},
    statement::Statement,
    trust::{Signer, Trust},
};

/// A rule that does not hold, and how far it lowers the verdict.
pub type Lowering = Reason;

/// What a verifier can say about a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VerifyOutcome {
    /// Authentic, consistent, and every signer is pinned.
    Good,
    /// Authentic and consistent, but somebody who signed is not pinned.
    SignerNotPinned,
    /// Not authentic, or it contradicts itself.
    Invalid,
}

/// One authentic statement of a receipt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedLine {
    /// SHA-256 of the stored line.
    pub digest: String,
    /// Who signed it.
    pub signers: Vec<Signer>,
    /// What it says.
    pub statement: Statement,
}

/// The judgement about a receipt.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Whether it can be believed.
    pub outcome: VerifyOutcome,
    /// What it proves, after everything that lowers it; nothing if it is invalid.
    pub verdict: Option<Verdict>,
    /// What its proof claims.
    pub claimed: Option<Verdict>,
    /// The task.
    pub task: Option<String>,
    /// Its authentic statements, in a receipt's reading order.
    pub statements: Vec<VerifiedLine>,
    /// Why it is invalid.
    pub problems: Vec<String>,
    /// Why its verdict is not higher.
    pub lowered: Vec<Lowering>,
    /// Kinds of lines a receipt has and this one does not.
    pub missing: Vec<&'static str>,
    /// Lines that were passed over.
    pub unread: Vec<String>,
}

impl Verification {
    /// The proofs of the receipt.
    pub fn proofs(&self) -> impl Iterator<Item = &Proof> {
        self.statements
            .iter()
            .filter_map(|line| match &line.statement.predicate {
                Predicate::Proof(proof) => Some(proof.as_ref()),
                _ => None,
            })
    }

    fn invalid(problem: String) -> Self {
        Self {
            outcome: VerifyOutcome::Invalid,
            verdict: None,
            claimed: None,
            task: None,
            statements: Vec::new(),
            problems: vec![problem],
            lowered: Vec::new(),
            missing: Vec::new(),
            unread: Vec::new(),
        }
    }
}

/// Judges a receipt. Without a trust file nobody is pinned, so the best outcome is
/// [`VerifyOutcome::SignerNotPinned`].
pub fn verify(bundle: &[u8], trust: Option<&Trust>) -> Verification {
    match Bundle::parse(bundle) {
        Ok(bundle) => judge(&bundle, trust),
        Err(error) => Verification::invalid(sentence(&error)),
    }
}

fn judge(bundle: &Bundle, trust: Option<&Trust>) -> Verification {
    let mut problems = Vec::new();
    let mut unread: Vec<String> = bundle
        .unread()
        .iter()
        .map(|line| format!("line {} is not a DSSE envelope", line.number))
        .collect();
    let mut statements = Vec::new();
    for line in bundle.lines() {
        let mut signers = match authenticate::signers(&line.envelope, trust) {
            Ok(signers) => signers,
            Err(problem) => {
                problems.push(format!("line {}: {problem}", line.number));
                continue;
            }
        };
        if !line.envelope.is_statement() {
            unread.push(format!("line {} is not an in-toto statement", line.number));
            continue;
        }
        match line.envelope.statement() {
            Ok(statement) => {
                if !matches!(statement.predicate, Predicate::Review(_)) {
                    only_provers(&mut signers, trust);
                }
                statements.push(VerifiedLine {
                    digest: line.digest.clone(),
                    signers,
                    statement,
                });
            }
            Err(error) => problems.push(format!("line {}: {}", line.number, sentence(&error))),
        }
    }
    // The order of lines means nothing, so it must not show either.
    statements.sort_by(|a, b| (rank(a), &a.digest).cmp(&(rank(b), &b.digest)));
    if statements.is_empty() && problems.is_empty() {
        problems.push("the receipt has no in-toto statement".to_owned());
    }
    problems.extend(agree::contradictions(&statements));
    conclude(Evidence {
        statements,
        problems,
        unread,
    })
}

/// Who is pinned for reviews alone is nobody on a line of another kind.
fn only_provers(signers: &mut [Signer], trust: Option<&Trust>) {
    for signer in signers {
        if trust.is_some_and(|trust| !trust.is_prover(&signer.key)) {
            signer.name = None;
        }
    }
}

struct Evidence {
    statements: Vec<VerifiedLine>,
    problems: Vec<String>,
    unread: Vec<String>,
}

fn conclude(
    Evidence {
        statements,
        problems,
        unread,
    }: Evidence,
) -> Verification {
    let effective = effective::verdict(&statements);
    let is_pinned = statements
        .iter()
        .flat_map(|line| &line.signers)
        .all(|signer| signer.name.is_some());
    let outcome = match (problems.is_empty(), is_pinned) {
        (false, _) => VerifyOutcome::Invalid,
        (true, true) => VerifyOutcome::Good,
        (true, false) => VerifyOutcome::SignerNotPinned,
    };
    Verification {
        outcome,
        // A verdict from a receipt that cannot be believed would only be quoted.
        verdict: (outcome != VerifyOutcome::Invalid).then_some(effective.verdict),
        claimed: effective.claimed,
        task: effective.task,
        missing: effective::missing(&statements),
        statements,
        problems,
        lowered: effective.lowered,
        unread,
    }
}

/// The place of a line in a receipt's reading order.
fn rank(line: &VerifiedLine) -> u8 {
    match line.statement.predicate {
        Predicate::Obligation(_) => 0,
        Predicate::TestResult(_) => 1,
        Predicate::Proof(_) => 2,
        Predicate::Review(_) => 3,
        Predicate::Spend(_) => 4,
        Predicate::Svr(_) => 5,
        Predicate::Unknown { .. } => 6,
    }
}

/// An error with its causes, as one sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
