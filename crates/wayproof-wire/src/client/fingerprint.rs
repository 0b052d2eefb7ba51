//! A session id for clients that send none: a hash of how the conversation began.
//!
//! It is stable over the conversation because agents replay its beginning. It refuses to use tool-call ids: the first
//! request has none yet, and a session must keep its name from the first request on.

use xxhash_rust::xxh3::Xxh3;

use super::{Agent, Clues};
use crate::ask::human_text;
use crate::view::Role;

/// How many items are searched for the first words of the user.
const SEARCHED_ITEMS: usize = 16;

pub(super) fn fingerprint(agent: Agent, clues: &Clues<'_>) -> String {
    let request = clues.request;
    let mut hash = Xxh3::new();
    hash.update(agent.name().as_bytes());
    hash.update(&[0]);
    hash.update(clues.system_head().as_bytes());
    hash.update(&[0]);
    let first = (0..request.len().min(SEARCHED_ITEMS))
        .filter(|index| request.role(*index) == Some(Role::User))
        .find_map(|index| human_text(agent, &request.spoken(index)?));
    match first {
        Some(text) => hash.update(text.as_bytes()),
        None => hash.update(request.raw_item(0).unwrap_or_default()),
    }
    format!("fp-{:032x}", hash.digest128())
}
