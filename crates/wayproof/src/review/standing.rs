//! How a change stands with its reviewers: whose word counts, who is missing, and why the others do not count.
//!
//! Everything is judged by the base: its list of reviewers, its owners, its checklist and its policy.

use anyhow::{Context as _, Result};
use serde::Serialize;
use wayproof_engine::{Policy, ProofRequirement, Review as Rule, Task};
use wayproof_receipt::{
    Predicate, PublicKey, Reviewer, Trust, VerifiedLine,
    predicate::{Review, ReviewDecision},
};
use wayproof_repo::{Makers, Repo};

use super::{
    checklist::Checklist,
    lines, makers,
    owners::{Owners, is_one_of},
    subject::Subject,
};
use crate::{gate::short, proving::repo_mistake};

/// What is asked about a change.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) repo: &'a Repo,
    pub(crate) subject: &'a Subject,
    /// The base's list; nobody where it has none.
    pub(crate) trust: Option<&'a Trust>,
    /// A key that only machines have.
    pub(crate) machine: Option<PublicKey>,
}

/// A decision that was found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Heard {
    /// SHA-256 of the signed line.
    pub(crate) digest: String,
    /// The name the base has for whoever signed, else the key.
    pub(crate) reviewer: String,
    /// `approved` or `rejected`.
    pub(crate) decision: &'static str,
    /// When, in microseconds since 1970.
    pub(crate) at_us: Option<i64>,
    pub(crate) comment: Option<String>,
    /// Why it does not count; empty if it does.
    pub(crate) objections: Vec<String>,
    #[serde(skip)]
    known: Reviewer,
}

/// How a change stands by one rule.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Standing {
    /// Whose review counts, in the policy's word.
    pub(crate) by: String,
    pub(crate) at_least: u32,
    /// How many different people approved.
    pub(crate) approvals: usize,
    pub(crate) reviews: Vec<Heard>,
    /// What is missing, a sentence each; empty if nothing is.
    pub(crate) missing: Vec<String>,
}

impl Standing {
    /// Whether everybody who has to has approved, and nobody rejected.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.missing.is_empty()
    }

    /// The first approval that counts.
    pub(crate) fn paid_by(&self) -> Option<String> {
        let mut counted = self.counted();
        counted.next().map(|heard| heard.digest.clone())
    }

    /// Decisions that count.
    pub(crate) fn counted(&self) -> impl Iterator<Item = &Heard> {
        let heard = self.reviews.iter();
        heard.filter(|heard| heard.objections.is_empty())
    }
}

/// The rule of a task that asks for a review.
pub(crate) fn rule_of(task: &Task) -> Rule {
    task.review.clone().unwrap_or(Rule {
        by: "anyone".to_owned(),
        at_least: 1,
    })
}

/// Whether nothing but a person's review pays some part of a task's proof.
pub(crate) fn is_required(task: &Task) -> bool {
    task.proof.iter().any(|group| is_review(group))
}

/// Whether a person's review pays all of it.
pub(crate) fn is_enough(task: &Task) -> bool {
    is_required(task) && task.proof.iter().all(|group| is_review(group))
}

fn is_review(group: &[ProofRequirement]) -> bool {
    !group.is_empty()
        && group
            .iter()
            .all(|one| *one == ProofRequirement::HumanReview)
}

/// The task of a policy by its name, if it asks for a review.
pub(crate) fn reviewed_task<'p>(policy: &'p Policy, name: &str) -> Option<&'p Task> {
    let mut tasks = policy.tasks().iter();
    tasks.find(|task| task.name.as_str() == name && is_required(task))
}

