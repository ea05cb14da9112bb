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
    /// Requests to `cs` that hold this command.
    Command(String),
    /// Requests for a file's bytes.
    Download,
    /// Polls for events.
    Event,
    /// Requests that bring a file's bytes.
    Upload,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// -3 for the whole batch.
    Again,
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
        "download" => Place::Download,
        "event" => Place::Event,
        "upload" => Place::Upload,
        name if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Place::Command(name.to_owned())
        }
        _ => return Err("the place is api, event, upload, download or a command's name"),
    };
    let action = action(rest)?;
    let storage = matches!(place, Place::Download | Place::Upload);
    let fits = match action {
        Action::Again | Action::RateLimit | Action::Hashcash { .. } => !storage,
        Action::Expired | Action::Quota { .. } => storage,
        Action::Truncate { .. } | Action::Cut { .. } | Action::Flip { .. } => {
            place == Place::Download
        }
        _ => true,
    };
    if !fits {
        return Err("this action does not happen at this place");
    }
    Ok(Fault { place, action, times, skip: skip.unwrap_or(0) })
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
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let number = || {
        let argument = argument.ok_or("this action needs a number")?;
        argument.trim_end_matches("ms").parse::<u64>().map_err(|_| "this action needs a number")
    };
    let too_large = |_| "this number is too large";
    match (name, argument) {
        ("again", None) => Ok(Action::Again),
        ("ratelimit", None) => Ok(Action::RateLimit),
        ("lost", None) => Ok(Action::Lost),
        ("expired", None) => Ok(Action::Expired),
        ("cut", _) => Ok(Action::Cut { bytes: number()? }),
        ("delay", _) => Ok(Action::Delay { milliseconds: number()? }),
        ("error", _) => Ok(Action::Error { number: number()?.try_into().map_err(too_large)? }),
        ("flip", _) => Ok(Action::Flip { offset: number()? }),
        ("hashcash", _) => {
            Ok(Action::Hashcash { easiness: number()?.try_into().map_err(too_large)? })
        }
        ("quota", _) => Ok(Action::Quota { seconds: number()? }),
        ("status", _) => match u16::try_from(number()?).map_err(too_large)? {
            code @ 300..=599 => Ok(Action::Status { code }),
            _ => Err("a status lies between 300 and 599"),
        },
        ("truncate", _) => Ok(Action::Truncate { bytes: number()? }),
        _ => Err("there is no such action"),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Api => "api",
            Self::Command(name) => name,
            Self::Download => "download",
            Self::Event => "event",
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
