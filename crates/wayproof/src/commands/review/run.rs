//! Has every class of a task's route look at a change, and keeps what they find.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::json;
use wayproof_ledger::{JobClosed, ReviewRecorded};
use wayproof_receipt::sha256_hex;

use super::Case;
use crate::{
    cli::ReviewRunArgs,
    gateway::{self, Admin, ForWork, OpenJob},
    review::{
        Asking, ask,
        findings::{self, Finding, Opinion, State},
        sarif,
    },
    settings,
    terminal::{self, plain},
};

/// Lines shown around each changed one.
const CONTEXT: u32 = 12;

/// Asks, merges, writes and records.
pub(crate) async fn run(args: ReviewRunArgs) -> Result<ExitCode> {
    let case = Case::of(&args.change)?;
    let data = settings::data_directory(&args.data)?;
    let name = settings::known_task(&case.policy, &args.change.task)?;
    let classes = case
        .policy
        .task(&name)
        .map(|task| task.route.clone())
        .unwrap_or_default();
    let (admin, own) = gateway::for_work(ForWork {
        named: args.gateway.as_deref(),
        providers: &settings::parse_providers(&args.providers.providers)?,
        policy: &case.policy,
        data: &data,
        ledger: settings::variable("WAYPROOF_LEDGER"),
        key: None,
    })
    .await?;
    let job = admin
        .open_job(&OpenJob {
            task: Some(name.to_string()),
            repo: case.repo.root().to_string_lossy().into_owned(),
            base: case.subject.into.id.to_string(),
            agent: "review".to_owned(),
            freezes: false,
        })
        .await?;
    let patches = case.subject.patches(&case.repo, CONTEXT)?;
    let asked = ask(&Asking {
        patches: &patches,
        classes: &classes,
        gateway: admin.base(),
        key: &job.key,
    })
    .await;
    let done = match asked {
        Ok(opinions) => {
            let merged = findings::merge(&opinions, &patches);
            keep(&case, &args, (&admin, &job.job), &opinions, &merged).await
        }
        Err(error) => Err(error),
    };
    // The job ends and the gateway stops whatever came of it.
    let why = match &done {
        Ok(()) => "the classes answered".to_owned(),
        Err(error) => crate::exit::chain(error),
    };
    let closed = JobClosed {
        verdict: None,
        why: Some(why),
    };
    let closed = admin.close(&job.job, &closed).await;
    if let Some(own) = own {
        own.stop().await?;
    }
    done?;
    closed?;
    Ok(ExitCode::SUCCESS)
}

async fn keep(
    case: &Case,
    args: &ReviewRunArgs,
    (admin, job): (&Admin, &str),
    opinions: &[Opinion],
    merged: &[Finding],
) -> Result<()> {
    let report = sarif::report(&case.subject, merged, opinions);
    let data = settings::data_directory(&args.data)?;
    let place = sarif::place(&data, &case.subject.tree);
    let bytes = sarif::write(&place, &report)?;
    if let Some(file) = &args.sarif {
        sarif::write(file, &report)?;
    }
    let new = merged
        .iter()
        .filter(|finding| finding.state == State::New)
        .count();
    let recorded = ReviewRecorded {
        reviewer: "models".to_owned(),
        decision: "found".to_owned(),
        remark: Some(format!("{} findings, {new} of them new", merged.len())),
        tree: Some(case.subject.tree.to_string()),
        statement_digest: Some(sha256_hex(&bytes)),
    };
    admin.review(job, &recorded).await?;
    let cost = admin.job(job).await?.cost_nano_usd();
    if args.json {
        let looked = |opinion: &Opinion| {
            json!({
                "class": opinion.class, "targets": opinion.targets,
                "findings": opinion.said.len(), "discarded": opinion.discarded,
            })
        };
        return terminal::print_json(&json!({
            "tree": case.subject.tree.as_str(), "job": job, "cost_nano_usd": cost,
            "reviewers": opinions.iter().map(looked).collect::<Vec<_>>(),
            "findings": merged, "sarif": place.to_string_lossy(),
        }));
    }
    for finding in merged {
        tell(finding)?;
    }
    tell_looked(opinions);
    terminal::tell(&format!(
        "wayproof: {} finding(s), {new} new; report {}; listed cost {}; job {job}. They decide nothing: a person does, by `wayproof review approve`",
        merged.len(),
        place.display(),
        terminal::cost(cost)
    ));
    Ok(())
}

/// Says who looked.
fn tell_looked(opinions: &[Opinion]) {
    for opinion in opinions {
        terminal::tell(&format!(
            "wayproof: {} ({}) found {}, {} about nothing in the change",
            opinion.class,
            plain(&opinion.targets.join(", ")),
            opinion.said.len(),
            opinion.discarded
        ));
    }
    if let [one, other] = opinions
        && one.targets == other.targets
    {
        terminal::tell(&format!(
            "wayproof: both were answered by {}, so this is one pair of eyes",
            plain(&one.targets.join(", "))
        ));
    }
}

fn tell(finding: &Finding) -> Result<()> {
    let line = finding
        .line
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let by: Vec<&str> = finding.found_by.keys().map(String::as_str).collect();
    let state = match finding.state {
        State::New => "new",
        State::Unchanged => "was there",
    };
    terminal::print(&format!(
        "{} {:?} {} {}{line} ({state}, by {}): {}",
        finding.id,
        finding.severity,
        finding.rule,
        plain(&finding.path),
        by.join(" and "),
        plain(finding.message())
    ))
}
