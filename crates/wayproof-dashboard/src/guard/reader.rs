//! Readers who showed a key or were named by a proxy or an identity provider, and what they may do by now.
//!
//! A key that was revoked, rotated away or ran out ends its sessions, and a role that was changed holds from the next
//! page on: both are looked up for every request.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use wayproof_ledger::{Key, LedgerError, Register, Role};

use crate::desk::Desk;

/// How old what is known of keys may be when one is shown.
const KEY_AGE_US: i64 = 100_000;
/// How old what is known of keys and people may be for a reader who signed in.
const REGISTER_AGE_US: i64 = 1_000_000;

/// Why a reader is let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ticket {
    /// A key that the gateway was started with, by its name.
    Gateway(String),
    /// A key that was given out, with the digest it was shown under.
    Key { id: String, digest: String },
    /// A proxy vouches for the person.
    Person(String),
    /// An identity provider signed the person in.
    SignedIn(String),
}

/// Somebody who may look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reader {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) ticket: Ticket,
}

impl Desk {
    /// Whoever holds a key.
    pub(super) async fn reader_by_key(&self, key: &str) -> Result<Option<Reader>, LedgerError> {
        let register = self.ledger().books().fresh(KEY_AGE_US).await?;
        if let Some(name) = self.house().holder_of(key.as_bytes()) {
            return Ok(Some(Reader {
                name: name.clone(),
                role: Role::Admin,
                ticket: Ticket::Gateway(name),
            }));
        }
        let digest = format!("{:x}", Sha256::digest(key.as_bytes()));
        let now_us = self.now_us();
        // Every key is compared, so that the time taken says nothing about which one is close.
        let found = register.keys.values().fold(None, |found, known| {
            if is_of(known, &digest, now_us) {
                Some(known)
            } else {
                found
            }
        });
        Ok(found
            .filter(|known| known.is_good(now_us))
            .map(|known| Reader {
                name: name_of(known),
                role: register.role_of(known),
                ticket: Ticket::Key {
                    id: known.id.clone(),
                    digest,
                },
            }))
    }

    /// What the holder of a ticket is by now; nothing once it is worth nothing.
    pub(super) async fn reader_of(&self, ticket: &Ticket) -> Result<Option<Reader>, LedgerError> {
        let register = self.ledger().books().fresh(REGISTER_AGE_US).await?;
        Ok(standing(&register, ticket, self.now_us()))
    }

    /// The same by what was seen last, for a page that stays open; the register is looked at again meanwhile.
    pub(crate) fn is_still_good(&self, ticket: Option<&Ticket>) -> bool {
        let Some(ticket) = ticket else {
            return true;
        };
        let books = self.ledger().books();
        books.freshen(REGISTER_AGE_US);
        standing(&books.register(), ticket, self.now_us()).is_some()
    }
}

fn standing(register: &Register, ticket: &Ticket, now_us: i64) -> Option<Reader> {
    let (name, role) = match ticket {
        // The gateway keeps its key for as long as it runs.
        Ticket::Gateway(name) => (name.clone(), Role::Admin),
        Ticket::Key { id, digest } => {
            let known = register.keys.get(id)?;
            let is_good = known.is_good(now_us) && is_of(known, digest, now_us);
            is_good.then(|| (name_of(known), register.role_of(known)))?
        }
        Ticket::Person(name) | Ticket::SignedIn(name) => {
            (name.clone(), register.people.get(name)?.role)
        }
    };
    Some(Reader {
        name,
        role,
        ticket: ticket.clone(),
    })
}

/// The person, and where there is none, the key.
fn name_of(key: &Key) -> String {
    key.person.clone().unwrap_or_else(|| key.name.clone())
}

fn is_of(known: &Key, digest: &str, now_us: i64) -> bool {
    let is = |other: &str| bool::from(other.as_bytes().ct_eq(digest.as_bytes()));
    let former = known.former.as_ref();
    is(&known.digest) || former.is_some_and(|former| now_us < former.until_us && is(&former.digest))
}
