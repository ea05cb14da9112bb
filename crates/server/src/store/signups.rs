//! Ephemeral accounts that are to become full ones, once their mail is answered.

use rusqlite::{Connection, OptionalExtension, Row, params};
use supermega_encoding::UserHandle;

use super::now;

/// A sign-up that waits: what the account's record will be.
pub(crate) struct Signup {
    pub user: UserHandle,
    pub code: String,
    pub address: String,
    pub name: String,
    pub k: Vec<u8>,
    pub proof: Vec<u8>,
    pub salt: Vec<u8>,
}

const COLUMNS: &str = "user, code, address, name, k, proof, salt";

fn read(row: &Row<'_>) -> rusqlite::Result<Signup> {
    Ok(Signup {
        user: UserHandle::from_bytes(row.get(0)?),
        code: row.get(1)?,
        address: row.get(2)?,
        name: row.get(3)?,
        k: row.get(4)?,
        proof: row.get(5)?,
        salt: row.get(6)?,
    })
}

pub(crate) fn of_user(db: &Connection, user: UserHandle) -> rusqlite::Result<Option<Signup>> {
    db.query_row(&format!("SELECT {COLUMNS} FROM signups WHERE user = ?1"), [user.as_bytes()], read)
        .optional()
}

pub(crate) fn by_code(db: &Connection, code: &str) -> rusqlite::Result<Option<Signup>> {
    db.query_row(&format!("SELECT {COLUMNS} FROM signups WHERE code = ?1"), [code], read).optional()
}

/// The latest for an address: several may try.
pub(crate) fn by_address(db: &Connection, address: &str) -> rusqlite::Result<Option<Signup>> {
    let query =
        format!("SELECT {COLUMNS} FROM signups WHERE address = ?1 ORDER BY ts DESC LIMIT 1");
    db.prepare_cached(&query)?.query_row([address], read).optional()
}

pub(crate) fn put(db: &Connection, signup: &Signup) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO signups (user, code, address, name, k, proof, salt, ts)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            signup.user.as_bytes(),
            signup.code,
            signup.address,
            signup.name,
            signup.k,
            signup.proof,
            signup.salt,
            now()
        ],
    )?;
    Ok(())
}

/// Removes a user's; says whether there was one.
pub(crate) fn remove(db: &Connection, user: UserHandle) -> rusqlite::Result<bool> {
    Ok(db.execute("DELETE FROM signups WHERE user = ?1", [user.as_bytes()])? == 1)
}
