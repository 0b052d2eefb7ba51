//! Providers' own exports of usage and costs, read into one shape: day, model, tokens, dollars.
//!
//! OpenAI: pages of `/v1/organization/usage/completions` and `/v1/organization/costs`, or the same as CSV. Anthropic:
//! pages of `/v1/organizations/usage_report/messages` and `/v1/organizations/cost_report`. What is not understood is an
//! error and never skipped, so that nothing goes missing from a sum.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::csv;

/// What the provider says of one model on one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) requests: Option<i64>,
    pub(super) input: Option<i64>,
    pub(super) cache_read: Option<i64>,
    pub(super) cache_write: Option<i64>,
    /// With reasoning.
    pub(super) output: Option<i64>,
    pub(super) cost_nano_usd: Option<i64>,
}

/// Days and models.
pub(super) type ByModel = BTreeMap<(i64, String), Told>;

/// Takes in one file; a sentence where it cannot be understood.
pub(super) fn read(text: &str, into: &mut ByModel) -> Result<(), String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['{', '[']) {
        let value: Value =
            serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
        return pages(&value, into);
    }
    for row in csv::rows(text)? {
        let row: serde_json::Map<String, Value> = row
            .into_iter()
            .filter(|(_, cell)| !cell.is_empty())
            .map(|(name, cell)| (name, Value::from(cell)))
            .collect();
        let row = Value::Object(row);
        let day = day_of(&row).ok_or("a row has no day")?;
        result(day, &row, into)?;
    }
    Ok(())
}

/// One page, or several in a list.
fn pages(value: &Value, into: &mut ByModel) -> Result<(), String> {
    if let Value::Array(pages) = value {
        return pages.iter().try_for_each(|page| pages_of(page, into));
    }
    pages_of(value, into)
}

fn pages_of(page: &Value, into: &mut ByModel) -> Result<(), String> {
    let buckets = page["data"]
        .as_array()
        .ok_or("it has no `data`, so it is no page of usage or costs")?;
    for bucket in buckets {
        let day = day_of(bucket).ok_or("a bucket has no day")?;
        let results = bucket["results"]
            .as_array()
            .ok_or("a bucket has no `results`")?;
        for found in results {
            result(day, found, into)?;
        }
    }
    Ok(())
}

/// The day a bucket or a row begins in, UTC.
fn day_of(bucket: &Value) -> Option<i64> {
    let names = [
        "start_time",
        "starting_at",
        "start_time_iso",
        "date",
        "day",
        "usage_date_utc",
    ];
    let value = names.iter().find_map(|name| bucket.get(*name))?;
    if let Some(seconds) = value.as_i64() {
        return Some(seconds.div_euclid(86_400));
    }
    let text = value.as_str()?;
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds.div_euclid(86_400));
    }
    let second = if let Ok(at) = text.parse::<Timestamp>() {
        at.as_second()
    } else {
        let date: jiff::civil::Date = text.get(..10)?.parse().ok()?;
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        midnight.timestamp().as_second()
    };
    Some(second.div_euclid(86_400))
}

/// The count under the first of these names that is there.
fn count(found: &Value, names: &[&str]) -> Result<Option<i64>, String> {
    let named = names
        .iter()
        .find_map(|name| Some((name, found.get(*name)?)));
    let Some((name, value)) = named else {
        return Ok(None);
    };
    let read = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    read.filter(|count: &i64| *count >= 0)
        .map(Some)
        .ok_or_else(|| format!("`{name}` is no count: {value}"))
}

