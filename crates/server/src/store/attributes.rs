//! User attributes with their versions.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_encoding::{UserHandle, base64};
use supermega_protocol::Verbatim;
use supermega_protocol::user_attribute::{AttributeValue, VersionedValue};

use super::users::random_bytes;

/// A value and its version.
pub(crate) struct Attribute {
    pub value: String,
    pub version: String,
}

impl Attribute {
    /// As a client gets it, which may have asked for the version too.
    pub(crate) fn into_wire(self, versioned: bool) -> AttributeValue {
        let value = Verbatim(self.value);
        if versioned {
            AttributeValue::Versioned(VersionedValue { av: value, v: self.version })
        } else {
            AttributeValue::Bare(value)
        }
    }
}

pub(crate) fn get(
    db: &Connection,
    user: UserHandle,
    name: &str,
) -> rusqlite::Result<Option<Attribute>> {
    db.prepare_cached("SELECT value, version FROM attributes WHERE user = ?1 AND name = ?2")?
        .query_row(params![user.as_bytes(), name], |row| {
            Ok(Attribute { value: row.get(0)?, version: row.get(1)? })
        })
        .optional()
}

pub(crate) fn all(db: &Connection, user: UserHandle) -> rusqlite::Result<Vec<(String, Attribute)>> {
    db.prepare_cached("SELECT name, value, version FROM attributes WHERE user = ?1")?
        .query_map([user.as_bytes()], |row| {
            Ok((row.get(0)?, Attribute { value: row.get(1)?, version: row.get(2)? }))
        })?
        .collect()
}

/// Removes a value; says whether there was one.
pub(crate) fn remove(db: &Connection, user: UserHandle, name: &str) -> rusqlite::Result<bool> {
    let removed = db.execute(
        "DELETE FROM attributes WHERE user = ?1 AND name = ?2",
        params![user.as_bytes(), name],
    )?;
    Ok(removed == 1)
}

/// Sets a value and gives its new version.
pub(crate) fn set(
    db: &Connection,
    user: UserHandle,
    name: &str,
    value: &str,
) -> rusqlite::Result<String> {
    let version = base64::encode(&random_bytes::<8>()?);
    db.execute(
        "INSERT OR REPLACE INTO attributes (user, name, value, version) VALUES (?1, ?2, ?3, ?4)",
        params![user.as_bytes(), name, value, version],
    )?;
    Ok(version)
}
