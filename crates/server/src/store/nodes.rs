//! Nodes: the trees of all users.

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::{NodeHandle, UserHandle};
use supermega_protocol::tree::NodeType;

use super::users::random_bytes;
use super::{blobs, file_attributes, now};

/// A share's root, and a node's key under the key of that share.
pub(crate) type ShareKey = (NodeHandle, String);

/// A node's record.
#[derive(Clone)]
pub(crate) struct Node {
    pub handle: NodeHandle,
    pub parent: Option<NodeHandle>,
    pub owner: UserHandle,
    pub kind: NodeType,
    pub a: String,
    /// Key under the owner's master key; empty for roots.
    pub k: String,
    pub size: Option<u64>,
    pub ts: i64,
    pub fa: Option<String>,
    pub blob: Option<i64>,
}

const COLUMNS: &str = "n.handle, n.parent, n.owner, n.type, n.a, n.k, n.size, n.ts, n.fa, n.blob";

fn read(row: &Row<'_>) -> rusqlite::Result<Node> {
    let parent: Option<[u8; 6]> = row.get(1)?;
    Ok(Node {
        handle: NodeHandle::from_bytes(row.get(0)?),
        parent: parent.map(NodeHandle::from_bytes),
        owner: UserHandle::from_bytes(row.get(2)?),
        kind: NodeType::from_number(row.get(3)?),
        a: row.get(4)?,
        k: row.get(5)?,
        size: row.get(6)?,
        ts: row.get(7)?,
        fa: row.get(8)?,
        blob: row.get(9)?,
    })
}

pub(crate) fn get(db: &Connection, handle: NodeHandle) -> rusqlite::Result<Option<Node>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM nodes n WHERE n.handle = ?1"))?
        .query_row([handle.as_bytes()], read)
        .optional()
}

/// The user's root of this type.
pub(crate) fn root(db: &Connection, owner: UserHandle, kind: NodeType) -> rusqlite::Result<Node> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM nodes n WHERE n.owner = ?1 AND n.type = ?2"))?
        .query_row(params![owner.as_bytes(), kind.number()], read)
}

/// The three roots of a new account.
pub(super) fn insert_roots(db: &Connection, owner: UserHandle) -> rusqlite::Result<()> {
    for kind in [NodeType::Root, NodeType::Vault, NodeType::Trash] {
        insert(
            db,
            &Node {
                handle: new_handle(db)?,
                parent: None,
                owner,
                kind,
                a: String::new(),
                k: String::new(),
                size: None,
                ts: now(),
                fa: None,
                blob: None,
            },
        )?;
    }
    Ok(())
}

pub(crate) fn insert(db: &Connection, node: &Node) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO nodes (handle, parent, owner, type, a, k, size, ts, fa, blob)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        node.handle.as_bytes(),
        node.parent.as_ref().map(NodeHandle::as_bytes),
        node.owner.as_bytes(),
        node.kind.number(),
        node.a,
        node.k,
        node.size,
        node.ts,
        node.fa,
        node.blob
    ])?;
    match &node.fa {
        Some(fa) => file_attributes::attach(db, node.handle, fa),
        None => Ok(()),
    }
}

/// A handle that nobody has, and none that clients take for a placeholder
/// (`protocol-api.md` 6.1).
pub(crate) fn new_handle(db: &Connection) -> rusqlite::Result<NodeHandle> {
    loop {
        let handle = NodeHandle::from_bytes(random_bytes()?);
        let reserved = ["AAAAAAAA", "________", "xxxxxxxx"].contains(&handle.to_string().as_str());
        if !reserved && get(db, handle)?.is_none() {
            return Ok(handle);
        }
    }
}

/// `top` and everything below it, old versions too, parents before children.
pub(crate) fn subtree(db: &Connection, top: NodeHandle) -> rusqlite::Result<Vec<Node>> {
    db.prepare_cached(&format!(
        "WITH RECURSIVE below (handle) AS (
             SELECT ?1 UNION SELECT c.handle FROM nodes c JOIN below b ON c.parent = b.handle
         ) SELECT {COLUMNS} FROM below b JOIN nodes n ON n.handle = b.handle"
    ))?
    .query_map([top.as_bytes()], read)?
    .collect()
}

/// Visits `top` and everything below it, parents before children, and says which nodes are old versions.
pub(crate) fn each_below<E: From<rusqlite::Error>>(
    db: &Connection,
    top: NodeHandle,
    mut visit: impl FnMut(&Node, bool) -> Result<(), E>,
) -> Result<(), E> {
    // The recursion reads the index alone.
    let mut statement = db.prepare_cached(&format!(
        "WITH RECURSIVE below (handle, type, version) AS (
             SELECT handle, type, 0 FROM nodes WHERE handle = ?1 UNION ALL
             SELECT c.handle, c.type, b.type = 0 FROM below b CROSS JOIN nodes c
             INDEXED BY nodes_by_parent_and_type ON c.parent = b.handle
         ) SELECT {COLUMNS}, b.version FROM below b CROSS JOIN nodes n ON n.handle = b.handle"
    ))?;
    let mut rows = statement.query([top.as_bytes()])?;
    while let Some(row) = rows.next()? {
        visit(&read(row)?, row.get(10)?)?;
    }
    Ok(())
}

/// The node's ancestors from the inside out, itself first.
pub(crate) fn ancestors(db: &Connection, node: NodeHandle) -> rusqlite::Result<Vec<NodeHandle>> {
    db.prepare_cached(
        "WITH RECURSIVE above (handle) AS (
             SELECT ?1 UNION
             SELECT n.parent FROM nodes n JOIN above a ON n.handle = a.handle
             WHERE n.parent IS NOT NULL
         ) SELECT handle FROM above",
    )?
    .query_map([node.as_bytes()], |row| row.get(0).map(NodeHandle::from_bytes))?
    .collect()
}