fn result(day: i64, found: &Value, into: &mut ByModel) -> Result<(), String> {
    // OpenAI's costs name a model within their line item: `gpt-6.1-mini, input`.
    let line = found["line_item"]
        .as_str()
        .and_then(|line| line.split(',').next());
    let model = found["model"].as_str().or(line).unwrap_or_default();
    let all_input = count(found, &["input_tokens", "n_context_tokens_total"])?;
    let cached = [
        "input_cached_tokens",
        "cache_read_input_tokens",
        "n_cached_context_tokens_total",
    ];
    let cache_read = count(found, &cached)?;
    // Where cached tokens are within the input, they are taken out of it.
    let fresh = all_input.map(|all| all.saturating_sub(cache_read.unwrap_or(0)).max(0));
    let told = Told {
        requests: count(found, &["num_model_requests", "num_requests", "n_requests"])?,
        input: count(found, &["uncached_input_tokens"])?.or(fresh),
        cache_read,
        cache_write: cache_writes(found)?,
        output: count(found, &["output_tokens", "n_generated_tokens_total"])?,
        cost_nano_usd: cost(found)?,
    };
    if told == Told::default() {
        return Err(format!(
            "a result has neither tokens nor an amount: {found}"
        ));
    }
    into.entry((day, short(model))).or_default().add(&told);
    Ok(())
}

impl Told {
    fn add(&mut self, more: &Self) {
        for (sum, more) in [
            (&mut self.requests, more.requests),
            (&mut self.input, more.input),
            (&mut self.cache_read, more.cache_read),
            (&mut self.cache_write, more.cache_write),
            (&mut self.output, more.output),
            (&mut self.cost_nano_usd, more.cost_nano_usd),
        ] {
            if let Some(more) = more {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        }
    }
}

/// Anthropic's two lifetimes of written caches, as one.
fn cache_writes(found: &Value) -> Result<Option<i64>, String> {
    let Some(written) = found
        .get("cache_creation")
        .filter(|written| !written.is_null())
    else {
        let flat = &found["cache_creation_input_tokens"];
        return match flat {
            Value::Null => Ok(None),
            Value::String(text) => text
                .parse()
                .map(Some)
                .map_err(|_| format!("`cache_creation_input_tokens` is no count: {text}")),
            other => Ok(other.as_i64()),
        };
    };
    let both = ["ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"];
    let counts: Vec<i64> = both
        .iter()
        .filter_map(|name| written[name].as_i64())
        .collect();
    if counts.is_empty() {
        return Err(format!("`cache_creation` has no counts: {written}"));
    }
    Ok(Some(counts.iter().sum()))
}

/// An amount in nano-dollars: OpenAI's in dollars within `amount`, Anthropic's in cents as text.
fn cost(found: &Value) -> Result<Option<i64>, String> {
    let (value, currency, places) = match (&found["amount"], &found["amount_value"]) {
        (Value::Null, Value::Null) => return Ok(None),
        (Value::Object(amount), _) => (
            amount.get("value").cloned().unwrap_or_default(),
            amount.get("currency").cloned().unwrap_or_default(),
            9,
        ),
        (Value::Null, value) => (value.clone(), found["amount_currency"].clone(), 9),
        (value, _) => (value.clone(), found["currency"].clone(), 7),
    };
    let currency = currency.as_str().unwrap_or("usd").to_lowercase();
    if currency != "usd" {
        return Err(format!(
            "amounts are in {currency}, and the ledger is in dollars"
        ));
    }
    let text = match &value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    decimal(&text, places)
        .map(Some)
        .ok_or_else(|| format!("`{text}` is no amount"))
}

/// A decimal number in units of ten to the minus `places`, rounded to the nearest.
fn decimal(text: &str, places: usize) -> Option<i64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, mantissa),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{part}");
    if all.is_empty() || all.len() > 30 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i128 = all.parse().ok()?;
    let shift = i32::try_from(places).ok()? + exponent - i32::try_from(part.len()).ok()?;
    let scaled = if shift >= 0 {
        number.checked_mul(10_i128.checked_pow(shift.unsigned_abs())?)?
    } else {
        let by = 10_i128.checked_pow(shift.unsigned_abs())?;
        (number + by / 2) / by
    };
    i64::try_from(sign * scaled).ok()
}

