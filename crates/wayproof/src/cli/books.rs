//! Commands on what operators set: keys, budgets, people.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use wayproof_engine::{Subject, Window};
use wayproof_ledger::Role;

use super::LedgerPlace;

/// Reads the name of a role.
fn parse_role(text: &str) -> Result<Role, String> {
    let found = Role::ALL.into_iter().find(|role| role.name() == text);
    found.ok_or_else(|| "it is viewer, reviewer or admin".to_owned())
}

/// Commands on the keys of the gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a key and shows it, once. From the first key on, every caller needs one.
    New(NewKeyArgs),
    /// Lists the keys with what they are good for; never a key itself.
    List(BooksArgs),
    /// Makes another key in the place of one; the old one stays good for a while.
    Rotate {
        /// The key's name.
        name: String,
        /// How long the old key stays good: 90s, 30m, 12h or 7d.
        #[arg(long, value_name = "SPAN", default_value = "1h")]
        grace: String,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Ends a key at once, on every gateway of the ledger. Callers need one as before, also after the last.
    Revoke {
        /// The key's name.
        name: String,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Takes a key that is revoked or over off the list. With the last one, callers on this machine need none again.
    Remove {
        /// The key's name.
        name: String,
        #[command(flatten)]
        books: BooksArgs,
    },
}

/// Makes a key.
#[derive(Debug, Args)]
pub(crate) struct NewKeyArgs {
    /// What the key is called, such as `ci` or `ana-laptop`.
    pub(crate) name: String,
    /// The person it is for.
    #[arg(long)]
    pub(crate) person: Option<String>,
    /// A team whose budgets it draws on, beside those of the person. May be repeated.
    #[arg(long = "team", value_name = "TEAM")]
    pub(crate) teams: Vec<String>,
    /// A task it is good for. May be repeated [default: every task].
    #[arg(long = "task", value_name = "TASK")]
    pub(crate) tasks: Vec<String>,
    /// A class it may be served by. May be repeated [default: every class].
    #[arg(long = "class", value_name = "CLASS")]
    pub(crate) classes: Vec<String>,
    /// A provider it may be sent to. May be repeated [default: every provider].
    #[arg(long = "only-provider", value_name = "NAME")]
    pub(crate) providers: Vec<String>,
    /// How long it is good: 90s, 30m, 12h or 7d [default: until it is revoked].
    #[arg(long, value_name = "SPAN")]
    pub(crate) expires: Option<String>,
    /// Requests it may make in a minute, on each gateway.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_minute: Option<u32>,
    /// Tokens it may use in a minute, on each gateway.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) tokens_per_minute: Option<u64>,
    /// Prints one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Which books, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct BooksArgs {
    /// Prints JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) ledger: LedgerPlace,
}

/// Commands on budgets.
#[derive(Debug, Subcommand)]
pub(crate) enum BudgetsCommand {
    /// Sets a budget, in the place of one for the same subject and window.
    ///
    /// What a request can cost at most is held before it is sent, so nothing is ever spent beyond the amount.
    Set {
        /// Whose it is: everyone, team:NAME, person:NAME, key:NAME, repo:NAME, session:NAME or job:ID; * for each.
        subject: Subject,
        /// The amount, such as `200 USD`.
        amount: String,
        /// How long it lasts before it starts anew, in UTC: hour, day, week, month or total.
        #[arg(long, value_name = "WINDOW", default_value = "month")]
        per: Window,
        /// From when on new jobs start one class lower: a share such as 80% or an amount such as `160 USD`.
        #[arg(long, value_name = "SHARE")]
        soft: Option<String>,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Lists budgets with what is spent and held of each.
    List(BooksArgs),
    /// Lifts a budget.
    Remove {
        /// Whose it is.
        subject: Subject,
        /// Its window.
        #[arg(long, value_name = "WINDOW", default_value = "month")]
        per: Window,
        #[command(flatten)]
        books: BooksArgs,
    },
}

/// Commands on people and their teams.
#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// Says which teams a person is in, and what they may see and do on the dashboard.
    Set {
        /// What the person is called in keys and budgets.
        name: String,
        /// A team. May be repeated.
        #[arg(long = "team", value_name = "TEAM")]
        teams: Vec<String>,
        /// What they may do on the dashboard: viewer looks, reviewer decides on changes, too, admin also sees the settings [default: what they had, else viewer].
        #[arg(long, value_parser = parse_role)]
        role: Option<Role>,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Reads people from a TOML file with a table `[people.NAME]` each, with `teams = ["…"]` and `role = "…"`; others are forgotten.
    Read {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        books: BooksArgs,
    },
    /// Lists people.
    List(BooksArgs),
    /// Forgets a person. Their keys stay what they are.
    Remove {
        /// The person.
        name: String,
        #[command(flatten)]
        books: BooksArgs,
    },
}
