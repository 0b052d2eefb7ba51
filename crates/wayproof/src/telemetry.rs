//! Logs for operators, on standard error: warnings unless `WAYPROOF_LOG` says otherwise. Never bodies, never keys:
//! what looks like a secret in a message of somebody else is taken out on the way.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::{EnvFilter, fmt};

use crate::settings;

/// Starts logging; a filter that cannot be read falls back to warnings and says so.
pub(crate) fn start() {
    let wanted = settings::variable("WAYPROOF_LOG").unwrap_or_else(|| "warn".to_owned());
    let (filter, wrong) = match EnvFilter::try_new(&wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new("warn"), Some(error)),
    };
    let is_colored = io::stderr().is_terminal() && settings::variable("NO_COLOR").is_none();
    fmt()
        .with_env_filter(filter)
        .with_writer(|| Redacting)
        .with_ansi(is_colored)
        .with_target(false)
        .init();
    if let Some(error) = wrong {
        tracing::warn!(%error, "WAYPROOF_LOG={wanted} cannot be read");
    }
}

/// Standard error without secrets. The subscriber writes one whole message at a time.
struct Redacting;

impl Write for Redacting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        let redacted = wayproof_redact::redact(&text);
        io::stderr().lock().write_all(redacted.as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
