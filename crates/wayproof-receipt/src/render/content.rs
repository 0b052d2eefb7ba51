//! What a receipt's page says, in sections of sentences, before it has a form.
//! Keeps our own words and foreign words apart, so that a writer cannot mix them up.

mod evidence;
mod strength;

use crate::{
    predicate::{
        AgentSession, Finding, Obligation, Predicate, PriceBasis, Review, ReviewDecision, Spend,
        SurfaceChange,
    },
    trust::Signer,
    verify::{Lowering, Verification, VerifyOutcome},
};

/// Longer lists are cut and say so.
const MAX_ITEMS: usize = 25;
/// Sentences of one kind, so that many of them do not push out the others.
const MAX_OF_A_KIND: usize = 12;
/// Sentences of a section that has several kinds.
const MAX_OF_ALL_KINDS: usize = 100;
/// Names in a sentence that says how many there are.
const MAX_NAMED: usize = 5;

/// A run of words.
#[derive(Debug)]
pub(super) enum Span {
    /// Our own words.
    Ours(String),
    /// Words of the receipt.
    Theirs(String),
    /// What a person said, which may be longer.
    Said(String),
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

    fn said(mut self, words: impl Into<String>) -> Self {
        self.0.push(Span::Said(words.into()));
        self
    }

    /// Names what made the figures before, if it has a name.
    fn by(self, tool: &str) -> Self {
        if tool.is_empty() {
            return self;
        }
        self.ours("; by ").theirs(tool)
    }

    fn list<'w>(self, words: impl IntoIterator<Item = &'w str>) -> Self {
        self.list_of(MAX_ITEMS, words)
    }

    /// A few examples behind a colon; nothing where there are none.
    fn such_as<'w>(self, words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut words = words.into_iter().peekable();
        if words.peek().is_none() {
            return self;
        }
        self.ours(": ").list_of(MAX_NAMED, words)
    }

    fn list_of<'w>(mut self, most: usize, words: impl IntoIterator<Item = &'w str>) -> Self {
        for (index, word) in words.into_iter().enumerate() {
            if index == most {
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
            items: verification.proofs().flat_map(evidence::shown).collect(),
        });
        sections.push(Section {
            title: "How strong the tests are",
            items: verification.proofs().flat_map(strength::of).collect(),
        });
        sections.push(Section {
            title: "Who reviewed it",
            items: reviews(verification),
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
        cut(&mut section.items, MAX_OF_ALL_KINDS);
    }
    Page {
        verdict,
        standing,
        sections,
    }
}

fn cut(items: &mut Vec<Sentence>, most: usize) {
    if items.len() > most {
        let more = items.len() - most;
        items.truncate(most);
        items.push(Sentence::default().ours(format!("and {more} more")));
    }
}

/// Sentences of one kind, cut.
fn kind(sentences: impl Iterator<Item = Sentence>) -> Vec<Sentence> {
    let mut items = sentences.collect();
    cut(&mut items, MAX_OF_A_KIND);
    items
}

fn names(names: &[String]) -> impl Iterator<Item = &str> {
    names.iter().map(String::as_str)
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

/// Every review with what it decided of each finding.
fn reviews(verification: &Verification) -> Vec<Sentence> {
    let reviews = predicates(verification).filter_map(|predicate| match predicate {
        Predicate::Review(review) => Some(review),
        _ => None,
    });
    reviews
        .flat_map(|review| {
            let answers = review.dispositions.iter().map(|answer| {
                Sentence::default()
                    .ours("Finding ")
                    .theirs(&answer.finding)
                    .ours(": ")
                    .said(&answer.decision)
            });
            let mut items = vec![reviewed(review)];
            items.extend(kind(answers));
            items
        })
        .collect()
}

fn reviewed(review: &Review) -> Sentence {
    let decision = match review.decision {
        ReviewDecision::Approved => "approved by ",
        ReviewDecision::Rejected => "rejected by ",
    };
    let mut sentence = Sentence::default().ours(decision).theirs(&review.reviewer);
    if let Some(at) = review.reviewed_at {
        sentence = sentence.ours(format!(" ({at})"));
    }
    match &review.comment {
        Some(comment) if !comment.trim().is_empty() => sentence.ours(": ").said(comment),
        _ => sentence,
    }
}

fn missing(verification: &Verification) -> Vec<Sentence> {
    let mut items = kind(verification.lowered.iter().map(lowered));
    let findings = verification.proofs().flat_map(|proof| &proof.findings);
    items.extend(kind(findings.map(found)));
    let surface = verification
        .proofs()
        .map(|proof| &proof.control_surface_changed);
    items.extend(kind(
        surface
            .filter(|files| !files.is_empty())
            .map(|files| steering(files)),
    ));
    if !verification.missing.is_empty() {
        items.push(Sentence::default().ours(format!(
            "Lines not in this receipt: {}",
            verification.missing.join(", ")
        )));
    }
    let unread = verification.unread.iter();
    items.extend(kind(
        unread.map(|line| Sentence::default().ours("Passed over: ").theirs(line)),
    ));
    items
}

fn found(finding: &Finding) -> Sentence {
    let place = finding.path.as_deref().unwrap_or("no file");
    let sentence = Sentence::default()
        .ours("Finding ")
        .theirs(&finding.code)
        .ours(" in ")
        .theirs(place);
    let sentence = match finding.line {
        Some(line) => sentence.ours(format!(" at line {line}")),
        None => sentence,
    };
    sentence.ours(": ").theirs(&finding.explanation)
}

fn steering(files: &[SurfaceChange]) -> Sentence {
    Sentence::default()
        .ours("The change touches what steers the checks, which therefore ran as the base has it")
        .such_as(files.iter().map(|file| file.path.as_str()))
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
