//! A forge on this machine: it keeps what it is told, and refuses what the published shapes do not allow.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use jsonschema::Validator;
use serde_json::{Value, json};
use wayproof_testkit::{Captured, Provider, Reply};

pub(super) const TOKEN: &str = "ghs_0123456789abcdefSECRET";
/// The repository, which GitLab knows by its escaped path.
pub(super) const REPO: &str = "octo/sums";

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Github,
    Gitlab,
}

/// What the forge holds.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) statuses: Vec<(String, Value)>,
    pub(super) checks: Vec<Value>,
    /// Comments: number, author, whether a bot, text.
    pub(super) comments: Vec<(u64, String, bool, String)>,
    /// What was wrong with requests.
    pub(super) wrong: Vec<String>,
    /// Answers that come first, for requests whose path holds this.
    pub(super) script: VecDeque<(&'static str, Reply)>,
    /// Whether the token is one of an app, which has no user.
    pub(super) is_app: bool,
    next: u64,
}

pub(super) struct Forge {
    pub(super) provider: Provider,
    kept: Arc<Mutex<Kept>>,
}

impl Forge {
    pub(super) async fn start(kind: Kind) -> Self {
        let kept = Arc::new(Mutex::new(Kept::default()));
        let shapes = Shapes::of(kind);
        let theirs = Arc::clone(&kept);
        let provider = Provider::start(move |request| {
            let mut kept = theirs.lock().unwrap_or_else(PoisonError::into_inner);
            let at = kept
                .script
                .iter()
                .position(|(path, _)| request.path.contains(path));
            if let Some((_, reply)) = at.and_then(|at| kept.script.remove(at)) {
                return reply;
            }
            answer(kind, &shapes, &mut kept, request)
        })
        .await
        .unwrap();
        Self { provider, kept }
    }

    /// Looks at what it holds, or changes it.
    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Kept) -> T) -> T {
        look(&mut self.kept.lock().unwrap())
    }
}

struct Shapes {
    status: Validator,
    check: Option<Validator>,
    comment: Validator,
}

