//! GitLab's REST API: statuses of commits and notes on merge requests.
//!
//! Shapes: <https://docs.gitlab.com/api/commits/#set-commit-pipeline-status>, <https://docs.gitlab.com/api/notes/#merge-requests>.

use hyper::Method;
use serde::Deserialize;
use serde_json::json;

use super::Word;
use super::{
    Comment, ForgeError, Place, Published, Thread,
    ask::{Again, Ask, MOST_PAGES, PAGE},
    keep_one_comment, name_of, words,
};
use crate::cli::ForgePart;

/// How long a status's line and a note may be.
const LONGEST_LINE: usize = 255;
const LONGEST_NOTE: usize = 200_000;
const RIGHT: &str = "the scope `api` and at least the role Developer (CI_JOB_TOKEN has not got it)";

#[derive(Debug, Deserialize)]
struct Status {
    status: String,
    name: Option<String>,
    target_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Note {
    id: u64,
    body: Option<String>,
    author: Option<Author>,
    #[serde(default)]
    system: bool,
}

#[derive(Debug, Deserialize)]
struct Author {
    id: u64,
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
        // There is no such thing, and the place does not ask for it.
        ForgePart::Check => Ok(None),
        ForgePart::Comment => {
            let Some(number) = place.change else {
                return Ok(None);
            };
            let thread = Request { place, number };
            let body = words::comment(place, word, LONGEST_NOTE);
            keep_one_comment(&thread, &body).await.map(Some)
        }
    }
}

/// The project as a part of a path.
fn project(place: &Place) -> String {
    format!("/projects/{}", place.repo.replace('/', "%2F"))
}

async fn status(place: &Place, head: &str, word: Word<'_>) -> Result<Published, ForgeError> {
    let state = if words::is_good(word) {
        "success"
    } else {
        "failed"
    };
    let mut body = json!({
        "state": state,
        "name": place.name,
        "description": words::line(word, LONGEST_LINE),
    });
    if let Some(url) = &place.details {
        body["target_url"] = json!(url);
    }
    let path = format!("{}/statuses/{head}", project(place));
    let made: Result<Status, ForgeError> = place
        .ask(Ask {
            method: Method::POST,
            path: &path,
            body: Some(&body),
            again: Again::Harmless,
            doing: "set the status of the commit",
            right: RIGHT,
        })
        .await;
    let (outcome, made) = match made {
        Ok(made) => ("created", made),
        // A state that is already so cannot be entered again.
        Err(error) if error.to_string().contains("Cannot transition status") => {
            match standing(place, head).await? {
                Some(standing) if standing.status == state => ("unchanged", standing),
                _ => return Err(error),
            }
        }
        Err(error) => return Err(error),
    };
    Ok(Published {
        part: name_of(ForgePart::Status),
        outcome,
        url: made.target_url,
    })
}

/// The latest status of that name.
async fn standing(place: &Place, head: &str) -> Result<Option<Status>, ForgeError> {
    let path = format!(
        "{}/repository/commits/{head}/statuses?per_page={PAGE}",
        project(place)
    );
    let ask = Ask::get(&path, "list the statuses of the commit", RIGHT);
    let all: Vec<Status> = place.ask(ask).await?;
    Ok(all
        .into_iter()
        .find(|status| status.name.as_deref() == Some(place.name.as_str())))
}

/// The notes of one merge request.
struct Request<'a> {
    place: &'a Place,
    number: u64,
}

impl Request<'_> {
    fn notes(&self) -> String {
        format!(
            "{}/merge_requests/{}/notes",
            project(self.place),
            self.number
        )
    }
}

impl Thread for Request<'_> {
    async fn ours(&self) -> Result<Vec<Comment>, ForgeError> {
        let ask = Ask::get("/user", "say whose token it is", RIGHT);
        let me: Author = self.place.ask(ask).await?;
        let mut ours = Vec::new();
        for page in 1..=MOST_PAGES {
            let path = format!(
                "{}?sort=asc&order_by=created_at&per_page={PAGE}&page={page}",
                self.notes()
            );
            let ask = Ask::get(&path, "list the notes of the merge request", RIGHT);
            let notes: Vec<Note> = self.place.ask(ask).await?;
            let is_last = notes.len() < PAGE;
            for note in notes {
                let body = note.body.unwrap_or_default();
                let is_by_us = note.author.as_ref().is_some_and(|by| by.id == me.id);
                if is_by_us && !note.system && words::is_marked(&body, &self.place.name) {
                    ours.push(Comment {
                        id: note.id,
                        body,
                        url: None,
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
        let path = self.notes();
        let _made: Note = self
            .place
            .ask(Ask {
                method: Method::POST,
                path: &path,
                body: Some(&json!({"body": body})),
                again: Again::Doubles,
                doing: "write a note on the merge request",
                right: RIGHT,
            })
            .await?;
        Ok(None)
    }

    async fn change(&self, id: u64, body: &str) -> Result<Option<String>, ForgeError> {
        let path = format!("{}/{id}", self.notes());
        let _made: Note = self
            .place
            .ask(Ask {
                method: Method::PUT,
                path: &path,
                body: Some(&json!({"body": body})),
                again: Again::Harmless,
                doing: "update its note",
                right: RIGHT,
            })
            .await?;
        Ok(None)
    }

    async fn remove(&self, id: u64) -> Result<(), ForgeError> {
        let path = format!("{}/{id}", self.notes());
        let ask = Ask {
            method: Method::DELETE,
            ..Ask::get(&path, "take away a second note of its own", RIGHT)
        };
        self.place.exchange(ask).await.map(drop)
    }
}
