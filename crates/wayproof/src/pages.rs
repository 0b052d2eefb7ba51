//! Pages that documents link to: fetched, and kept for the time when they cannot be reached.
//!
//! A kept page is evidence of its day, so it stands in for a while only and says when it came.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use wayproof_engine::{Policy, TaskName};
use wayproof_ledger::Clock;
use wayproof_proof::{Page, Pages, Unfetched};
use wayproof_receipt::sha256_hex;
use wayproof_upstream::{PageClient, Reachable};

use crate::{exit, gateway, settings};

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;
/// How long pages are kept where a task has no word on it.
const MAX_AGE_DAYS: u32 = 7;

/// Fetches, and remembers.
#[derive(Debug)]
pub(crate) struct CachedPages {
    client: PageClient,
    folder: PathBuf,
    max_age_days: u32,
    runtime: Handle,
}

/// The first line of a kept page; its bytes follow.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    url: String,
    final_url: String,
    status: u16,
    fetched_at_us: i64,
}

/// Who fetches for a task.
pub(crate) fn of_task(
    (policy, task): (&Policy, &TaskName),
    data: &Path,
    reachable: Reachable,
) -> Result<Arc<CachedPages>> {
    let sources = policy.task(task).map(|task| &task.sources);
    Ok(Arc::new(CachedPages {
        client: PageClient::new(reachable, gateway::proxy()?),
        folder: data.join("pages"),
        max_age_days: sources.map_or(MAX_AGE_DAYS, |sources| sources.max_age_days),
        runtime: Handle::current(),
    }))
}

impl Pages for CachedPages {
    fn fetch(&self, url: &str) -> Result<Page, Unfetched> {
        // Proofs run on a thread of their own, where waiting is allowed.
        let fetched = self.runtime.block_on(self.client.fetch(url));
        let now = Clock::system().now_us();
        match fetched {
            Ok(fetched) => {
                let page = Page {
                    final_url: fetched.final_url,
                    status: fetched.status,
                    body: fetched.body.to_vec(),
                    fetched_at_us: now,
                };
                if let Err(error) = self.keep(url, &page) {
                    tracing::warn!(%error, url, "a page could not be kept");
                }
                Ok(page)
            }
            Err(error) => {
                let problem = exit::chain(&anyhow::Error::new(error));
                self.kept(url, now).ok_or(Unfetched(problem))
            }
        }
    }
}

impl CachedPages {
    fn place(&self, url: &str) -> PathBuf {
        self.folder.join(sha256_hex(url.as_bytes()))
    }

    fn keep(&self, url: &str, page: &Page) -> Result<()> {
        if !(200..300).contains(&page.status) {
            return Ok(());
        }
        fs::create_dir_all(&self.folder)?;
        let head = serde_json::to_string(&Kept {
            url: url.to_owned(),
            final_url: page.final_url.clone(),
            status: page.status,
            fetched_at_us: page.fetched_at_us,
        })?;
        let mut bytes = head.into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(&page.body);
        settings::write_private(&self.place(url), &bytes)
    }

    /// A page that was fetched not too long ago.
    fn kept(&self, url: &str, now: i64) -> Option<Page> {
        let bytes = fs::read(self.place(url)).ok()?;
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let kept: Kept = serde_json::from_slice(bytes.get(..end)?).ok()?;
        let age = now.checked_sub(kept.fetched_at_us)?;
        let is_young = (0..=i64::from(self.max_age_days) * DAY_US).contains(&age);
        (kept.url == url && is_young).then(|| Page {
            final_url: kept.final_url,
            status: kept.status,
            body: bytes.get(end + 1..).unwrap_or_default().to_vec(),
            fetched_at_us: kept.fetched_at_us,
        })
    }
}
