//! The pages, one file each.

pub(crate) mod advice;
pub(crate) mod budgets;
mod caching;
mod claims;
mod compare;
pub(crate) mod connect;
pub(crate) mod decide;
mod diff;
pub(crate) mod docs;
pub(crate) mod exchange;
pub(crate) mod health;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod logged;
pub(crate) mod models;
pub(crate) mod now;
mod outlook;
pub(crate) mod policy;
mod proof_seen;
pub(crate) mod receipt;
pub(crate) mod receipts;
mod replayed;
pub(crate) mod review;
pub(crate) mod said;
pub(crate) mod settings;
pub(crate) mod spend;
pub(crate) mod story;
pub(crate) mod theme;
pub(crate) mod what_if;
mod window;

/// Where to go on inside these pages; anything else is the first page.
pub(crate) fn inner_path(to: &str) -> &str {
    let is_inner = to.starts_with('/')
        && !to.starts_with("//")
        && to.len() <= 2_000
        && to
            .bytes()
            .all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    if is_inner { to } else { "/" }
}

/// How a verdict is written and coloured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) tone: &'static str,
    pub(crate) mark: &'static str,
    pub(crate) name: String,
}

/// The badge of a verdict as the ledger writes it.
pub(crate) fn badge(verdict: &str) -> Badge {
    let (tone, mark) = match verdict {
        "PROVEN" => ("proven", "✓"),
        "PROVEN_WITH_GAPS" => ("gaps", "◐"),
        "UNPROVEN" => ("unproven", "○"),
        "REFUTED" | "INVALID" => ("refuted", "✕"),
        _ => ("infra", "!"),
    };
    let name = match verdict {
        "PROVEN_WITH_GAPS" => "PROVEN WITH GAPS".to_owned(),
        "INVALID_INFRA" => "INFRA FAULT".to_owned(),
        other => crate::show::text::short(other),
    };
    Badge { tone, mark, name }
}

/// The badge of a job: its verdict, or that it goes on.
pub(crate) fn job_badge(verdict: Option<&str>, is_closed: bool) -> Badge {
    match (verdict, is_closed) {
        (Some(verdict), _) => badge(verdict),
        (None, true) => Badge {
            tone: "unproven",
            mark: "○",
            name: "no proof".to_owned(),
        },
        (None, false) => Badge {
            tone: "open",
            mark: "•",
            name: "in progress".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for to in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/a\r\nset-cookie: x",
            "",
            "jobs",
            "/\u{202e}",
        ] {
            assert_eq!(inner_path(to), "/", "{to:?}");
        }
        assert_eq!(inner_path("/jobs?task=a%20b"), "/jobs?task=a%20b");
    }
}
