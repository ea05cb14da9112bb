//! What a fault says, and how it is read.

use std::fmt;
use std::str::FromStr;

/// One kind of misbehaviour; the grammar is described at the server's `--fault` option and in
/// `docs/server-faults.md`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// What it hits.
    pub place: Place,
    /// What happens.
    pub action: Action,
    /// How often; nothing stands for always.
    pub times: Option<u32>,
    /// How many requests are spared first.
    pub skip: u32,
}

/// What a fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// Every request to `cs`.
    Api,
    /// Requests that bring or fetch file attributes, such as thumbnails.
    Attribute,
    /// Requests to `cs` that hold this command.
    Command(String),
    /// New connections.
    Connection,
    /// Requests for a file's bytes.
    Download,
    /// Polls for events.
    Event,
    /// Requests for bytes of this one of a file's six parts.
    Part(u8),
    /// Requests that bring a file's bytes.
    Upload,
}

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
    /// A proof of work is asked for.
    Hashcash {
        /// How easy it is.
        easiness: u8,
    },
    /// The request is carried out and not answered.
    Lost,
    /// Status 509.
    Quota {
        /// After how many seconds there is quota again.
        seconds: u64,
    },
    /// -4 for the whole batch.
    RateLimit,
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
    /// A body is shorter than asked for.
    Truncate {
        /// How long it is.
        bytes: u64,
    },
}

/// A text that is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no fault: {reason}")]
pub struct FaultSyntaxError {
    text: String,
    reason: &'static str,
}

impl FromStr for Fault {
    type Err = FaultSyntaxError;

    fn from_str(text: &str) -> Result<Self, FaultSyntaxError> {
        read(text).map_err(|reason| FaultSyntaxError { text: text.to_owned(), reason })
    }
}

fn read(text: &str) -> Result<Fault, &'static str> {
    let (place, rest) = text.split_once(':').ok_or("it reads PLACE:ACTION[*TIMES][+SKIP]")?;
    let (rest, skip) = suffix(rest, '+')?;
    let (rest, times) = suffix(rest, '*')?;
    let place = match place {
        "api" => Place::Api,
        "attribute" => Place::Attribute,
        "connection" => Place::Connection,
        "download" => Place::Download,
        "event" => Place::Event,
        "part0" => Place::Part(0),
        "part1" => Place::Part(1),
        "part2" => Place::Part(2),
        "part3" => Place::Part(3),
        "part4" => Place::Part(4),
        "part5" => Place::Part(5),
        "upload" => Place::Upload,
        name if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Place::Command(name.to_owned())
        }
        _ => {
            return Err(
                "the place is api, attribute, connection, event, upload, download, part0 to part5 or a command's name",
            );
        }
    };
    let action = action(rest)?;
    if !happens(&action, &place) {
        return Err("this action does not happen at this place");
    }
    Ok(Fault { place, action, times, skip: skip.unwrap_or(0) })
}

fn happens(action: &Action, place: &Place) -> bool {
    let connection = *place == Place::Connection;
    let download = matches!(place, Place::Download | Place::Part(_));
    let storage = download || matches!(place, Place::Attribute | Place::Upload);
    match action {
        Action::Delay { .. } | Action::Lost | Action::Stall { bytes: 0 } => true,
        Action::Error { .. } | Action::Status { .. } => !connection,
        Action::Again | Action::RateLimit => !storage && !connection,
        Action::Hashcash { .. } => matches!(place, Place::Api | Place::Command(_)),
        Action::Bandwidth { .. } | Action::Expired | Action::Quota { .. } => storage,
        Action::Cut { .. }
        | Action::Flip { .. }
        | Action::Stall { .. }
        | Action::Truncate { .. } => download,
    }
}

fn suffix(text: &str, mark: char) -> Result<(&str, Option<u32>), &'static str> {
    match text.rsplit_once(mark) {
        Some((rest, number)) => {
            number.parse().map(|n| (rest, Some(n))).map_err(|_| "a number follows * and +")
        }
        None => Ok((text, None)),
    }
}

