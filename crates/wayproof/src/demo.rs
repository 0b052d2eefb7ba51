//! The whole path in a temporary repository: everything is real but the models, which are scripted, and it says so.

pub(crate) mod agent;
mod stage;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_ledger::Clock;
use wayproof_receipt::Verdict;
use wayproof_repo::{Commit, Repo};
use wayproof_testkit::{Fixture, Provider};
use wayproof_upstream::Credential;
use wayproof_wire::Protocols;

use crate::{
    cli::DemoArgs,
    commands::receipt::TRUST_FILE,
    exit::Broken,
    ledgers,
    proving::{self, Audience, Proving},
    run::{self, Finished, Order},
    sealing::{self, Owed},
    settings,
    terminal::{cost, print, print_json, tell},
};

/// A demonstration that has run.
struct Shown {
    finished: Finished,
    forged: Verdict,
    per_proven_change: Option<i64>,
    data: PathBuf,
}

/// Runs the demonstration.
pub(crate) async fn run(args: DemoArgs) -> Result<std::process::ExitCode> {
    let temporary = tempfile::Builder::new()
        .prefix("wayproof-demo-")
        .tempdir()
        .context("making a temporary folder")?;
    let place = args
        .dir
        .clone()
        .unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&place).with_context(|| format!("making {}", place.display()))?;
    let place = std::path::absolute(&place).context("finding the demonstration's folder")?;
    let audience = if args.json {
        Audience::Silent
    } else {
        Audience::Told
    };
    let shown = Box::pin(show(&place, audience)).await?;
    if args.json {
        print_json(&shown.report())?;
    } else {
        shown.tell()?;
    }
    // With --json the paths in the object have to lead somewhere.
    if args.keep || args.json {
        let kept = temporary.keep();
        if args.dir.is_none() && !args.json {
            print(&format!("kept in {}", kept.display()))?;
        }
    }
    let is_right = shown.finished.verdict == Verdict::Proven && shown.forged == Verdict::Refuted;
    if is_right {
        return Ok(std::process::ExitCode::SUCCESS);
    }
    Err(Broken(
        "the demonstration did not come out as it should; the lines above say where".to_owned(),
    )
    .into())
}

async fn show(place: &Path, audience: Audience) -> Result<Shown> {
    let told = |words: &str| {
        if audience == Audience::Told {
            tell(words);
        }
    };
    let (repo, data) = (place.join("repo"), place.join("data"));
    std::fs::create_dir_all(&data).with_context(|| format!("making {}", data.display()))?;
    let fixture = stage::build(&repo)?;
    told(
        "A repository with a real bug and a failing test. The two models are scripted; gateway, policy, ledger, proof and receipt are the real ones.",
    );
    told(&format!("\nThe user asks: {}\n", stage::ASK));
    let play = stage::play();
    let provider = Provider::start(move |request| play.answer(request))
        .await
        .context("starting the scripted provider")?;
    let scripted = wayproof_upstream::Provider::new(
        "anthropic",
        provider.url().parse()?,
        Protocols::ALL,
        Credential::Nothing,
    )?;
    let program = std::env::current_exe()
        .context("finding this program")?
        .to_string_lossy()
        .into_owned();
    let order = Order {
        command: vec![program, "demo-agent".to_owned(), stage::ASK.to_owned()],
        repo: repo.clone(),
        task: None,
        tries: None,
        gateway: None,
        providers: vec![scripted],
        data: data.clone(),
        ledger: None,
        key: None,
        audience,
    };
    let finished = run::run(order).await?;
    provider.stop().await;
    told(
        "\nNow a forged variant: the source stays wrong and the test is edited to agree with it.\n",
    );
    let forged = forge(&fixture, &data, audience).await?;
    let ledger = ledgers::open(&data, None).await?;
    let per_proven_change = ledger
        .cost_per_proven_change(0)
        .await
        .context("reading spend")?;
    ledger.close().await?;
    Ok(Shown {
        finished,
        forged,
        per_proven_change,
        data,
    })
}

/// Proves the forged change by itself, with the bug's commit as its base.
async fn forge(fixture: &Fixture, data: &Path, audience: Audience) -> Result<Verdict> {
    stage::forge(fixture)?;
    let repo = Repo::discover(fixture.root())?;
    let base = repo.head()?;
    let forged = repo.snapshot()?;
    let head = Commit {
        id: forged.commit,
        tree: forged.tree,
    };
    let policy = settings::policy_at(&repo, base.id.as_str())?;
    let task = settings::known_task(&policy, "bug-fix")?;
    let key = sealing::own_key(data)?;
    let owed = Owed {
        policy: &policy,
        task: &task,
        base: &base,
        ask: Some(stage::ASK),
        job: None,
    };
    let obligation = sealing::obligation(&owed, Clock::system().now_us(), &key)?;
    let proving = Proving {
        repo: repo.root().to_owned(),
        task: task.clone(),
        base: base.id.to_string(),
        head: head.id.to_string(),
        obligation: obligation.digest(),
        pages: None,
        audience,
        kept: None,
        watched: None,
        policy: policy.clone(),
    };
    let proven = proving::run(proving).await?;
    if audience == Audience::Told {
        tell(&format!(
            "wayproof: {}: {}",
            proven.proof.verdict, proven.one_fact
        ));
        for finding in &proven.proof.findings {
            tell(&format!(
                "wayproof: finding {}: {}",
                finding.code, finding.explanation
            ));
        }
    }
    Ok(proven.proof.verdict)
}

impl Shown {
    /// The object for machines.
    fn report(&self) -> Value {
        let finished = &self.finished;
        let attempts: Vec<Value> = finished
            .rounds
            .iter()
            .map(|round| {
                json!({"class": round.class, "target": round.target, "verdict": round.verdict,
                       "cost_nano_usd": round.cost_nano_usd})
            })
            .collect();
        let escalations: Vec<Value> = finished
            .causes
            .iter()
            .map(|cause| json!({"cause": cause}))
            .collect();
        json!({
            "verdict": finished.verdict, "job": finished.job, "attempts": attempts, "escalations": escalations,
            "receipt": finished.sealed.as_ref().map(|sealed| &sealed.path),
            "trust": self.data.join(TRUST_FILE), "ledger": self.data, "scripted_models": true,
            "forged": {"verdict": self.forged}, "cost_nano_usd": finished.cost_nano_usd,
            "cost_per_proven_change_nano_usd": self.per_proven_change,
        })
    }

    /// The same for people.
    fn tell(&self) -> Result<()> {
        print("\nwhat it cost, by the models' list prices for the scripted tokens:")?;
        for round in &self.finished.rounds {
            let class = round.class.as_deref().unwrap_or("-");
            let target = round.target.as_deref().unwrap_or("-");
            print(&format!(
                "  {class:8} {target:28} {:10} {}",
                round.verdict.name(),
                cost(round.cost_nano_usd)
            ))?;
        }
        print(&format!(
            "  escalated on {}",
            self.finished.causes.join(", ")
        ))?;
        print(&format!(
            "  verdict {}, cost per proven change {}",
            self.finished.verdict,
            cost(self.per_proven_change)
        ))?;
        print(&format!("  the forged variant is {}", self.forged))?;
        if let Some(sealed) = &self.finished.sealed {
            print(&format!("  receipt {}", sealed.path.display()))?;
            print(
                wayproof_receipt::text(&wayproof_receipt::verify(&sealed.bytes, None)).trim_end(),
            )?;
        }
        Ok(())
    }
}
