//! What the review desk shows: the change cut to a page, findings by who found them, what is signed, decisions by month.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use wayproof_dashboard::{
    ChangeSeen, DecisionSeen, Difference, FileSeen, FindingSeen, LineSeen, Month, Place,
    ReceiptSeen, ToSign,
};
use wayproof_receipt::{
    Predicate, SSH_NAMESPACE, VerifiedLine,
    predicate::{Review, ReviewDecision},
};
use wayproof_repo::{ChangeKind, FilePatch, LineKind, Oid, PatchLine, Repo};

use crate::{
    commands::prove,
    gate::{self, Own, Question},
    review::{Checklist, case::Case, sarif, standing, subject::Subject},
    settings,
    terminal::plain,
};

/// Lines of a change that one page shows.
const MOST_LINES: usize = 1_200;
const MOST_FILES: usize = 200;
const LONGEST_LINE: usize = 300;
/// Characters of a change that one page shows.
const MOST_CHARS: usize = 60_000;
const MOST_FINDINGS: usize = 200;
/// Lines around each changed one.
pub(super) const CONTEXT: u32 = 3;
/// Who finds what no model has to look for.
const OWN: &str = "wayproof";

/// A change as whoever decides looks at it.
pub(super) fn change(case: &Case, data: &Path, place: &Place) -> Result<ChangeSeen> {
    let (subject, repo) = (&case.subject, &case.repo);
    let standing = standing::standing(&case.asked(data), &case.rule)?;
    let patches = subject.patches(repo, CONTEXT)?;
    let (files, is_cut) = files(&patches);
    let looked = looked(data, &subject.tree)?;
    let touches = subject.touches(repo)?.into_iter().map(|touch| {
        let words = touch.words.map(|words| format!("`{words}` in "));
        let words = words.unwrap_or_default();
        format!("{}: {words}{}", touch.surface.as_str(), touch.path)
    });
    let reviewers = case
        .trust
        .iter()
        .flat_map(wayproof_receipt::Trust::reviewers);
    let mut reviewers: Vec<String> = reviewers.map(str::to_owned).collect();
    reviewers.sort();
    reviewers.dedup();
    Ok(ChangeSeen {
        tree: subject.tree.to_string(),
        repo: repo.root().to_string_lossy().into_owned(),
        touches: touches.collect(),
        receipts: receipts(repo, subject)?,
        files,
        is_cut,
        findings: findings(data, &subject.tree)?.unwrap_or_default(),
        looked,
        checklist: Checklist::at(repo, &subject.into)?.text,
        decisions: standing
            .reviews
            .iter()
            .map(|heard| DecisionSeen {
                reviewer: heard.reviewer.clone(),
                decision: heard.decision.to_owned(),
                at_us: heard.at_us,
                comment: heard.comment.clone(),
                objections: heard.objections.clone(),
            })
            .collect(),
        missing: standing.missing,
        reviewers,
        command: format!(
            "wayproof review approve --base {} --head {} --task {}",
            place.base, place.head, place.task
        ),
    })
}

/// The receipts that come with a change, as the gate weighs them.
pub(super) fn receipts(repo: &Repo, subject: &Subject) -> Result<Vec<ReceiptSeen>> {
    let (head, into) = (&subject.head, &subject.into);
    let base = prove::base_of(repo, Some(into.id.as_str()), head)?;
    let found = gate::attached(&Question {
        repo,
        base: &base,
        head,
        into,
        policy: &settings::policy_at(repo, base.id.as_str())?,
        trust: &gate::trust_if_any(repo, base.id.as_str())?.unwrap_or_default(),
        task: None,
        branch: None,
        allows_gaps: false,
        own: Own::default(),
    })?;
    let seen = found.into_iter().map(|found| ReceiptSeen {
        digest: found.digest,
        verification: found.verification,
        signers: found.signers,
        objections: found.objections,
    });
    Ok(seen.collect())
}

/// A difference between two trees, as a receipt's page shows it.
pub(super) fn difference(patches: &[FilePatch]) -> Difference {
    let (files, is_cut) = files(patches);
    Difference { files, is_cut }
}

/// As much of a change as a page holds, and whether there is more.
fn files(patches: &[FilePatch]) -> (Vec<FileSeen>, bool) {
    let (mut lines_left, mut chars_left) = (MOST_LINES, MOST_CHARS);
    let mut is_cut = patches.len() > MOST_FILES;
    let mut files = Vec::new();
    for patch in patches.iter().take(MOST_FILES) {
        let mut runs = Vec::new();
        for run in &patch.runs {
            let mut shown = Vec::new();
            for line in run {
                let line = seen(line);
                let size = line.text.chars().count();
                is_cut |= line.text.ends_with('…');
                if lines_left == 0 || size > chars_left {
                    is_cut = true;
                    break;
                }
                lines_left -= 1;
                chars_left -= size;
                shown.push(line);
            }
            if !shown.is_empty() {
                runs.push(shown);
            }
        }
        files.push(FileSeen {
            path: patch.path.clone(),
            kind: match patch.kind {
                ChangeKind::Added => "added",
                ChangeKind::Modified => "changed",
                ChangeKind::Deleted => "deleted",
                ChangeKind::Renamed => "moved",
                ChangeKind::TypeChanged => "of another type",
            },
            runs,
        });
    }
    (files, is_cut)
}

