//! What clients of Ollama ask before they ask a model: which there are, what one can do, how old the server is.

use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Value, json};
use wayproof_wire::{Fault, FaultKind, Protocol};

use crate::body::Outgoing;
use crate::fault;
use crate::gateway::Shared;
use crate::models;
use crate::routes::OllamaPage;

/// The version of Ollama whose ways are kept; editors ask for 0.6.4 at the least.
const VERSION: &str = "0.12.0";
/// The longest name of a model with the braces around it.
const MAX_ASK: usize = 64 << 10;

/// Answers one of them.
pub(crate) async fn answer(
    shared: &Shared,
    page: OllamaPage,
    body: Incoming,
    id: &str,
) -> Response<Outgoing> {
    let told = match page {
        OllamaPage::Tags => models::tags(shared),
        OllamaPage::Running => br#"{"models":[]}"#.to_vec(),
        OllamaPage::Version => json!({ "version": VERSION }).to_string().into_bytes(),
        OllamaPage::Show => match show(shared, body).await {
            Ok(shown) => shown,
            Err(fault) => return fault::respond(Protocol::Ollama, &fault, id),
        },
    };
    fault::json(StatusCode::OK, told)
}

async fn show(shared: &Shared, body: Incoming) -> Result<Vec<u8>, Fault> {
    let bad = |message: String| Fault::new(FaultKind::BadRequest, message);
    let body = Limited::new(body, MAX_ASK).collect().await;
    let body = body.map_err(|error| bad(format!("the body cannot be read: {error}")))?;
    let asked: Value = serde_json::from_slice(&body.to_bytes())
        .map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    // Older clients say `name`.
    let name = asked["model"].as_str().or_else(|| asked["name"].as_str());
    let name = name.ok_or_else(|| bad("`model` must be a string".to_owned()))?;
    models::show(shared, name).ok_or_else(|| {
        let message = format!("model '{name}' not found");
        Fault::new(FaultKind::NotFound, message)
    })
}
