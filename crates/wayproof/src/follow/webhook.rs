//! Posts what somebody wants to hear of to an address: budgets near their limit, verdicts, escalations, reviews.
//!
//! Messages and their signatures are those of the Standard Webhooks specification (headers `webhook-id`,
//! `webhook-timestamp`, `webhook-signature`; HMAC-SHA256 over `id.timestamp.body`).

use std::{
    collections::{BTreeSet, VecDeque},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use hyper::{
    HeaderMap, Uri,
    header::{self, HeaderValue},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;
use wayproof_engine::Budget;
use wayproof_ledger::{Account, EventBody, Ledger, StoredEvent};
use wayproof_upstream::{Bounds, Proxy, post, retry_after};

use super::{Follow, Position, Receiver, Refusal, words};
use crate::{
    cli::{WebhookArgs, WebhookKind},
    exit::Mistake,
    gateway, settings,
};

const MOST_ANSWER: usize = 1 << 16;
/// Messages made ready at once.
const FULL: usize = 100;
/// The share of a limit from which a budget without a soft limit is near it, in per cent.
const NEAR: i64 = 80;
/// Accounts of a `*` budget that are looked at.
const MOST_ACCOUNTS: u32 = 1000;
/// How often budgets are looked at, in microseconds.
const LOOK_US: i64 = 2_000_000;
/// Alerts that are remembered, so that none is told twice.
const MOST_SAID: usize = 10_000;

/// Where messages go, which, and with what they are signed.
#[derive(Debug)]
pub(crate) struct Target {
    uri: Uri,
    kinds: Vec<WebhookKind>,
    secret: Option<SecretString>,
}

/// The receiver that the arguments name.
pub(crate) fn target(args: &WebhookArgs) -> Result<Option<Target>> {
    let Some(address) = &args.webhook else {
        return Ok(None);
    };
    // An address of this kind is often a secret itself and is not repeated.
    let wrong = |why: &str| Mistake(format!("--webhook: {why}"));
    let uri: Uri = address
        .parse()
        .map_err(|_| wrong("what is given is no address"))?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none() {
        return Err(wrong("it takes an address that begins with http:// or https://").into());
    }
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(wrong("a password has no place in the address").into());
    }
    let secret = args.webhook_secret_env.as_deref().map(secret).transpose()?;
    Ok(Some(Target {
        uri,
        kinds: args.webhook_on.clone(),
        secret,
    }))
}

fn secret(variable: &str) -> Result<SecretString> {
    let missing = || {
        Mistake(format!(
            "--webhook-secret-env {variable}: the variable is not set"
        ))
    };
    Ok(SecretString::from(
        settings::variable(variable).ok_or_else(missing)?,
    ))
}

/// A follower of the ledger that tells a receiver; one that is new is told from `new` on.
pub(crate) async fn follow(
    ledger: Ledger,
    data: &Path,
    target: Target,
    new: i64,
) -> Result<Follow<Webhook>> {
    let origin = ledger.origin().await.context("reading the ledger")?;
    let address = target.uri.to_string();
    let position = Position::load(data, &format!("webhook {address}"), &origin, new)?;
    let file = position.beside("alerts");
    let said = std::fs::read_to_string(&file).unwrap_or_default();
    let name = match target.uri.authority() {
        Some(authority) => format!("the webhook at {authority}"),
        None => "the webhook".to_owned(),
    };
    Ok(Follow {
        receiver: Webhook {
            name,
            said: said.lines().map(str::to_owned).collect(),
            file,
            proxy: gateway::proxy()?,
            target,
            messages: VecDeque::new(),
            looked_us: 0,
        },
        position,
        ledger,
    })
}

/// Somebody who is told of single events.
#[derive(Debug)]
pub(crate) struct Webhook {
    name: String,
    target: Target,
    proxy: Option<Proxy>,
    messages: VecDeque<Message>,
    /// Alerts that were told: subject, window, span and level.
    said: BTreeSet<String>,
    file: PathBuf,
    looked_us: i64,
}

#[derive(Debug)]
struct Message {
    id: String,
    body: Bytes,
    /// The alert it tells of.
    alert: Option<String>,
}

impl Webhook {
    fn wants(&self, kind: WebhookKind) -> bool {
        self.target.kinds.contains(&kind)
    }

    /// Alerts of one account.
    fn alert(&mut self, budget: &Budget, account: &Account, now_us: i64) {
        let used = account.balance.used();
        let limit = budget.limit_nano_usd;
        let near = budget.soft_nano_usd.unwrap_or_else(|| {
            i64::try_from(i128::from(limit) * i128::from(NEAR) / 100).unwrap_or(i64::MAX)
        });
        let level = if account.balance.spent_nano_usd >= limit {
            "exhausted"
        } else if used >= near {
            "near"
        } else {
            return;
        };
        let alert = format!(
            "{} {} {} {level}",
            account.subject.replace(char::is_control, " "),
            budget.window,
            account.span
        );
        let is_waiting = self
            .messages
            .iter()
            .any(|message| message.alert.as_ref() == Some(&alert));
        if self.said.contains(&alert) || is_waiting {
            return;
        }
        let data = json!({
            "level": level,
            "subject": account.subject,
            "window": budget.window,
            "span": account.span,
            "limit_nano_usd": limit,
            "soft_nano_usd": budget.soft_nano_usd,
            "spent_nano_usd": account.balance.spent_nano_usd,
            "held_nano_usd": account.balance.held_nano_usd,
            "starts_anew": budget.window.ends_us(now_us).map(moment),
        });
        let body = json!({"type": "budget", "timestamp": moment(now_us), "data": data});
        self.messages.push_back(Message {
            // The same alert has the same name, so that a receiver can tell that it came twice.
            id: format!("budget_{}", hex(&alert)),
            body: Bytes::from(body.to_string()),
            alert: Some(alert),
        });
    }

    fn told(&mut self, alert: Option<String>) {
        let Some(alert) = alert else { return };
        self.said.insert(alert);
        while self.said.len() > MOST_SAID {
            self.said.pop_first();
        }
        let text = self
            .said
            .iter()
            .fold(String::new(), |text, said| text + said + "\n");
        if let Err(error) = settings::write_private(&self.file, text.as_bytes()) {
            tracing::warn!(receiver = self.name, error = %format!("{error:#}"), "an alert may be told again");
        }
    }

    fn headers(&self, message: &Message, now_s: i64) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut insert = |name: &'static str, value: &str| {
            // Names and figures of ours, and base64.
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        };
        insert(header::CONTENT_TYPE.as_str(), "application/json");
        insert("webhook-id", &message.id);
        insert("webhook-timestamp", &now_s.to_string());
        if let Some(secret) = &self.target.secret {
            let signature = signature(secret.expose_secret(), &message.id, now_s, &message.body);
            insert("webhook-signature", &format!("v1,{signature}"));
        }
        headers
    }
}

