//! Reviews: models look, people decide.

mod redo;
mod run;

use std::{path::Path, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{About, Clock, EventBody, ReviewRecorded};
use wayproof_receipt::{Predicate, SigningKey, VerifiedLine, predicate::ReviewDecision};
use wayproof_repo::Repo;

use crate::{
    cli::{ChangeArgs, DecideArgs, ReviewCommand},
    commands::prove,
    exit::{self, Mistake},
    gate, ledgers,
    proving::repo_mistake,
    review::{
        Checklist,
        case::Case,
        lines, sarif,
        sign::{self, Decided},
        standing::{self, Standing},
        subject::Subject,
    },
    sealing::NOTES_REF,
    settings,
    terminal::{moment, plain, print, print_json, print_json_pretty, table},
};

/// Runs a command on reviews.
pub(crate) async fn run(command: ReviewCommand) -> Result<ExitCode> {
    match command {
        ReviewCommand::Run(args) => run::run(args).await,
        ReviewCommand::List { repo, json } => list(&repo, json),
        ReviewCommand::Show { change, json, data } => {
            show(&change, json, &settings::data_path(data.data.as_deref())?)
        }
        ReviewCommand::Approve(args) => decide(args, ReviewDecision::Approved).await,
        ReviewCommand::Reject(args) => decide(args, ReviewDecision::Rejected).await,
        ReviewCommand::Redo {
            job,
            comment,
            reviewer,
            repo,
            gateway,
            data,
        } => {
            let wanted = redo::Wanted {
                job,
                comment,
                reviewer,
                repo,
                gateway,
            };
            redo::run(wanted, &settings::data_directory(&data)?).await
        }
    }
}

async fn decide(args: DecideArgs, decision: ReviewDecision) -> Result<ExitCode> {
    if settings::variable("WAYPROOF_RUN_SOCKET").is_some() {
        return Err(Mistake(
            "an agent in a run does not review; a person does, from a shell of their own"
                .to_owned(),
        )
        .into());
    }
    let case = Case::of(&args.change)?;
    let data = settings::data_directory(&args.data)?;
    let passphrase = settings::variable("WAYPROOF_SSH_PASSPHRASE");
    let file = settings::under_home(&args.ssh_key)?;
    let key = SigningKey::from_ssh(&file, passphrase.as_deref())
        .map_err(|error| Mistake(exit::chain(&anyhow::Error::new(error))))?;
    let asked = case.asked(&data);
    let name = sign::name_of(case.trust.as_ref(), &key.public());
    let decided = Decided {
        decision,
        comment: args.comment.as_deref(),
        answers: &args.findings,
        reviewer: &name,
        at_us: Clock::system().now_us(),
    };
    let envelope = sign::sign(&asked, &case.rule, &decided, (&key, &data))?;
    // A ledger that cannot be written is said before the decision stands, not after it.
    let ledger = ledgers::open(&data, settings::variable("WAYPROOF_LEDGER").as_deref()).await?;
    lines::attach(&case.repo, &case.subject.tree, &envelope)?;
    let word = match decision {
        ReviewDecision::Approved => "approved",
        ReviewDecision::Rejected => "rejected",
    };
    let recorded = ReviewRecorded {
        reviewer: name.clone(),
        decision: word.to_owned(),
        remark: args.comment.clone(),
        tree: Some(case.subject.tree.to_string()),
        statement_digest: Some(envelope.digest()),
    };
    ledger
        .append(&ledger.event(About::default(), EventBody::ReviewRecorded(recorded)))
        .await
        .context("recording the review in the ledger")?;
    ledger.close().await.context("closing the ledger")?;
    let standing = standing::standing(&asked, &case.rule)?;
    if args.json {
        print_json(&json!({
            "reviewer": name, "decision": word, "tree": case.subject.tree.as_str(),
            "statement": envelope.digest(), "standing": standing,
        }))?;
    } else {
        print(&format!(
            "{name} {word} the tree {}, attached in {NOTES_REF}; share it by `git push <remote> {NOTES_REF}`",
            case.subject.tree
        ))?;
        tell_missing(&standing)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tell_missing(standing: &Standing) -> Result<()> {
    for missing in &standing.missing {
        print(&format!("  still missing: {}", plain(missing)))?;
    }
    Ok(())
}

fn show(change: &ChangeArgs, json: bool, data: &Path) -> Result<ExitCode> {
    let case = Case::of(change)?;
    let standing = standing::standing(&case.asked(data), &case.rule)?;
    let touched: Vec<String> = case
        .subject
        .touches(&case.repo)?
        .into_iter()
        .map(|touch| match touch.words {
            None => format!("{}: {}", touch.surface.as_str(), touch.path),
            Some(words) => format!("{}: `{words}` in {}", touch.surface.as_str(), touch.path),
        })
        .collect();
    let checklist = Checklist::at(&case.repo, &case.subject.into)?;
    let report = sarif::read(data, &case.subject.tree)?;
    let status = if standing.is_satisfied() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    };
    if json {
        let open: Option<Vec<Value>> = report.map(|(_, open)| {
            let one = |open: sarif::Open| json!({"id": open.id, "place": open.place, "message": open.message});
            open.into_iter().map(one).collect()
        });
        print_json_pretty(&json!({
            "base": case.subject.into.id.as_str(), "head": case.subject.head.id.as_str(),
            "tree": case.subject.tree.as_str(), "files": case.subject.paths, "touches": touched,
            "satisfied": standing.is_satisfied(), "standing": standing,
            "checklist": {"digest": checklist.digest(), "text": checklist.text},
            "must_be_answered": open,
        }))?;
        return Ok(status);
    }
    let open = report.map(|(_, open)| open);
    tell(&case.subject, &standing, (&touched, open.as_deref()))?;
    print(&format!("checklist:\n{}", shown(&checklist.text)))?;
    Ok(status)
}

/// Says how a change stands.
fn tell(
    subject: &Subject,
    standing: &Standing,
    (touched, open): (&[String], Option<&[sarif::Open]>),
) -> Result<()> {
    print(&format!(
        "{}  {} file(s), tree {}",
        if standing.is_satisfied() {
            "APPROVED"
        } else {
            "NOT APPROVED"
        },
        subject.paths.len(),
        subject.tree
    ))?;
    for touch in touched {
        print(&format!("  touches {}", plain(touch)))?;
    }
    for heard in &standing.reviews {
        print(&format!("  {} {}", plain(&heard.reviewer), heard.decision))?;
        for objection in &heard.objections {
            print(&format!("    does not count: {}", plain(objection)))?;
        }
    }
    tell_missing(standing)?;
    match open {
        None => print("  no model has looked at it here; `wayproof review run` has them look")?,
        Some(open) => {
            for finding in open {
                print(&format!(
                    "  finding {} {}: {}",
                    plain(&finding.id),
                    plain(&finding.place),
                    plain(&finding.message)
                ))?;
            }
        }
    }
    Ok(())
}

/// Lines of a text without what could steer a terminal.
fn shown(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    lines.join("\n")
}

fn list(repo: &Path, json: bool) -> Result<ExitCode> {
    let repo = Repo::discover(repo).map_err(repo_mistake)?;
    let trust = match repo.head() {
        Ok(head) => {
            let into = prove::into_of(&repo, None, &head)?;
            gate::trust_if_any(&repo, into.id.as_str())?
        }
        Err(error) => return Err(repo_mistake(error)),
    };
    let noted = repo
        .noted(NOTES_REF)
        .context("reading the notes of the repository")?;
    let objects: Vec<&_> = noted.iter().collect();
    let mut reviews: Vec<VerifiedLine> = lines::statements(&repo, &objects, trust.as_ref())?
        .into_iter()
        .filter(|line| matches!(line.statement.predicate, Predicate::Review(_)))
        .collect();
    reviews.sort_by_key(|line| std::cmp::Reverse(at_us(line)));
    let rows: Vec<Value> = reviews.iter().map(row).collect();
    if json {
        print_json_pretty(&rows)?;
    } else {
        let text = |value: &Value| plain(value.as_str().unwrap_or("-"));
        let cells: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let at = row["at_us"].as_i64().map_or_else(|| "-".to_owned(), moment);
                let tree = text(&row["tree"]);
                vec![
                    at,
                    text(&row["reviewer"]),
                    text(&row["decision"]),
                    gate::short(&tree).to_owned(),
                    text(&row["comment"]),
                ]
            })
            .collect();
        print(&table(
            &["when", "reviewer", "decision", "tree", "comment"],
            &cells,
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn at_us(line: &VerifiedLine) -> Option<i64> {
    match &line.statement.predicate {
        Predicate::Review(review) => review.reviewed_at.map(|at| at.0),
        _ => None,
    }
}

/// A review for machines. Who it says it is from counts for nothing; who signed does.
fn row(line: &VerifiedLine) -> Value {
    let Predicate::Review(review) = &line.statement.predicate else {
        return Value::Null;
    };
    let signers: Vec<String> = line
        .signers
        .iter()
        .map(|signer| {
            let name = signer.name.clone();
            name.unwrap_or_else(|| signer.key.fingerprint())
        })
        .collect();
    let decision = match review.decision {
        ReviewDecision::Approved => "approved",
        ReviewDecision::Rejected => "rejected",
    };
    json!({
        "reviewer": signers.join(" and "), "decision": decision, "tree": lines::tree_of(line),
        "at_us": at_us(line), "comment": review.comment, "statement": line.digest,
        "is_listed": line.signers.iter().any(|signer| signer.is_reviewer),
    })
}
