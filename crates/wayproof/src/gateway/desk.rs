//! The dashboard's look at the gateway, and what it says of the settings.

use std::{path::Path, pin::Pin, sync::Arc};

use anyhow::{Context, Result};
use wayproof_dashboard::{
    Adviser, House, ProofSeen, ProviderSeen, Reviews, Setting, SignIn, TrustedProxy,
};
use wayproof_engine::Policy;
use wayproof_gateway::{Gateway, Glance, Parts};
use wayproof_receipt::Trust;
use wayproof_upstream::{Credential, Provider};
use wayproof_wire::{Agent, Request, find_ask, peek};

use super::Start;

/// What the dashboard gets beside the gateway's own parts.
pub(super) struct Pages {
    pub(super) trust: Option<Trust>,
    pub(super) settings: Vec<Setting>,
    pub(super) proxy: Option<TrustedProxy>,
    pub(super) sign_in: Option<SignIn>,
    pub(super) reviews: Option<Box<dyn Reviews>>,
    pub(super) adviser: Option<Box<dyn Adviser>>,
}

/// A gateway that shows its dashboard at its own address.
pub(super) fn with_dashboard(parts: Parts, pages: Pages) -> Result<Gateway> {
    let (ledger, clock, catalog) = (
        parts.ledger.clone(),
        parts.clock.clone(),
        Arc::clone(&parts.catalog),
    );
    let mut made = Ok(());
    let gateway = Gateway::with_pages(parts, |glance| {
        let pages = wayproof_dashboard::router(wayproof_dashboard::Parts {
            ledger,
            clock,
            house: Arc::new(Seen(glance)),
            trust: pages.trust,
            catalog,
            settings: pages.settings,
            proxy: pages.proxy,
            sign_in: pages.sign_in,
            reviews: pages.reviews,
            adviser: pages.adviser,
        });
        pages.unwrap_or_else(|error| {
            made = Err(error);
            axum::Router::new()
        })
    });
    made.context("making the dashboard")?;
    Ok(gateway)
}

/// A gateway as its dashboard sees it.
struct Seen(Glance);

impl House for Seen {
    fn policy(&self) -> Option<Arc<Policy>> {
        self.0.policy()
    }

    fn providers(&self) -> Vec<ProviderSeen> {
        let seen = self.0.providers().into_iter().map(|provider| ProviderSeen {
            name: provider.name,
            base: without_login(&provider.base),
            is_healthy: provider.is_healthy,
        });
        seen.collect()
    }

    fn ask_in(&self, protocol: &str, agent: &str, body: &[u8]) -> Option<String> {
        let peek = peek(protocol.parse().ok()?, body).ok()?;
        let agent = serde_json::from_value(agent.into()).unwrap_or(Agent::Other);
        let request = Request { body, peek: &peek };
        find_ask(agent, &request).map(|ask| ask.text)
    }

    fn proofs(&self) -> Vec<ProofSeen> {
        let proofs = self.0.proofs_under_way().into_iter();
        proofs
            .map(|(job, steps)| ProofSeen {
                job,
                steps: steps
                    .into_iter()
                    .map(|step| (step.at_us, step.words))
                    .collect(),
            })
            .collect()
    }

    fn counts(&self) -> (usize, usize) {
        self.0.counts()
    }

    fn wants_key(&self) -> bool {
        self.0.wants_key()
    }

    fn holder_of(&self, key: &[u8]) -> Option<String> {
        self.0.holder_of(key)
    }

    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(self.0.stopping())
    }
}

/// An address without a user, a password or a query, which may be secrets.
fn without_login(address: &str) -> String {
    let bare = address.split(['?', '#']).next().unwrap_or_default();
    match bare.split_once("://") {
        Some((scheme, rest)) => {
            let (place, path) = rest
                .split_once('/')
                .map_or((rest, ""), |(place, path)| (place, path));
            let place = place.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{place}/{path}")
        }
        None => bare.to_owned(),
    }
}

/// What the operator set, with secrets named and not shown.
pub(super) fn settings(start: &Start) -> Vec<Setting> {
    let is_shared = start.ledger.is_some();
    let (ledger, from) = match &start.ledger {
        Some(url) => (without_login(url), "--ledger"),
        None => (shown(&start.data.join("ledger.db")), "data directory"),
    };
    let mut lines = vec![
        line("Keeps bodies", start.capture.name().to_owned(), "--capture"),
        line("Listens on", start.listen.to_string(), "--listen"),
        line("Data directory", shown(&start.data), "--data"),
        line(
            if is_shared {
                "Ledger (PostgreSQL)"
            } else {
                "Ledger (SQLite)"
            },
            ledger,
            from,
        ),
        line(
            "Callers' key",
            if start.key.is_some() {
                "set, not shown".to_owned()
            } else {
                "none; keys may have been given out".to_owned()
            },
            "--key-env",
        ),
        line(
            "Answers wait for the disk",
            if start.syncs_before_answer {
                "yes".to_owned()
            } else {
                "no, for the write only".to_owned()
            },
            "--sync-before-answer",
        ),
    ];
    lines.extend(signers_in(start));
    lines.extend(start.providers.iter().map(|provider| {
        line(
            &format!("Provider {}", provider.name),
            provider_line(provider),
            "--provider, or found",
        )
    }));
    lines
}

fn line(name: &str, value: String, source: &str) -> Setting {
    Setting {
        name: name.to_owned(),
        value,
        source: source.to_owned(),
    }
}

/// Who else says which person looks.
fn signers_in(start: &Start) -> [Setting; 2] {
    [
        line(
            "Proxy that signs people in",
            if start.proxy.is_some() {
                "trusted".to_owned()
            } else {
                "none".to_owned()
            },
            "--trusted-proxy",
        ),
        line(
            "Identity provider",
            start
                .sign_in
                .as_ref()
                .map_or("none".to_owned(), |sign_in| without_login(sign_in.issuer())),
            "--oidc-issuer",
        ),
    ]
}

fn provider_line(provider: &Provider) -> String {
    let credential = match provider.credential {
        Credential::PassThrough => "the client's own credential is passed on",
        Credential::Nothing => "no key",
        Credential::Key(_) => "key set, not shown",
        Credential::Aws(_) => "signed with keys of AWS, not shown",
        Credential::Tokens(_) => "shown tokens that are fetched anew",
    };
    format!(
        "{} ({credential})",
        without_login(&provider.base.to_string())
    )
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_secrets() {
        assert_eq!(
            without_login("postgres://ada:secret@db.example/l?password=x"),
            "postgres://db.example/l"
        );
        assert_eq!(
            without_login("https://user:p%40ss@host:1/v1?key=s#t"),
            "https://host:1/v1"
        );
        assert_eq!(without_login("http://a@b@host"), "http://host/");
    }
}
