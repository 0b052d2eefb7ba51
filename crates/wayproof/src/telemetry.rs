//! Logs for operators, on standard error: warnings unless `WAYPROOF_LOG` says otherwise. Never bodies, never keys.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

use crate::settings;

/// Starts logging; a filter that cannot be read falls back to warnings and says so.
pub(crate) fn start() {
    let wanted = settings::variable("WAYPROOF_LOG").unwrap_or_else(|| "warn".to_owned());
    let (filter, wrong) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("warn"), Some(error)),
    };
    let is_colored = std::io::stderr().is_terminal() && settings::variable("NO_COLOR").is_none();
    fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(is_colored)
        .with_target(false)
        .init();
    if let Some(error) = wrong {
        tracing::warn!(%error, "WAYPROOF_LOG={wanted} cannot be read");
    }
}
