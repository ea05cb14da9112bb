//! The service's error numbers (`protocol-api.md` 1.12).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal, $text:literal;)*) => {
        /// An error number of the service; unknown ones are kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $name,)*
            /// A number that the reference does not list.
            Other(i64),
        }

        impl ErrorCode {
            /// Every code that has a name.
            pub const NAMED: &[Self] = &[$(Self::$name,)*];

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> i64 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Other(number) => number,
                }
            }

            /// The code that a number stands for.
            #[must_use]
            pub const fn from_number(number: i64) -> Self {
                match number {
                    $($code => Self::$name,)*
                    other => Self::Other(other),
                }
            }
        }

        impl fmt::Display for ErrorCode {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => write!(f, "{} ({})", $text, $code),)*
                    Self::Other(number) => write!(f, "unknown error ({number})"),
                }
            }
        }
    };
}

error_codes! {
    /// Internal error, or a reply that cannot be read.
    Internal = -1, "internal error";
    /// Bad arguments.
    Arguments = -2, "bad arguments";
    /// Busy: the same batch should be sent again.
    Again = -3, "busy, try again";
    /// Too many requests; from a storage server: begin the upload anew.
    RateLimit = -4, "too many requests";
    /// Failed for good; with a second factor: the code is wrong.
    Failed = -5, "failed for good";
    /// Too many attempts, or too many packets behind.
    TooMany = -6, "too many";
    /// Out of range.
    Range = -7, "out of range";
    /// A storage URL, token or version is out of date.
    Expired = -8, "expired";
    /// Not found; at login: wrong e-mail address or password.
    NotFound = -9, "not found";
    /// A folder cannot be moved into itself.
    Circular = -10, "circular";
    /// No permission.
    Access = -11, "access denied";
    /// Exists already.
    Exists = -12, "exists already";
    /// Not complete; at login: the account was not confirmed.
    Incomplete = -13, "incomplete";
    /// A key is invalid; from a storage server: a checksum is wrong.
    Key = -14, "invalid key";
    /// The session is not valid any more.
    Session = -15, "invalid session";
    /// Account or file is blocked.
    Blocked = -16, "blocked";
    /// Storage or transfer quota is used up.
    OverQuota = -17, "over quota";
    /// The storage server is unavailable for a while.
    Unavailable = -18, "temporarily unavailable";
    /// Too many connections to a storage server.
    TooManyConnections = -19, "too many connections";
    /// The application key is bad.
    AppKey = -22, "bad application key";
    /// The upload would exceed the storage quota.
    GoingOverQuota = -24, "would go over quota";
    /// An atomic batch was undone.
    RolledBack = -25, "rolled back";
    /// A second factor is needed.
    MfaRequired = -26, "second factor required";
    /// Only the master of a business account may do this.
    MasterOnly = -27, "only for the business master";
    /// The business account has expired.
    BusinessExpired = -28, "business account expired";
    /// The account is behind a paywall.
    Paywall = -29, "paywall";
    /// A business sub-user's key is missing.
    SubUserKeyMissing = -30, "sub-user key missing";
    /// The owner of the shared target folder is over quota.
    ShareOverQuota = -401, "the owner of the shared folder is over quota";
}

impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.number())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::from_number)
    }
}

impl schemars::JsonSchema for ErrorCode {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "integer", "maximum": 0 })
    }
}

/// The status of a user, beside an error (`protocol-api.md` 1.4).
pub type UserStatus = i64;
/// The status of a link, beside an error: 0 up, 1 deleted, 2 taken down.
pub type LinkStatus = i64;

/// A refusal: an error number, with detail where the service gives some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}")]
pub struct Failure {
    /// What is wrong.
    pub code: ErrorCode,
    /// Why the user behind it is barred.
    pub user: Option<UserStatus>,
    /// Why the link behind it is barred.
    pub link: Option<LinkStatus>,
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self { code, user: None, link: None }
    }
}

impl Failure {
    /// Reads a result that is an error: a negative number or an object that starts with `err`.
    pub(crate) fn read(json: &str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Object {
            err: ErrorCode,
            u: Option<UserStatus>,
            l: Option<LinkStatus>,
        }
        let json = json.trim();
        if let Ok(number) = json.parse::<i64>() {
            return (number < 0).then(|| ErrorCode::from_number(number).into());
        }
        if !json.starts_with("{\"err\":") {
            return None;
        }
        let object: Object = serde_json::from_str(json).ok()?;
        Some(Self { code: object.err, user: object.u, link: object.l })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_code_survives_the_wire() {
        for code in ErrorCode::NAMED {
            assert_eq!(ErrorCode::from_number(code.number()), *code);
        }
        assert_eq!(ErrorCode::from_number(-99), ErrorCode::Other(-99));
    }

    #[test]
    fn refusals_are_told_from_results() {
        assert_eq!(Failure::read("-9").unwrap().code, ErrorCode::NotFound);
        assert_eq!(Failure::read("{\"err\":-16,\"u\":4,\"l\":1}").unwrap().user, Some(4));
        for result in ["0", "\"0000000001\"", "{}", "[]", "{\"v\":1}"] {
            assert_eq!(Failure::read(result), None, "{result}");
        }
    }
}
