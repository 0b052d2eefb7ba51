//! `wayproof keys`: made, listed, rotated, revoked, removed.

use std::{collections::BTreeSet, process::ExitCode};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayproof_engine::Scope;
use wayproof_gateway::{KeyDigest, mint_key, mint_key_again};
use wayproof_ledger::{FormerDigest, Key, Ledger};

use super::{check_name, open, record, span_us};
use crate::{
    cli::books::{BooksArgs, KeysCommand, NewKeyArgs},
    exit::{Broken, Mistake},
    terminal::{moment, print, print_json_pretty, table, tell},
};

/// Runs a command on keys.
pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode> {
    match command {
        KeysCommand::New(args) => new(args).await?,
        KeysCommand::List(args) => list(&args).await?,
        KeysCommand::Rotate { name, grace, books } => {
            let grace_us = span_us(&grace)?;
            rotate(&books, &name, grace_us).await?;
        }
        KeysCommand::Revoke { name, books } => revoke(&books, &name).await?,
        KeysCommand::Remove { name, books } => remove(&books, &name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn new(args: NewKeyArgs) -> Result<()> {
    check_name("key", &args.name)?;
    for name in args.person.iter().chain(&args.teams) {
        check_name("person or team", name)?;
    }
    let span = args.expires.as_deref().map(span_us).transpose()?;
    let ledger = open(&args.ledger).await?;
    let books = ledger.books();
    if books.register().key_named(&args.name).is_some() {
        let sentence = format!(
            "there is a key `{}` already; rotate it, or choose another name",
            args.name
        );
        return Err(Mistake(sentence).into());
    }
    if let Some(person) = &args.person
        && !books.register().people.contains_key(person)
    {
        tell(&format!(
            "nobody is called `{person}` yet, so the key draws on no team's budget through them; see `wayproof people set`"
        ));
    }
    let (id, secret) = mint_key().map_err(no_randomness)?;
    let now_us = ledger.clock().now_us();
    let set = |names: Vec<String>| names.into_iter().collect::<BTreeSet<_>>();
    let key = Key {
        id,
        name: args.name,
        digest: KeyDigest::of(secret.as_bytes()).to_hex(),
        former: None,
        person: args.person,
        teams: set(args.teams),
        scope: Scope {
            tasks: set(args.tasks),
            classes: set(args.classes),
            providers: set(args.providers),
        },
        requests_per_minute: args.requests_per_minute,
        tokens_per_minute: args.tokens_per_minute,
        made_us: now_us,
        expires_us: span.map(|span| now_us.saturating_add(span)),
        revoked_us: None,
    };
    let (name, good_for, told) = (key.name.clone(), good_for(&key), shown(&key, now_us));
    books.put_key(key).await.context("keeping the key")?;
    record(&ledger, "key-made", &name, Some(good_for)).await?;
    if args.json {
        let mut told = told;
        told["key"] = Value::String(secret);
        return print_json_pretty(&told);
    }
    tell(&format!(
        "key `{name}`, shown this once; agents send it where they send a provider's key"
    ));
    print(&secret)
}

fn no_randomness(error: getrandom::Error) -> Broken {
    Broken(format!("the system gives no randomness: {error}"))
}

fn named(ledger: &Ledger, name: &str) -> Result<Key> {
    let register = ledger.books().register();
    let known = register.key_named(name).cloned();
    Ok(known.ok_or_else(|| {
        Mistake(format!(
            "there is no key `{name}`; see `wayproof keys list`"
        ))
    })?)
}

async fn rotate(args: &BooksArgs, name: &str, grace_us: i64) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let mut key = named(ledger, name)?;
    let now_us = ledger.clock().now_us();
    if !key.is_good(now_us) {
        return Err(Mistake(format!("key `{name}` is over; make another one")).into());
    }
    let secret = mint_key_again(&key.id).map_err(no_randomness)?;
    let until_us = now_us.saturating_add(grace_us);
    key.former = Some(FormerDigest {
        digest: std::mem::replace(&mut key.digest, KeyDigest::of(secret.as_bytes()).to_hex()),
        until_us,
    });
    let mut told = shown(&key, now_us);
    ledger
        .books()
        .put_key(key)
        .await
        .context("keeping the key")?;
    let detail = format!("the old one is good until {}", moment(until_us));
    record(ledger, "key-rotated", name, Some(detail.clone())).await?;
    if args.json {
        told["key"] = Value::String(secret);
        told["former_good_until_us"] = until_us.into();
        return print_json_pretty(&told);
    }
    tell(&format!("key `{name}`, shown this once; {detail} UTC"));
    print(&secret)
}

async fn revoke(args: &BooksArgs, name: &str) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let mut key = named(ledger, name)?;
    if key.revoked_us.is_some() {
        return Err(Mistake(format!("key `{name}` is revoked already")).into());
    }
    let now_us = ledger.clock().now_us();
    key.revoked_us = Some(now_us);
    let told = shown(&key, now_us);
    ledger
        .books()
        .put_key(key)
        .await
        .context("revoking the key")?;
    record(ledger, "key-revoked", name, None).await?;
    if args.json {
        return print_json_pretty(&told);
    }
    tell(&format!("key `{name}` is good for nothing from now on"));
    Ok(())
}

async fn remove(args: &BooksArgs, name: &str) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let key = named(ledger, name)?;
    if key.is_good(ledger.clock().now_us()) {
        let sentence = format!("key `{name}` is good; revoke it first");
        return Err(Mistake(sentence).into());
    }
    let books = ledger.books();
    books
        .remove_key(&key.id)
        .await
        .context("removing the key")?;
    let register = books.fresh(-1).await.context("reading the books")?;
    record(ledger, "key-removed", name, None).await?;
    if args.json {
        return print_json_pretty(&json!({
            "id": key.id, "name": name, "removed": true, "callers_need_a_key": register.needs_key(),
        }));
    }
    tell(&if register.needs_key() {
        format!("key `{name}` is off the list")
    } else {
        format!(
            "key `{name}` is off the list; there is none left, so callers on a gateway's own machine need none"
        )
    });
    Ok(())
}

