//! Holders of keys that operators gave out: who they are, and whether they may ask right now.

use std::sync::Arc;

use wayproof_engine::Scope;
use wayproof_ledger::{FormerDigest, Key, MadeBy, Register};
use wayproof_wire::{Fault, FaultKind};

use crate::exchange::Caller;
use crate::gateway::Shared;
use crate::keys::KeyDigest;
use crate::rate::Pace;

/// How old what is known of keys may be when one is shown, so that a revoked one is no good a moment later.
const KEY_AGE_US: i64 = 100_000;

/// How old what is known of keys and budgets may be otherwise.
const BOOKS_AGE_US: i64 = 1_000_000;

/// Somebody with a key that was given out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The key's id.
    pub(crate) id: String,
    /// The key's name.
    pub(crate) name: String,
    /// Whom it was given to.
    pub(crate) person: Option<String>,
    /// The teams of both.
    pub(crate) teams: Vec<String>,
    /// What it is good for.
    pub(crate) scope: Scope,
}

/// Whose an exchange is, as the ledger names them.
pub(crate) fn made_by(caller: &Caller) -> MadeBy {
    match caller {
        Caller::Named(name) => MadeBy {
            key: Some(name.clone()),
            ..MadeBy::default()
        },
        Caller::Holder(holder) | Caller::Job(_, Some(holder)) => MadeBy {
            key: Some(holder.name.clone()),
            person: holder.person.clone(),
            teams: holder.teams.clone(),
        },
        Caller::Local | Caller::Job(_, None) => MadeBy::default(),
    }
}

/// Whether callers need a key, by what was last seen of the books; they are looked at again meanwhile.
pub(crate) fn needs_key(shared: &Shared) -> bool {
    let books = shared.ledger.books();
    books.freshen(BOOKS_AGE_US);
    let register = books.register();
    register.needs_key()
}

/// Finds whoever holds a key that was shown, and lets them make one request.
pub(crate) async fn find(shared: &Shared, id: &str, key: &[u8]) -> Result<Arc<Holder>, Fault> {
    let register = register(shared).await?;
    let known = shown(shared, &register, id, key)?;
    let holder = good(shared, &register, known)?;
    take_turn(shared, known)?;
    Ok(Arc::new(holder))
}

/// The same for a job that was opened with the key: it is as good as the key is now.
pub(crate) async fn find_by_id(shared: &Shared, id: &str) -> Result<Arc<Holder>, Fault> {
    let register = register(shared).await?;
    let gone = || unauthorized("the key that opened this job was removed".to_owned());
    let known = register.keys.get(id).ok_or_else(gone)?;
    let holder = good(shared, &register, known)?;
    take_turn(shared, known)?;
    Ok(Arc::new(holder))
}

/// Finds whoever holds a key that was shown for a page, which takes nothing from its pace.
pub(crate) async fn recognise(shared: &Shared, id: &str, key: &[u8]) -> Result<Arc<Holder>, Fault> {
    let register = register(shared).await?;
    let known = shown(shared, &register, id, key)?;
    good(shared, &register, known).map(Arc::new)
}

async fn register(shared: &Shared) -> Result<Arc<Register>, Fault> {
    let register = shared.ledger.books().fresh(KEY_AGE_US).await;
    register.map_err(|error| {
        let message = format!("keys cannot be checked: {error}");
        Fault::new(FaultKind::LedgerUnavailable, message)
    })
}

fn shown<'a>(
    shared: &Shared,
    register: &'a Register,
    id: &str,
    key: &[u8],
) -> Result<&'a Key, Fault> {
    let now_us = shared.clock.now_us();
    let known = register
        .keys
        .get(id)
        .filter(|known| is_of(known, key, now_us));
    known.ok_or_else(|| unauthorized("this key is not one of this gateway".to_owned()))
}

fn good(shared: &Shared, register: &Register, known: &Key) -> Result<Holder, Fault> {
    check(known, shared.clock.now_us())?;
    Ok(holder(known, register))
}

/// Takes one request from what the key may make in a minute.
fn take_turn(shared: &Shared, known: &Key) -> Result<(), Fault> {
    let pace = Pace {
        requests: known.requests_per_minute,
        tokens: known.tokens_per_minute,
    };
    let taken = shared.paces.take(&known.id, pace, shared.clock.now_us());
    taken.map_err(|wait| Fault {
        kind: FaultKind::RateLimited,
        message: format!(
            "key `{}` may use {} {} a minute; come back in {} s",
            known.name, wait.per_minute, wait.what, wait.seconds
        ),
        retry_after_s: Some(wait.seconds),
    })
}

fn is_of(known: &Key, key: &[u8], now_us: i64) -> bool {
    let shown = KeyDigest::of(key);
    let is = |digest: &str| KeyDigest::from_hex(digest).is_some_and(|digest| digest.is(&shown));
    let is_former = |former: &FormerDigest| now_us < former.until_us && is(&former.digest);
    is(&known.digest) || known.former.as_ref().is_some_and(is_former)
}

fn check(known: &Key, now_us: i64) -> Result<(), Fault> {
    if known.revoked_us.is_some() {
        return Err(unauthorized(format!(
            "key `{}` was revoked; ask for another",
            known.name
        )));
    }
    if known.is_good(now_us) {
        return Ok(());
    }
    Err(unauthorized(format!(
        "key `{}` has expired; ask for another",
        known.name
    )))
}

fn holder(known: &Key, register: &Register) -> Holder {
    Holder {
        id: known.id.clone(),
        name: known.name.clone(),
        person: known.person.clone(),
        teams: register.teams_of(known),
        scope: known.scope.clone(),
    }
}

fn unauthorized(message: String) -> Fault {
    Fault::new(FaultKind::Unauthorized, message)
}