/// The signature of a message. A secret that begins with `whsec_` is base64 after it.
fn signature(secret: &str, id: &str, now_s: i64, body: &[u8]) -> String {
    let decoded = secret
        .strip_prefix("whsec_")
        .and_then(|rest| STANDARD.decode(rest).ok());
    let key = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else {
        // A key may have any length.
        return String::new();
    };
    mac.update(format!("{id}.{now_s}.").as_bytes());
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

/// What an event is called, and what is told of it.
fn told_of(body: &EventBody) -> Option<(WebhookKind, &'static str, Value)> {
    let value = |made: serde_json::Result<Value>| made.unwrap_or(Value::Null);
    Some(match body {
        EventBody::ProofFinished(proof) => (
            WebhookKind::Proof,
            "proof",
            value(serde_json::to_value(proof)),
        ),
        EventBody::Escalated(escalated) => (
            WebhookKind::Escalation,
            "escalation",
            value(serde_json::to_value(escalated)),
        ),
        EventBody::ReviewRecorded(review) => (
            WebhookKind::Review,
            "review",
            value(serde_json::to_value(review)),
        ),
        EventBody::JobClosed(closed) => {
            (WebhookKind::Job, "job", value(serde_json::to_value(closed)))
        }
        EventBody::BooksChanged(changed) => (
            WebhookKind::Books,
            "books",
            value(serde_json::to_value(changed)),
        ),
        _ => return None,
    })
}

impl Receiver for Webhook {
    fn recall(&mut self, _stored: &StoredEvent) {}

    fn observe(&mut self, stored: &StoredEvent) {
        let event = &stored.event;
        let Some((kind, name, data)) = told_of(&event.body) else {
            return;
        };
        if !self.wants(kind) {
            return;
        }
        let body = json!({
            "type": name,
            "timestamp": moment(event.at_us),
            "session": event.session,
            "job": event.job,
            "data": data,
        });
        self.messages.push_back(Message {
            id: event.id.to_string(),
            body: Bytes::from(body.to_string()),
            alert: None,
        });
    }

    async fn watch(&mut self, ledger: &Ledger) -> Result<()> {
        let now_us = ledger.clock().now_us();
        if !self.wants(WebhookKind::Budget) || (0..LOOK_US).contains(&(now_us - self.looked_us)) {
            return Ok(());
        }
        self.looked_us = now_us;
        let books = ledger.books();
        let register = books.fresh(LOOK_US).await.context("reading the books")?;
        for budget in &register.budgets {
            let span = budget.window.span(now_us);
            let accounts = books
                .accounts_in(&budget.subject, &span, MOST_ACCOUNTS)
                .await
                .context("reading accounts")?;
            for account in &accounts {
                self.alert(budget, account, now_us);
            }
        }
        Ok(())
    }

    fn oldest_open(&self) -> Option<i64> {
        None
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= FULL
    }

    fn pack(&mut self, _now_us: i64) -> bool {
        !self.messages.is_empty()
    }

    async fn send(&mut self) -> Result<(), Refusal> {
        while let Some(message) = self.messages.front() {
            let headers = self.headers(message, Timestamp::now().as_second());
            let asked = post(
                &self.target.uri,
                self.proxy.clone(),
                headers,
                message.body.clone(),
                Bounds::of(MOST_ANSWER),
            );
            let answer = asked.await.map_err(|error| {
                let error = anyhow::Error::new(error);
                Refusal::Later(crate::exit::chain(&error), None)
            })?;
            if answer.status.is_success() {
                let alert = self.messages.pop_front().and_then(|message| message.alert);
                self.told(alert);
                continue;
            }
            let why = format!("it answers {} {}", answer.status, words(&answer.body));
            let is_passing = answer.status.is_server_error()
                || matches!(answer.status.as_u16(), 408 | 425 | 429);
            return Err(if is_passing {
                Refusal::Later(why, retry_after(&answer.headers))
            } else {
                Refusal::Never(why)
            });
        }
        Ok(())
    }

    fn drop_batch(&mut self) {
        let alert = self.messages.pop_front().and_then(|message| message.alert);
        self.told(alert);
    }

    fn name(&self) -> &str {
        &self.name
    }
}

fn moment(at_us: i64) -> String {
    Timestamp::from_microsecond(at_us).map_or_else(|_| String::new(), |at| at.to_string())
}

fn hex(text: &str) -> String {
    use sha2::Digest as _;
    let digest = Sha256::digest(text.as_bytes());
    digest
        .iter()
        .take(12)
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification.
    #[test]
    fn signatures_are_the_specifications() {
        let made = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(made, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn an_address_with_a_password_is_refused_without_repeating_it() {
        let args = |address: &str| WebhookArgs {
            webhook: Some(address.to_owned()),
            webhook_on: vec![WebhookKind::Budget],
            webhook_secret_env: None,
        };
        for address in ["https://a:hunter2@host/", "hunter2", "ftp://host/hunter2"] {
            let said = target(&args(address)).unwrap_err().to_string();
            assert!(
                said.starts_with("--webhook: ") && !said.contains("hunter2"),
                "{said}"
            );
        }
        assert!(target(&args("https://host/T0/x")).unwrap().is_some());
    }
}
