//! Prints the record of a version 1 account for npm `mega-mock`, made by the code that makes accounts
//! everywhere else here.
//!
//! That server knows its user by the session id: it takes the text before `_megamock`. So the id begins
//! with the user's handle and that word, and is laid out and encrypted as MEGA's are
//! (`protocol-auth.md` 2.8).
//!
//! `cargo run -p supermega-crypto --example mock_account -- EMAIL PASSWORD`

use std::error::Error;

use supermega_crypto::{KdfVersion, NewAccount, PrivateKey, Proof, PublicKey, random};
use supermega_encoding::{UserHandle, base64};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(email), Some(password)) = (arguments.next(), arguments.next()) else {
        return Err("usage: mock_account EMAIL PASSWORD".into());
    };
    let user = UserHandle::from_bytes(random::array()?);
    let account = NewAccount::generate(&email, &password, KdfVersion::V1, PrivateKey::generate()?)?;
    let Proof::V1 { user_hash } = &account.proof else {
        return Err("a version 1 account has a user hash".into());
    };
    let csid = PublicKey::parse(&account.public_key)?.encrypt(&session_id(user)?)?;
    let record = serde_json::json!({
        "uh": base64::encode(user_hash.as_bytes()),
        "login": {
            "u": user.to_string(),
            "k": base64::encode(&account.wrapped_master_key),
            "privk": base64::encode(&account.private_key),
            "csid": base64::encode(&csid),
        },
    });
    println!("{record}");
    Ok(())
}

/// 16 bytes that begin with the text that the server looks for, the handle, 16 bytes.
fn session_id(user: UserHandle) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut id = base64::decode(&format!("{user}_megamock"))?;
    id.truncate(15);
    id.extend_from_slice(&random::array::<1>()?);
    id.extend_from_slice(user.to_string().as_bytes());
    id.extend_from_slice(&random::array::<16>()?);
    Ok(id)
}
