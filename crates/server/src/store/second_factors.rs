//! Second factors of accounts.

use rusqlite::{Connection, OptionalExtension, params};
use supermega_crypto::TotpSecret;
use supermega_encoding::UserHandle;

/// A secret, and whether a login needs it.
pub(crate) struct SecondFactor {
    pub secret: TotpSecret,
    pub active: bool,
}

pub(crate) fn get(db: &Connection, user: UserHandle) -> rusqlite::Result<Option<SecondFactor>> {
    db.prepare_cached("SELECT secret, active FROM second_factors WHERE user = ?1")?
        .query_row([user.as_bytes()], |row| {
            let secret = TotpSecret::from_bytes(row.get_ref(0)?.as_blob()?);
            Ok(SecondFactor { secret, active: row.get(1)? })
        })
        .optional()
}

pub(crate) fn set(
    db: &Connection,
    user: UserHandle,
    factor: &SecondFactor,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT OR REPLACE INTO second_factors (user, secret, active) VALUES (?1, ?2, ?3)",
        params![user.as_bytes(), factor.secret.as_bytes(), factor.active],
    )?;
    Ok(())
}

pub(crate) fn remove(db: &Connection, user: UserHandle) -> rusqlite::Result<()> {
    db.execute("DELETE FROM second_factors WHERE user = ?1", [user.as_bytes()])?;
    Ok(())
}
