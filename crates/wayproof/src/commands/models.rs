//! Models with what is known of them: prices, limits and abilities from the catalog, pace and task fit from the ledger.

mod compare;

use std::{collections::BTreeSet, fs, path::Path, process::ExitCode};

use anyhow::{Context, Result};
use hyper::Uri;
use serde_json::{Value, json};
use wayproof_engine::{Catalog, ModelFacts, PriceRow, Rates};
use wayproof_ledger::{Clock, Ledger, ModelPace, TaskFit};

use self::compare::compared;
use super::ledger::at;
use crate::{
    catalogs::{self, From, InForce},
    cli::{LedgerPlace, ModelsCommand, ModelsListArgs, ModelsSyncArgs},
    exit::Mistake,
    settings,
    terminal::{cost, plain, print, print_json_pretty, table},
};

/// A published list larger than this is none.
const LIST_LIMIT: usize = 64 << 20;

/// Runs a command on models.
pub(crate) async fn run(command: ModelsCommand) -> Result<ExitCode> {
    match command {
        ModelsCommand::List(args) => list(args).await,
        ModelsCommand::Show {
            model,
            json,
            ledger,
        } => show(&model, json, &ledger).await,
        ModelsCommand::Sync(args) => sync(args).await,
        ModelsCommand::Diff { file, json, data } => {
            let data = settings::data_path(data.data.as_deref())?;
            diff(file.as_deref(), json, &data)
        }
    }
}

/// What the ledger knows; nothing where there is none.
struct Seen {
    paces: Vec<ModelPace>,
    fits: Vec<TaskFit>,
}

impl Seen {
    async fn read(place: &LedgerPlace) -> Result<Self> {
        let data = settings::data_path(place.data.data.as_deref())?;
        if place.ledger.is_none() && !data.is_dir() {
            return Ok(Self {
                paces: Vec::new(),
                fits: Vec::new(),
            });
        }
        let ledger: Ledger = at(place).await?;
        let paces = ledger.model_pace().await.context("reading the ledger")?;
        let cube = ledger.spend_cube(0).await;
        let fits = cube.context("reading the ledger")?.task_fit(0);
        ledger.close().await?;
        Ok(Self { paces, fits })
    }

    fn pace(&self, provider: &str, model: &str) -> Option<&ModelPace> {
        let is_it = |one: &&ModelPace| one.provider == provider && one.model == model;
        self.paces.iter().find(is_it)
    }

    fn fits(&self, provider: &str, model: &str) -> Vec<&TaskFit> {
        let fits = self.fits.iter();
        fits.filter(|one| one.provider == provider && one.model == model)
            .collect()
    }
}

/// A model as it is listed.
struct Listed<'a> {
    provider: String,
    model: String,
    facts: Option<&'a ModelFacts>,
    price: Option<&'a PriceRow>,
}

