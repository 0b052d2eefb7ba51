//! Exports: the log as tiles that are checked here from the files alone, and exchanges page by page.

use std::fs;
use std::path::Path;

use wayproof_ledger::{Days, EXCHANGE_COLUMNS, Ledger, LedgerError};
use wayproof_receipt::log::{Checkpoint, Hash, NoteKey, entries_path, leaf_hash, node_hash};

use crate::engine::Place;
use crate::fixture::{exchange, key, listed};
use crate::on_both;

on_both! {
    tiles_hold_the_log_that_the_checkpoint_signs
    exchanges_come_page_by_page_in_order
}

async fn fill(ledger: &Ledger, exchanges: u32) {
    for _ in 0..exchanges {
        exchange(ledger, "s", Some("j"), listed(7)).await;
    }
    ledger.flush().await.expect("flushed");
}

/// The root of a tree over leaves, as RFC 6962 defines it and not as the log computes it.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [leaf] => *leaf,
        leaves => {
            let split = leaves.len().next_power_of_two() / 2;
            node_hash(&root(&leaves[..split]), &root(&leaves[split..]))
        }
    }
}

fn entries(bundle: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = bundle;
    let mut entries = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = after;
    }
    entries
}

fn tile(directory: &Path, path: &str) -> Vec<Hash> {
    let bytes = fs::read(directory.join(path)).expect(path);
    let (hashes, rest) = bytes.as_chunks::<32>();
    assert!(rest.is_empty());
    hashes.iter().map(|hash| Hash(*hash)).collect()
}

async fn tiles_hold_the_log_that_the_checkpoint_signs(place: Place) {
    let ledger = place.open().await;
    fill(&ledger, 300).await;
    let folder = tempfile::tempdir().expect("a folder");
    let directory = folder.path().join("log");
    let log = ledger.export_tiles(&directory).await.expect("exported");
    let note = fs::read_to_string(directory.join("checkpoint")).expect("read");
    let log_key: NoteKey = log
        .verifier_key
        .as_deref()
        .expect("a key")
        .parse()
        .expect("a key");
    assert_eq!(log_key.key(), &key().public());
    let checkpoint = Checkpoint::open(&note, &log_key).expect("signed");
    assert_eq!((checkpoint.size, log.events), (600, 600));

    let mut leaves = Vec::new();
    for (index, width) in [(0, 256), (1, 256), (2, 88)] {
        let bundle = fs::read(directory.join(entries_path(index, width))).expect("read");
        let hashes: Vec<_> = entries(&bundle)
            .iter()
            .map(|entry| leaf_hash(entry))
            .collect();
        assert_eq!(hashes.len(), usize::from(width));
        let name = if width == 256 {
            format!("tile/0/{index:03}")
        } else {
            format!("tile/0/{index:03}.p/{width}")
        };
        assert_eq!(tile(&directory, &name), hashes, "{name}");
        leaves.extend(hashes);
    }
    assert_eq!(root(&leaves), checkpoint.root);
    assert_eq!(
        tile(&directory, "tile/1/000.p/2"),
        [root(&leaves[..256]), root(&leaves[256..512])]
    );
    let count = walk(&directory);
    assert_eq!(count, 1 + 3 + 3 + 1, "and nothing else");

    let over = ledger.export_tiles(&directory).await;
    assert!(matches!(over, Err(LedgerError::File { .. })), "{over:?}");
    ledger.close().await.expect("closed");
}

fn walk(folder: &Path) -> usize {
    let entries = fs::read_dir(folder)
        .expect("read")
        .map(|entry| entry.expect("read").path());
    entries
        .map(|path| if path.is_dir() { walk(&path) } else { 1 })
        .sum()
}

async fn exchanges_come_page_by_page_in_order(place: Place) {
    let ledger = place.open().await;
    fill(&ledger, 25).await;
    let (mut at, mut seen) = (0, Vec::new());
    loop {
        let page = ledger
            .exchange_texts(at, Days::default(), 10)
            .await
            .expect("read");
        let Some((last, _)) = page.last() else { break };
        at = last + 1;
        seen.extend(page.into_iter().map(|(_, texts)| texts));
    }
    assert_eq!(seen.len(), 25);
    let listed = EXCHANGE_COLUMNS
        .iter()
        .position(|column| *column == "listed_nano_usd")
        .expect("a column");
    let billed = listed + 1;
    assert!(
        seen.iter()
            .all(|texts| texts[listed].as_deref() == Some("7") && texts[billed].is_none())
    );
    let none = Days {
        from: Some(30_000),
        until: None,
    };
    assert!(
        ledger
            .exchange_texts(0, none, 10)
            .await
            .expect("read")
            .is_empty()
    );
    ledger.close().await.expect("closed");
}
