//! What a fault does.

use std::fmt;
use std::str::FromStr;

use super::place::Place;

/// How long a client over quota is told to wait unless said otherwise: what official ones assume.
const WAIT: u64 = 3600;

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// -3 for the whole batch.
    Again,
    /// A body comes, or is taken, no faster.
    Bandwidth {
        /// Than so many bytes a second.
        rate: u32,
    },
    /// The connection is cut after so many bytes of a body.
    Cut {
        /// How many.
        bytes: u64,
    },
    /// The answer comes later.
    Delay {
        /// How much later.
        milliseconds: u64,
    },
    /// A result has a member that nobody knows; among packets there is one that nobody knows.
    Drift,
    /// A result is JSON of another kind than it should be.
    DriftKind,
    /// An error number for the whole batch.
    Error {
        /// The number without its sign.
        number: u32,
    },
    /// Status 403, and the address stays invalid.
    Expired,
    /// A bit is turned.
    Flip {
        /// Of the byte at this offset of the file.
        offset: u64,
    },
    /// Answers that are kept for requests that come again are forgotten.
    Forget,
    /// A proof of work is asked for.
    Hashcash {
        /// How easy it is.
        easiness: u8,
    },
    /// The request is carried out and not answered; packets are passed over.
    Lost,
    /// -17 as a command's result.
    OverQuota {
        /// After how many seconds there is quota again.
        seconds: u64,
    },
    /// Status 509.
    Quota {
        /// After how many seconds there is quota again.
        seconds: u64,
    },
    /// -4 for the whole batch.
    RateLimit,
    /// A command alone is refused.
    Refuse {
        /// With this number, without its sign.
        number: u32,
    },
    /// Packets are given again at the next poll.
    Repeat,
    /// A command is not carried out, and its result is a number.
    Result {
        /// Which.
        number: u32,
    },
    /// Nothing comes any more, and the connection stays.
    Stall {
        /// After so many bytes of the body.
        bytes: u64,
    },
    /// An HTTP status.
    Status {
        /// The status.
        code: u16,
    },
    /// A body is shorter than it should be.
    Truncate {
        /// How long it is.
        bytes: u64,
    },
}

impl Action {
    /// Whether it concerns a single result of a batch.
    pub(crate) fn is_of_result(self) -> bool {
        matches!(
            self,
            Self::Drift
                | Self::DriftKind
                | Self::OverQuota { .. }
                | Self::Refuse { .. }
                | Self::Result { .. }
        )
    }

    /// Whether it can happen at a place.
    pub(super) fn happens(self, place: &Place) -> bool {
        let (api, storage) = (place.is_api(), place.is_storage());
        let (event, packets) = (*place == Place::Event, *place == Place::Packets);
        match self {
            Self::Delay { .. } | Self::Lost => true,
            Self::Stall { bytes: 0 } => !packets,
            Self::Bandwidth { .. }
            | Self::Cut { .. }
            | Self::Error { .. }
            | Self::Flip { .. }
            | Self::Stall { .. }
            | Self::Status { .. }
            | Self::Truncate { .. } => api || event || storage,
            Self::Again | Self::RateLimit => api || event,
            Self::Drift => api || event || packets,
            Self::DriftKind
            | Self::Forget
            | Self::Hashcash { .. }
            | Self::OverQuota { .. }
            | Self::Refuse { .. }
            | Self::Result { .. } => api,
            Self::Expired | Self::Quota { .. } => storage,
            Self::Repeat => packets,
        }
    }
}

impl FromStr for Action {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (name, argument) = match text.find(['=', '@']) {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        };
        match (name, argument) {
            ("again", None) => Ok(Self::Again),
            ("drift", None) => Ok(Self::Drift),
            ("drift", Some("=kind")) => Ok(Self::DriftKind),
            ("expired", None) => Ok(Self::Expired),
            ("forget", None) => Ok(Self::Forget),
            ("lost", None) => Ok(Self::Lost),
            ("overquota", None) => Ok(Self::OverQuota { seconds: WAIT }),
            ("ratelimit", None) => Ok(Self::RateLimit),
            ("repeat", None) => Ok(Self::Repeat),
            ("stall", None) => Ok(Self::Stall { bytes: 0 }),
            ("cut", Some(at)) => Ok(Self::Cut { bytes: number(at, '@')? }),
            ("flip", Some(at)) => Ok(Self::Flip { offset: number(at, '@')? }),
            ("stall", Some(at)) => Ok(Self::Stall { bytes: number(at, '@')? }),
            ("truncate", Some(at)) => Ok(Self::Truncate { bytes: number(at, '@')? }),
            ("bandwidth", Some(value)) => match number(value, '=')? {
                0 => Err("a bandwidth is at least one byte a second"),
                rate => Ok(Self::Bandwidth { rate }),
            },
            ("delay", Some(value)) => {
                let milliseconds = number(value.strip_suffix("ms").unwrap_or(value), '=')?;
                Ok(Self::Delay { milliseconds })
            }
            ("error", Some(value)) => Ok(Self::Error { number: number(value, '=')? }),
            ("hashcash", Some(value)) => Ok(Self::Hashcash { easiness: number(value, '=')? }),
            ("overquota", Some(value)) => Ok(Self::OverQuota { seconds: number(value, '=')? }),
            ("quota", Some(value)) => Ok(Self::Quota { seconds: number(value, '=')? }),
            ("refuse", Some(value)) => match number(value, '=')? {
                0 => Err("0 refuses nothing"),
                number => Ok(Self::Refuse { number }),
            },
            ("result", Some(value)) => Ok(Self::Result { number: number(value, '=')? }),
            ("status", Some(value)) => match number(value, '=')? {
                code @ 300..=599 => Ok(Self::Status { code }),
                _ => Err("a status lies between 300 and 599"),
            },
            _ => Err("there is no such action, or not with this argument"),
        }
    }
}

/// The number behind `=` (how much) or `@` (where).
fn number<T: FromStr>(argument: &str, mark: char) -> Result<T, &'static str> {
    let digits = argument.strip_prefix(mark).ok_or("amounts follow =, offsets follow @")?;
    digits.parse().map_err(|_| "this action needs a number that is not too large")
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Again => f.write_str("again"),
            Self::Bandwidth { rate } => write!(f, "bandwidth={rate}"),
            Self::Cut { bytes } => write!(f, "cut@{bytes}"),
            Self::Delay { milliseconds } => write!(f, "delay={milliseconds}"),
            Self::Drift => f.write_str("drift"),
            Self::DriftKind => f.write_str("drift=kind"),
            Self::Error { number } => write!(f, "error={number}"),
            Self::Expired => f.write_str("expired"),
            Self::Flip { offset } => write!(f, "flip@{offset}"),
            Self::Forget => f.write_str("forget"),
            Self::Hashcash { easiness } => write!(f, "hashcash={easiness}"),
            Self::Lost => f.write_str("lost"),
            Self::OverQuota { seconds } => write!(f, "overquota={seconds}"),
            Self::Quota { seconds } => write!(f, "quota={seconds}"),
            Self::RateLimit => f.write_str("ratelimit"),
            Self::Refuse { number } => write!(f, "refuse={number}"),
            Self::Repeat => f.write_str("repeat"),
            Self::Result { number } => write!(f, "result={number}"),
            Self::Stall { bytes: 0 } => f.write_str("stall"),
            Self::Stall { bytes } => write!(f, "stall@{bytes}"),
            Self::Status { code } => write!(f, "status={code}"),
            Self::Truncate { bytes } => write!(f, "truncate@{bytes}"),
        }
    }
}