pub(crate) fn set_attributes(db: &Connection, node: NodeHandle, a: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE nodes SET a = ?2 WHERE handle = ?1", params![node.as_bytes(), a])?;
    Ok(())
}

/// Sets all file attributes of a node.
pub(crate) fn set_file_attributes(
    db: &Connection,
    node: NodeHandle,
    fa: &str,
) -> rusqlite::Result<()> {
    db.execute("UPDATE nodes SET fa = ?2 WHERE handle = ?1", params![node.as_bytes(), fa])?;
    file_attributes::attach(db, node, fa)
}

pub(crate) fn set_parent(
    db: &Connection,
    node: NodeHandle,
    parent: NodeHandle,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE nodes SET parent = ?2 WHERE handle = ?1",
        params![node.as_bytes(), parent.as_bytes()],
    )?;
    Ok(())
}

/// The next older version of a file.
pub(crate) fn older_version(db: &Connection, file: NodeHandle) -> rusqlite::Result<Option<Node>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM nodes n WHERE n.parent = ?1"))?
        .query_row([file.as_bytes()], read)
        .optional()
}

/// Removes nodes and gives the blobs that nobody needs any more.
pub(crate) fn remove(db: &Connection, nodes: &[Node]) -> rusqlite::Result<Vec<i64>> {
    for node in nodes {
        db.prepare_cached("DELETE FROM nodes WHERE handle = ?1")?
            .execute([node.handle.as_bytes()])?;
    }
    let mut unused = Vec::new();
    for blob in nodes.iter().filter_map(|node| node.blob) {
        let needed: bool = db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM nodes WHERE blob = ?1)")?
            .query_row([blob], |row| row.get(0))?;
        if !needed {
            // The upload's token ends with the last file that was made from it.
            db.prepare_cached("DELETE FROM uploads WHERE blob = ?1")?.execute([blob])?;
            if blobs::remove_unused(db, blob)? {
                unused.push(blob);
            }
        }
    }
    Ok(unused)
}

/// The old versions of a file, newest first.
pub(crate) fn versions(db: &Connection, file: NodeHandle) -> rusqlite::Result<Vec<Node>> {
    let mut versions: Vec<Node> = Vec::new();
    let mut newer = file;
    while let Some(older) = older_version(db, newer)? {
        newer = older.handle;
        versions.push(older);
    }
    Ok(versions)
}

/// The current files of a user that have old versions.
pub(crate) fn with_versions(
    db: &Connection,
    owner: UserHandle,
) -> rusqlite::Result<Vec<NodeHandle>> {
    db.prepare_cached(
        "SELECT f.handle FROM nodes f JOIN nodes folder ON folder.handle = f.parent
         WHERE f.owner = ?1 AND f.type = 0 AND folder.type <> 0
         AND EXISTS (SELECT 1 FROM nodes v WHERE v.parent = f.handle)",
    )?
    .query_map([owner.as_bytes()], |row| row.get(0).map(NodeHandle::from_bytes))?
    .collect()
}

/// What lies directly in a folder.
pub(crate) fn children(db: &Connection, folder: NodeHandle) -> rusqlite::Result<Vec<Node>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM nodes n WHERE n.parent = ?1"))?
        .query_map([folder.as_bytes()], read)?
        .collect()
}

/// Sets the key under the owner's master key.
pub(crate) fn set_key(db: &Connection, node: NodeHandle, k: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE nodes SET k = ?2 WHERE handle = ?1", params![node.as_bytes(), k])?;
    Ok(())
}

/// What lies in one of a user's roots.
#[derive(Clone, Copy, Default)]
pub(crate) struct Usage {
    pub bytes: u64,
    pub files: u64,
    pub folders: u64,
    pub version_bytes: u64,
    pub versions: u64,
}

impl Usage {
    /// As clients get it: bytes, files, folders, bytes of versions, number of versions.
    pub(crate) fn counts(&self) -> [u64; 5] {
        [self.bytes, self.files, self.folders, self.version_bytes, self.versions]
    }
}

/// Counts what lies below `top`, which itself does not count.
pub(crate) fn usage(db: &Connection, top: NodeHandle) -> rusqlite::Result<Usage> {
    db.prepare_cached(
        "WITH RECURSIVE below (handle, version) AS (
             SELECT ?1, 0 UNION
             SELECT c.handle, p.type = 0 FROM below b
             JOIN nodes p ON p.handle = b.handle JOIN nodes c ON c.parent = b.handle
         )
         SELECT coalesce(sum(CASE WHEN b.version THEN 0 ELSE n.size END), 0),
                coalesce(sum(n.type = 0 AND NOT b.version), 0), coalesce(sum(n.type = 1), 0),
                coalesce(sum(CASE WHEN b.version THEN n.size END), 0),
                coalesce(sum(b.version), 0)
         FROM below b JOIN nodes n ON n.handle = b.handle WHERE n.handle <> ?1",
    )?
    .query_row([top.as_bytes()], |row| {
        Ok(Usage {
            bytes: row.get(0)?,
            files: row.get(1)?,
            folders: row.get(2)?,
            version_bytes: row.get(3)?,
            versions: row.get(4)?,
        })
    })
}

/// Bytes that a user holds, with versions and rubbish.
pub(crate) fn used(db: &Connection, owner: UserHandle) -> rusqlite::Result<u64> {
    let bytes = db
        .prepare_cached("SELECT bytes FROM usage WHERE owner = ?1")?
        .query_row([owner.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(bytes.unwrap_or(0))
}