/// A model's name without the date of its release, so that both sides call it the same.
pub(super) fn short(model: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = model.split('-').collect();
    let kept = match parts.as_slice() {
        [kept @ .., year, month, day]
            if !kept.is_empty()
                && (year.len(), month.len(), day.len()) == (4, 2, 2)
                && digits(year)
                && digits(month)
                && digits(day) =>
        {
            kept
        }
        [kept @ .., date] if !kept.is_empty() && date.len() == 8 && digits(date) => kept,
        all => all,
    };
    kept.join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(decimal("0.06", 9), Some(60_000_000));
        assert_eq!(decimal("123.78912", 7), Some(1_237_891_200));
        assert_eq!(decimal("-1", 9), Some(-1_000_000_000));
        assert_eq!(decimal("6e-05", 9), Some(60_000));
        assert_eq!(decimal("1.23456789012", 9), Some(1_234_567_890));
        for wrong in ["", ".", "1,5", "1.2.3", "abc", "1e400", "NaN"] {
            assert_eq!(decimal(wrong, 9), None, "{wrong}");
        }
    }

    #[test]
    fn names_lose_their_dates() {
        assert_eq!(short("gpt-4o-2024-08-06"), "gpt-4o");
        assert_eq!(short("claude-haiku-5-5-20260901"), "claude-haiku-5-5");
        assert_eq!(short("claude-haiku-5-5"), "claude-haiku-5-5");
        assert_eq!(short("2024-08-06"), "2024-08-06");
        assert_eq!(short(""), "");
    }

    #[test]
    fn openai_and_anthropic_are_read() {
        let mut found = ByModel::new();
        read(
            r#"{"object":"page","data":[{"object":"bucket","start_time":1795348800,"end_time":1795435200,"results":[
            {"object":"organization.usage.completions.result","input_tokens":1000,"input_cached_tokens":400,
            "output_tokens":50,"num_model_requests":3,"model":"gpt-6.1-mini-2026-03-01"}]}],"has_more":false}"#,
            &mut found,
        )
        .expect("read");
        read(
            r#"{"data":[{"start_time":1795348800,"results":[{"object":"organization.costs.result",
            "amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-6.1-mini-2026-03-01, input"}]}]}"#,
            &mut found,
        )
        .expect("read");
        let openai = found[&(20_779, "gpt-6.1-mini".to_owned())];
        assert_eq!((openai.input, openai.cache_read), (Some(600), Some(400)));
        assert_eq!(openai.cost_nano_usd, Some(60_000_000));
        read(
            r#"{"data":[{"starting_at":"2026-11-22T00:00:00Z","ending_at":"2026-11-23T00:00:00Z","results":[
            {"uncached_input_tokens":1500,"cache_creation":{"ephemeral_1h_input_tokens":1000,
            "ephemeral_5m_input_tokens":500},"cache_read_input_tokens":200,"output_tokens":500,
            "model":"claude-haiku-5-5-20260901"}]}]}"#,
            &mut found,
        )
        .expect("read");
        let anthropic = found[&(20_779, "claude-haiku-5-5".to_owned())];
        assert_eq!(anthropic.cache_write, Some(1_500));
        assert_eq!(anthropic.input, Some(1_500));
    }

    #[test]
    fn csv_is_read_and_nonsense_is_refused() {
        let mut found = ByModel::new();
        let text = "start_time,model,input_tokens,output_tokens,num_model_requests\r\n\
            2026-11-22,\"gpt-6.1-mini\",10,5,1\r\n";
        read(text, &mut found).expect("read");
        assert_eq!(found[&(20_779, "gpt-6.1-mini".to_owned())].output, Some(5));
        for wrong in [
            "",
            "{}",
            "{\"data\":[{\"results\":[]}]}",
            "a,b\n1,2\n",
            "start_time,model\n2026-11-22,x\n",
            "start_time,input_tokens\n2026-11-22,-4\n",
            "{\"data\":[{\"start_time\":1,\"results\":[{\"amount\":{\"value\":1,\"currency\":\"eur\"}}]}]}",
        ] {
            assert!(read(wrong, &mut ByModel::new()).is_err(), "{wrong}");
        }
    }
}
