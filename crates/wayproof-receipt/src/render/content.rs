//! What a receipt's page says, in sections of sentences, before it has a form.
//! Keeps our own words and foreign words apart, so that a writer cannot mix them up.

use crate::{
    predicate::{
        Ablation, AgentSession, Check, CheckResult, FailToPass, MovedPackage, Obligation,
        PassToPass, Predicate, PriceBasis, Proof, RedReason, Reused, Review, ReviewDecision, Side,
        Spend, Tests,
    },
    trust::Signer,
    verify::{Lowering, Verification, VerifyOutcome},
};

/// Longer lists are cut and say so.
const MAX_ITEMS: usize = 25;

/// A run of words.
#[derive(Debug)]
pub(super) enum Span {
    /// Our own words.
    Ours(String),
    /// Words of the receipt.
    Theirs(String),
}

/// One sentence.
#[derive(Debug, Default)]
pub(super) struct Sentence(pub(super) Vec<Span>);

impl Sentence {
    fn ours(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Ours(words.into()));
        self
    }

    fn theirs(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Theirs(words.into()));
        self
    }

    fn list<'w>(mut self, words: impl IntoIterator<Item = &'w str>) -> Self {
        for (index, word) in words.into_iter().enumerate() {
            if index == MAX_ITEMS {
                return self.ours(", …");
            }
            self = if index > 0 { self.ours(", ") } else { self };
            self = self.theirs(word);
        }
        self
    }
}

/// A titled list of sentences.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) items: Vec<Sentence>,
}

/// The page.
#[derive(Debug)]
pub(super) struct Page {
    /// The verdict, in capital letters.
    pub(super) verdict: String,
    /// Whether it can be believed, as a sentence.
    pub(super) standing: &'static str,
    pub(super) sections: Vec<Section>,
}

/// Writes the page of a receipt.
pub(super) fn page(verification: &Verification) -> Page {
    let standing = match verification.outcome {
        VerifyOutcome::Good => "Authentic, and everybody who signed it is pinned.",
        VerifyOutcome::SignerNotPinned => "Authentic, but not everybody who signed it is pinned.",
        VerifyOutcome::Invalid => "Not valid. Nothing it says can be relied on.",
    };
    let verdict = verification
        .verdict
        .map_or("INVALID", |verdict| verdict.name())
        .to_owned();
    let mut sections = vec![Section {
        title: "Why it is not valid",
        items: problems(verification),
    }];
    if verification.outcome != VerifyOutcome::Invalid {
        sections.push(Section {
            title: "What was asked",
            items: asked(verification),
        });
        sections.push(Section {
            title: "What was proven",
            items: proven(verification),
        });
        sections.push(Section {
            title: "What is missing",
            items: missing(verification),
        });
        sections.push(Section {
            title: "Who did it",
            items: done(verification),
        });
        sections.push(Section {
            title: "Who signed",
            items: signed(verification),
        });
    }
    sections.retain(|section| !section.items.is_empty());
    for section in &mut sections {
        cut(&mut section.items);
    }
    Page {
        verdict,
        standing,
        sections,
    }
}

fn cut(items: &mut Vec<Sentence>) {
    if items.len() > MAX_ITEMS {
        let more = items.len() - MAX_ITEMS;
        items.truncate(MAX_ITEMS);
        items.push(Sentence::default().ours(format!("and {more} more")));
    }
}

fn predicates(verification: &Verification) -> impl Iterator<Item = &Predicate> {
    verification
        .statements
        .iter()
        .map(|line| &line.statement.predicate)
}

fn problems(verification: &Verification) -> Vec<Sentence> {
    verification
        .problems
        .iter()
        .map(|problem| Sentence::default().theirs(problem))
        .collect()
}

fn asked(verification: &Verification) -> Vec<Sentence> {
    let mut items = Vec::new();
    if let Some(task) = &verification.task {
        items.push(Sentence::default().ours("Task: ").theirs(task));
    }
    for predicate in predicates(verification) {
        if let Predicate::Obligation(obligation) = predicate {
            items.push(frozen(obligation));
        }
    }
    for proof in verification.proofs() {
        if let Some(tree) = proof.head.digest.get("gitTree") {
            let commit = proof
                .head
                .digest
                .get("gitCommit")
                .map_or("no commit", String::as_str);
            items.push(
                Sentence::default()
                    .ours("Tree ")
                    .theirs(tree)
                    .ours(" of commit ")
                    .theirs(commit),
            );
        }
    }
    items
}

fn frozen(obligation: &Obligation) -> Sentence {
    let mut sentence = Sentence::default().ours("Required beforehand");
    if let Some(at) = obligation.frozen_at {
        sentence = sentence.ours(format!(" ({at})"));
    }
    sentence = sentence.ours(": ");
    for (index, group) in obligation.requirements.iter().enumerate() {
        sentence = if index > 0 {
            sentence.ours(" and ")
        } else {
            sentence
        };
        sentence = sentence.theirs(group.join(" or "));
    }
    sentence
}

