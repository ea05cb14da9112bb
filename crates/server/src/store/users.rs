//! Users and the keys that they leave with the server.

use rusqlite::{Connection, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};
use supermega_crypto::{NewAccount, Proof, random};
use supermega_encoding::UserHandle;

use super::{nodes, now};

/// A user's record. What proves a login is the hashed authentication key (version 2) or the user hash
/// (version 1).
pub(crate) struct User {
    pub handle: UserHandle,
    pub email: Option<String>,
    /// Full name, if a sign-up told.
    pub name: Option<String>,
    pub version: u8,
    pub k: Vec<u8>,
    pub proof: Vec<u8>,
    pub salt: Option<Vec<u8>>,
    pub privk: Option<Vec<u8>>,
    pub pubk: Option<Vec<u8>>,
    /// The session challenge of an account without e-mail address.
    pub ts: Option<Vec<u8>>,
    pub created: i64,
    pub quota: u64,
}

const COLUMNS: &str =
    "handle, email, version, k, proof, salt, privk, pubk, ts, created, quota, name";

fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        handle: UserHandle::from_bytes(row.get(0)?),
        email: row.get(1)?,
        version: row.get(2)?,
        k: row.get(3)?,
        proof: row.get(4)?,
        salt: row.get(5)?,
        privk: row.get(6)?,
        pubk: row.get(7)?,
        ts: row.get(8)?,
        created: row.get(9)?,
        quota: row.get(10)?,
        name: row.get(11)?,
    })
}

pub(crate) fn by_handle(db: &Connection, handle: UserHandle) -> rusqlite::Result<Option<User>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE handle = ?1"))?
        .query_row([handle.as_bytes()], read)
        .optional()
}

pub(crate) fn by_email(db: &Connection, email: &str) -> rusqlite::Result<Option<User>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE email = ?1"))?
        .query_row([email], read)
        .optional()
}

/// Adds an account with its three roots.
pub(crate) fn insert_account(
    db: &Connection,
    email: &str,
    account: &NewAccount,
    quota: u64,
) -> rusqlite::Result<UserHandle> {
    let (version, proof, salt) = match &account.proof {
        Proof::V1 { user_hash } => (1, user_hash.as_bytes().to_vec(), None),
        Proof::V2 { salt, hak, .. } => (2, hak.as_bytes().to_vec(), Some(salt.as_bytes().to_vec())),
    };
    let user = User {
        handle: new_handle()?,
        email: Some(email.to_owned()),
        name: None,
        version,
        k: account.wrapped_master_key.to_vec(),
        proof,
        salt,
        privk: Some(account.private_key.clone()),
        pubk: Some(account.public_key.clone()),
        ts: None,
        created: now(),
        quota,
    };
    insert(db, &user)?;
    Ok(user.handle)
}

/// Adds an account without e-mail address and password.
pub(crate) fn insert_ephemeral(
    db: &Connection,
    k: &[u8],
    ts: &[u8],
    quota: u64,
) -> rusqlite::Result<UserHandle> {
    let user = User {
        handle: new_handle()?,
        email: None,
        name: None,
        version: 2,
        k: k.to_vec(),
        proof: Vec::new(),
        salt: None,
        privk: None,
        pubk: None,
        ts: Some(ts.to_vec()),
        created: now(),
        quota,
    };
    insert(db, &user)?;
    Ok(user.handle)
}

fn insert(db: &Connection, user: &User) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO users (handle, email, version, k, proof, salt, privk, pubk, ts, created, quota)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            user.handle.as_bytes(),
            user.email,
            user.version,
            user.k,
            user.proof,
            user.salt,
            user.privk,
            user.pubk,
            user.ts,
            user.created,
            user.quota
        ],
    )?;
    nodes::insert_roots(db, user.handle)
}

/// Sets the RSA pair of an account that has none.
pub(crate) fn set_rsa(
    db: &Connection,
    user: UserHandle,
    privk: &[u8],
    pubk: &[u8],
) -> rusqlite::Result<bool> {
    let changed = db.execute(
        "UPDATE users SET privk = ?2, pubk = ?3 WHERE handle = ?1 AND privk IS NULL",
        params![user.as_bytes(), privk, pubk],
    )?;
    Ok(changed == 1)
}

/// What is kept of a password: the master key under it, what proves it, and the salt of a version 2 account.
pub(crate) struct Password {
    pub k: Vec<u8>,
    pub proof: Vec<u8>,
    pub salt: Option<Vec<u8>>,
}

impl Password {
    fn version(&self) -> u8 {
        if self.salt.is_some() { 2 } else { 1 }
    }
}

/// Sets another password.
pub(crate) fn set_password(
    db: &Connection,
    user: UserHandle,
    password: &Password,
) -> rusqlite::Result<()> {
    let Password { k, proof, salt } = password;
    db.execute(
        "UPDATE users SET k = ?2, proof = ?3, salt = ?4, version = ?5 WHERE handle = ?1",
        params![user.as_bytes(), k, proof, salt, password.version()],
    )?;
    Ok(())
}

/// Sets the full name.
pub(crate) fn set_name(db: &Connection, user: UserHandle, name: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE users SET name = ?2 WHERE handle = ?1", params![user.as_bytes(), name])?;
    Ok(())
}

/// Gives an account an address, a name and a password.
pub(crate) fn confirm(
    db: &Connection,
    user: UserHandle,
    email: &str,
    name: &str,
    password: &Password,
) -> rusqlite::Result<()> {
    let params = params![user.as_bytes(), email, name];
    db.execute("UPDATE users SET email = ?2, name = ?3 WHERE handle = ?1", params)?;
    set_password(db, user, password)
}

/// Sets another address, and what proves the password if that depends on the address.
pub(crate) fn set_email(
    db: &Connection,
    user: UserHandle,
    email: &str,
    proof: Option<&[u8]>,
) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE users SET email = ?2, proof = coalesce(?3, proof) WHERE handle = ?1",
        params![user.as_bytes(), email, proof],
    )?;
    Ok(())
}

/// Makes an account new whose nodes are gone: another master key, no RSA pair, no attributes.
pub(crate) fn start_over(
    db: &Connection,
    user: UserHandle,
    password: &Password,
    ts: &[u8],
) -> rusqlite::Result<()> {
    set_password(db, user, password)?;
    db.execute(
        "UPDATE users SET privk = NULL, pubk = NULL, ts = ?2 WHERE handle = ?1",
        params![user.as_bytes(), ts],
    )?;
    db.execute("DELETE FROM attributes WHERE user = ?1", [user.as_bytes()])?;
    nodes::insert_roots(db, user)
}

/// Removes an account whose nodes and uploads are gone.
pub(crate) fn remove(db: &Connection, user: UserHandle) -> rusqlite::Result<()> {
    db.execute("DELETE FROM usage WHERE owner = ?1", [user.as_bytes()])?;
    db.execute("DELETE FROM users WHERE handle = ?1", [user.as_bytes()])?;
    Ok(())
}

fn new_handle() -> rusqlite::Result<UserHandle> {
    random_bytes().map(UserHandle::from_bytes)
}

/// Random bytes for ids; the error is that of a database, since that is what callers handle.
pub(crate) fn random_bytes<const N: usize>() -> rusqlite::Result<[u8; N]> {
    random::array().map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

/// The hash by which a session id is found.
pub(crate) fn session_hash(sid: &[u8]) -> [u8; 32] {
    Sha256::digest(sid).into()
}
