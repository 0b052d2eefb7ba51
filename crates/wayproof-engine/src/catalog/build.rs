//! Makes the catalog file from the data module of the `genai-prices` wheel, the table of models of the `litellm` wheel
//! and a file of our own rows.
//! Facts only: ids, patterns, windows, prices and abilities. What it cannot express it refuses, naming the model.

use std::collections::BTreeMap;

use super::{
    Catalog, CatalogError, File, FileModel, FilePrice, FileProvider, FileStep, amount, litellm,
    literal::{self, Literal, LiteralError},
};

/// Why no catalog was made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The text has no list of providers.
    #[error("the source has no `providers` list")]
    NoProviders,
    /// The source is not the expression it should be.
    #[error("reading the source")]
    Literal(#[from] LiteralError),
    /// A part of it has no place in the catalog.
    #[error("{model}: {what}")]
    Unknown {
        /// Provider and model.
        model: String,
        /// What is wrong.
        what: String,
    },
    /// Our own rows are not a catalog.
    #[error("reading our own rows")]
    Overrides(#[from] CatalogError),
    /// The catalog could not be written.
    #[error("writing the catalog")]
    Json(#[from] serde_json::Error),
}

type Named = BTreeMap<String, Literal>;

/// The texts that a catalog is made of.
#[derive(Debug, Clone, Copy)]
pub struct CatalogSources<'a> {
    /// The wheel's `data.py`, with prices.
    pub prices: &'a str,
    /// The table of what models can do.
    pub abilities: &'a str,
    /// A catalog file of our own rows, which come before all.
    pub own: &'a str,
}

/// Makes the catalog; `source` is a line for the file's head and `date` the day, as `2026-11-22`.
///
/// # Errors
/// When the source holds something that the catalog cannot express.
pub fn build(sources: CatalogSources<'_>, source: &str, date: &str) -> Result<String, BuildError> {
    const START: &str = "providers: list[Provider] = ";
    let data = sources.prices;
    let start = data.find(START).ok_or(BuildError::NoProviders)?;
    let list = literal::read(data, start + START.len())?;
    let providers = list.list().ok_or(BuildError::NoProviders)?;
    let mut providers: Vec<FileProvider> =
        providers.iter().map(provider).collect::<Result<_, _>>()?;
    let ours: File = serde_json::from_str(sources.own)?;
    for mine in ours.providers {
        match providers.iter_mut().find(|provider| provider.id == mine.id) {
            // Our rows come first, since the first match wins.
            Some(provider) => {
                provider.models.splice(0..0, mine.models);
            }
            None => providers.push(mine),
        }
    }
    let mut file = File {
        source: source.to_owned(),
        date: date.to_owned(),
        providers,
    };
    let priced = Catalog::parse(&write(&file)?)?;
    litellm::fill(&mut file.providers, &priced, sources.abilities)?;
    let text = write(&file)?;
    // A file that this version cannot read must not be handed out.
    Catalog::parse(&text)?;
    Ok(text)
}

/// JSON with a model a line, so that a change of one shows as a change of one.
pub(super) fn write(file: &File) -> Result<String, serde_json::Error> {
    let mut out = format!(
        "{{\n\"source\": {},\n\"date\": {},\n\"providers\": [\n",
        serde_json::to_string(&file.source)?,
        serde_json::to_string(&file.date)?
    );
    let mut providers = Vec::new();
    for provider in &file.providers {
        let models: Result<Vec<String>, _> =
            provider.models.iter().map(serde_json::to_string).collect();
        let fallback = if provider.fallback.is_empty() {
            String::new()
        } else {
            format!(
                ", \"fallback\": {}",
                serde_json::to_string(&provider.fallback)?
            )
        };
        providers.push(format!(
            "{{\"id\": {}{fallback}, \"models\": [\n{}\n]}}",
            serde_json::to_string(&provider.id)?,
            models?.join(",\n")
        ));
    }
    out.push_str(&providers.join(",\n"));
    out.push_str("\n]\n}\n");
    Ok(out)
}

fn provider(literal: &Literal) -> Result<FileProvider, BuildError> {
    let fields = literal.call("Provider").ok_or(BuildError::NoProviders)?;
    let id = fields
        .get("id")
        .and_then(Literal::text)
        .unwrap_or_default()
        .to_owned();
    let fallback = fields
        .get("fallback_model_providers")
        .and_then(Literal::list);
    let models = fields
        .get("models")
        .and_then(Literal::list)
        .unwrap_or_default();
    Ok(FileProvider {
        fallback: texts(fallback.unwrap_or_default()),
        models: models
            .iter()
            .map(|literal| model(&id, literal))
            .collect::<Result<_, _>>()?,
        id,
    })
}

fn texts(list: &[Literal]) -> Vec<String> {
    list.iter()
        .filter_map(Literal::text)
        .map(str::to_owned)
        .collect()
}

fn model(provider: &str, literal: &Literal) -> Result<FileModel, BuildError> {
    let empty = Named::new();
    let fields = literal.call("ModelInfo").unwrap_or(&empty);
    let id = fields
        .get("id")
        .and_then(Literal::text)
        .unwrap_or_default()
        .to_owned();
    let unknown = |what: String| BuildError::Unknown {
        model: format!("{provider}/{id}"),
        what,
    };
    let mut patterns = match fields.get("match") {
        Some(clause) => clauses(clause).map_err(unknown)?,
        None => Vec::new(),
    };
    if patterns.iter().all(|pattern| *pattern == id) {
        patterns.clear();
    }
    let window = match fields.get("context_window") {
        Some(Literal::Number(number)) => Some(
            number
                .replace('_', "")
                .parse()
                .map_err(|_| unknown(format!("window {number}")))?,
        ),
        Some(_) | None => None,
    };
    let prices = match fields.get("prices") {
        Some(Literal::List(list)) => list.iter().map(conditional).collect(),
        Some(price) => price_of(price, None, None).map(|price| vec![price]),
        None => Ok(Vec::new()),
    };
    let prices = prices
        .map_err(unknown)?
        .into_iter()
        .filter(|price| !price.steps.is_empty());
    Ok(FileModel {
        patterns,
        window,
        prices: prices.collect(),
        id,
        ..FileModel::default()
    })
}

// === Patterns ===

/// The patterns of a clause; any of them matches.
fn clauses(clause: &Literal) -> Result<Vec<String>, String> {
    let Literal::Call { name, named, .. } = clause else {
        return Err("a match that is no clause".to_owned());
    };
    let word = |key: &str| -> Result<&str, String> {
        let word = named.get(key).and_then(Literal::text);
        word.filter(|word| !word.contains(['*', '#', '|']))
            .ok_or_else(|| format!("{name} with a sign the patterns use"))
    };
    match name.as_str() {
        "ClauseEquals" => Ok(vec![word("equals")?.to_owned()]),
        "ClauseStartsWith" => Ok(vec![format!("{}*", word("starts_with")?)]),
        "ClauseEndsWith" => Ok(vec![format!("*{}", word("ends_with")?)]),
        "ClauseContains" => Ok(vec![format!("*{}*", word("contains")?)]),
        "ClauseRegex" => regex(
            named
                .get("regex")
                .and_then(Literal::text)
                .unwrap_or_default(),
        ),
        "ClauseOr" => {
            let parts = named.get("or_").and_then(Literal::list).unwrap_or_default();
            let patterns: Result<Vec<_>, _> = parts.iter().map(clauses).collect();
            Ok(patterns?.concat())
        }
        "ClauseAnd" => all_of(
            named
                .get("and_")
                .and_then(Literal::list)
                .unwrap_or_default(),
        ),
        other => Err(format!("clause `{other}`")),
    }
}

/// Both of two: a pattern and an exclusion, or an opening and a part.
fn all_of(parts: &[Literal]) -> Result<Vec<String>, String> {
    let patterns: Result<Vec<_>, _> = parts.iter().map(clauses).collect();
    let patterns = patterns?.concat();
    let (excluded, kept): (Vec<_>, Vec<_>) = patterns
        .into_iter()
        .partition(|pattern| pattern.starts_with("|!"));
    match kept.as_slice() {
        [one] => Ok(vec![format!("{one}{}", excluded.concat())]),
        [open, part] if !open.starts_with('*') && open.ends_with('*') && part.starts_with('*') => {
            Ok(vec![format!(
                "{}{part}{}",
                open.trim_end_matches('*'),
                excluded.concat()
            )])
        }
        _ => Err(format!("a match that needs all of {kept:?}")),
    }
}

/// The few regular expressions the source uses, spelled out as patterns.
fn regex(text: &str) -> Result<Vec<String>, String> {
    if text == "^(?!.*-[tT][tT][sS](?:$|-))" {
        return Ok(vec!["|!*-tts|!*-tts-*".to_owned()]);
    }
    let whole = text
        .strip_prefix('^')
        .ok_or_else(|| format!("regex {text}"))?;
    let (body, tail) = whole
        .strip_suffix('$')
        .map_or((whole, "*"), |body| (body, ""));
    let mut patterns = vec![String::new()];
    expand(body, &mut patterns).ok_or_else(|| format!("regex {text}"))?;
    Ok(patterns
        .into_iter()
        .map(|pattern| format!("{pattern}{tail}"))
        .collect())
}

/// Appends every reading of `body` to every pattern. `None` when it holds something else.
fn expand(body: &str, patterns: &mut Vec<String>) -> Option<()> {
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        let (readings, after) = match first {
            '\\' if rest.starts_with("\\d{") => {
                let (count, after) = rest.strip_prefix("\\d{")?.split_once('}')?;
                (vec!["#".repeat(count.parse().ok()?)], after)
            }
            '\\' if rest.starts_with("\\d") => (vec!["#".to_owned()], rest.strip_prefix("\\d")?),
            '\\' => {
                let sign = rest.chars().nth(1).filter(char::is_ascii_punctuation)?;
                (vec![sign.to_string()], rest.get(2..)?)
            }
            '[' => {
                let (signs, after) = rest.strip_prefix('[')?.split_once(']')?;
                (signs.chars().map(String::from).collect(), after)
            }
            '(' => {
                let (inner, after) = rest.strip_prefix('(')?.split_once(")?")?;
                let mut readings = vec![String::new()];
                expand(inner, &mut readings)?;
                readings.push(String::new());
                (readings, after)
            }
            c if c.is_ascii_alphanumeric() || "-_@/:=".contains(c) => {
                (vec![c.to_string()], rest.get(1..)?)
            }
            _ => return None,
        };
        *patterns = patterns
            .iter()
            .flat_map(|pattern| {
                readings
                    .iter()
                    .map(move |reading| format!("{pattern}{reading}"))
            })
            .collect();
        rest = after;
    }
    Some(())
}

