//! Proves a change that is already there: obligation, proof, receipt, ledger.

mod cache;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::{About, Clock, EventBody, JobClosed, JobOpened, Ledger, ObligationFrozen};
use wayproof_proof::Proven;
use wayproof_receipt::predicate::Check;
use wayproof_receipt::{Envelope, SigningKey, ssh_signature};
use wayproof_repo::{Commit, Repo};
use wayproof_upstream::Reachable;

pub(crate) use cache::KeptProofs;

use crate::{
    cli::ProveArgs,
    exit,
    gateway::{Admin, ProofReport},
    ledgers, pages,
    proving::{self, Audience, Proving, repo_mistake},
    review::{self, Settled},
    sealing::{self, Owed, Sealed},
    settings, terminal,
};

/// Where people usually branch from, best first.
const TRUNKS: [&str; 5] = [
    "@{upstream}",
    "origin/HEAD",
    "origin/main",
    "main",
    "master",
];

/// Runs the proof.
pub(crate) async fn run(args: ProveArgs) -> Result<ExitCode> {
    let repo = Repo::discover(&args.repo).map_err(repo_mistake)?;
    let head = head_of(&repo, args.head.as_deref())?;
    let base = base_of(&repo, args.base.as_deref(), &head)?;
    let into = into_of(&repo, args.base.as_deref(), &head)?;
    let policy = settings::policy_at(&repo, base.id.as_str())?;
    let task = settings::known_task(&policy, &args.task)?;
    let data = settings::data_directory(&args.data)?;
    let key = match &args.ssh_key {
        Some(file) => SigningKey::from_ssh(
            file,
            settings::variable("WAYPROOF_SSH_PASSPHRASE").as_deref(),
        )?,
        None => sealing::own_key(&data)?,
    };
    // A ledger that cannot be written is said before the work, not after it.
    let ledger = ledgers::open(&data, None).await?;
    let owed = Owed {
        policy: &policy,
        task: &task,
        base: &base,
        ask: None,
        job: None,
    };
    let ends = Ends {
        into: &into,
        head: &head,
        is_fresh: args.no_cache,
        reachable: if args.loopback_sources {
            Reachable::LoopbackToo
        } else {
            Reachable::Public
        },
    };
    let shown = prove(&repo, &owed, &ends, (&data, &key, &ledger)).await?;
    let (proven, sealed) = (shown.proven, shown.sealed);
    ledger.close().await.context("closing the ledger")?;
    let signature = match (&args.ssh_key, &sealed) {
        (Some(_), Some(sealed)) => Some(sign_for_ssh(&key, sealed)?),
        _ => None,
    };
    let verdict = proven.proof.verdict;
    if args.json {
        let mut report = report(&proven, &base, &head, sealed.as_ref());
        report["ssh_signature"] = json!(signature);
        terminal::print_json(&report)?;
    } else {
        tell(&proven, sealed.as_ref())?;
        if let Some(signature) = signature {
            terminal::print(&format!("  signature {}", signature.display()))?;
        }
    }
    Ok(exit::of_verdict(verdict))
}

/// What `ssh-keygen -Y verify -n` is told a signature is for.
const SSH_NAMESPACE: &str = "receipt@wayproof.dev";

/// Signs the receipt's file once more, for people who verify with OpenSSH alone.
fn sign_for_ssh(key: &SigningKey, sealed: &Sealed) -> Result<PathBuf> {
    let mut name = sealed.path.clone().into_os_string();
    name.push(".sig");
    let place = PathBuf::from(name);
    let text = ssh_signature(key, SSH_NAMESPACE, &sealed.bytes);
    std::fs::write(&place, text).with_context(|| format!("writing {}", place.display()))?;
    Ok(place)
}

/// What is proven, and the revision it goes into.
#[derive(Debug)]
pub(crate) struct Ends<'a> {
    pub(crate) into: &'a Commit,
    pub(crate) head: &'a Commit,
    /// Where pages that documents link to may be.
    pub(crate) reachable: Reachable,
    /// Whether everything is run, whatever was proven before.
    pub(crate) is_fresh: bool,
}

/// Who records what is shown, and as what: the gateway that has the job in hand.
pub(crate) type Watched = (Admin, String);

/// What a proof came to.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) proven: Proven,
    pub(crate) sealed: Option<Sealed>,
    pub(crate) settled: Settled,
    obligation: Envelope,
}

