//! GitHub's REST API: commit statuses, check runs and comments on issues, which pull requests are.
//!
//! Shapes: <https://docs.github.com/en/rest/commits/statuses>, `…/rest/checks/runs`, `…/rest/issues/comments`.

use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Word;
use super::{
    Comment, ForgeError, Place, Published, Thread,
    ask::{Again, Ask, MOST_PAGES, PAGE},
    keep_one_comment, name_of, words,
};
use crate::cli::ForgePart;

/// How long a status's line and a document may be.
const LONGEST_LINE: usize = 140;
const LONGEST_DOCUMENT: usize = 60_000;

#[derive(Debug, Deserialize)]
struct Made {
    html_url: Option<String>,
    target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Told {
    id: u64,
    body: Option<String>,
    html_url: Option<String>,
    user: Option<Author>,
}

#[derive(Debug, Deserialize)]
struct Author {
    login: String,
    #[serde(default, rename = "type")]
    kind: String,
}

/// Publishes one part.
pub(super) async fn part(
    place: &Place,
    part: ForgePart,
    head: &str,
    word: Word<'_>,
) -> Result<Option<Published>, ForgeError> {
    match part {
        ForgePart::Status => status(place, head, word).await.map(Some),
        ForgePart::Check => check(place, head, word).await.map(Some),
        ForgePart::Comment => {
            let Some(number) = place.change else {
                return Ok(None);
            };
            let thread = Issue { place, number };
            let body = words::comment(place, word, LONGEST_DOCUMENT);
            keep_one_comment(&thread, &body).await.map(Some)
        }
    }
}

async fn status(place: &Place, head: &str, word: Word<'_>) -> Result<Published, ForgeError> {
    let state = match word {
        Word::Unjudged => "error",
        Word::Ruled(_) if words::is_good(word) => "success",
        Word::Ruled(_) => "failure",
    };
    let mut body = json!({
        "state": state,
        "context": place.name,
        "description": words::line(word, LONGEST_LINE),
    });
    if let Some(url) = &place.details {
        body["target_url"] = json!(url);
    }
    let made: Made = place
        .ask(Ask {
            method: Method::POST,
            path: &format!("/repos/{}/statuses/{head}", place.repo),
            body: Some(&body),
            again: Again::Harmless,
            doing: "set the status of the commit",
            right: "the permission `statuses: write`",
        })
        .await?;
    Ok(Published {
        part: name_of(ForgePart::Status),
        outcome: "created",
        url: made.target_url,
    })
}

async fn check(place: &Place, head: &str, word: Word<'_>) -> Result<Published, ForgeError> {
    let conclusion = if words::is_good(word) {
        "success"
    } else {
        "failure"
    };
    let notes = words::annotations(word);
    let mut body = json!({
        "name": place.name,
        "head_sha": head,
        "status": "completed",
        "conclusion": conclusion,
        "output": {
            "title": words::title(word),
            "summary": words::document(place, word, LONGEST_DOCUMENT),
        },
    });
    if !notes.is_empty() {
        body["output"]["annotations"] = Value::Array(notes);
    }
    if let Some(url) = &place.details {
        body["details_url"] = json!(url);
    }
    let made: Made = place
        .ask(Ask {
            method: Method::POST,
            path: &format!("/repos/{}/check-runs", place.repo),
            body: Some(&body),
            again: Again::Harmless,
            doing: "make a check run",
            right: "the permission `checks: write` of an app, as Actions' own token has it; without one name `--publish-parts status,comment`",
        })
        .await?;
    Ok(Published {
        part: name_of(ForgePart::Check),
        outcome: "created",
        url: made.html_url,
    })
}

const RIGHT: &str = "the permission `pull-requests: write`";

/// The comments of one pull request.
struct Issue<'a> {
    place: &'a Place,
    number: u64,
}

impl Issue<'_> {
    /// Who we are; a token of an app is not told, and its comments are a bot's.
    async fn login(&self) -> Result<Option<String>, ForgeError> {
        let ask = Ask::get("/user", "say whose token it is", RIGHT);
        match self.place.ask::<Author>(ask).await {
            Ok(user) => Ok(Some(user.login)),
            Err(ForgeError::Refused(why)) if why.contains("(401)") => Err(ForgeError::Refused(why)),
            Err(ForgeError::Refused(_)) => Ok(None),
            Err(passing) => Err(passing),
        }
    }

    fn one(&self, id: u64) -> String {
        format!("/repos/{}/issues/comments/{id}", self.place.repo)
    }
}

impl Thread for Issue<'_> {
    async fn ours(&self) -> Result<Vec<Comment>, ForgeError> {
        let me = self.login().await?;
        let is_ours = |author: &Author| match &me {
            Some(me) => author.login.eq_ignore_ascii_case(me),
            None => author.kind == "Bot",
        };
        let mut ours = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!(
                "/repos/{}/issues/{}/comments?per_page={PAGE}&page={page}",
                self.place.repo, self.number
            );
            let ask = Ask::get(&path, "list the comments of the pull request", RIGHT);
            let told: Vec<Told> = self.place.ask(ask).await?;
            let is_last = told.len() < PAGE;
            for told in told {
                let body = told.body.unwrap_or_default();
                if told.user.as_ref().is_some_and(is_ours)
                    && words::is_marked(&body, &self.place.name)
                {
                    ours.push(Comment {
                        id: told.id,
                        body,
                        url: told.html_url,
                    });
                }
            }
            if is_last {
                break;
            }
        }
        Ok(ours)
    }

    async fn add(&self, body: &str) -> Result<Option<String>, ForgeError> {
        let path = format!("/repos/{}/issues/{}/comments", self.place.repo, self.number);
        let made: Made = self
            .place
            .ask(Ask {
                method: Method::POST,
                path: &path,
                body: Some(&json!({"body": body})),
                again: Again::Doubles,
                doing: "comment on the pull request",
                right: RIGHT,
            })
            .await?;
        Ok(made.html_url)
    }

    async fn change(&self, id: u64, body: &str) -> Result<Option<String>, ForgeError> {
        let made: Made = self
            .place
            .ask(Ask {
                method: Method::PATCH,
                path: &self.one(id),
                body: Some(&json!({"body": body})),
                again: Again::Harmless,
                doing: "update its comment",
                right: RIGHT,
            })
            .await?;
        Ok(made.html_url)
    }

    async fn remove(&self, id: u64) -> Result<(), ForgeError> {
        let path = self.one(id);
        let ask = Ask {
            method: Method::DELETE,
            ..Ask::get(&path, "take away a second comment of its own", RIGHT)
        };
        self.place.exchange(ask).await.map(drop)
    }
}
