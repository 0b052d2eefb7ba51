//! Another program's database: read in pages by the time of change, and never changed.

use std::fs;

use sqlx::{AnyConnection, Connection as _};
use wayproof_ledger::{LedgerError, opencode_messages};

#[tokio::test]
async fn opencodes_messages_come_by_their_last_change() {
    sqlx::any::install_default_drivers();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("opencode.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut connection = AnyConnection::connect(&url).await.expect("connected");
    sqlx::raw_sql(
        "CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, time_created integer NOT NULL,
            time_updated integer NOT NULL, data text NOT NULL);
        INSERT INTO message VALUES ('m1', 's', 10, 10, '{\"role\":\"user\"}'), ('m2', 's', 11, 40, '{}'),
            ('m3', 's', 12, 20, '{}'), ('m4', 's', 13, 20, '{}'), ('m5', 's', 14, 30, '{}');",
    )
    .execute(&mut connection)
    .await
    .expect("made");
    connection.close().await.expect("closed");
    let before = fs::read(&file).expect("read");
    let ids = |rows: Vec<wayproof_ledger::ForeignRow>| -> Vec<String> {
        rows.into_iter().map(|row| row.id).collect()
    };
    // A page ends with all the rows of its last moment, so that going on after that moment misses none.
    let first = opencode_messages(&file, 0, 2).await.expect("read");
    assert_eq!(ids(first), ["m1", "m3", "m4"]);
    assert_eq!(
        ids(opencode_messages(&file, 20, 2).await.expect("read")),
        ["m5", "m2"]
    );
    assert!(
        opencode_messages(&file, 40, 2)
            .await
            .expect("read")
            .is_empty()
    );
    assert_eq!(fs::read(&file).expect("read"), before);

    fs::write(&file, "no database, but longer than a header of one, which is a hundred bytes long: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")
        .expect("written");
    let broken = opencode_messages(&file, 0, 2).await;
    assert!(
        matches!(broken, Err(LedgerError::Corrupt { .. })),
        "{broken:?}"
    );
    assert!(
        opencode_messages(&folder.path().join("none.db"), 0, 2)
            .await
            .is_err()
    );
    assert!(!folder.path().join("none.db").exists());
}