fn seen(line: &PatchLine) -> LineSeen {
    let mut text: String = line.text.chars().take(LONGEST_LINE).collect();
    if line.text.chars().nth(LONGEST_LINE).is_some() {
        text.push('…');
    }
    LineSeen {
        mark: match line.kind {
            Some(LineKind::Added) => '+',
            Some(LineKind::Removed) => '-',
            None => ' ',
        },
        number: line.number,
        text,
    }
}

/// The report about a tree on this machine.
fn report(data: &Path, tree: &Oid) -> Result<Option<Value>> {
    let file = sarif::place(data, tree);
    let bytes = match fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let report = serde_json::from_slice(&bytes);
    report
        .map(Some)
        .with_context(|| format!("reading the report {}", file.display()))
}

/// Who looked at a tree: the classes of models, and what needs no model where it found something.
fn looked(data: &Path, tree: &Oid) -> Result<Vec<String>> {
    let Some(report) = report(data, tree)? else {
        return Ok(Vec::new());
    };
    let run = &report["runs"][0];
    let classes = run["properties"]["reviewers"].as_array();
    let mut looked: Vec<String> = classes
        .into_iter()
        .flatten()
        .filter_map(|one| one["class"].as_str().map(str::to_owned))
        .collect();
    let found_by = |name: &str| {
        let results = run["results"].as_array();
        let mut results = results.into_iter().flatten();
        results.any(|result| result["properties"]["foundBy"][name].is_string())
    };
    if found_by(OWN) && !looked.iter().any(|name| name == OWN) {
        looked.push(OWN.to_owned());
    }
    Ok(looked)
}

/// What was found in a tree, by whom; nothing where nobody looked.
pub(super) fn findings(data: &Path, tree: &Oid) -> Result<Option<Vec<FindingSeen>>> {
    let Some(report) = report(data, tree)? else {
        return Ok(None);
    };
    let looked = looked(data, tree)?;
    let results = report["runs"][0]["results"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let found = results
        .into_iter()
        .flatten()
        .take(MOST_FINDINGS)
        .map(|result| {
            let properties = &result["properties"];
            let line = &result["locations"][0]["physicalLocation"]["region"]["startLine"];
            let line = line.as_u64().map(|line| format!(":{line}"));
            let (is_new, level) = (result["baselineState"] == "new", text(&result["level"]));
            let said = looked.iter().map(|name| {
                let words = properties["foundBy"][name.as_str()].as_str();
                words.map(str::to_owned)
            });
            FindingSeen {
                id: text(&properties["id"]),
                place: text(&properties["path"]) + &line.unwrap_or_default(),
                rule: text(&result["ruleId"]),
                is_owed: is_new && level == "error",
                level,
                is_new,
                said: said.collect(),
            }
        });
    Ok(Some(found.collect()))
}

/// The command that signs these bytes, and what they say.
pub(super) fn to_sign(bytes: &[u8]) -> ToSign {
    let encoded = STANDARD.encode(bytes);
    // The statement stands behind the type and the lengths.
    let start = bytes.iter().position(|byte| *byte == b'{').unwrap_or(0);
    let statement = bytes.get(start..).unwrap_or_default();
    let statement: Value = serde_json::from_slice(statement).unwrap_or_default();
    ToSign {
        command: format!(
            "printf %s {encoded} | base64 -d | ssh-keygen -Y sign -n {SSH_NAMESPACE} -f ~/.ssh/id_ed25519"
        ),
        statement: serde_json::to_string_pretty(&statement).unwrap_or_default(),
    }
}

/// Decisions by month, the latest first.
pub(super) fn months(lines: &[VerifiedLine]) -> Vec<Month> {
    let reviews: Vec<(&VerifiedLine, &Review)> = lines
        .iter()
        .filter_map(|line| match &line.statement.predicate {
            Predicate::Review(review) => Some((line, &**review)),
            _ => None,
        })
        .collect();
    let mut months: BTreeMap<String, (Month, Vec<String>)> = BTreeMap::new();
    for (line, review) in &reviews {
        let at_us = review.reviewed_at.map(|at| at.0);
        let name = at_us
            .and_then(|at_us| jiff::Timestamp::from_microsecond(at_us).ok())
            .map_or_else(
                || "undated".to_owned(),
                |at| at.strftime("%Y-%m").to_string(),
            );
        let (month, people) = months.entry(name.clone()).or_default();
        month.name = name;
        let listed = line.signers.iter().find(|signer| signer.is_reviewer);
        let Some(signer) = listed else {
            month.strangers += 1;
            continue;
        };
        match review.decision {
            ReviewDecision::Approved => month.approved += 1,
            ReviewDecision::Rejected => month.rejected += 1,
        }
        month.answered += review.dispositions.len();
        month.overturned += usize::from(is_overturned(line, review, &reviews));
        let who = signer.name.as_deref().map(plain);
        let who = who.unwrap_or_else(|| signer.key.fingerprint());
        if !people.contains(&who) {
            people.push(who);
        }
    }
    let months = months.into_values().rev();
    months
        .map(|(month, people)| Month {
            people: people.len(),
            ..month
        })
        .collect()
}

/// Whether somebody on the list rejected later what was approved.
fn is_overturned(line: &VerifiedLine, review: &Review, all: &[(&VerifiedLine, &Review)]) -> bool {
    let tree = crate::review::lines::tree_of(line);
    review.decision == ReviewDecision::Approved
        && all.iter().any(|(other, later)| {
            later.decision == ReviewDecision::Rejected
                && later.reviewed_at > review.reviewed_at
                && crate::review::lines::tree_of(other) == tree
                && other.signers.iter().any(|signer| signer.is_reviewer)
        })
}
