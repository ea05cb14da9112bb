//! What the server keeps of a password that is being set (`protocol-auth.md` 3.4).

use supermega_crypto::ClientRandom;
use supermega_encoding::{Base64, UserHandle};
use supermega_protocol::ErrorCode;
use supermega_protocol::recovery::PasswordProof;

use super::call::{ApiError, Call};
use crate::store::users::{self, Password};

/// Reads what a client sends: the master key under the new key, what proves the password, and, of version 2,
/// what it drew.
pub(super) fn read(
    k: &Base64,
    proof: &Base64,
    crv: Option<&Base64>,
) -> Result<Password, ErrorCode> {
    let salt = match crv {
        Some(crv) => {
            let crv = crv.as_bytes().try_into().map_err(|_| ErrorCode::Arguments)?;
            Some(ClientRandom::from_bytes(crv).salt().as_bytes().to_vec())
        }
        None => None,
    };
    let proof_length = if salt.is_some() { 16 } else { 8 };
    if k.as_bytes().len() != 16 || proof.as_bytes().len() != proof_length {
        return Err(ErrorCode::Arguments);
    }
    Ok(Password { k: k.as_bytes().to_vec(), proof: proof.as_bytes().to_vec(), salt })
}

/// The same of a recovery.
pub(super) fn recovered(k: &Base64, proof: &PasswordProof) -> Result<Password, ErrorCode> {
    match proof {
        PasswordProof::V2(proof) => read(k, &proof.hak, Some(&proof.crv)),
        PasswordProof::V1(hash) => read(k, hash, None),
    }
}

/// Sets a password.
pub(super) fn set(call: &Call<'_>, user: UserHandle, password: &Password) -> Result<(), ApiError> {
    Ok(users::set_password(call.db, user, password)?)
}
