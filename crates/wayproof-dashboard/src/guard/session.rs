//! Readers who signed in: bounded in number and time, and given a new token as they go on.
//!
//! Only digests of tokens are kept, so that memory holds nothing a reader could be impersonated with, and looking one
//! up tells nothing by the time it takes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::reader::Ticket;

const MINUTE_US: i64 = 60_000_000;
/// A session ends after so long, whatever its reader does.
pub(super) const LONGEST_US: i64 = 12 * 60 * MINUTE_US;
/// A session ends when nothing was asked for so long.
const IDLE_US: i64 = 2 * 60 * MINUTE_US;
/// A token is replaced after so long.
const ROTATE_US: i64 = 30 * MINUTE_US;
/// A replaced token is still good for what was under way.
const GRACE_US: i64 = MINUTE_US;
const MAX_SESSIONS: usize = 1_024;

pub(super) type TokenDigest = [u8; 32];

/// All sessions.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<BTreeMap<TokenDigest, Session>>);

#[derive(Clone, Debug)]
struct Session {
    /// Stays over new tokens.
    id: String,
    ticket: Ticket,
    opened_us: i64,
    issued_us: i64,
    seen_us: i64,
    /// When the token stops to be good because it was replaced.
    until_us: Option<i64>,
}

/// A session that is good.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) ticket: Ticket,
    /// Whether its token should be replaced.
    pub(super) is_due: bool,
}

impl Session {
    fn is_good(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.opened_us) < LONGEST_US
            && now_us.saturating_sub(self.seen_us) < IDLE_US
            && self.until_us.is_none_or(|until| now_us < until)
    }
}

impl Sessions {
    /// Opens a session and returns its token.
    pub(super) fn open(&self, ticket: Ticket, now_us: i64) -> Result<String, getrandom::Error> {
        let (id, token) = (hex(super::random()?), hex(super::random()?));
        let session = Session {
            id,
            ticket,
            opened_us: now_us,
            issued_us: now_us,
            seen_us: now_us,
            until_us: None,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, session| session.is_good(now_us));
        if all.len() >= MAX_SESSIONS {
            let oldest = all.iter().min_by_key(|(_, session)| session.seen_us);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.and_then(|digest| all.remove(&digest));
        }
        all.insert(digest(&token), session);
        drop(all);
        Ok(token)
    }

    /// Finds a session by its token.
    pub(super) fn find(&self, token: &str, now_us: i64) -> Option<Found> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let session = all.get_mut(&digest(token))?;
        if !session.is_good(now_us) {
            return None;
        }
        session.seen_us = session.seen_us.max(now_us);
        Some(Found {
            id: session.id.clone(),
            ticket: session.ticket.clone(),
            is_due: session.until_us.is_none()
                && now_us.saturating_sub(session.issued_us) >= ROTATE_US,
        })
    }

    /// Replaces a session's token.
    pub(super) fn renew(&self, token: &str, now_us: i64) -> Option<String> {
        let fresh = hex(super::random().ok()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = all.get_mut(&digest(token))?;
        // Of two pages that ask at once, one renews.
        if old.until_us.is_some() {
            return None;
        }
        let mut session = old.clone();
        old.until_us = Some(now_us.saturating_add(GRACE_US));
        session.issued_us = now_us;
        all.insert(digest(&fresh), session);
        drop(all);
        Some(fresh)
    }

    /// Ends a session under all its tokens.
    pub(super) fn close(&self, token: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = all.get(&digest(token)).map(|session| session.id.clone());
        if let Some(id) = id {
            all.retain(|_, session| session.id != id);
        }
    }
}

pub(super) fn digest(token: &str) -> TokenDigest {
    Sha256::digest(token.as_bytes()).into()
}

pub(super) fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_in_any_case() {
        let sessions = Sessions::default();
        let token = sessions.open(Ticket::Gateway("team".into()), 0).unwrap();
        assert!(sessions.find(&token, IDLE_US - 1).is_some());
        assert!(sessions.find(&token, 3 * IDLE_US).is_none());
        let token = sessions.open(Ticket::Gateway("team".into()), 0).unwrap();
        let mut now = 0;
        while now < LONGEST_US {
            assert!(sessions.find(&token, now).is_some());
            now += IDLE_US / 2;
        }
        assert!(sessions.find(&token, now).is_none());
    }

    #[test]
    fn a_token_is_replaced_and_the_old_one_runs_out() {
        let sessions = Sessions::default();
        let old = sessions.open(Ticket::Gateway("team".into()), 0).unwrap();
        assert!(!sessions.find(&old, ROTATE_US - 1).unwrap().is_due);
        assert!(sessions.find(&old, ROTATE_US).unwrap().is_due);
        let fresh = sessions.renew(&old, ROTATE_US).unwrap();
        assert!(sessions.renew(&old, ROTATE_US).is_none());
        assert!(sessions.find(&old, ROTATE_US + GRACE_US - 1).is_some());
        assert!(sessions.find(&old, ROTATE_US + GRACE_US).is_none());
        assert!(sessions.find(&fresh, ROTATE_US + GRACE_US).is_some());
        sessions.close(&fresh);
        assert!(sessions.find(&fresh, ROTATE_US + GRACE_US).is_none());
    }

    #[test]
    fn there_are_never_too_many() {
        let sessions = Sessions::default();
        let first = sessions.open(Ticket::Gateway("team".into()), 0).unwrap();
        for now in 0..1_500 {
            sessions.open(Ticket::Gateway("team".into()), now).unwrap();
        }
        assert!(sessions.0.lock().unwrap().len() <= MAX_SESSIONS);
        assert!(sessions.find(&first, 1_500).is_none());
    }
}
