//! One request to a forge's API: authorised, repeated where that can help, and refused in words that say what to do.

use std::time::Duration;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, StatusCode, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION},
};
use secrecy::ExposeSecret as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wayproof_ledger::Clock;
use wayproof_upstream::{Answered, Bounds, OnceError, retry_after, send};

use super::{ForgeError, Place};
use crate::{cli::ForgeKind, exit, terminal::plain};

/// How large an answer may be.
const MOST_ANSWER: usize = 8 << 20;
/// How much of a forge's words is told.
const MOST_WORDS: usize = 300;
/// How often something is asked that did not work, and how long is waited the first time.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest that is waited because the forge asks for it.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// Comments come a page at a time; who has more pages than this is not asked further.
pub(super) const PAGE: usize = 100;
pub(super) const MOST_PAGES: usize = 50;

/// Whether a request may be sent again when nobody knows what became of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// It does no harm.
    Harmless,
    /// It would make a second one.
    Doubles,
}

/// What is asked.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// From the API's address on.
    pub(super) path: &'a str,
    pub(super) body: Option<&'a Value>,
    pub(super) again: Again,
    /// What it does, as `set the status of the commit`.
    pub(super) doing: &'static str,
    /// Which right of the token it takes.
    pub(super) right: &'static str,
}

impl<'a> Ask<'a> {
    /// Reads something.
    pub(super) fn get(path: &'a str, doing: &'static str, right: &'static str) -> Self {
        Self {
            method: Method::GET,
            path,
            body: None,
            again: Again::Harmless,
            doing,
            right,
        }
    }
}