/// How a change stands.
pub(crate) fn standing(asked: &Asked<'_>, rule: &Rule) -> Result<Standing> {
    let reviews = heard(asked, rule)?;
    let mut standing = Standing {
        by: rule.by.clone(),
        at_least: rule.at_least,
        approvals: 0,
        reviews,
        missing: Vec::new(),
    };
    let Some(trust) = asked
        .trust
        .filter(|trust| trust.reviewers().next().is_some())
    else {
        standing.missing.push(
            "the base's .wayproof/trust lists no reviewer; commit a line `@reviewer NAME ssh-ed25519 KEY MAIL` for each"
                .to_owned(),
        );
        return Ok(standing);
    };
    let approvals: Vec<&Heard> = standing
        .counted()
        .filter(|heard| heard.decision == APPROVED)
        .collect();
    let people = different(&approvals);
    let mut missing = Vec::new();
    for heard in standing
        .counted()
        .filter(|heard| heard.decision == REJECTED)
    {
        missing.push(format!("{} rejected the change", heard.reviewer));
    }
    if rule.by == "code-owners" {
        missing.extend(unowned(asked, &approvals)?);
    }
    if people < rule.at_least as usize {
        let names: Vec<&str> = trust.reviewers().collect();
        missing.push(format!(
            "{people} of {} approvals by {} are there; reviewers: {}",
            rule.at_least,
            whose(&rule.by),
            names.join(", ")
        ));
    }
    standing.approvals = people;
    standing.missing = missing;
    Ok(standing)
}

/// How a change stands that there is no tree of.
pub(crate) fn unmergeable(rule: &Rule, problem: String) -> Standing {
    Standing {
        by: rule.by.clone(),
        at_least: rule.at_least,
        approvals: 0,
        reviews: Vec::new(),
        missing: vec![problem],
    }
}

const APPROVED: &str = "approved";
const REJECTED: &str = "rejected";

fn whose(by: &str) -> &str {
    match by {
        "anyone" => "any reviewer",
        "code-owners" => "code owners",
        name => name,
    }
}

/// Every decision about the tree, with why it does not count.
fn heard(asked: &Asked<'_>, rule: &Rule) -> Result<Vec<Heard>> {
    let subject = asked.subject;
    let objects = [&subject.tree, &subject.head.tree, &subject.head.id];
    let found = lines::statements(asked.repo, &objects, asked.trust)?;
    let reviews: Vec<(&VerifiedLine, &Review)> = found
        .iter()
        .filter_map(|line| Some((line, lines::review_of(line, &subject.tree)?)))
        .collect();
    if reviews.is_empty() {
        return Ok(Vec::new());
    }
    let weighing = Weighing::new(asked, rule, &found)?;
    Ok(reviews
        .iter()
        .map(|(line, review)| weighing.weigh(line, review))
        .collect())
}

/// What speaks against a decision that is not attached yet.
pub(crate) fn weigh_alone(asked: &Asked<'_>, rule: &Rule, line: &VerifiedLine) -> Result<Heard> {
    let subject = asked.subject;
    let objects = [&subject.tree, &subject.head.tree, &subject.head.id];
    let found = lines::statements(asked.repo, &objects, asked.trust)?;
    let review = lines::review_of(line, &subject.tree)
        .context("reading a review of the tree it is about")?;
    Ok(Weighing::new(asked, rule, &found)?.weigh(line, review))
}

struct Weighing<'a> {
    asked: &'a Asked<'a>,
    rule: &'a Rule,
    makers: Makers,
    checklist: String,
    owners: Owners,
    statements: &'a [VerifiedLine],
}

impl<'a> Weighing<'a> {
    fn new(asked: &'a Asked<'a>, rule: &'a Rule, statements: &'a [VerifiedLine]) -> Result<Self> {
        let subject = asked.subject;
        Ok(Self {
            asked,
            rule,
            makers: asked
                .repo
                .makers(&subject.into, &subject.head)
                .map_err(repo_mistake)?,
            checklist: Checklist::at(asked.repo, &subject.into)?.digest(),
            owners: Owners::at(asked.repo, subject.into.id.as_str())?,
            statements,
        })
    }

    fn weigh(&self, line: &VerifiedLine, review: &Review) -> Heard {
        let mut objections = Vec::new();
        let subject = self.asked.subject;
        let base = review.base.as_ref();
        let into = base.and_then(|base| base.digest.get("gitTree"));
        if into.map(String::as_str) != Some(subject.into.tree.as_str()) {
            objections.push(format!(
                "it looked at what changes against another base than {}",
                short(subject.into.id.as_str())
            ));
        }
        let list = review.checklist.as_ref();
        let list = list.and_then(|list| list.digest.get("sha256"));
        if list != Some(&self.checklist) {
            objections.push("it went through another checklist than the base's".to_owned());
        }
        if self.is_superseded(line, review) {
            objections.push("the same reviewer decided again later".to_owned());
        }
        let (name, known) = self.signer(line, &mut objections);
        Heard {
            digest: line.digest.clone(),
            reviewer: name,
            decision: match review.decision {
                ReviewDecision::Approved => APPROVED,
                ReviewDecision::Rejected => REJECTED,
            },
            at_us: review.reviewed_at.map(|at| at.0),
            comment: review.comment.clone(),
            objections,
            known,
        }
    }

