//! The token that a storage server gives for a complete upload (`protocol-api.md` 4.3).

use std::fmt;

use crate::base64;

/// Proof of a complete upload, in the text form that the `p` command takes as `h`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadToken(String);

impl UploadToken {
    /// Reads a storage server's answer: `None` when it is progress (empty or `0`) or an error
    /// number, which are no tokens.
    ///
    /// A body that is itself base64url text of the old form (36 characters) is kept; any other
    /// is raw bytes and gets encoded.
    #[must_use]
    pub fn from_body(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok();
        if body.is_empty() || text.is_some_and(|t| t.trim().parse::<i64>().is_ok()) {
            return None;
        }
        let is_text = body.len() == 36
            && body.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        Some(Self(match text {
            Some(text) if is_text => text.to_owned(),
            _ => base64::encode(body),
        }))
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UploadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UploadToken(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_and_errors_are_no_tokens() {
        for body in ["", "0", "-4", "-14", "0\n"] {
            assert_eq!(UploadToken::from_body(body.as_bytes()), None, "{body:?}");
        }
    }

    #[test]
    fn raw_bytes_are_encoded() {
        let token = UploadToken::from_body(&[1; 36]).unwrap();
        assert_eq!(token.as_str().len(), 48);
    }

    #[test]
    fn text_is_kept() {
        let body = "abcdefghijklmnopqrstuvwxyz_-01234567";
        assert_eq!(UploadToken::from_body(body.as_bytes()).unwrap().as_str(), body);
    }
}