/// Freezes what a change owes, proves it, seals what was shown, keeps the receipt and attaches it.
async fn show(
    repo: &Repo,
    owed: &Owed<'_>,
    ends: &Ends<'_>,
    (data, key): (&Path, &SigningKey),
    watched: Option<Watched>,
) -> Result<Shown> {
    let obligation = sealing::obligation(owed, Clock::system().now_us(), key)?;
    if let Some((admin, job)) = &watched {
        let digest = obligation.digest();
        let frozen = ledgers::frozen(owed.policy, owed.task, owed.base, &digest);
        admin.freeze(job, &frozen).await?;
    }
    let kept = if ends.is_fresh {
        None
    } else {
        Some(Arc::new(KeptProofs::new(data, sealing::own_key(data)?)))
    };
    let mut proven = proving::run(Proving {
        repo: repo.root().to_owned(),
        policy: owed.policy.clone(),
        task: owed.task.clone(),
        base: owed.base.id.to_string(),
        head: ends.head.id.to_string(),
        obligation: obligation.digest(),
        pages: Some(pages::of_task(
            (owed.policy, owed.task),
            data,
            ends.reachable,
        )?),
        audience: Audience::Told,
        watched: watched.clone(),
        kept,
    })
    .await?;
    let revisions = (ends.into, ends.head);
    let settled = review::settle(&mut proven, (repo, owed), revisions, &key.public())?;
    let sealed = if sealing::is_sealed(proven.proof.verdict) {
        let spend = match &watched {
            Some((admin, job)) => Some(admin.job(job).await?.spend()),
            None => None,
        };
        let at_us = Clock::system().now_us();
        let bundle = sealing::receipt(&proven, &obligation, spend, at_us, key)?;
        Some(sealing::keep(bundle, data, repo, ends.head)?)
    } else {
        None
    };
    Ok(Shown {
        proven,
        sealed,
        settled,
        obligation,
    })
}

/// Proves a change that a job made, and tells the gateway, which routes the job's next turn by it.
pub(crate) async fn prove_job(
    repo: &Repo,
    owed: &Owed<'_>,
    ends: &Ends<'_>,
    (data, key): (&Path, &SigningKey),
    (admin, job): &Watched,
) -> Result<Shown> {
    let watched = Some((admin.clone(), job.clone()));
    let shown = show(repo, owed, ends, (data, key), watched).await?;
    let sealed = shown.sealed.as_ref();
    let report = ProofReport::new(&shown.proven, ends.head, sealed, &key.public())?;
    admin.report(job, &report).await?;
    Ok(shown)
}

/// Proves a change that is nobody's job yet, and records all of it as a job of its own.
pub(crate) async fn prove(
    repo: &Repo,
    owed: &Owed<'_>,
    ends: &Ends<'_>,
    (data, key, ledger): (&Path, &SigningKey, &Ledger),
) -> Result<Shown> {
    let shown = show(repo, owed, ends, (data, key), None).await?;
    let record = Record {
        repo,
        shown: &shown,
        owed,
        head: ends.head,
        key,
    };
    record.write(ledger).await?;
    Ok(shown)
}

/// The revision given, else the working tree as it is.
pub(crate) fn head_of(repo: &Repo, given: Option<&str>) -> Result<Commit> {
    if let Some(revision) = given {
        return repo.resolve(revision).map_err(repo_mistake);
    }
    let snapshot = repo.snapshot().map_err(repo_mistake)?;
    Ok(Commit {
        id: snapshot.commit,
        tree: snapshot.tree,
    })
}

/// The revision given, else where the branch left its trunk, else the checked-out commit.
pub(crate) fn base_of(repo: &Repo, given: Option<&str>, head: &Commit) -> Result<Commit> {
    if let Some(revision) = given {
        return repo
            .merge_base(revision, head.id.as_str())
            .map_err(repo_mistake);
    }
    let checked_out = repo.head().map_err(repo_mistake)?;
    let branched = TRUNKS
        .iter()
        .find_map(|trunk| repo.merge_base(trunk, head.id.as_str()).ok());
    Ok(branched
        .filter(|base| base.tree != head.tree)
        .unwrap_or(checked_out))
}

/// The revision a change goes into: the one given, else the trunk, else the checked-out commit. The change itself is
/// measured from where it left that, see [`base_of`].
pub(crate) fn into_of(repo: &Repo, given: Option<&str>, head: &Commit) -> Result<Commit> {
    if let Some(revision) = given {
        return repo.resolve(revision).map_err(repo_mistake);
    }
    let checked_out = repo.head().map_err(repo_mistake)?;
    let trunk = TRUNKS.iter().find_map(|trunk| {
        let base = repo.merge_base(trunk, head.id.as_str()).ok()?;
        let tip = repo.resolve(trunk).ok()?;
        (base.tree != head.tree).then_some(tip)
    });
    Ok(trunk.unwrap_or(checked_out))
}

/// What goes into the ledger.
struct Record<'a> {
    repo: &'a Repo,
    shown: &'a Shown,
    owed: &'a Owed<'a>,
    head: &'a Commit,
    key: &'a SigningKey,
}

