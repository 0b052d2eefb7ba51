//! Says a request of Chat in the older words, for providers that refuse the newer ones.
//!
//! Nothing is lost: `developer` is `system`, and `max_completion_tokens` is `max_tokens`. Every other byte stays as it
//! came and where it was.

use crate::json::Json;
use crate::leave_out::{Change, alter};
use crate::translate::ChatHabits;
use crate::view::Request;

const NEW_LIMIT: &str = "max_completion_tokens";
const OLD_LIMIT: &str = "max_tokens";

/// The body in the provider's words; `None` where it is in them already.
pub fn reword(request: &Request<'_>, habits: ChatHabits) -> Option<Vec<u8>> {
    let has_old_limit = request.json(OLD_LIMIT).is_some();
    alter(request, |name, value| match name {
        "messages" if habits.is_told_by_system => {
            instructions(request, value).map_or(Change::Keep, Change::Put)
        }
        NEW_LIMIT if habits.has_old_limit && has_old_limit => Change::LeaveOut,
        NEW_LIMIT if habits.has_old_limit => Change::Rename(OLD_LIMIT),
        _ => Change::Keep,
    })
}

/// The messages with `system` for `developer`, if one of them is from there.
fn instructions(request: &Request<'_>, messages: Json<'_>) -> Option<Vec<u8>> {
    let messages = messages.bytes();
    let start = messages.as_ptr().addr();
    let items = request.peek.items.iter();
    let roles = items
        .filter_map(|item| Json::new(item.of(request.body)).get("role"))
        .filter(|role| role.text().as_deref() == Some("developer"));
    let mut reworded = Vec::new();
    let mut copied = 0;
    for role in roles.map(Json::bytes) {
        let place = role.as_ptr().addr().checked_sub(start)?;
        reworded.extend_from_slice(messages.get(copied..place)?);
        reworded.extend_from_slice(br#""system""#);
        copied = place + role.len();
    }
    if copied == 0 {
        return None;
    }
    reworded.extend_from_slice(messages.get(copied..)?);
    Some(reworded)
}