impl Place {
    /// The forge's name.
    pub(super) const fn forge(&self) -> &'static str {
        match self.kind {
            ForgeKind::Github => "GitHub",
            ForgeKind::Gitlab => "GitLab",
        }
    }

    /// Asks and reads the answer.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, ForgeError> {
        let doing = ask.doing;
        let answer = self.exchange(ask).await?;
        serde_json::from_slice(&answer.body).map_err(|_| {
            ForgeError::Passing(format!(
                "{} at {} answered something else than its API describes when it was asked to {doing}; is --forge-url the address of an API?",
                self.forge(),
                self.api
            ))
        })
    }

    /// Asks until there is an answer that says yes.
    pub(super) async fn exchange(&self, ask: Ask<'_>) -> Result<Answered, ForgeError> {
        let uri: Uri = format!("{}{}", self.api, ask.path)
            .parse()
            .map_err(|_| ForgeError::Refused(format!("{} is no address", self.api)))?;
        let body = ask
            .body
            .map_or_else(Bytes::new, |body| body.to_string().into());
        let mut wait = FIRST_WAIT;
        let mut tries = 0;
        loop {
            tries += 1;
            let sent = send(
                &ask.method,
                &uri,
                self.proxy.clone(),
                self.headers(ask.body.is_some()),
                body.clone(),
                Bounds::of(MOST_ANSWER),
            );
            let (error, pause) = match sent.await {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    let pause = self.pause(&answer, ask.again, wait)?;
                    (self.refused(&ask, &answer), pause)
                }
                Err(error) => {
                    let is_unsent = matches!(error, OnceError::Connect(_));
                    let pause = (is_unsent || ask.again == Again::Harmless).then_some(wait);
                    let why = exit::chain(&anyhow::Error::new(error));
                    let told = format!(
                        "{} at {} could not be asked to {}: {}",
                        self.forge(),
                        self.api,
                        ask.doing,
                        self.without_token(&why)
                    );
                    (ForgeError::Passing(told), pause)
                }
            };
            match pause {
                Some(pause) if tries < TRIES => {
                    tracing::info!(%error, wait_s = pause.as_secs(), "asking again");
                    tokio::time::sleep(pause).await;
                    wait *= 2;
                }
                _ => return Err(error),
            }
        }
    }

    fn headers(&self, has_body: bool) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", self.token.expose_secret());
        // It was looked at when the place was made: visible ASCII alone.
        if let Ok(mut value) = HeaderValue::from_str(&bearer) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let accepted = match self.kind {
            ForgeKind::Github => "application/vnd.github+json",
            ForgeKind::Gitlab => "application/json",
        };
        headers.insert(ACCEPT, HeaderValue::from_static(accepted));
        if self.kind == ForgeKind::Github {
            headers.insert(
                "x-github-api-version",
                HeaderValue::from_static("2022-11-28"),
            );
        }
        if has_body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers
    }

    /// How long to wait before the same is asked again; nothing if that is of no use.
    fn pause(
        &self,
        answer: &Answered,
        again: Again,
        wait: Duration,
    ) -> Result<Option<Duration>, ForgeError> {
        let status = answer.status;
        if is_rate_limit(answer) {
            let asked = retry_after(&answer.headers).or_else(|| until_reset(&answer.headers));
            let pause = asked.unwrap_or(wait);
            if pause > LONGEST_WAIT {
                return Err(ForgeError::Passing(format!(
                    "{} takes no more requests of this token for {} s (rate limit); run the gate again then",
                    self.forge(),
                    pause.as_secs()
                )));
            }
            return Ok(Some(pause));
        }
        // Not taken at all, so that nothing is done twice.
        let is_untaken = status == StatusCode::SERVICE_UNAVAILABLE;
        let is_passing = status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT;
        let may = is_untaken || (is_passing && again == Again::Harmless);
        let pause = retry_after(&answer.headers).unwrap_or(wait);
        Ok(may.then_some(pause.min(LONGEST_WAIT)))
    }

    /// What a refusal means.
    fn refused(&self, ask: &Ask<'_>, answer: &Answered) -> ForgeError {
        let (forge, variable, doing) = (self.forge(), &self.token_variable, ask.doing);
        let said = self.words(&answer.body);
        let status = answer.status.as_u16();
        if is_rate_limit(answer) {
            return ForgeError::Passing(format!(
                "{forge} takes no more requests of this token for now (rate limit, {status}){said}"
            ));
        }
        let why = match status {
            401 => format!("{forge} does not accept the token in {variable} (401){said}"),
            403 => format!(
                "{forge} does not let the token in {variable} {doing} (403); it needs {}{said}",
                ask.right
            ),
            404 => format!(
                "{forge} does not find what it takes to {doing} in {} (404): the repository, the commit or the change is not there, or the token in {variable} may not see it{said}",
                self.repo
            ),
            422 => format!("{forge} finds the request to {doing} wrong (422){said}"),
            300..=399 => {
                let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
                format!(
                    "{forge} has moved what it takes to {doing}{}; name it with --forge-url and --forge-repo, since a token is not sent after a redirect",
                    to.map_or_else(String::new, |to| format!(
                        " to {}",
                        self.without_token(&cut(to))
                    ))
                )
            }
            500.. => {
                return ForgeError::Passing(format!("{forge} could not {doing} ({status}){said}"));
            }
            _ => format!("{forge} refuses to {doing} ({status}){said}"),
        };
        ForgeError::Refused(why)
    }

    /// The forge's own words, where it has any.
    fn words(&self, body: &[u8]) -> String {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return String::new();
        };
        let mut said: Vec<String> = Vec::new();
        for key in ["message", "error", "error_description", "errors"] {
            match value.get(key) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) => said.push(text.clone()),
                Some(other) => said.push(other.to_string()),
            }
        }
        if said.is_empty() {
            return String::new();
        }
        format!(": {}", self.without_token(&cut(&said.join("; "))))
    }

    /// A text in which the token is not, whoever repeats it.
    fn without_token(&self, text: &str) -> String {
        text.replace(self.token.expose_secret(), "[token]")
    }
}

fn cut(text: &str) -> String {
    plain(text).chars().take(MOST_WORDS).collect()
}

/// GitHub says 403 or 429, GitLab 429.
fn is_rate_limit(answer: &Answered) -> bool {
    let is_used_up = || {
        let left = answer.headers.get("x-ratelimit-remaining");
        left.is_some_and(|left| left.as_bytes() == b"0")
            || answer.headers.contains_key("retry-after")
    };
    match answer.status.as_u16() {
        429 => true,
        403 => is_used_up(),
        _ => false,
    }
}

/// Until when a rate limit lasts, as GitHub and GitLab say it: seconds since 1970.
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    let reset = headers
        .get("x-ratelimit-reset")
        .or_else(|| headers.get("ratelimit-reset"))?;
    let at: u64 = reset.to_str().ok()?.trim().parse().ok()?;
    let now = u64::try_from(Clock::system().now_us() / 1_000_000).ok()?;
    Some(Duration::from_secs(
        at.saturating_sub(now).saturating_add(1),
    ))
}