// === Prices ===

fn conditional(literal: &Literal) -> Result<FilePrice, String> {
    let fields = literal
        .call("ConditionalPrice")
        .ok_or("a price of another kind")?;
    let (mut from, mut daily) = (None, None);
    match fields.get("constraint") {
        Some(Literal::Call { name, named, .. }) if name == "StartDateConstraint" => {
            from = Some(date(named.get("start_date")).ok_or("a start that is no date")?);
        }
        Some(Literal::Call { name, named, .. }) if name == "TimeOfDateConstraint" => {
            let minute = |key: &str| minute(named.get(key)).ok_or("a time that is not in UTC");
            daily = Some((minute("start_time")?, minute("end_time")?));
        }
        Some(Literal::Name(_)) | None => {}
        Some(_) => return Err("a constraint of another kind".to_owned()),
    }
    price_of(
        fields.get("prices").ok_or("a condition without prices")?,
        from,
        daily,
    )
}

/// `datetime.date(2026, 7, 30)`.
fn date(literal: Option<&Literal>) -> Option<String> {
    let [year, month, day] = numbers(literal?)?.try_into().ok()?;
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// `datetime.time(0, 30, tzinfo=datetime.UTC)` as a minute of the day.
fn minute(literal: Option<&Literal>) -> Option<u16> {
    let Literal::Call { named, .. } = literal? else {
        return None;
    };
    let is_utc = named.get("tzinfo") == Some(&Literal::Name("datetime.UTC".to_owned()));
    let parts = numbers(literal?)?;
    let hour = parts.first().copied()?;
    let minute = parts.get(1).copied().unwrap_or(0);
    is_utc
        .then(|| u16::try_from(hour * 60 + minute).ok())
        .flatten()
}

fn numbers(literal: &Literal) -> Option<Vec<u32>> {
    let Literal::Call { args, .. } = literal else {
        return None;
    };
    args.iter()
        .map(|arg| {
            if let Literal::Number(n) = arg {
                n.parse().ok()
            } else {
                None
            }
        })
        .collect()
}

/// Rates of one kind by length of the input.
type Tiers = Vec<(u64, i64)>;

fn price_of(
    literal: &Literal,
    from: Option<String>,
    daily: Option<(u16, u16)>,
) -> Result<FilePrice, String> {
    let fields = literal.call("ModelPrice").ok_or("prices of another kind")?;
    let tiers = |key: &str| fields.get(key).map(rates).transpose();
    let (input, output) = (tiers("input_mtok")?, tiers("output_mtok")?);
    let others = [
        tiers("cache_read_mtok")?,
        tiers("cache_write_mtok")?,
        tiers("cache_write_1h_mtok")?,
        tiers("output_reasoning_mtok")?,
    ];
    // Without both, the model is not priced by tokens of text.
    let (Some(input), Some(output)) = (input, output) else {
        return Ok(FilePrice {
            from,
            daily,
            steps: Vec::new(),
        });
    };
    let all = [Some(&input), Some(&output)]
        .into_iter()
        .chain(others.iter().map(Option::as_ref));
    let mut starts: Vec<u64> = all
        .flatten()
        .flat_map(|tiers| tiers.iter().map(|(over, _)| *over))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let at = |tiers: &Tiers, over: u64| {
        tiers
            .iter()
            .rev()
            .find(|(start, _)| *start <= over)
            .map(|(_, rate)| *rate)
    };
    let steps = starts.into_iter().map(|over| {
        let [read, short, long, reasoning] = others
            .each_ref()
            .map(|tiers| tiers.as_ref().and_then(|tiers| at(tiers, over)));
        let step: Option<FileStep> = at(&input, over)
            .zip(at(&output, over))
            .map(|(input, output)| (over, input, output, read, short, long, reasoning));
        step.ok_or_else(|| "tiers without a base".to_owned())
    });
    Ok(FilePrice {
        from,
        daily,
        steps: steps.collect::<Result<_, _>>()?,
    })
}

fn rates(literal: &Literal) -> Result<Tiers, String> {
    if let Some(fields) = literal.call("TieredPrices") {
        let base = fields.get("base").ok_or("tiers without a base")?;
        let mut tiers = vec![(0, nano(base)?)];
        for tier in fields
            .get("tiers")
            .and_then(Literal::list)
            .unwrap_or_default()
        {
            let tier = tier.call("Tier").ok_or("a tier of another kind")?;
            let Some(Literal::Number(start)) = tier.get("start") else {
                return Err("a tier without a start".to_owned());
            };
            let start = start
                .replace('_', "")
                .parse()
                .map_err(|_| format!("tier {start}"))?;
            tiers.push((
                start,
                nano(tier.get("price").ok_or("a tier without a price")?)?,
            ));
        }
        tiers.sort_unstable();
        return Ok(tiers);
    }
    Ok(vec![(0, nano(literal)?)])
}

/// `Decimal('0.075')` dollars as nano-dollars.
fn nano(literal: &Literal) -> Result<i64, String> {
    let wrong = || format!("amount {literal:?}");
    let Literal::Call { name, args, .. } = literal else {
        return Err(wrong());
    };
    let text = args
        .first()
        .and_then(Literal::text)
        .filter(|_| name == "Decimal");
    amount::nano(text.ok_or_else(wrong)?).ok_or_else(wrong)
}
