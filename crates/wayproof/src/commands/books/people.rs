//! `wayproof people`: who is in which team.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;
use wayproof_ledger::{Person, Role};

use super::{check_name, open, record};
use crate::{
    cli::books::{BooksArgs, PeopleCommand},
    exit::Mistake,
    terminal::{print, print_json_pretty, table, tell},
};

/// A file of people.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    people: BTreeMap<String, Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    teams: BTreeSet<String>,
    #[serde(default)]
    role: Role,
}

/// Runs a command on people.
pub(crate) async fn run(command: PeopleCommand) -> Result<ExitCode> {
    match command {
        PeopleCommand::Set {
            name,
            teams,
            role,
            books,
        } => {
            let mut person = Person {
                name,
                teams: teams.into_iter().collect(),
                role: Role::default(),
            };
            check(&person)?;
            set(&books, &mut person, role).await?;
        }
        PeopleCommand::Read { file, books } => read(&file, &books).await?,
        PeopleCommand::List(args) => list(&args).await?,
        PeopleCommand::Remove { name, books } => remove(&books, &name).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Keeps a person; a role that nobody names stays what it was.
async fn set(args: &BooksArgs, person: &mut Person, role: Option<Role>) -> Result<()> {
    let ledger = open(&args.ledger).await?;
    let register = ledger.books().register();
    let known = register.people.get(&person.name);
    person.role = role
        .or_else(|| known.map(|known| known.role))
        .unwrap_or_default();
    let said = said(person);
    let kept = ledger.books().put_person(person.clone()).await;
    kept.context("keeping the person")?;
    record(&ledger, "person-set", &person.name, Some(said.clone())).await?;
    if args.json {
        return print_json_pretty(person);
    }
    tell(&format!("{}: {said}", person.name));
    Ok(())
}

async fn remove(args: &BooksArgs, name: &str) -> Result<()> {
    let ledger = open(&args.ledger).await?;
    if !ledger.books().register().people.contains_key(name) {
        let sentence = format!("nobody is called `{name}`; see `wayproof people list`");
        return Err(Mistake(sentence).into());
    }
    let removed = ledger.books().remove_person(name).await;
    removed.context("forgetting the person")?;
    record(&ledger, "person-removed", name, None).await?;
    if args.json {
        return print_json_pretty(&json!({"name": name, "removed": true}));
    }
    tell(&format!(
        "{name} is forgotten; their keys stay what they are"
    ));
    Ok(())
}

fn check(person: &Person) -> Result<()> {
    check_name("person", &person.name)?;
    person
        .teams
        .iter()
        .try_for_each(|team| check_name("team", team))
}

fn said(person: &Person) -> String {
    let role = person.role.name();
    if person.teams.is_empty() {
        return format!("in no team, {role}");
    }
    format!("in {}, {role}", teams(person))
}

fn teams(person: &Person) -> String {
    let teams: Vec<&str> = person.teams.iter().map(String::as_str).collect();
    teams.join(", ")
}

async fn read(path: &Path, args: &BooksArgs) -> Result<()> {
    let ledger = &open(&args.ledger).await?;
    let wrong = |why: &str| Mistake(format!("{} cannot be read: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    let file: File = toml::from_str(&text).map_err(|error| wrong(error.message()))?;
    let people: Vec<Person> = file
        .people
        .into_iter()
        .map(|(name, entry)| Person {
            name,
            teams: entry.teams,
            role: entry.role,
        })
        .collect();
    people.iter().try_for_each(check)?;
    let known = ledger.books().register();
    let named: BTreeSet<&str> = people.iter().map(|person| person.name.as_str()).collect();
    let gone: Vec<String> = known
        .people
        .keys()
        .filter(|name| !named.contains(name.as_str()))
        .cloned()
        .collect();
    let changed: Vec<Person> = people
        .iter()
        .filter(|person| known.people.get(&person.name) != Some(person))
        .cloned()
        .collect();
    let said = format!(
        "{} set, {} forgotten, {} in all",
        changed.len(),
        gone.len(),
        people.len()
    );
    let told = json!({"set": changed, "forgotten": gone, "people": people.len()});
    for person in changed {
        ledger
            .books()
            .put_person(person)
            .await
            .context("keeping a person")?;
    }
    for name in &gone {
        ledger
            .books()
            .remove_person(name)
            .await
            .context("forgetting a person")?;
    }
    record(ledger, "person-set", "a file of people", Some(said.clone())).await?;
    if args.json {
        return print_json_pretty(&told);
    }
    tell(&said);
    Ok(())
}

async fn list(args: &BooksArgs) -> Result<()> {
    let ledger = open(&args.ledger).await?;
    let register = ledger.books().register();
    ledger.close().await?;
    let people: Vec<&Person> = register.people.values().collect();
    if args.json {
        return print_json_pretty(&people);
    }
    let lines: Vec<Vec<String>> = people
        .iter()
        .map(|person| {
            let keys: Vec<&str> = register
                .keys
                .values()
                .filter(|key| key.person.as_ref() == Some(&person.name))
                .map(|key| key.name.as_str())
                .collect();
            vec![
                person.name.clone(),
                person.role.name().to_owned(),
                teams(person),
                keys.join(", "),
            ]
        })
        .collect();
    print(&table(&["person", "role", "teams", "keys"], &lines))
}