fn proven(verification: &Verification) -> Vec<Sentence> {
    let mut items = Vec::new();
    for proof in verification.proofs() {
        items.push(Sentence::default().ours(format!("Evidence: {}.", tier(proof))));
        items.extend(proof.reused.as_ref().map(reused));
        items.extend(proof.fail_to_pass.iter().map(fail_to_pass));
        items.extend(proof.tests.as_ref().map(tests));
        let moved = proof.dependencies.iter().flat_map(|said| &said.moved);
        items.extend(moved.map(moved_package));
        items.extend(checks(proof));
    }
    for predicate in predicates(verification) {
        if let Predicate::Review(review) = predicate {
            items.push(reviewed(review));
        }
    }
    items
}

fn reused(reused: &Reused) -> Sentence {
    let when = reused
        .from
        .as_ref()
        .map_or_else(|| "an unknown time".to_owned(), ToString::to_string);
    Sentence::default().ours(format!(
        "Nothing was run for this receipt: it takes over a proof of {when}, since when nothing it reads has changed."
    ))
}

fn moved_package(moved: &MovedPackage) -> Sentence {
    let versions = |versions: &[String]| {
        if versions.is_empty() {
            "nothing".to_owned()
        } else {
            versions.join(", ")
        }
    };
    Sentence::default()
        .ours("Package ")
        .theirs(&moved.name)
        .ours(" went from ")
        .theirs(versions(&moved.from))
        .ours(" to ")
        .theirs(versions(&moved.to))
        .ours(": ")
        .theirs(&moved.why)
}

fn tier(proof: &Proof) -> &'static str {
    use crate::predicate::Tier;
    match proof.tier {
        Tier::Human => "a person signed for this tree",
        Tier::Independent => "run again by an independent builder",
        Tier::Reexecuted => "run again on clean trees by the prover itself",
        Tier::Observed => "the agent's own run was watched, nothing was run again",
        Tier::Claimed => "only the agent's word",
    }
}

fn fail_to_pass(test: &FailToPass) -> Sentence {
    let why = match test.red_reason {
        RedReason::Assertion => "an assertion",
        RedReason::Exception => "an exception",
        RedReason::Timeout => "a timeout",
        RedReason::BuildError => "a build error",
        RedReason::Missing => "it was missing",
        RedReason::Crash => "a crash",
        RedReason::Unknown => "an unknown reason",
    };
    let words = format!(
        " was red in {} of {} runs before the change ({why}), green in {} of {} after it",
        test.base_reds, test.base_runs, test.head_greens, test.head_runs
    );
    let mut sentence = Sentence::default()
        .ours("Test ")
        .theirs(&test.test_id)
        .ours(words);
    if let Some(Ablation { runs, reds, .. }) = &test.ablation {
        sentence = sentence.ours(format!(
            ", red in {reds} of {runs} with the change taken out again"
        ));
    }
    let bound = percent(test.bound());
    sentence.ours(format!(
        "; chance of a flaky test looking like this: at most {bound}"
    ))
}

fn percent(share: f64) -> String {
    // Rounded up, as the figure is a bound.
    format!("{:.2} %", (share * 10_000.0).ceil() / 100.0)
}

fn tests(tests: &Tests) -> Sentence {
    let Tests {
        planned,
        passed,
        failed,
        skipped,
        ..
    } = tests;
    let counts = format!("{planned} planned, {passed} passed, {failed} failed, {skipped} skipped");
    let mut sentence = Sentence::default().ours("Tests: ").ours(counts);
    if !tests.still_failing.is_empty() {
        let still = tests.still_failing.len();
        sentence = sentence.ours(format!(" ({still} failed before the change as well)"));
    }
    let Some(PassToPass { kept, lost }) = &tests.pass_to_pass else {
        return sentence;
    };
    let lost = lost.len();
    sentence.ours(format!(
        "; of those that passed before, {kept} still pass and {lost} do not"
    ))
}

/// What ran on the changed tree; what held all of it in is said once.
fn checks(proof: &Proof) -> Vec<Sentence> {
    let checks = proof.checks.iter();
    let checks: Vec<&Check> = checks.filter(|check| check.side == Side::Head).collect();
    match checks.as_slice() {
        [first, others @ ..]
            if !others.is_empty() && others.iter().all(|one| one.isolation == first.isolation) =>
        {
            let all = Sentence::default().ours(format!("All {} checks ran", checks.len()));
            let results = checks.iter().map(|check| result(check));
            results.chain([isolated(all, first)]).collect()
        }
        _ => {
            let each = checks.iter();
            each.map(|check| isolated(result(check).ours(","), check))
                .collect()
        }
    }
}

fn result(check: &Check) -> Sentence {
    let result = match check.result {
        CheckResult::Passed => "passed",
        CheckResult::Failed => "failed",
        CheckResult::TimedOut => "ran out of time",
        CheckResult::Infrastructure => "stopped by the machine",
        CheckResult::Unknown => "without a result",
    };
    Sentence::default()
        .theirs(check.argv.join(" "))
        .ours(format!(": {result}"))
}

