//! What a fault hits.

use std::fmt;
use std::str::FromStr;

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
    /// Events on their way to a client.
    Packets,
    /// Requests for bytes of this one of a file's six parts.
    Part(u8),
    /// All requests that bring or fetch bytes.
    Storage,
    /// Requests that bring a file's bytes.
    Upload,
}

/// The places that have a name of their own.
const NAMED: [(&str, Place); 14] = [
    ("api", Place::Api),
    ("attribute", Place::Attribute),
    ("connection", Place::Connection),
    ("download", Place::Download),
    ("event", Place::Event),
    ("packets", Place::Packets),
    ("part0", Place::Part(0)),
    ("part1", Place::Part(1)),
    ("part2", Place::Part(2)),
    ("part3", Place::Part(3)),
    ("part4", Place::Part(4)),
    ("part5", Place::Part(5)),
    ("storage", Place::Storage),
    ("upload", Place::Upload),
];

impl Place {
    /// Whether it is a request to `cs`.
    pub(super) fn is_api(&self) -> bool {
        matches!(self, Self::Api | Self::Command(_))
    }

    /// Whether it is a request that brings or fetches bytes.
    pub(super) fn is_storage(&self) -> bool {
        matches!(
            self,
            Self::Attribute | Self::Download | Self::Part(_) | Self::Storage | Self::Upload
        )
    }
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        if let Some((_, place)) = NAMED.iter().find(|(name, _)| *name == text) {
            return Ok(place.clone());
        }
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("the place is api, attribute, connection, download, event, packets, \
                        part0 to part5, storage, upload or a command's name");
        }
        Ok(Self::Command(text.to_owned()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(name) => f.write_str(name),
            // Parts from six on there are none.
            Self::Part(number) => write!(f, "part{number}"),
            place => {
                let named = NAMED.iter().find(|(_, named)| named == place);
                f.write_str(named.map_or("", |(name, _)| name))
            }
        }
    }
}
