//! Streams of action packets and the tags that order them.

use rusqlite::{Connection, params};
use supermega_encoding::{EventCursor, PublicHandle, UserHandle};
use supermega_protocol::SequenceTag;

/// Whose packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stream {
    User(UserHandle),
    Link(PublicHandle),
}

impl Stream {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::User(user) => user.as_bytes(),
            Self::Link(link) => link.as_bytes(),
        }
    }
}

/// A tag that is greater than all before it.
pub(crate) fn next_tag(db: &Connection) -> rusqlite::Result<SequenceTag> {
    let tag: i64 =
        db.query_row("UPDATE tags SET last = last + 1 RETURNING last", [], |row| row.get(0))?;
    Ok(tag_text(tag))
}

/// The tag of a snapshot that is taken now.
pub(crate) fn current_tag(db: &Connection) -> rusqlite::Result<SequenceTag> {
    db.query_row("SELECT last FROM tags", [], |row| row.get(0)).map(tag_text)
}

fn tag_text(tag: i64) -> SequenceTag {
    SequenceTag(format!("{tag:012}"))
}

/// Adds a packet, and now and then forgets all but about the last `kept`: whoever comes with an older cursor
/// has to load the tree anew.
pub(crate) fn append(
    db: &Connection,
    stream: Stream,
    packet: &str,
    kept: u32,
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO packets (stream, json) VALUES (?1, ?2)")?
        .execute(params![stream.bytes(), packet])?;
    let last = db.last_insert_rowid();
    if last % (i64::from(kept) / 8 + 1) == 0 {
        db.execute("DELETE FROM packets WHERE seq <= ?1", [last - i64::from(kept)])?;
    }
    Ok(())
}

/// The cursor behind all packets there are.
pub(crate) fn head(db: &Connection) -> rusqlite::Result<EventCursor> {
    bounds(db).map(|(_, last)| cursor(last))
}

/// Whether whoever has a cursor can go on from there.
pub(crate) fn is_current(db: &Connection, from: EventCursor) -> rusqlite::Result<bool> {
    let (first, last) = bounds(db)?;
    Ok((first..=last).contains(&i64::from_be_bytes(*from.as_bytes())))
}

/// The oldest cursor that misses nothing, and the newest.
fn bounds(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    db.prepare_cached("SELECT coalesce(min(seq) - 1, 0), coalesce(max(seq), 0) FROM packets")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn cursor(seq: i64) -> EventCursor {
    EventCursor::from_bytes(seq.to_be_bytes())
}

/// Up to `limit` packets behind a cursor, the cursor behind them, and whether there are more. Nothing if
/// the cursor is none that this server gave out, or so old that packets behind it are forgotten.
pub(crate) fn after(
    db: &Connection,
    stream: Stream,
    from: EventCursor,
    limit: usize,
) -> rusqlite::Result<Option<Page>> {
    if !is_current(db, from)? {
        return Ok(None);
    }
    let (_, last) = bounds(db)?;
    let from = i64::from_be_bytes(*from.as_bytes());
    let rows: Vec<(i64, String)> = db
        .prepare_cached(
            "SELECT seq, json FROM packets WHERE stream = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?
        .query_map(
            params![stream.bytes(), from, i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?
        .collect::<rusqlite::Result<_>>()?;
    let more = rows.len() > limit;
    let mut packets = Vec::with_capacity(rows.len());
    let mut reached = if more { from } else { last };
    for (seq, json) in rows.into_iter().take(limit) {
        reached = reached.max(seq);
        packets.push(json);
    }
    Ok(Some(Page { packets, cursor: cursor(reached), more }))
}

/// What a poll brings.
pub(crate) struct Page {
    pub packets: Vec<String>,
    pub cursor: EventCursor,
    pub more: bool,
}
