//! What keeps clients from reminding people of their recovery key (`protocol-auth.md` 3.5, 4.12).

use std::collections::BTreeMap;

use supermega_protocol::user_attribute::{AttributeName, FetchAttribute, PutAttributes};
use supermega_protocol::{ErrorCode, Flag, Malformed, Verbatim};

use super::Session;
use crate::error::Result;

const REMINDER: &str = "^!prd";
/// Its value where there was none: nothing happened yet.
const NOTHING: &str = "0:0:0:0:0";
/// The place of what says whether the recovery key was exported.
const EXPORTED: usize = 2;

impl Session {
    /// Notes in the account that its owner has the recovery key, which [`recovery_key`](Self::recovery_key) gives:
    /// official clients then remind nobody of it. What else they keep beside that stays as it is.
    pub async fn note_recovery_key(&self) -> Result<()> {
        self.must_be_account()?;
        let name =
            || AttributeName::new(REMINDER).ok_or_else(|| Malformed::new("up2", ".", "no name"));
        let user = self.with_account(|account, _| account.user.to_string())?;
        let request = FetchAttribute { u: Some(user), ua: name()?, v: Flag::SET };
        let known = match self.channel().call(&request).await {
            Ok(value) => value.text().decode().ok(),
            Err(error) if error.code() == Some(ErrorCode::NotFound) => Some(NOTHING.into()),
            Err(error) => return Err(error),
        };
        // What has another form is left to whoever wrote it.
        let Some(value) = known.and_then(|known| exported(&known)) else { return Ok(()) };
        let value = Verbatim::from(value.as_bytes());
        let request = PutAttributes { attributes: BTreeMap::from([(name()?, value)]) };
        self.channel().call(&request).await?;
        Ok(())
    }
}

/// The value that says so; nothing if it does already, or says nothing that is known.
fn exported(known: &[u8]) -> Option<String> {
    let known = std::str::from_utf8(known).ok()?;
    let mut fields: Vec<&str> = known.split(':').collect();
    let is_number = |field: &&str| !field.is_empty() && field.bytes().all(|b| b.is_ascii_digit());
    if fields.len() < 5 || !fields.iter().all(is_number) || fields[EXPORTED] == "1" {
        return None;
    }
    fields[EXPORTED] = "1";
    Some(fields.join(":"))
}

#[cfg(test)]
mod tests {
    use super::exported;

    #[test]
    fn only_what_is_known_is_changed() {
        assert_eq!(exported(b"5:6:0:1:7").as_deref(), Some("5:6:1:1:7"));
        assert_eq!(exported(b"5:6:0:1:7:8").as_deref(), Some("5:6:1:1:7:8"));
        for other in [&b"5:6:1:1:7"[..], b"", b"5:6:0", b"5:6::1:7", b"{\"a\":0}", b"\xff:0:0:0:0"]
        {
            assert_eq!(exported(other), None);
        }
    }
}