    /// Who signed, and what speaks against them.
    fn signer(&self, line: &VerifiedLine, objections: &mut Vec<String>) -> (String, Reviewer) {
        // Several signatures on one line would let one decision count for several people.
        let [signer] = line.signers.as_slice() else {
            objections.push("it has not exactly one signature".to_owned());
            return ("several".to_owned(), Reviewer::default());
        };
        let name = signer
            .name
            .clone()
            .unwrap_or_else(|| signer.key.fingerprint());
        let listed = self
            .asked
            .trust
            .and_then(|trust| trust.reviewer(&signer.key));
        let Some(known) = listed else {
            objections.push(format!(
                "{name} is not on the list of reviewers in the base's .wayproof/trust"
            ));
            return (name, Reviewer::default());
        };
        if self.is_machine(&signer.key) {
            objections.push(format!(
                "the key of {name} signed a proof of this change, and nobody reviews their own proof"
            ));
        }
        objections.extend(makers::objection(&self.makers, (&name, &signer.key), known));
        match self.rule.by.as_str() {
            "anyone" => {}
            "code-owners" => {
                let groups = self.owners.of(&self.asked.subject.paths);
                let owns = |owners: &Vec<String>| is_one_of(&name, known, owners);
                if !groups.is_empty() && !groups.keys().any(owns) {
                    objections.push(format!("{name} owns nothing that the change touches"));
                }
            }
            wanted if wanted == name => {}
            wanted => objections.push(format!("the policy wants the review of {wanted}")),
        }
        (name, known.clone())
    }

    fn is_machine(&self, key: &PublicKey) -> bool {
        let has_proven = |line: &&VerifiedLine| {
            !matches!(line.statement.predicate, Predicate::Review(_))
                && line.signers.iter().any(|signer| signer.key == *key)
        };
        self.asked.machine == Some(*key) || self.statements.iter().any(|line| has_proven(&line))
    }

    fn is_superseded(&self, line: &VerifiedLine, review: &Review) -> bool {
        let tree = &self.asked.subject.tree;
        self.statements.iter().any(|other| {
            lines::review_of(other, tree).is_some_and(|later| {
                later.reviewed_at > review.reviewed_at
                    && other
                        .signers
                        .iter()
                        .any(|signer| line.signers.iter().any(|own| own.key == signer.key))
            })
        })
    }
}

/// How many different people these are: one with two keys, or two names with one mail address, is one.
fn different(approvals: &[&Heard]) -> usize {
    let mut people: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for heard in approvals {
        let mut names = vec![heard.reviewer.as_str()];
        let mut mails: Vec<&str> = heard.known.mails.iter().map(String::as_str).collect();
        let (same, others): (Vec<_>, Vec<_>) = people.into_iter().partition(|(known, written)| {
            known.iter().any(|name| names.contains(name))
                || written.iter().any(|mail| mails.contains(mail))
        });
        for (known, written) in same {
            names.extend(known);
            mails.extend(written);
        }
        people = others;
        people.push((names, mails));
    }
    people.len()
}

/// Owned paths of which no owner approved.
fn unowned(asked: &Asked<'_>, approvals: &[&Heard]) -> Result<Vec<String>> {
    let owners = Owners::at(asked.repo, asked.subject.into.id.as_str())?;
    let groups = owners.of(&asked.subject.paths);
    let is_open = |owners: &&Vec<String>| {
        !approvals
            .iter()
            .any(|heard| is_one_of(&heard.reviewer, &heard.known, owners))
    };
    Ok(groups
        .iter()
        .filter(|(owners, _)| is_open(owners))
        .map(|(owners, paths)| {
            let first = paths.first().copied().unwrap_or_default();
            let more = match paths.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!(
                "no code owner of {first}{more} approved ({})",
                owners.join(" ")
            )
        })
        .collect())
}
