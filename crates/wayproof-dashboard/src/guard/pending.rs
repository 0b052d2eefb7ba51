//! Sign-ins that were begun here and that an identity provider has not sent back yet: bounded in number and time, and
//! each good for one return of the browser that began it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use subtle::ConstantTimeEq as _;

use super::session::{TokenDigest, digest, hex};

/// A sign-in that takes longer has to be begun again.
pub(super) const LONGEST_US: i64 = 10 * 60_000_000;
const MAX_PENDING: usize = 1_024;

/// All sign-ins under way, by the digest of the cookie that their browser keeps.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<BTreeMap<TokenDigest, Begun>>);

/// A sign-in under way.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    /// What the provider sends back along with the browser.
    pub(super) state: String,
    /// What the token has to repeat.
    pub(super) nonce: String,
    /// What shows the provider that who redeems the code is who asked for it.
    pub(super) verifier: String,
    /// Where the provider sends the browser back.
    pub(super) callback: String,
    /// Where the reader wanted to go.
    pub(super) to: String,
    begun_us: i64,
}

impl Pending {
    /// Begins a sign-in; its cookie comes with it.
    pub(super) fn begin(
        &self,
        callback: String,
        to: String,
        now_us: i64,
    ) -> Result<(String, Begun), getrandom::Error> {
        let token = hex(super::random()?);
        let begun = Begun {
            state: hex(super::random()?),
            nonce: hex(super::random()?),
            verifier: hex(super::random()?),
            callback,
            to,
            begun_us: now_us,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, begun| begun.is_good(now_us));
        if all.len() >= MAX_PENDING {
            let oldest = all.iter().min_by_key(|(_, begun)| begun.begun_us);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.and_then(|digest| all.remove(&digest));
        }
        all.insert(digest(&token), begun.clone());
        drop(all);
        Ok((token, begun))
    }

    /// Takes the sign-in that this browser began in this state. A wrong state ends nothing: anybody can send one.
    pub(super) fn take(&self, token: &str, state: &str, now_us: i64) -> Option<Begun> {
        let digest = digest(token);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = all.get(&digest)?;
        let is_it = bool::from(begun.state.as_bytes().ct_eq(state.as_bytes()));
        if !is_it {
            return None;
        }
        all.remove(&digest).filter(|begun| begun.is_good(now_us))
    }
}

impl Begun {
    const fn is_good(&self, now_us: i64) -> bool {
        now_us.saturating_sub(self.begun_us) < LONGEST_US
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(pending: &Pending, now_us: i64) -> (String, Begun) {
        let begun = pending.begin("https://here/login/callback".into(), "/".into(), now_us);
        begun.unwrap()
    }

    #[test]
    fn a_sign_in_comes_back_once_to_the_browser_that_began_it() {
        let pending = Pending::default();
        let (token, begun) = begin(&pending, 0);
        let (other, of_other) = begin(&pending, 0);
        assert!(pending.take(&other, &begun.state, 1).is_none());
        assert!(pending.take("", &begun.state, 1).is_none());
        assert!(pending.take(&token, "", 1).is_none());
        assert!(pending.take(&token, &begun.state, 1).is_some());
        assert!(pending.take(&token, &begun.state, 1).is_none());
        assert!(pending.take(&other, &of_other.state, LONGEST_US).is_none());
    }

    #[test]
    fn there_are_never_too_many() {
        let pending = Pending::default();
        let (first, begun) = begin(&pending, 0);
        for now in 1..1_500 {
            begin(&pending, now);
        }
        assert!(pending.0.lock().unwrap().len() <= MAX_PENDING);
        assert!(pending.take(&first, &begun.state, 1_500).is_none());
    }
}