/// A sentence that ends with what held a check in.
fn isolated(sentence: Sentence, check: &Check) -> Sentence {
    if check.isolation.is_empty() {
        sentence.ours(" not isolated")
    } else {
        sentence
            .ours(" isolated by ")
            .list(check.isolation.iter().map(String::as_str))
    }
}

fn reviewed(review: &Review) -> Sentence {
    let decision = match review.decision {
        ReviewDecision::Approved => "approved by ",
        ReviewDecision::Rejected => "rejected by ",
    };
    Sentence::default().ours(decision).theirs(&review.reviewer)
}

fn missing(verification: &Verification) -> Vec<Sentence> {
    let mut items: Vec<_> = verification.lowered.iter().map(lowered).collect();
    let findings = verification.proofs().flat_map(|proof| &proof.findings);
    items.extend(findings.map(|finding| {
        let place = finding.path.as_deref().unwrap_or("no file");
        Sentence::default()
            .ours("Finding ")
            .theirs(&finding.code)
            .ours(" in ")
            .theirs(place)
            .ours(": ")
            .theirs(&finding.explanation)
    }));
    if !verification.missing.is_empty() {
        items.push(Sentence::default().ours(format!(
            "Lines not in this receipt: {}",
            verification.missing.join(", ")
        )));
    }
    items.extend(
        verification
            .unread
            .iter()
            .map(|line| Sentence::default().ours("Passed over: ").theirs(line)),
    );
    items
}

fn lowered(reason: &Lowering) -> Sentence {
    // The reason's words are our own; what it is about is not.
    let sentence = Sentence::default().ours(format!("{} at most: {}", reason.to, reason.why));
    if reason.about.is_empty() {
        return sentence;
    }
    sentence
        .ours(": ")
        .list(reason.about.iter().map(String::as_str))
}

fn done(verification: &Verification) -> Vec<Sentence> {
    let mut items = Vec::new();
    for predicate in predicates(verification) {
        if let Predicate::Spend(spend) = predicate {
            items.extend(spend.sessions.iter().flat_map(session));
            items.extend(spend.escalations.iter().map(|step| {
                Sentence::default()
                    .ours("Escalated from ")
                    .theirs(&step.from)
                    .ours(" to ")
                    .theirs(&step.to)
                    .ours(" on ")
                    .theirs(&step.cause)
            }));
            items.push(total(spend));
        }
    }
    items
}

fn session(session: &AgentSession) -> Vec<Sentence> {
    let models = session.models.iter().map(|model| {
        let basis = match model.price_basis {
            PriceBasis::Listed => "list price",
            PriceBasis::Billed => "billed",
            PriceBasis::Subscription => "share of a subscription",
            PriceBasis::Unknown => "of unknown basis",
        };
        let cost = model
            .cost_nano_usd
            .map(|cost| format!("{} ({basis})", usd(i128::from(cost))));
        let cost = cost.unwrap_or_else(|| "cost unknown".to_owned());
        let served = model.served.as_deref().unwrap_or(&model.requested);
        Sentence::default()
            .theirs(&session.agent)
            .ours(" with ")
            .theirs(served)
            .ours(" at ")
            .theirs(&model.provider)
            .ours(format!(": {} calls, {cost}", model.calls))
    });
    models.collect()
}

fn total(spend: &Spend) -> Sentence {
    let total = spend.total();
    let cost = match (total.cost_nano_usd, total.is_whole) {
        (Some(cost), true) => usd(cost),
        (Some(cost), false) => format!("{} and an unknown rest", usd(cost)),
        (None, _) => "unknown".to_owned(),
    };
    let usage = format!(
        "usage known for {} of {} calls",
        total.calls_with_usage, total.calls
    );
    let shared = if spend.is_shared {
        "; shared with other changes"
    } else {
        ""
    };
    Sentence::default().ours(format!("Cost in all: {cost}; {usage}{shared}"))
}

/// Writes billionths of a dollar as dollars, rounded to a hundredth of a cent.
fn usd(nano: i128) -> String {
    let sign = if nano < 0 { "-" } else { "" };
    let units = (nano.unsigned_abs() + 50_000) / 100_000;
    format!("{sign}{}.{:04} USD", units / 10_000, units % 10_000)
}

fn signed(verification: &Verification) -> Vec<Sentence> {
    let mut keys: Vec<(&Signer, Vec<&str>)> = Vec::new();
    for line in &verification.statements {
        let name = line.statement.predicate.line_name();
        for signer in &line.signers {
            match keys.iter_mut().find(|(known, _)| known.key == signer.key) {
                Some((_, lines)) => lines.push(name),
                None => keys.push((signer, vec![name])),
            }
        }
    }
    let sentences = keys.into_iter().map(|(signer, mut lines)| {
        lines.dedup();
        let sentence = match &signer.name {
            Some(name) => Sentence::default().theirs(name).ours(", pinned, "),
            None => Sentence::default().ours("A key that is not pinned, "),
        };
        let sentence = sentence.theirs(signer.key.fingerprint());
        sentence.ours(format!(", signed {}", lines.join(", ")))
    });
    sentences.collect()
}
