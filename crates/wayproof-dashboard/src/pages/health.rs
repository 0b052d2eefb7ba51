//! How the gateway, its providers and its ledger are.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::desk::{Desk, ProviderSeen};
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::show::text::{abbreviated, count};

#[derive(Template)]
#[template(path = "health.html")]
struct HealthPage {
    frame: Frame,
    providers: Vec<ProviderSeen>,
    facts: Vec<(&'static str, String)>,
    is_empty: bool,
}

/// The page.
pub(crate) async fn show(State(desk): State<Desk>, frame: Frame) -> Result<Response, Problem> {
    let size = desk.ledger().size().await?;
    let origin = desk.ledger().origin().await?;
    let signed = match desk.ledger().signed_size().await? {
        None => "not signed yet".to_owned(),
        Some(signed) if signed >= size => "all of it".to_owned(),
        Some(signed) => format!("all but the last {}", count(size - signed)),
    };
    let (sessions, jobs) = desk.house().counts();
    let policy = desk.house().policy();
    let digest = policy.map_or_else(|| "–".to_owned(), |policy| abbreviated(policy.digest()));
    page(&HealthPage {
        providers: desk.house().providers(),
        facts: vec![
            ("Ledger", format!("{} events", count(size))),
            ("Signed", signed),
            ("Log", origin),
            ("Conversations in memory", sessions.to_string()),
            ("Jobs of runs that are open", jobs.to_string()),
            ("Policy in force", digest),
        ],
        is_empty: size == 0,
        frame,
    })
}
