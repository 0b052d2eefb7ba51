//! Connects agents, takes that back, and lists how they are.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Result;
use hyper::Uri;
use serde_json::{Value, json};

use crate::{
    cli::{ConnectArgs, DisconnectArgs},
    connect::{self, Agent, Limits, Pending, Plan, Point, Record, State, Surroundings},
    doctor::probe,
    exit::{self, Mistake},
    gateway,
    settings::{self, variable},
    terminal::{plain, print, print_json_pretty, table, tell},
};

/// Where a gateway is that nobody named and that does not run.
pub(crate) const USUAL: &str = "http://127.0.0.1:4417";

/// What the gateway says that its model holds; one that is down says nothing new.
async fn limits(gateway: &str, key: Option<&str>, record: Option<&Record>) -> Limits {
    let before = record.filter(|record| record.gateway == gateway);
    let asked = Limits::of(gateway, key).await;
    asked
        .or_else(|| before.map(|record| record.limits))
        .unwrap_or_default()
}

/// Connects an agent, or lists them.
pub(crate) async fn run(args: ConnectArgs) -> Result<ExitCode> {
    let data = settings::data_path(args.data.data.as_deref())?;
    if args.list {
        return list(&data, args.dir.as_deref(), args.json);
    }
    let agent = find(args.agent.as_deref().unwrap_or_default())?;
    let gateway = gateway_url(args.gateway.as_deref(), &data).await?;
    let around = surroundings(args.dir.as_deref())?;
    let record = Record::load(&data, agent.name())?;
    let key = key(args.key_env.as_deref())?;
    let point = Point {
        limits: limits(&gateway, key.as_deref(), record.as_ref()).await,
        ..point(agent, &around, &gateway, key.as_deref())?
    };
    let plan = agent.plan(&around, &point);
    let pending = connect::connecting(&plan, record.as_ref())?;
    let changes = changes(&pending, key.as_deref());
    if !args.dry_run && !plan.files.is_empty() {
        let data = settings::data_directory(&args.data)?;
        let mut record = Record::new(agent.name(), &gateway, around.folder.as_deref());
        record.key_env.clone_from(&args.key_env);
        record.limits = point.limits;
        connect::connect(record, pending, &data)?;
    }
    let check = if args.dry_run || args.no_check {
        None
    } else {
        live(agent, &gateway, key.as_deref()).await
    };
    let is_wrong = matches!(&check, Some(Err(_)));
    if args.json {
        let check = check.map(|check| match check {
            Ok(fact) => json!({"ok": true, "fact": fact}),
            Err(fact) => json!({"ok": false, "fact": fact}),
        });
        print_json_pretty(&json!({
            "agent": agent.name(), "gateway": gateway, "dry_run": args.dry_run,
            "changes": changes.iter().map(Told::json).collect::<Vec<_>>(), "steps": plan.steps, "check": check,
        }))?;
    } else {
        say(agent, &gateway, args.dry_run, &changes)?;
        for step in &plan.steps {
            print(step)?;
        }
        match check {
            Some(Ok(fact)) => print(&format!("checked: {}", plain(&fact)))?,
            Some(Err(fact)) => tell(&format!("wayproof: connected, but {}", plain(&fact))),
            None if args.dry_run || args.no_check => {}
            None => print(&format!(
                "no gateway answers at {gateway} yet: start it with `wayproof up`, then `wayproof doctor {}`",
                agent.name()
            ))?,
        }
    }
    Ok(if is_wrong {
        ExitCode::from(exit::FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

/// Disconnects an agent.
pub(crate) fn take_back(args: &DisconnectArgs) -> Result<ExitCode> {
    let agent = find(&args.agent)?;
    let data = settings::data_path(args.data.data.as_deref())?;
    let Some(record) = Record::load(&data, agent.name())? else {
        let sentence = format!("{} is not connected", agent.name());
        if args.json {
            print_json_pretty(
                &json!({"agent": agent.name(), "dry_run": args.dry_run, "changes": []}),
            )?;
        } else {
            print(&sentence)?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    let pending = connect::disconnecting(&record)?;
    let changes = changes(
        &pending,
        key(record.key_env.as_deref()).ok().flatten().as_deref(),
    );
    if !args.dry_run {
        connect::disconnect(&record, &pending, &data)?;
    }
    if args.json {
        let changes: Vec<Value> = changes.iter().map(Told::json).collect();
        print_json_pretty(
            &json!({"agent": agent.name(), "dry_run": args.dry_run, "changes": changes}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        if args.dry_run && change.is_change {
            print(change.diff.trim_end())?;
        } else {
            let path = change.path.display();
            let word = if change.is_change {
                "restored"
            } else {
                "as it was"
            };
            print(&format!("{path}: {word}"))?;
        }
        for place in &change.left {
            print(&format!(
                "{}: {place} was changed since and stays as it is",
                change.path.display()
            ))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The agent of a name.
pub(crate) fn find(name: &str) -> Result<Agent> {
    if let Some(agent) = Agent::find(name) {
        return Ok(agent);
    }
    let known: Vec<&str> = Agent::ALL.iter().map(|agent| agent.name()).collect();
    Err(Mistake(format!(
        "there is no agent `{}`; known are {}",
        plain(name),
        known.join(", ")
    ))
    .into())
}

/// Where agents look for their settings.
pub(crate) fn surroundings(folder: Option<&Path>) -> Result<Surroundings<'static>> {
    let folder = folder.map(std::path::absolute).transpose()?;
    Ok(Surroundings {
        home: settings::home()?,
        folder,
        variable: &|name| variable(name),
    })
}

/// What an agent's settings should point at.
pub(crate) fn point(
    agent: Agent,
    around: &Surroundings<'_>,
    gateway: &str,
    key: Option<&str>,
) -> Result<Point> {
    let folder = agent.folder(around);
    let keeps_sign_in = match agent {
        Agent::ClaudeCode => {
            variable("ANTHROPIC_API_KEY").is_some()
                || variable("ANTHROPIC_AUTH_TOKEN").is_some()
                || folder.join(".credentials.json").is_file()
        }
        Agent::Codex => folder.join("auth.json").is_file(),
        _ => false,
    };
    Ok(Point {
        gateway: gateway.to_owned(),
        program: std::env::current_exe()?,
        keeps_sign_in,
        key: key.map(str::to_owned),
        limits: Limits::default(),
    })
}

/// The key in a variable, if one is named.
pub(crate) fn key(named: Option<&str>) -> Result<Option<String>> {
    let Some(name) = named else {
        return Ok(None);
    };
    let key = variable(name).map(|key| key.trim().to_owned());
    let key = key.filter(|key| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic()));
    key.map(Some).ok_or_else(|| {
        let sentence = format!(
            "--key-env {}: the variable is not set to a key; set it to the key that the gateway wants",
            plain(name)
        );
        Mistake(sentence).into()
    })
}

/// The gateway that is named, else the one that runs, else where one usually is.
async fn gateway_url(named: Option<&str>, data: &Path) -> Result<String> {
    if let Some(url) = named {
        return address(url);
    }
    if let Some(admin) = gateway::running(None, data).await {
        return Ok(admin.base().to_owned());
    }
    Ok(USUAL.to_owned())
}

/// A base URL: a scheme and a host, and a path if there is one, without a slash at the end.
fn address(text: &str) -> Result<String> {
    let wrong = |why: &str| Mistake(format!("--gateway {}: {why}", plain(text)));
    let uri: Uri = text
        .parse()
        .map_err(|_| wrong("it should read http://HOST:PORT"))?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err(wrong("it should begin with http:// or https://").into());
    }
    if uri.query().is_some() || uri.authority().is_none_or(|at| at.as_str().contains('@')) {
        return Err(wrong("it should be an address without a user and a query").into());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The round trip, when somebody listens.
async fn live(agent: Agent, gateway: &str, key: Option<&str>) -> Option<Result<String, String>> {
    if !probe::is_up(gateway).await {
        return None;
    }
    Some(
        match probe::round_trip(gateway, key, agent.protocol()).await {
            Ok(trip) => Ok(trip.to_string()),
            Err(fault) => Err(format!(
                "{fault}; `wayproof doctor {}` says more",
                agent.name()
            )),
        },
    )
}

/// A change as it is told.
struct Told {
    path: PathBuf,
    is_change: bool,
    diff: String,
    left: Vec<String>,
}

impl Told {
    fn json(&self) -> Value {
        json!({"file": self.path, "changed": self.is_change, "diff": self.diff, "left": self.left})
    }
}

/// What changes; a key is not shown.
fn changes(pending: &[Pending], key: Option<&str>) -> Vec<Told> {
    let hidden = |diff: String| match key {
        Some(key) => diff.replace(key, "[the gateway's key]"),
        None => diff,
    };
    pending
        .iter()
        .map(|one| Told {
            path: one.path.clone(),
            is_change: one.is_change(),
            diff: if one.is_change() {
                hidden(one.diff())
            } else {
                String::new()
            },
            left: one.left.clone(),
        })
        .collect()
}

fn say(agent: Agent, gateway: &str, is_dry: bool, changes: &[Told]) -> Result<()> {
    for change in changes.iter().filter(|change| change.is_change) {
        if is_dry {
            print(change.diff.trim_end())?;
        } else {
            print(&format!("changed {}", change.path.display()))?;
        }
    }
    let name = agent.name();
    if changes.is_empty() {
        return Ok(());
    }
    if changes.iter().any(|change| change.is_change) {
        return if is_dry {
            Ok(())
        } else {
            print(&format!(
                "{name} is connected to {gateway}; `wayproof disconnect {name}` takes it back"
            ))
        };
    }
    print(&format!("{name} is connected to {gateway} already"))
}

/// Every agent with the state of its settings.
fn list(data: &Path, folder: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for agent in Agent::ALL {
        let record = Record::load(data, agent.name())?;
        let recorded = record.as_ref().and_then(|record| record.folder.as_deref());
        let around = surroundings(folder.or(recorded))?;
        let url = record
            .as_ref()
            .map_or_else(|| USUAL.to_owned(), |record| record.gateway.clone());
        // Without its variable nobody can tell whether the key is still the one.
        let key = record
            .as_ref()
            .and_then(|it| key(it.key_env.as_deref()).ok()?);
        let point = Point {
            limits: record
                .as_ref()
                .map(|record| record.limits)
                .unwrap_or_default(),
            ..point(agent, &around, &url, key.as_deref())?
        };
        let plan = agent.plan(&around, &point);
        let (state, why) = standing(agent, &around, &plan, record.as_ref());
        let files: Vec<String> = plan
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        let gateway = record.map(|record| record.gateway);
        rows.push((agent.name(), state, why, gateway, files));
    }
    if as_json {
        let rows: Vec<Value> = rows
            .into_iter()
            .map(|(agent, state, why, gateway, files)| {
                json!({"agent": agent, "state": state, "why": why, "gateway": gateway, "files": files})
            })
            .collect();
        print_json_pretty(&rows)?;
    } else {
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .map(|(agent, state, why, gateway, files)| {
                let state = if why.is_empty() {
                    state.to_owned()
                } else {
                    format!("{state}: {}", plain(&why))
                };
                vec![
                    agent.to_owned(),
                    state,
                    gateway.unwrap_or_default(),
                    files.join("\n"),
                ]
            })
            .collect();
        print(&table(&["agent", "state", "gateway", "settings"], &rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// How an agent's settings are, in a word, and what is wrong with them.
fn standing(
    agent: Agent,
    around: &Surroundings<'_>,
    plan: &Plan,
    record: Option<&Record>,
) -> (&'static str, String) {
    match connect::state(plan, record) {
        Ok(State::Connected) => ("connected", String::new()),
        Ok(State::NotConnected) if plan.files.is_empty() => ("by hand", String::new()),
        Ok(State::NotConnected) if !agent.folder(around).is_dir() => ("no settings", String::new()),
        Ok(State::NotConnected) => ("not connected", String::new()),
        Ok(State::Drifted(files)) => {
            let places: Vec<String> = files.into_iter().flat_map(|(_, places)| places).collect();
            ("drifted", places.join(", "))
        }
        Err(error) => ("broken", exit::chain(&error)),
    }
}