fn action(text: &str) -> Result<Action, &'static str> {
    let (name, argument) = match text.find(['=', '@']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    match (name, argument) {
        ("again", None) => Ok(Action::Again),
        ("expired", None) => Ok(Action::Expired),
        ("lost", None) => Ok(Action::Lost),
        ("ratelimit", None) => Ok(Action::RateLimit),
        ("stall", None) => Ok(Action::Stall { bytes: 0 }),
        ("cut", Some(at)) => Ok(Action::Cut { bytes: number(at, '@')? }),
        ("flip", Some(at)) => Ok(Action::Flip { offset: number(at, '@')? }),
        ("stall", Some(at)) => Ok(Action::Stall { bytes: number(at, '@')? }),
        ("truncate", Some(at)) => Ok(Action::Truncate { bytes: number(at, '@')? }),
        ("bandwidth", Some(value)) => match number(value, '=')? {
            0 => Err("a bandwidth is at least one byte a second"),
            rate => Ok(Action::Bandwidth { rate }),
        },
        ("delay", Some(value)) => {
            let milliseconds = number(value.strip_suffix("ms").unwrap_or(value), '=')?;
            Ok(Action::Delay { milliseconds })
        }
        ("error", Some(value)) => Ok(Action::Error { number: number(value, '=')? }),
        ("hashcash", Some(value)) => Ok(Action::Hashcash { easiness: number(value, '=')? }),
        ("quota", Some(value)) => Ok(Action::Quota { seconds: number(value, '=')? }),
        ("status", Some(value)) => match number(value, '=')? {
            code @ 300..=599 => Ok(Action::Status { code }),
            _ => Err("a status lies between 300 and 599"),
        },
        _ => Err("there is no such action, or not with this argument"),
    }
}

/// The number behind `=` (how much) or `@` (where).
fn number<T: FromStr>(argument: &str, mark: char) -> Result<T, &'static str> {
    let digits = argument.strip_prefix(mark).ok_or("amounts follow =, offsets follow @")?;
    digits.parse().map_err(|_| "this action needs a number that is not too large")
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Attribute => "attribute",
            Self::Command(name) => name,
            Self::Connection => "connection",
            Self::Download => "download",
            Self::Event => "event",
            Self::Part(number) => return write!(f, "part{number}"),
            Self::Upload => "upload",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_fault_is_read_with_its_counts() {
        let fault: Fault = "g:status=500*3+1".parse().unwrap();
        assert_eq!(fault.place, Place::Command("g".into()));
        assert_eq!(fault.action, Action::Status { code: 500 });
        assert_eq!((fault.times, fault.skip), (Some(3), 1));
    }

    #[test]
    fn every_action_is_read() {
        for (text, action) in [
            ("api:again", Action::Again),
            ("upload:bandwidth=1000", Action::Bandwidth { rate: 1000 }),
            ("download:cut@5", Action::Cut { bytes: 5 }),
            ("connection:delay=50", Action::Delay { milliseconds: 50 }),
            ("api:delay=50ms", Action::Delay { milliseconds: 50 }),
            ("p:error=17", Action::Error { number: 17 }),
            ("upload:expired", Action::Expired),
            ("download:flip@9", Action::Flip { offset: 9 }),
            ("us:hashcash=192", Action::Hashcash { easiness: 192 }),
            ("p:lost", Action::Lost),
            ("download:quota=60", Action::Quota { seconds: 60 }),
            ("event:ratelimit", Action::RateLimit),
            ("event:stall", Action::Stall { bytes: 0 }),
            ("download:stall@7", Action::Stall { bytes: 7 }),
            ("event:status=500", Action::Status { code: 500 }),
            ("download:truncate@1", Action::Truncate { bytes: 1 }),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().action, action, "{text}");
        }
    }

    #[test]
    fn what_cannot_happen_is_refused() {
        for text in [
            "",
            "api",
            "api:",
            "api:flip@1",
            "download:again",
            "us:quota=3",
            "api:status=200",
            "x y:lost",
            "connection:again",
            "event:hashcash=255",
            "download:flip=1",
            "upload:stall@5",
            "api:bandwidth=1000",
            "download:bandwidth=0",
            "api:hashcash=256",
            "api:again=1",
            "api:delay",
            "api:delay=-1",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Fault>();
        }
    }
}