async fn list(args: ModelsListArgs) -> Result<ExitCode> {
    let data = settings::data_path(args.ledger.data.data.as_deref())?;
    let in_force = catalogs::in_force(&data)?;
    let seen = Seen::read(&args.ledger).await?;
    let names = named(&args, &in_force.catalog, &seen)?;
    let now = Clock::system().now_us();
    let rows: Vec<Listed<'_>> = names
        .into_iter()
        .map(|(provider, model)| Listed {
            facts: in_force.catalog.facts(&provider, &model),
            price: in_force.catalog.price(&provider, &model, now),
            provider,
            model,
        })
        .collect();
    if args.json {
        let rows: Vec<Value> = rows.iter().map(|row| value(row, &seen)).collect();
        print_json_pretty(&json!({"catalog": about(&in_force), "models": rows}))?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = rows.iter().map(|row| cells(row, &seen)).collect();
    let head = [
        "model",
        "window",
        "output",
        "$ in",
        "$ out",
        "$ cached",
        "takes",
        "tools",
        "pace",
        "proven",
        "per proven",
    ];
    print(&table(&head, &rows))?;
    print(&line(&in_force))?;
    Ok(ExitCode::SUCCESS)
}

/// The models that are meant: of one provider, all, or those that the policy names and the ledger has seen.
fn named(
    args: &ModelsListArgs,
    catalog: &Catalog,
    seen: &Seen,
) -> Result<BTreeSet<(String, String)>> {
    let listed = catalog
        .models()
        .map(|(provider, facts, _)| (provider.to_owned(), facts.id.clone()));
    if args.all {
        return Ok(listed.collect());
    }
    if let Some(wanted) = &args.provider {
        let found: BTreeSet<_> = listed.filter(|(provider, _)| provider == wanted).collect();
        if found.is_empty() {
            let known: BTreeSet<&str> = catalog.models().map(|(provider, ..)| provider).collect();
            let known: Vec<&str> = known.into_iter().collect();
            return Err(Mistake(format!(
                "the catalog has no provider `{}`; it has {}",
                plain(wanted),
                known.join(", ")
            ))
            .into());
        }
        return Ok(found);
    }
    let policy = settings::policy(args.policy.as_deref())?;
    let targets = policy.classes().iter().flat_map(|class| &class.targets);
    let targets = targets.map(|target| (target.provider.clone(), target.model.clone()));
    let used = seen
        .paces
        .iter()
        .map(|pace| (pace.provider.clone(), pace.model.clone()));
    Ok(targets.chain(used).collect())
}

fn value(row: &Listed<'_>, seen: &Seen) -> Value {
    let fits: Vec<Value> = seen
        .fits(&row.provider, &row.model)
        .into_iter()
        .map(fit_value)
        .collect();
    json!({
        "provider": row.provider, "model": row.model, "facts": row.facts, "price": row.price,
        "pace": seen.pace(&row.provider, &row.model), "fit": fits,
    })
}

fn fit_value(fit: &TaskFit) -> Value {
    json!({
        "task": fit.task, "judged": fit.judged, "proven": fit.proven, "proven_pm": fit.proven_pm(),
        "listed_nano_usd": fit.money.listed_nano_usd,
        "listed_per_proven_nano_usd": fit.listed_per_proven_nano_usd(),
    })
}

fn cells(row: &Listed<'_>, seen: &Seen) -> Vec<String> {
    let facts = row.facts;
    let rates = row.price.and_then(|price| price.steps.first());
    let count = |count: Option<u64>| count.map_or_else(unknown, tokens);
    let money = |rate: Option<i64>| rate.map_or_else(unknown, dollars);
    let pace = seen.pace(&row.provider, &row.model);
    let fits = seen.fits(&row.provider, &row.model);
    let judged: i64 = fits.iter().map(|fit| fit.judged).sum();
    let proven: i64 = fits.iter().map(|fit| fit.proven).sum();
    let spent: Option<i64> = fits.iter().map(|fit| fit.money.listed_nano_usd).sum();
    let per_proven = spent.and_then(|spent| spent.checked_div(proven));
    vec![
        format!("{}/{}", plain(&row.provider), plain(&row.model)),
        count(facts.and_then(|facts| facts.window)),
        count(facts.and_then(|facts| facts.output)),
        money(rates.map(|rates| rates.input)),
        money(rates.map(|rates| rates.output)),
        money(rates.and_then(|rates| rates.cache_read)),
        facts.map_or_else(unknown, |facts| words(&facts.takes)),
        facts
            .and_then(|facts| facts.tools)
            .map_or_else(unknown, yes),
        pace.and_then(|pace| pace.median_us)
            .map_or_else(String::new, seconds),
        if judged > 0 {
            format!("{proven} of {judged}")
        } else {
            String::new()
        },
        if proven > 0 {
            cost(per_proven)
        } else {
            String::new()
        },
    ]
}

async fn show(name: &str, as_json: bool, place: &LedgerPlace) -> Result<ExitCode> {
    let data = settings::data_path(place.data.data.as_deref())?;
    let in_force = catalogs::in_force(&data)?;
    let Some((provider, model)) = name.split_once('/') else {
        let sentence = format!("`{}` should read PROVIDER/MODEL", plain(name));
        return Err(Mistake(sentence).into());
    };
    let seen = Seen::read(place).await?;
    let catalog = &in_force.catalog;
    let now = Clock::system().now_us();
    let row = Listed {
        provider: provider.to_owned(),
        model: model.to_owned(),
        facts: catalog.facts(provider, model),
        price: catalog.price(provider, model, now),
    };
    if row.facts.is_none() && seen.pace(provider, model).is_none() {
        return Err(Mistake(format!(
            "neither the catalog nor the ledger knows {}; `wayproof models list --provider {}` shows what the catalog has",
            plain(name),
            plain(provider)
        ))
        .into());
    }
    if as_json {
        let mut shown = value(&row, &seen);
        shown["catalog"] = about(&in_force);
        print_json_pretty(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&told(&row, &seen).join("\n"))?;
    print(&line(&in_force))?;
    Ok(ExitCode::SUCCESS)
}

/// Everything about one model, a line each.
fn told(row: &Listed<'_>, seen: &Seen) -> Vec<String> {
    let empty = ModelFacts::default();
    let facts = row.facts.unwrap_or(&empty);
    let count = |count: Option<u64>| count.map_or_else(unknown, |count| format!("{count} tokens"));
    let mut lines = vec![
        format!("{}/{}", plain(&row.provider), plain(&row.model)),
        format!("window     {}", count(facts.window)),
        format!("output     {}", count(facts.output)),
        format!("takes      {}", words(&facts.takes)),
        format!("gives      {}", words(&facts.gives)),
        format!("tools      {}", facts.tools.map_or_else(unknown, yes)),
        format!("thinks     {}", facts.reasoning.map_or_else(unknown, yes)),
        format!("efforts    {}", words(&facts.efforts)),
        format!(
            "knowledge  {}",
            facts.knowledge.as_deref().map_or_else(unknown, plain)
        ),
    ];
    match row.price {
        Some(price) => lines.extend(price.steps.iter().map(|rates| priced(rates, price))),
        None => lines.push("price      unknown".to_owned()),
    }
    if let Some(note) = &facts.note {
        lines.push(format!("source     {}", plain(note)));
    }
    if let Some(pace) = seen.pace(&row.provider, &row.model) {
        let time = |time: Option<i64>| time.map_or_else(unknown, seconds);
        lines.push(format!(
            "pace       half of the answers within {}, 95 % within {}; {} completed, {} not",
            time(pace.median_us),
            time(pace.p95_us),
            pace.completed,
            pace.failed
        ));
    }
    for fit in seen.fits(&row.provider, &row.model) {
        lines.push(format!(
            "fit        {}: {} of {} proven, {} per proven change",
            plain(&fit.task),
            fit.proven,
            fit.judged,
            cost(fit.listed_per_proven_nano_usd())
        ));
    }
    lines
}

fn priced(rates: &Rates, price: &PriceRow) -> String {
    let over = if rates.over > 0 {
        format!(" over {} tokens of input", rates.over)
    } else {
        String::new()
    };
    let maybe = |name: &str, rate: Option<i64>| {
        rate.map(|rate| format!(", {name} {}", dollars(rate)))
            .unwrap_or_default()
    };
    format!(
        "price{over}      {} in, {} out{}{}{}{} (per million, as of {})",
        dollars(rates.input),
        dollars(rates.output),
        maybe("cache read", rates.cache_read),
        maybe("cache write", rates.cache_write_5m),
        maybe("for an hour", rates.cache_write_1h),
        maybe("reasoning", rates.reasoning),
        price.as_of
    )
}

async fn sync(args: ModelsSyncArgs) -> Result<ExitCode> {
    let (text, place) = match (&args.file, &args.url) {
        (Some(file), None) => {
            let wrong = |error| Mistake(format!("{} cannot be read: {error}", file.display()));
            let text = fs::read_to_string(file).map_err(wrong)?;
            (text, file.display().to_string())
        }
        (None, Some(url)) => (download(url).await?, url.clone()),
        _ => {
            let sentence =
                "name the list: --file FILE or --url URL, such as https://models.dev/api.json";
            return Err(Mistake(sentence.to_owned()).into());
        }
    };
    let (list, left) = catalogs::parse(&text, &place)?;
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let from = From {
        place,
        date,
        digest: catalogs::digest(&text),
    };
    catalogs::layer(Some(&list), None, Some(&from)).map_err(|error| Mistake(error.to_string()))?;
    let data = settings::data_directory(&args.data)?;
    let before = catalogs::in_force(&data)?;
    catalogs::keep(&data, &text, &from)?;
    let after = catalogs::in_force(&data)?;
    let changes = compared(&before.catalog, &after.catalog);
    if args.json {
        let left: Vec<Value> = left
            .iter()
            .map(|one| json!({"model": one.model, "why": one.why}))
            .collect();
        print_json_pretty(
            &json!({"catalog": about(&after), "changes": changes, "left_out": left}),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    for one in left.iter().take(10) {
        print(&format!(
            "left out {}: {}",
            plain(&one.model),
            plain(&one.why)
        ))?;
    }
    if left.len() > 10 {
        print(&format!("left out {} more", left.len() - 10))?;
    }
    print(&format!("{} model(s) changed", changes.len()))?;
    print(&line(&after))?;
    print("a gateway that runs takes it up when it is started again")?;
    Ok(ExitCode::SUCCESS)
}

async fn download(url: &str) -> Result<String> {
    let uri: Uri = url
        .parse()
        .map_err(|_| Mistake(format!("--url {}: it is no address", plain(url))))?;
    let bytes = wayproof_upstream::fetch(&uri, crate::gateway::proxy()?, LIST_LIMIT)
        .await
        .with_context(|| format!("getting {}", plain(url)))?;
    let text = String::from_utf8(bytes.to_vec());
    Ok(text.map_err(|_| Mistake(format!("{} is not text", plain(url))))?)
}

/// The catalog in force beside the built-in one, or a list beside the catalog in force.
fn diff(file: Option<&Path>, as_json: bool, data: &Path) -> Result<ExitCode> {
    let in_force = catalogs::in_force(data)?;
    let changes = match file {
        None => compared(Catalog::embedded(), &in_force.catalog),
        Some(file) => {
            let wrong = |error| Mistake(format!("{} cannot be read: {error}", file.display()));
            let text = fs::read_to_string(file).map_err(wrong)?;
            let (list, _) = catalogs::parse(&text, &file.display().to_string())?;
            let layered = catalogs::layer(Some(&list), None, None);
            let layered = layered.map_err(|error| Mistake(error.to_string()))?;
            compared(&in_force.catalog, &layered.catalog)
        }
    };
    if as_json {
        print_json_pretty(&changes)?;
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        let text = |name: &str| plain(change[name].as_str().unwrap_or_default());
        print(&format!(
            "{:8} {}  {}",
            text("change"),
            text("model"),
            text("what")
        ))?;
    }
    print(&format!("{} model(s) differ", changes.len()))?;
    Ok(ExitCode::SUCCESS)
}

/// Which catalog it is.
fn about(in_force: &InForce) -> Value {
    json!({
        "digest": in_force.catalog.digest(), "date": in_force.catalog.date(), "source": in_force.catalog.source(),
        "synced": in_force.synced, "own": in_force.own,
    })
}

fn line(in_force: &InForce) -> String {
    let catalog = &in_force.catalog;
    format!(
        "catalog {} of {}: {}",
        catalog.digest(),
        catalog.date(),
        plain(catalog.source())
    )
}

fn unknown() -> String {
    "?".to_owned()
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn words(words: &[String]) -> String {
    if words.is_empty() {
        return unknown();
    }
    plain(&words.join(" "))
}

/// A rate in dollars, without zeros that say nothing.
fn dollars(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn tokens(count: u64) -> String {
    if count >= 1_000 && count.is_multiple_of(1_000) {
        format!("{}k", count / 1_000)
    } else {
        count.to_string()
    }
}

fn seconds(micros: i64) -> String {
    format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000)
}