impl Shapes {
    fn of(kind: Kind) -> Self {
        let text = match kind {
            Kind::Github => include_str!("github.json"),
            Kind::Gitlab => include_str!("gitlab.json"),
        };
        let all: Value = serde_json::from_str(text).unwrap();
        let read = |name: &str| jsonschema::validator_for(&all[name]).unwrap();
        Self {
            status: read("status"),
            check: all.get("check").map(|_| read("check")),
            comment: read("comment"),
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table of what the forge answers")]
fn answer(kind: Kind, shapes: &Shapes, kept: &mut Kept, request: &Captured) -> Reply {
    let refuse =
        |status: u16, message: &str| Reply::json(status, json!({"message": message}).to_string());
    if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
        return refuse(401, "Bad credentials");
    }
    let wants = match kind {
        Kind::Github => "application/vnd.github+json",
        Kind::Gitlab => "application/json",
    };
    if request.header("accept") != Some(wants) {
        kept.wrong
            .push("it does not say what it accepts".to_owned());
    }
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if path.ends_with("/user") {
        return if kept.is_app {
            refuse(403, "Resource not accessible by integration")
        } else {
            Reply::json(200, json!({"id": 1, "login": "gate"}).to_string())
        };
    }
    let home = match kind {
        Kind::Github => format!("/api/repos/{REPO}"),
        Kind::Gitlab => format!("/api/projects/{}", REPO.replace('/', "%2F")),
    };
    let Some(rest) = path.strip_prefix(&home) else {
        return refuse(404, "Not Found");
    };
    let parts: Vec<&str> = rest.trim_start_matches('/').split('/').collect();
    let method = request.method.as_str();
    let mut take = |shape: &Validator| -> Result<Value, Reply> {
        if request.header("content-type") != Some("application/json") {
            kept.wrong
                .push(format!("{rest}: it is not said to be JSON"));
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        let wrong: Vec<String> = shape
            .iter_errors(&body)
            .map(|error| format!("{rest}: {error}"))
            .collect();
        if wrong.is_empty() {
            return Ok(body);
        }
        kept.wrong.extend(wrong);
        Err(refuse(422, "Validation Failed"))
    };
    match (kind, method, parts.as_slice()) {
        (_, "POST", ["statuses", sha]) => match take(&shapes.status) {
            Ok(body) => status(kind, kept, sha, body),
            Err(refused) => refused,
        },
        (Kind::Gitlab, "GET", ["repository", "commits", sha, "statuses"]) => {
            let of_it = kept.statuses.iter().rev().filter(|(of, _)| of == sha);
            let all: Vec<Value> = of_it
                .map(|(_, told)| json!({"status": told["state"], "name": told["name"]}))
                .collect();
            Reply::json(200, Value::Array(all).to_string())
        }
        (Kind::Github, "POST", ["check-runs"]) => match take(shapes.check.as_ref().unwrap()) {
            Ok(body) => {
                kept.checks.push(body);
                Reply::json(
                    201,
                    json!({"id": 7, "html_url": "https://forge.example/runs/7"}).to_string(),
                )
            }
            Err(refused) => refused,
        },
        (Kind::Github, "GET", ["issues", "9", "comments"])
        | (Kind::Gitlab, "GET", ["merge_requests", "9", "notes"]) => list(kept, query),
        (Kind::Github, "POST", ["issues", "9", "comments"])
        | (Kind::Gitlab, "POST", ["merge_requests", "9", "notes"]) => match take(&shapes.comment) {
            Ok(body) => {
                let is_app = kept.is_app;
                let made = add(kept, "gate", is_app, body["body"].as_str().unwrap());
                Reply::json(201, one(&made).to_string())
            }
            Err(refused) => refused,
        },
        (Kind::Github, "PATCH", ["issues", "comments", id])
        | (Kind::Gitlab, "PUT", ["merge_requests", "9", "notes", id]) => {
            match take(&shapes.comment) {
                Ok(body) => match kept
                    .comments
                    .iter_mut()
                    .find(|kept| kept.0.to_string() == *id)
                {
                    Some(found) => {
                        body["body"].as_str().unwrap().clone_into(&mut found.3);
                        Reply::json(200, one(found).to_string())
                    }
                    None => refuse(404, "Not Found"),
                },
                Err(refused) => refused,
            }
        }
        (Kind::Github, "DELETE", ["issues", "comments", id])
        | (Kind::Gitlab, "DELETE", ["merge_requests", "9", "notes", id]) => {
            kept.comments.retain(|kept| kept.0.to_string() != *id);
            Reply::json(204, "")
        }
        _ => refuse(404, "Not Found"),
    }
}

/// GitLab does not enter a state that it is in.
fn status(kind: Kind, kept: &mut Kept, sha: &str, body: Value) -> Reply {
    let latest = kept
        .statuses
        .iter()
        .rev()
        .find(|(of, told)| of == sha && told["name"] == body["name"]);
    if kind == Kind::Gitlab && latest.is_some_and(|(_, told)| told["state"] == body["state"]) {
        let message = "Cannot transition status via :succeed from :success (Reason(s): Status cannot transition via \"succeed\")";
        return Reply::json(400, json!({"message": message}).to_string());
    }
    let told = json!({"id": 1, "status": body["state"], "name": body["name"], "target_url": body["target_url"]});
    kept.statuses.push((sha.to_owned(), body));
    Reply::json(201, told.to_string())
}

fn one((id, author, is_bot, body): &(u64, String, bool, String)) -> Value {
    let kind = if *is_bot { "Bot" } else { "User" };
    let number = if author == "gate" { 1 } else { 2 };
    json!({
        "id": id,
        "body": body,
        "html_url": format!("https://forge.example/comments/{id}"),
        "user": {"login": author, "type": kind},
        "author": {"id": number, "username": author},
        "system": false,
    })
}

/// Adds a comment, whoever says it.
pub(super) fn add(
    kept: &mut Kept,
    author: &str,
    is_bot: bool,
    body: &str,
) -> (u64, String, bool, String) {
    kept.next += 1;
    let made = (kept.next, author.to_owned(), is_bot, body.to_owned());
    kept.comments.push(made.clone());
    made
}

fn list(kept: &Kept, query: &str) -> Reply {
    let number = |name: &str, otherwise: usize| {
        let found = query.split('&').find_map(|pair| pair.strip_prefix(name));
        found.map_or(otherwise, |text| text.parse().unwrap())
    };
    let (size, page) = (number("per_page=", 30).min(100), number("page=", 1));
    let some = kept.comments.iter().skip(size * (page - 1)).take(size);
    Reply::json(200, Value::Array(some.map(one).collect()).to_string())
}
