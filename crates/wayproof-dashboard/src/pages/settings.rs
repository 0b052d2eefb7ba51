//! What the operator set; read only, and never a secret.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::desk::{Desk, Setting};
use crate::frame::{Frame, page};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    frame: Frame,
    settings: Vec<Setting>,
}

/// The page.
pub(crate) async fn show(State(desk): State<Desk>, frame: Frame) -> Result<Response, Problem> {
    std::future::ready(page(&SettingsPage {
        settings: desk.parts().settings.clone(),
        frame,
    }))
    .await
}
