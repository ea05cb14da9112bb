//! Kept trees that are not what was written: they are set aside and made anew, and every answer is right.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use supermega_server::{LoggedRequest, ServerHandle};
use tempfile::TempDir;

use crate::cache::{client, path, run, saved};
use crate::events::shown;
use crate::world::{EMAIL, PASSWORD, server, session};

/// What a tree shows.
type Shown = std::collections::BTreeMap<String, (Option<String>, Option<String>, u64, usize)>;

/// The file of the only account.
fn file(dir: &Path) -> PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.extension().is_some_and(|e| e == "sqlite"));
    files.next().unwrap()
}

/// An account of which something is kept, with changes beside the rows.
async fn kept() -> (ServerHandle, TempDir, String, Shown) {
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let other = session(&server).await;
    for a in 0..5 {
        for b in 0..5 {
            other.make_folders(&path(&format!("/{a}/{b}/deep"))).await.unwrap();
        }
    }
    let saved = saved(&server, dir.path()).await;
    other.make_folder(&path("/0/later")).await.unwrap();
    run(&server, dir.path(), &saved).await;
    let right = shown(&other.refresh().await.unwrap());
    (server, dir, saved, right)
}

/// Whether the next runs answer rightly, and the last of them from what is kept again.
async fn is_mended(server: &ServerHandle, dir: &Path, saved: &str, right: &Shown, what: &str) {
    for _ in 0..2 {
        let session = run(server, dir, saved).await;
        let tree = session.tree().await.unwrap();
        assert_eq!(shown(&tree), *right, "{what}");
        // Whatever was damaged was looked at.
        assert_eq!(tree.strays().len(), 0, "{what}");
    }
    server.clear_request_log();
    let session = run(server, dir, saved).await;
    session.tree().await.unwrap();
    assert_eq!(server.request_log(), [LoggedRequest::Event], "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_any_part_is_noticed() {
    let (server, dir, saved, right) = kept().await;
    let file = file(dir.path());
    let parts: Vec<i64> = {
        let database = Connection::open(&file).unwrap();
        let mut parts = database.prepare("SELECT id FROM parts").unwrap();
        parts.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert!(parts.len() >= 7, "{parts:?}");
    for position in 0..parts.len() {
        for place in [0, 7, 40] {
            let database = Connection::open(&file).unwrap();
            let query = "SELECT id, bytes FROM parts ORDER BY id LIMIT 1 OFFSET ?1";
            let found = database.query_row(query, [position], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
            });
            // The changes are folded into the rows once the file is made anew.
            let Ok((id, mut bytes)) = found else { continue };
            let at = place.min(bytes.len() - 1);
            bytes[at] ^= 0x10;
            database.execute("UPDATE parts SET bytes = ?2 WHERE id = ?1", (id, bytes)).unwrap();
            drop(database);
            is_mended(&server, dir.path(), &saved, &right, &format!("bit {place} of part {id:x}"))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_part_is_noticed() {
    let (server, dir, saved, right) = kept().await;
    let file = file(dir.path());
    for kind in 0..=6_i64 {
        let database = Connection::open(&file).unwrap();
        database.execute("DELETE FROM parts WHERE id >> 32 = ?1", [kind]).unwrap();
        drop(database);
        is_mended(&server, dir.path(), &saved, &right, &format!("without parts of kind {kind}"))
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_in_the_place_of_another_is_noticed() {
    let (server, dir, saved, right) = kept().await;
    let database = Connection::open(file(dir.path())).unwrap();
    let copy = "UPDATE parts SET bytes = (SELECT bytes FROM parts WHERE id >> 32 = ?1) WHERE id >> 32 = ?2";
    assert!(database.execute(copy, [4, 5]).unwrap() > 0);
    drop(database);
    is_mended(&server, dir.path(), &saved, &right, "pages for an index").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_none_are_set_aside() {
    let (server, dir, saved, right) = kept().await;
    let path = file(dir.path());
    let whole = std::fs::read(&path).unwrap();
    let mut flipped = whole.clone();
    let middle = whole.len() / 2;
    flipped[middle..middle + 1000].fill(0xa5);
    let cases = [
        ("empty", Vec::new()),
        ("text", b"what is this?".repeat(1000)),
        ("short", whole[..100].to_vec()),
        ("half", whole[..middle].to_vec()),
        ("all but the end", whole[..whole.len() - 1].to_vec()),
        ("overwritten in the middle", flipped),
    ];
    for (what, bytes) in cases {
        for beside in ["sqlite-wal", "sqlite-shm"] {
            let _ = std::fs::remove_file(path.with_extension(beside));
        }
        std::fs::write(&path, bytes).unwrap();
        is_mended(&server, dir.path(), &saved, &right, what).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_other_formats_and_accounts_are_set_aside() {
    let (server, dir, saved, right) = kept().await;
    let path = file(dir.path());
    for pragma in ["user_version = 2", "user_version = 0", "application_id = 7"] {
        let database = Connection::open(&path).unwrap();
        database.execute_batch(&format!("PRAGMA {pragma}")).unwrap();
        drop(database);
        is_mended(&server, dir.path(), &saved, &right, pragma).await;
    }
    server.add_user("you@example.org", "theirs").await.unwrap();
    let other = TempDir::new().unwrap();
    let session = client(&server, other.path()).login("you@example.org", "theirs").await.unwrap();
    session.tree().await.unwrap();
    drop(session);
    std::fs::copy(file(other.path()), &path).unwrap();
    is_mended(&server, dir.path(), &saved, &right, "another account's").await;
}

#[tokio::test]
async fn where_nothing_can_be_kept_everything_goes_on_without() {
    let server = server().await;
    let dir = TempDir::new().unwrap();
    let in_the_way = dir.path().join("file");
    std::fs::write(&in_the_way, "").unwrap();
    for dir in [in_the_way.join("below"), PathBuf::from("/proc/none")] {
        let session = client(&server, &dir).login(EMAIL, PASSWORD).await.unwrap();
        let saved = session.save().to_string();
        session.make_folders(&path("/a")).await.unwrap();
        let tree = run(&server, &dir, &saved).await.tree().await.unwrap();
        assert!(tree.at(&path("/a")).is_ok());
    }
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_for_its_owner_alone_and_holds_no_name() {
    use std::os::unix::fs::PermissionsExt;
    let (server, dir) = (server().await, TempDir::new().unwrap());
    let dir = dir.path().join("trees");
    session(&server).await.make_folders(&path("/Geheimnis")).await.unwrap();
    saved(&server, &dir).await;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&file(&dir))), (0o700, 0o600));
    let bytes = std::fs::read(file(&dir)).unwrap();
    assert!(!bytes.windows(9).any(|window| window == b"Geheimnis"));
}
