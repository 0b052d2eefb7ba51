//! A home with logs and a ledger beside it.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;
use wayproof_import::{Counts, Importer, Options, Priced, Source, Summary};
use wayproof_ledger::{Clock, Days, Dimension, Ledger, Location, ReportRow, Sources};

/// 2026-11-29 20:00 UTC.
pub(crate) const NOW_US: i64 = 1_795_982_400_000_000;

pub(crate) struct Place {
    folder: TempDir,
    pub(crate) clock: Clock,
    pub(crate) ledger: Ledger,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Clock::fixed(NOW_US);
        let location = Location::Sqlite(folder.path().join("data"));
        let ledger = Ledger::open(location, clock.clone(), None)
            .await
            .expect("a ledger");
        Self {
            folder,
            clock,
            ledger,
        }
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.home().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }

    pub(crate) fn append(&self, name: &str, content: &str) {
        let before = fs::read(self.home().join(name)).expect("read");
        self.write(name, [before.as_slice(), content.as_bytes()].concat());
    }

    pub(crate) async fn try_import(
        &self,
        sources: &[Source],
        since_us: Option<i64>,
        is_dry: bool,
    ) -> Summary {
        let options = Options {
            home: self.home(),
            sources: sources.to_vec(),
            since_us,
            is_dry,
        };
        let price = Box::new(|provider: &str, _: &str, _, usage: &wayproof_wire::Usage| {
            let is_known = matches!(provider, "anthropic" | "openai");
            is_known.then(|| Priced {
                nano_usd: i64::try_from(usage.output.unwrap_or(0)).unwrap_or(0),
                catalog_digest: "test".to_owned(),
            })
        });
        let mut importer = Importer::open(self.ledger.clone(), options, price)
            .await
            .expect("the turn");
        let mut last = None;
        let summary = importer
            .run(&mut |progress| last = Some(progress))
            .await
            .expect("imported");
        let last = last.expect("progress is told");
        assert_eq!(last.bytes, last.done, "everything is read in the end");
        summary
    }

    pub(crate) async fn import(&self, source: Source) -> Counts {
        let summary = self.try_import(&[source], None, false).await;
        assert!(summary.failed.is_empty(), "{summary:?}");
        summary
            .agents
            .get(source.agent())
            .cloned()
            .unwrap_or_default()
    }

    pub(crate) async fn report(&self, by: &[Dimension]) -> Vec<ReportRow> {
        self.ledger
            .report(by, Days::default(), Sources::All, 100)
            .await
            .expect("read")
    }

    /// Closes the ledger when it is whole.
    pub(crate) async fn done(self) {
        let report = self.ledger.verify().await.expect("read");
        assert!(report.is_whole(), "{report:?}");
        self.ledger.close().await.expect("closed");
    }
}