async fn list(args: &BooksArgs) -> Result<()> {
    let ledger = open(&args.ledger).await?;
    let register = ledger.books().register();
    let now_us = ledger.clock().now_us();
    ledger.close().await?;
    if args.json {
        let keys: Vec<Value> = register
            .keys
            .values()
            .map(|key| shown(key, now_us))
            .collect();
        return print_json_pretty(&keys);
    }
    let mut keys: Vec<&Key> = register.keys.values().collect();
    keys.sort_by(|one, other| one.name.cmp(&other.name));
    let lines: Vec<Vec<String>> = keys
        .into_iter()
        .map(|key| {
            vec![
                key.name.clone(),
                format!("wp_key_{}_…", key.id),
                key.person.clone().unwrap_or_else(|| "-".to_owned()),
                good_for(key),
                moment(key.made_us),
                state(key, now_us),
            ]
        })
        .collect();
    print(&table(
        &["name", "key", "person", "good for", "made", "state"],
        &lines,
    ))
}

/// A key for programs, without its digests.
fn shown(key: &Key, now_us: i64) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "person": key.person,
        "teams": key.teams,
        "scope": key.scope,
        "requests_per_minute": key.requests_per_minute,
        "tokens_per_minute": key.tokens_per_minute,
        "made_us": key.made_us,
        "expires_us": key.expires_us,
        "revoked_us": key.revoked_us,
        "is_good": key.is_good(now_us),
    })
}

fn state(key: &Key, now_us: i64) -> String {
    match (key.revoked_us, key.expires_us) {
        (Some(revoked), _) => format!("revoked {}", moment(revoked)),
        (None, Some(expires)) if expires <= now_us => format!("expired {}", moment(expires)),
        (None, Some(expires)) => format!("good until {}", moment(expires)),
        (None, None) => "good".to_owned(),
    }
}

fn good_for(key: &Key) -> String {
    let list = |what: &str, names: &BTreeSet<String>| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let parts = [
        list("task", &key.scope.tasks),
        list("class", &key.scope.classes),
        list("provider", &key.scope.providers),
        list("team", &key.teams),
        key.requests_per_minute
            .map(|most| format!("{most} requests/min")),
        key.tokens_per_minute
            .map(|most| format!("{most} tokens/min")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() {
        "everything".to_owned()
    } else {
        parts.join("; ")
    }
}
