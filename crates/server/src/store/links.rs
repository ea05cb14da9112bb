//! Public links and exported folders.

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle, base64};

use super::now;
use super::users::random_bytes;

/// A public link.
pub(crate) struct Link {
    pub handle: PublicHandle,
    pub node: NodeHandle,
    pub ts: i64,
    /// When it ends.
    pub expires: Option<i64>,
    /// What lets its holder write.
    pub auth: Option<String>,
    /// Whether it was taken down.
    pub down: bool,
}

/// A folder that is shared with everybody who has its link.
pub(crate) struct Export {
    pub node: NodeHandle,
    pub level: u8,
    pub ts: i64,
}

const COLUMNS: &str = "l.handle, l.node, l.ts, l.expires, l.auth, l.down";

fn read(row: &Row<'_>) -> rusqlite::Result<Link> {
    Ok(Link {
        handle: PublicHandle::from_bytes(row.get(0)?),
        node: NodeHandle::from_bytes(row.get(1)?),
        ts: row.get(2)?,
        expires: row.get(3)?,
        auth: row.get(4)?,
        down: row.get(5)?,
    })
}

/// A link that has not ended.
pub(crate) fn get(db: &Connection, link: PublicHandle) -> rusqlite::Result<Option<Link>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM links l WHERE l.handle = ?1 AND coalesce(l.expires > ?2, 1)"
    ))?
    .query_row(params![link.as_bytes(), now()], read)
    .optional()
}

/// The node behind a link, even if the link has ended.
pub(crate) fn node_of(db: &Connection, link: PublicHandle) -> rusqlite::Result<Option<NodeHandle>> {
    db.prepare_cached("SELECT node FROM links WHERE handle = ?1")?
        .query_row([link.as_bytes()], |row| row.get(0).map(NodeHandle::from_bytes))
        .optional()
}

pub(crate) fn of_node(db: &Connection, node: NodeHandle) -> rusqlite::Result<Option<Link>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM links l WHERE l.node = ?1"))?
        .query_row([node.as_bytes()], read)
        .optional()
}

/// The folder links through which a folder can be seen, its own among them.
pub(crate) fn around(db: &Connection, folder: NodeHandle) -> rusqlite::Result<Vec<PublicHandle>> {
    db.prepare_cached(
        "WITH RECURSIVE above (handle) AS (
             SELECT ?1 UNION
             SELECT n.parent FROM nodes n JOIN above a ON n.handle = a.handle
             WHERE n.parent IS NOT NULL
         )
         SELECT l.handle FROM above a JOIN links l ON l.node = a.handle
         JOIN exports e ON e.node = a.handle",
    )?
    .query_map([folder.as_bytes()], |row| row.get(0).map(PublicHandle::from_bytes))?
    .collect()
}

pub(crate) fn of_user(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<Link>> {
    db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM links l JOIN nodes n ON n.handle = l.node WHERE n.owner = ?1"
    ))?
    .query_map([owner.as_bytes()], read)?
    .collect()
}

pub(crate) fn insert(db: &Connection, node: NodeHandle) -> rusqlite::Result<Link> {
    let handle = PublicHandle::from_bytes(random_bytes()?);
    let link = Link { handle, node, ts: now(), expires: None, auth: None, down: false };
    db.execute(
        "INSERT INTO links (handle, node, ts) VALUES (?1, ?2, ?3)",
        params![link.handle.as_bytes(), node.as_bytes(), link.ts],
    )?;
    Ok(link)
}

/// Sets when a link ends, if it does.
pub(crate) fn set_expiry(
    db: &Connection,
    link: PublicHandle,
    expires: Option<i64>,
) -> rusqlite::Result<()> {
    let params = params![link.as_bytes(), expires];
    db.execute("UPDATE links SET expires = ?2 WHERE handle = ?1", params)?;
    Ok(())
}

/// Draws what lets the holder of a link write.
pub(crate) fn authorise(db: &Connection, link: PublicHandle) -> rusqlite::Result<String> {
    let auth = base64::encode(&random_bytes::<16>()?);
    db.execute("UPDATE links SET auth = ?2 WHERE handle = ?1", params![link.as_bytes(), auth])?;
    Ok(auth)
}

/// Takes a link down, or lets it up again; says whether there is one.
pub(crate) fn set_down(db: &Connection, link: PublicHandle, down: bool) -> rusqlite::Result<bool> {
    let params = params![link.as_bytes(), down];
    Ok(db.execute("UPDATE links SET down = ?2 WHERE handle = ?1", params)? == 1)
}

pub(crate) fn remove(db: &Connection, node: NodeHandle) -> rusqlite::Result<()> {
    db.execute("DELETE FROM links WHERE node = ?1", [node.as_bytes()])?;
    Ok(())
}

pub(crate) fn exports(db: &Connection, owner: UserHandle) -> rusqlite::Result<Vec<Export>> {
    db.prepare_cached(
        "SELECT e.node, e.level, e.ts FROM exports e
         JOIN nodes n ON n.handle = e.node WHERE n.owner = ?1",
    )?
    .query_map([owner.as_bytes()], |row| {
        Ok(Export {
            node: NodeHandle::from_bytes(row.get(0)?),
            level: row.get(1)?,
            ts: row.get(2)?,
        })
    })?
    .collect()
}

/// How far whoever has a folder's link may go, if the folder is exported.
pub(crate) fn export_level(db: &Connection, node: NodeHandle) -> rusqlite::Result<Option<u8>> {
    db.prepare_cached("SELECT level FROM exports WHERE node = ?1")?
        .query_row([node.as_bytes()], |row| row.get(0))
        .optional()
}

pub(crate) fn set_export(db: &Connection, export: &Export) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO exports (node, level, ts) VALUES (?1, ?2, ?3)
         ON CONFLICT (node) DO UPDATE SET level = excluded.level",
        params![export.node.as_bytes(), export.level, export.ts],
    )?;
    Ok(())
}

pub(crate) fn remove_export(db: &Connection, node: NodeHandle) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM exports WHERE node = ?1", [node.as_bytes()])? == 1)
}
