//! What was said, where it was kept: the bodies of an exchange, and the ask of a job. It is for those who decide on
//! work; whoever only looks is told that it is there.

use serde_json::Value;
use wayproof_ledger::{Captured, ExchangeRow, Role};

use crate::desk::Desk;
use crate::problem::Problem;
use crate::show::text::{count, cut, short};

/// Bytes of a body that are looked at for the page of an exchange, and letters that are shown.
const MOST_BYTES: u64 = 1 << 20;
const SHOWN: usize = 40_000;
/// A request that is longer than this is not searched for its ask.
const LONGEST_REQUEST: u64 = 8 << 20;
const LONGEST_ASK: usize = 6_000;

/// A body that was kept.
#[derive(Debug)]
pub(crate) struct BodyView {
    pub(crate) title: String,
    pub(crate) note: String,
    /// The words; nothing once they were forgotten.
    pub(crate) text: Option<String>,
}

/// Whether a reader may see what was said.
pub(crate) fn may_read(role: Role) -> bool {
    role >= Role::Reviewer
}

/// The bodies of an exchange.
pub(crate) async fn bodies(desk: &Desk, exchange: &ExchangeRow) -> Result<Vec<BodyView>, Problem> {
    let kept = desk.ledger().captured_of(exchange, MOST_BYTES).await?;
    Ok(kept.iter().map(view).collect())
}

fn view(kept: &Captured) -> BodyView {
    let told = &kept.told;
    let text = kept.body.as_deref().map(readable);
    let size = i64::try_from(told.bytes).unwrap_or(i64::MAX);
    let mut note = format!("{} bytes, kept {}", count(size), told.capture.name());
    let is_shown_whole = text
        .as_ref()
        .is_none_or(|text| text.chars().nth(SHOWN).is_none())
        && told.bytes <= MOST_BYTES;
    if told.is_cut {
        note += ", only its beginning";
    } else if !is_shown_whole {
        note += ", of which the beginning is shown; `wayproof ledger captured` shows all";
    }
    BodyView {
        title: format!("The {}", short(&told.part)),
        note,
        text: text.map(|text| cut(&text, SHOWN)),
    }
}

/// JSON with its lines apart, anything else as it is.
fn readable(body: &[u8]) -> String {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    parsed
        .and_then(|parsed| serde_json::to_string_pretty(&parsed).ok())
        .unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

/// What the user asked, by the first request of a job that is known.
pub(crate) async fn ask(desk: &Desk, exchanges: &[ExchangeRow]) -> Result<Option<String>, Problem> {
    let Some(first) = exchanges.last() else {
        return Ok(None);
    };
    let kept = desk.ledger().captured_of(first, LONGEST_REQUEST).await?;
    let request = kept.iter().find(|kept| kept.told.part == "request");
    let body = request.and_then(|kept| kept.body.as_deref());
    let ask = body.and_then(|body| {
        let protocol = first.protocol.as_deref()?;
        let agent = first.agent.as_deref().unwrap_or_default();
        desk.house().ask_in(protocol, agent, body)
    });
    Ok(ask.map(|ask| cut(&ask, LONGEST_ASK)))
}
