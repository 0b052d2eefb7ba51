//! What is wrong, and the exact fix: each check is a finding with its remedy.
//!
//! `policy → gateway → providers → sandbox → agents`. It looks and asks; it changes nothing.

pub(crate) mod probe;
mod providers;
mod sandbox;
mod socket;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use wayproof_engine::Policy;
use wayproof_wire::Protocol;

use self::socket::Socket;
use crate::{
    commands::connect::{USUAL, key, point, surroundings},
    connect::{self, Agent, Point, Record, State},
    exit::{self, Mistake},
    gateway::{self, Admin},
    settings,
};

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Health {
    Ok,
    /// It works, but not as well as it could.
    Warning,
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agent: Option<&'static str>,
    pub(crate) health: Health,
    pub(crate) fact: String,
    /// What to do, as it is typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fix: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, fact: impl Into<String>) -> Self {
        Self {
            check,
            agent: None,
            health: Health::Ok,
            fact: fact.into(),
            fix: None,
        }
    }

    fn warning(check: &'static str, fact: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Warning,
            fix: Some(fix.into()),
            ..Self::ok(check, fact)
        }
    }

    fn wrong(check: &'static str, fact: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Wrong,
            fix: Some(fix.into()),
            ..Self::ok(check, fact)
        }
    }

    fn of(mut self, agent: Agent) -> Self {
        self.agent = Some(agent.name());
        self
    }
}

/// What to look at.
#[derive(Debug)]
pub(crate) struct Visit<'a> {
    /// One agent, or every connected one.
    pub(crate) agent: Option<Agent>,
    pub(crate) policy: Option<&'a Path>,
    pub(crate) gateway: Option<&'a str>,
    pub(crate) data: &'a Path,
}

/// Looks at everything.
pub(crate) async fn examine(visit: &Visit<'_>) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let policy = match settings::policy(visit.policy) {
        Ok(policy) => {
            let file = settings::policy_file(visit.policy)?;
            let name = file.map_or_else(
                || "the built-in matrix".to_owned(),
                |file| file.display().to_string(),
            );
            findings.push(Finding::ok("policy", format!("{name} is in force")));
            policy
        }
        Err(error) => {
            findings.push(Finding::wrong(
                "policy",
                exit::chain(&error),
                "wayproof policy check",
            ));
            Policy::builtin()
        }
    };
    let connected = connected(visit)?;
    let (admin, found) = gateway(visit, &connected).await;
    findings.extend(found);
    if let Some(admin) = &admin {
        findings.extend(providers::examine(admin, &policy).await);
    }
    findings.push(sandbox::examine().await);
    if connected.is_empty() {
        findings.push(Finding::warning(
            "agents",
            "no agent is connected",
            "wayproof connect <agent>",
        ));
    }
    for (agent, record) in &connected {
        findings.extend(examine_agent(visit, *agent, record.as_ref()).await);
    }
    Ok(findings)
}

/// The agent that is asked about, else every one that has a record.
fn connected(visit: &Visit<'_>) -> Result<Vec<(Agent, Option<Record>)>> {
    if let Some(agent) = visit.agent {
        return Ok(vec![(agent, Record::load(visit.data, agent.name())?)]);
    }
    let mut all = Vec::new();
    for agent in Agent::ALL {
        if let Some(record) = Record::load(visit.data, agent.name())? {
            all.push((agent, Some(record)));
        }
    }
    Ok(all)
}

/// The gateway that everything below is asked of.
async fn gateway(
    visit: &Visit<'_>,
    connected: &[(Agent, Option<Record>)],
) -> (Option<Admin>, Vec<Finding>) {
    let recorded = connected
        .iter()
        .find_map(|(_, record)| record.as_ref())
        .map(|record| record.gateway.clone());
    if visit.gateway.is_none()
        && let Some(admin) = gateway::running(None, visit.data).await
    {
        let base = admin.base().to_owned();
        let mut findings = vec![Finding::ok("gateway", format!("it answers at {base}"))];
        for (agent, record) in connected {
            if let Some(record) = record.as_ref().filter(|record| record.gateway != base) {
                let fact = format!(
                    "it is connected to {}, the gateway is at {base}",
                    record.gateway
                );
                let fix = format!("wayproof connect {} --gateway {base}", agent.name());
                findings.push(Finding::warning("gateway", fact, fix).of(*agent));
            }
        }
        return (Some(admin), findings);
    }
    let url = visit
        .gateway
        .map(str::to_owned)
        .or(recorded)
        .unwrap_or_else(|| USUAL.to_owned());
    let url = url.trim_end_matches('/').to_owned();
    if probe::is_up(&url).await {
        if let Some(admin) = gateway::running(Some(&url), visit.data).await {
            return (
                Some(admin),
                vec![Finding::ok("gateway", format!("it answers at {url}"))],
            );
        }
        let fact = format!(
            "one answers at {url} that is not of the data directory {}",
            visit.data.display()
        );
        let fix = "set WAYPROOF_DATA to its data directory, or WAYPROOF_ADMIN_TOKEN to its token";
        return (None, vec![Finding::warning("gateway", fact, fix)]);
    }
    (None, vec![down(&url).await])
}

