//! What the server knows, as JSON Lines.

use std::io::Write;

use rusqlite::Connection;
use serde_json::{Value, json};
use supermega_encoding::{NodeHandle, PublicHandle, UserHandle};

use crate::api::WriteError;
use crate::fault::FaultReport;
use crate::hold::Held;
use crate::request_log::LoggedRequest;
use crate::state::State;
use crate::store::outbox;

/// Writes lines from one committed state.
pub(super) type Dump = fn(&Connection, &mut dyn Write) -> Result<(), WriteError>;

/// A line a request.
pub(super) fn log(state: &State) -> String {
    let line = |request: &LoggedRequest| match request {
        LoggedRequest::Api(commands) => json!({ "type": "api", "commands": commands }),
        LoggedRequest::AttributeDownload { attributes } => {
            json!({ "type": "attribute-download", "attributes": attributes })
        }
        LoggedRequest::AttributeUpload { length } => {
            json!({ "type": "attribute-upload", "length": length })
        }
        LoggedRequest::Download { start, end, part } => {
            json!({ "type": "download", "start": start, "end": end, "part": part })
        }
        LoggedRequest::Event => json!({ "type": "event" }),
        LoggedRequest::Upload { offset, length } => {
            json!({ "type": "upload", "offset": offset, "length": length })
        }
    };
    joined(state.log.entries().iter().map(line))
}

fn joined(lines: impl Iterator<Item = Value>) -> String {
    lines.flat_map(|line| [line.to_string(), "\n".into()]).collect()
}

/// A line a fault, with what it did so far.
pub(super) fn faults(state: &State) -> String {
    let line = |report: &FaultReport| {
        json!({
            "type": "fault",
            "fault": report.fault.to_string(),
            "requests": report.requests,
            "hits": report.hits,
            "over": report.is_over,
        })
    };
    joined(state.faults.reports().iter().map(line))
}

/// A line a hold.
pub(super) fn holds(state: &State) -> String {
    joined(state.holds.list().iter().map(|held| hold(held)))
}

/// A hold, and how many requests have come to it.
pub(super) fn hold(held: &Held) -> Value {
    let requests = *held.requests.borrow();
    json!({ "type": "hold", "hold": held.id, "at": held.point.to_string(), "requests": requests })
}

/// A line a user.
pub(super) fn users(db: &Connection, out: &mut dyn Write) -> Result<(), WriteError> {
    lines(
        db,
        "SELECT u.handle, u.email, u.version, u.quota, coalesce(s.bytes, 0),
                (SELECT count(*) FROM nodes n WHERE n.owner = u.handle)
         FROM users u LEFT JOIN usage s ON s.owner = u.handle ORDER BY u.created, u.email",
        |row| {
            Ok(json!({
                "type": "user",
                "handle": UserHandle::from_bytes(row.get(0)?).to_string(),
                "email": row.get::<_, Option<String>>(1)?,
                "version": row.get::<_, u8>(2)?,
                "quota": row.get::<_, u64>(3)?,
                "used": row.get::<_, u64>(4)?,
                "nodes": row.get::<_, u64>(5)?,
            }))
        },
        out,
    )
}

/// A line a mail.
pub(super) fn mails(db: &Connection, out: &mut dyn Write) -> Result<(), WriteError> {
    outbox::each(db, |mail| Ok(writeln!(out, "{}", mail.to_json())?))
}

/// Users, nodes and links, without keys.
pub(super) fn everything(db: &Connection, out: &mut dyn Write) -> Result<(), WriteError> {
    users(db, out)?;
    lines(
        db,
        "SELECT handle, parent, owner, type, size, ts FROM nodes ORDER BY owner, handle",
        |row| {
            let parent: Option<[u8; 6]> = row.get(1)?;
            Ok(json!({
                "type": "node",
                "handle": NodeHandle::from_bytes(row.get(0)?).to_string(),
                "parent": parent.map(|parent| NodeHandle::from_bytes(parent).to_string()),
                "owner": UserHandle::from_bytes(row.get(2)?).to_string(),
                "kind": row.get::<_, u8>(3)?,
                "size": row.get::<_, Option<u64>>(4)?,
                "created": row.get::<_, i64>(5)?,
            }))
        },
        out,
    )?;
    lines(
        db,
        "SELECT handle, node, ts FROM links ORDER BY handle",
        |row| {
            Ok(json!({
                "type": "link",
                "handle": PublicHandle::from_bytes(row.get(0)?).to_string(),
                "node": NodeHandle::from_bytes(row.get(1)?).to_string(),
                "created": row.get::<_, i64>(2)?,
            }))
        },
        out,
    )
}

fn lines(
    db: &Connection,
    query: &str,
    line: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Value>,
    out: &mut dyn Write,
) -> Result<(), WriteError> {
    let mut statement = db.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        writeln!(out, "{}", line(row)?)?;
    }
    Ok(())
}