impl Record<'_> {
    async fn write(&self, ledger: &Ledger) -> Result<()> {
        let about = About {
            job: Some(ledger.ids().next().to_string()),
            ..About::default()
        };
        let opened = JobOpened {
            task: self.owed.task.to_string(),
            repo: Some(self.repo.root().to_string_lossy().into_owned()),
            base: Some(self.owed.base.id.to_string()),
            rule: Some("named on the command line".to_owned()),
            ..JobOpened::default()
        };
        let (proven, sealed) = (&self.shown.proven, self.shown.sealed.as_ref());
        let mut bodies = vec![
            EventBody::JobOpened(opened),
            EventBody::ObligationFrozen(self.frozen()),
        ];
        bodies.extend(ledgers::proof_events(
            proven,
            self.head,
            sealed.map(|sealed| sealed.digest.as_str()),
            self.key,
        ));
        bodies.push(EventBody::JobClosed(JobClosed {
            verdict: Some(proven.proof.verdict),
            why: Some(proven.one_fact.clone()),
        }));
        if let Some(sealed) = sealed {
            let text = std::str::from_utf8(&sealed.bytes).context("reading the receipt as text")?;
            ledger
                .keep(text)
                .await
                .context("keeping the receipt in the ledger")?;
        }
        for body in bodies {
            ledger
                .append(&ledger.event(about.clone(), body))
                .await
                .context("recording the proof in the ledger")?;
        }
        ledger.flush().await.context("writing the ledger")
    }

    fn frozen(&self) -> ObligationFrozen {
        ledgers::frozen(
            self.owed.policy,
            self.owed.task,
            self.owed.base,
            &self.shown.obligation.digest(),
        )
    }
}

/// The object for machines.
pub(crate) fn report(
    proven: &Proven,
    base: &Commit,
    head: &Commit,
    sealed: Option<&Sealed>,
) -> Value {
    let proof = &proven.proof;
    let mut isolation: Vec<&String> = proof
        .checks
        .iter()
        .flat_map(|check| &check.isolation)
        .collect();
    isolation.sort();
    isolation.dedup();
    json!({
        "verdict": proof.verdict, "task": proof.task, "base": base.id.as_str(), "head": head.id.as_str(),
        "head_tree": head.tree.as_str(), "checks": proof.checks, "fail_to_pass": proof.fail_to_pass, "tests": proof.tests,
        "flake": proof.flake, "coverage": proof.coverage, "mutation": proof.mutation, "oracle": proof.oracle,
        "public_api": proof.public_api, "benchmark": proof.benchmark,
        "dependencies": proof.dependencies, "reused": proof.reused,
        "gaps": proof.gaps, "findings": proof.findings, "isolation": isolation, "fact": proven.one_fact,
        "receipt": sealed.map(|sealed| sealed.path.to_string_lossy().into_owned()),
    })
}

/// How many checks were not run again, and since when they hold.
fn taken_over(checks: &[Check]) -> Option<String> {
    let reused = checks.iter().filter_map(|check| check.reused.as_ref());
    let from: Vec<_> = reused.filter_map(|reused| reused.from).collect();
    let oldest = from.iter().min()?;
    Some(format!(
        "  {} of {} checks read nothing that has changed since {oldest} and were taken over; --no-cache runs them again",
        from.len(),
        checks.len()
    ))
}

fn tell(proven: &Proven, sealed: Option<&Sealed>) -> Result<()> {
    let proof = &proven.proof;
    terminal::print(&format!(
        "{}  {}",
        proof.verdict,
        terminal::plain(&proven.one_fact)
    ))?;
    for fixed in &proof.fail_to_pass {
        terminal::print(&format!(
            "  red {}/{} before, green {}/{} after  {}  (chance could show this with probability {:.4} at most)",
            fixed.base_reds,
            fixed.base_runs,
            fixed.head_greens,
            fixed.head_runs,
            terminal::plain(&fixed.test_id),
            fixed.false_accept_bound.unwrap_or(1.0)
        ))?;
    }
    for finding in &proof.findings {
        terminal::print(&format!(
            "  finding {}: {}",
            finding.code,
            terminal::plain(&finding.explanation)
        ))?;
    }
    for moved in proof.dependencies.iter().flat_map(|said| &said.moved) {
        let list = |versions: &[String]| match versions {
            [] => "-".to_owned(),
            versions => versions.join(", "),
        };
        terminal::print(&format!(
            "  {}  {} → {}  {}",
            terminal::plain(&moved.name),
            terminal::plain(&list(&moved.from)),
            terminal::plain(&list(&moved.to)),
            terminal::plain(&moved.why)
        ))?;
    }
    for gap in &proof.gaps {
        terminal::print(&format!("  gap {}", terminal::plain(gap)))?;
    }
    if let Some(from) = proof
        .reused
        .as_ref()
        .and_then(|reused| reused.from.as_ref())
    {
        terminal::print(&format!(
            "  nothing it reads has changed since {from}; --no-cache runs it again"
        ))?;
    } else if let Some(line) = taken_over(&proof.checks) {
        terminal::print(&line)?;
    }
    if let Some(sealed) = sealed {
        terminal::print(&format!("  receipt {}", sealed.path.display()))?;
    }
    Ok(())
}