/// Why nobody of ours answers at a URL.
async fn down(url: &str) -> Finding {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = authority.split('/').next().unwrap_or(authority);
    let connect = tokio::net::TcpStream::connect(place);
    let answers = tokio::time::timeout(std::time::Duration::from_secs(3), connect).await;
    let is_local =
        place.starts_with("127.") || place.starts_with("localhost:") || place.starts_with("[::1]");
    match answers {
        Ok(Ok(_)) if is_local => Finding::wrong(
            "gateway",
            format!("another program listens at {place}"),
            "wayproof up --listen 127.0.0.1:4418, then wayproof connect <agent> --gateway http://127.0.0.1:4418",
        ),
        Ok(Ok(_)) => Finding::wrong(
            "gateway",
            format!("what listens at {place} is no gateway"),
            "wayproof connect <agent> --gateway URL, with the gateway's address",
        ),
        _ if is_local => Finding::wrong(
            "gateway",
            format!("nobody listens at {place}"),
            if url == USUAL {
                "wayproof up".to_owned()
            } else {
                format!("wayproof up --listen {place}")
            },
        ),
        _ => Finding::wrong(
            "gateway",
            format!("{place} cannot be reached"),
            "start the gateway there, or wayproof connect <agent> --gateway URL",
        ),
    }
}

/// The settings of one agent, and a round trip in its protocol.
async fn examine_agent(visit: &Visit<'_>, agent: Agent, record: Option<&Record>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let gateway = visit
        .gateway
        .map(str::to_owned)
        .or_else(|| record.map(|record| record.gateway.clone()))
        .unwrap_or_else(|| USUAL.to_owned());
    let gateway = gateway.trim_end_matches('/');
    let named = record.and_then(|record| record.key_env.as_deref());
    let key = match key(named) {
        Ok(key) => key,
        Err(error) => {
            let fix = format!(
                "export {}, the key that the gateway wants",
                named.unwrap_or_default()
            );
            findings.push(Finding::wrong("key", exit::chain(&error), fix).of(agent));
            return findings;
        }
    };
    let key = key.as_deref();
    findings.push(settings_of(agent, record, gateway, key).of(agent));
    findings.push(
        match probe::round_trip(gateway, key, agent.protocol()).await {
            Ok(trip) if trip.called => Finding::ok("round-trip", trip.to_string()),
            Ok(trip) => Finding::warning(
                "round-trip",
                trip.to_string(),
                "name a model that calls tools in the policy's classes",
            ),
            Err(fault) => {
                let fix = remedy(&fault);
                Finding::wrong("round-trip", fault.to_string(), fix)
            }
        }
        .of(agent),
    );
    if agent.protocol() == Protocol::Responses {
        findings.push(on_a_socket(gateway, key).await.of(agent));
    }
    findings
}

/// The same on a WebSocket, which agents that speak Responses may be told to use.
async fn on_a_socket(gateway: &str, key: Option<&str>) -> Finding {
    match socket::round_trip(gateway, key).await {
        Ok(held @ Socket::Held { .. }) => Finding::ok("websocket", held.to_string()),
        Ok(refused @ Socket::Refused { .. }) => Finding::warning(
            "websocket",
            refused.to_string(),
            "wayproof up of this version opens them; a proxy on the way has to let `Upgrade` through",
        ),
        Err(fault) => {
            let fix = remedy(&fault);
            Finding::wrong("websocket", fault.to_string(), fix)
        }
    }
}

fn settings_of(agent: Agent, record: Option<&Record>, gateway: &str, key: Option<&str>) -> Finding {
    let name = agent.name();
    let folder = record.and_then(|record| record.folder.as_deref());
    let place = folder
        .map(|folder| format!(" --dir {}", folder.display()))
        .unwrap_or_default();
    let named = record.and_then(|record| record.key_env.as_deref());
    let shown = named
        .map(|name| format!(" --key-env {name}"))
        .unwrap_or_default();
    let again = format!("wayproof connect {name} --gateway {gateway}{shown}{place}");
    let looked = surroundings(folder).and_then(|around| {
        let point = Point {
            limits: record.map(|record| record.limits).unwrap_or_default(),
            ..point(agent, &around, gateway, key)?
        };
        let plan = agent.plan(&around, &point);
        let state = connect::state(&plan, record)?;
        Ok((plan.files.is_empty(), state))
    });
    match looked {
        Ok((true, _)) => Finding::ok("settings", "it is set up by hand"),
        Ok((_, State::Connected)) => Finding::ok("settings", "they are as connect left them"),
        Ok((_, State::NotConnected)) => Finding::wrong("settings", "it is not connected", again),
        Ok((_, State::Drifted(files))) => {
            let places: Vec<String> = files
                .iter()
                .flat_map(|(path, places)| {
                    places
                        .iter()
                        .map(move |place| format!("{place} in {}", path.display()))
                })
                .collect();
            let is_hook = places.iter().any(|place| place.starts_with("hooks."));
            let word = if is_hook {
                "the stop hook is missing or changed"
            } else {
                "they were changed since"
            };
            Finding::wrong("settings", format!("{word}: {}", places.join(", ")), again)
        }
        Err(error) => {
            let fix = if error.is::<Mistake>() {
                format!("mend that file, then {again}")
            } else {
                again
            };
            Finding::wrong("settings", exit::chain(&error), fix)
        }
    }
}

/// What to do about a round trip that failed.
fn remedy(fault: &probe::Fault) -> String {
    match fault {
        probe::Fault::Down(..) => "wayproof up".to_owned(),
        probe::Fault::Slow => {
            "wayproof ledger exchanges shows which model was asked; name a quicker one in the policy".to_owned()
        }
        probe::Fault::Refused { status: 401 | 403, .. } => {
            "set the provider's key in the environment of `wayproof up` and start it again; without one only the agent's own sign-in is passed through".to_owned()
        }
        probe::Fault::Refused { status: 404, .. } => {
            "the model or path is not there: wayproof policy show, then name a model that the provider has".to_owned()
        }
        probe::Fault::Refused { status: 429, .. } => {
            "wait, or add another target to the class in the policy".to_owned()
        }
        probe::Fault::Refused { .. } | probe::Fault::ErrorInStream(_) | probe::Fault::Cut => {
            "wayproof ledger exchanges --limit 1, then wayproof explain <exchange>".to_owned()
        }
    }
}
