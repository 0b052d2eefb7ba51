//! Publishes a ruling at the forge: a commit status, a check run where there are such, and one comment.
//!
//! The comment is found again by a hidden marker in it and by its author, so that nobody else's words are overwritten
//! and nobody else's comment is taken for ours. The token comes from the environment, goes to the one address that was
//! named and nowhere else: no redirects, and no plain HTTP but to this machine.

mod ask;
mod github;
mod gitlab;
#[cfg(test)]
mod hostile;
mod place;
mod words;

use anyhow::Result;
use serde::Serialize;

use crate::{
    cli::{ForgeKind, ForgePart},
    exit::{Broken, Mistake},
    gate::Ruling,
};

pub(crate) use place::{Place, web_address};

/// What a forge is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word<'a> {
    /// The ruling.
    Ruled(&'a Ruling),
    /// No ruling came about, so whatever was said before holds no longer.
    Unjudged,
}

/// What became of one part.
#[derive(Debug, Serialize)]
pub(crate) struct Published {
    pub(crate) part: &'static str,
    /// `created`, `updated` or `unchanged`.
    pub(crate) outcome: &'static str,
    /// Where people see it, where the forge says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
}

/// Why something is not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForgeError {
    /// The forge refuses, and will refuse again.
    #[error("{0}")]
    Refused(String),
    /// The forge could not be reached, or not now.
    #[error("{0}")]
    Passing(String),
}

impl ForgeError {
    /// The error with the status it ends in.
    fn told(self) -> anyhow::Error {
        match self {
            Self::Refused(why) => Mistake(why).into(),
            Self::Passing(why) => Broken(why).into(),
        }
    }
}

/// Publishes what is to be said about a commit. Every part is tried; the first that fails is the error.
pub(crate) async fn publish(
    place: &Place,
    head: &str,
    word: Word<'_>,
) -> (Vec<Published>, Result<()>) {
    let mut done = Vec::new();
    let mut failed = Ok(());
    for part in &place.parts {
        let told = match place.kind {
            ForgeKind::Github => github::part(place, *part, head, word).await,
            ForgeKind::Gitlab => gitlab::part(place, *part, head, word).await,
        };
        match told {
            Ok(published) => done.extend(published),
            Err(error) if failed.is_ok() => failed = Err(error.told()),
            Err(error) => crate::terminal::tell(&format!(
                "wayproof: {}",
                crate::terminal::plain(&error.to_string())
            )),
        }
    }
    (done, failed)
}

/// How a part is called.
const fn name_of(part: ForgePart) -> &'static str {
    match part {
        ForgePart::Status => "status",
        ForgePart::Check => "check",
        ForgePart::Comment => "comment",
    }
}

/// Keeps one comment: the first of ours is updated, further ones of ours are taken away, and without one it is made.
async fn keep_one_comment(thread: &impl Thread, body: &str) -> Result<Published, ForgeError> {
    const TRIES: u32 = 3;
    let mut tries = 0;
    loop {
        tries += 1;
        let mut ours = thread.ours().await?.into_iter();
        let told = match ours.next() {
            Some(first) if first.body == body => Ok(("unchanged", first.url)),
            Some(first) => thread
                .change(first.id, body)
                .await
                .map(|url| ("updated", url)),
            None => thread.add(body).await.map(|url| ("created", url)),
        };
        match told {
            Ok((outcome, url)) => {
                for surplus in ours {
                    thread.remove(surplus.id).await?;
                }
                return Ok(Published {
                    part: name_of(ForgePart::Comment),
                    outcome,
                    url,
                });
            }
            // It may have been made all the same, so it is looked for again.
            Err(ForgeError::Passing(_)) if tries < TRIES => {}
            Err(error) => return Err(error),
        }
    }
}

/// A comment that bears the marker and is our own.
#[derive(Debug)]
struct Comment {
    id: u64,
    body: String,
    url: Option<String>,
}

/// The comments of one change at one forge.
trait Thread {
    /// Comments that bear the marker and are our own, oldest first.
    async fn ours(&self) -> Result<Vec<Comment>, ForgeError>;
    /// Makes one; says where it is.
    async fn add(&self, body: &str) -> Result<Option<String>, ForgeError>;
    /// Says it anew; says where it is.
    async fn change(&self, id: u64, body: &str) -> Result<Option<String>, ForgeError>;
    /// Takes one away.
    async fn remove(&self, id: u64) -> Result<(), ForgeError>;
}
