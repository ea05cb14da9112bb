//! How far a message is from what these types say: malformed, or with fields that nobody knows.

use std::fmt;

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{command}` at {path}: {reason}")]
#[non_exhaustive]
pub struct Malformed {
    /// The command (or packet) whose request or result it is.
    pub command: String,
    /// Where in the JSON text, as `f[3].h`; `.` is the whole.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

impl Malformed {
    /// Describes a fault; the reason must not quote values, since they may be secrets.
    pub fn new(
        command: impl Into<String>,
        path: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self { command: command.into(), path: path.into(), reason: reason.into() }
    }
}

/// Something in a message that these types do not describe, and that did no harm.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Drift {
    /// The command or packet.
    pub command: String,
    /// Where in the JSON text.
    pub path: String,
    /// What was met there.
    pub what: DriftKind,
}

/// The kinds of drift.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DriftKind {
    /// A field that nobody here knows.
    UnknownField,
    /// An element of a list that cannot be read and was left out; the reason says why.
    Skipped(String),
}

impl Drift {
    pub(crate) fn unknown(command: &str, path: String) -> Self {
        Self { command: command.into(), path, what: DriftKind::UnknownField }
    }

    pub(crate) fn skipped(command: &str, path: String, reason: String) -> Self {
        Self { command: command.into(), path, what: DriftKind::Skipped(reason) }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            DriftKind::UnknownField => write!(f, "`{}`: unknown field {}", self.command, self.path),
            DriftKind::Skipped(why) => {
                write!(f, "`{}`: {} left out: {why}", self.command, self.path)
            }
        }
    }
}

/// A message that could be read, with what was odd about it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Decoded<T> {
    /// The message.
    pub value: T,
    /// The sequence tag that came with a result.
    pub tag: Option<crate::SequenceTag>,
    /// What these types do not describe.
    pub drift: Vec<Drift>,
}

/// Reads `json`, collecting unknown fields; after a failure reads it again to learn the path.
pub(crate) fn read<T: serde::de::DeserializeOwned>(
    command: &str,
    json: &str,
    known: &[&str],
) -> Result<(T, Vec<Drift>), Malformed> {
    // Serde would fill a struct from a list, member by member.
    if json.trim_start().starts_with('[') {
        return Err(Malformed::new(command, ".", "expected no list"));
    }
    read_any(command, json, known)
}

/// The same for values that may be lists.
pub(crate) fn read_any<T: serde::de::DeserializeOwned>(
    command: &str,
    json: &str,
    known: &[&str],
) -> Result<(T, Vec<Drift>), Malformed> {
    let mut drift = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(json);
    let value = serde_ignored::deserialize(&mut reader, |path| {
        let path = place(&path);
        if !known.contains(&path.as_str()) {
            drift.push(Drift::unknown(command, path));
        }
    });
    match value.and_then(|value| reader.end().map(|()| value)) {
        Ok(value) => Ok((value, drift)),
        Err(first) => Err(locate::<T>(command, json, &first)),
    }
}

/// A place as [`Malformed`] writes it: `f[3].h`.
fn place(path: &serde_ignored::Path) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}[{index}]", place(parent)),
        Path::Map { parent, key } => match place(parent) {
            parent if parent.is_empty() => key.clone(),
            parent => format!("{parent}.{key}"),
        },
        Path::Some { parent }
        | Path::NewtypeStruct { parent }
        | Path::NewtypeVariant { parent } => place(parent),
    }
}

fn locate<T: serde::de::DeserializeOwned>(
    command: &str,
    json: &str,
    first: &serde_json::Error,
) -> Malformed {
    let mut reader = serde_json::Deserializer::from_str(json);
    match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => Malformed::new(command, ".", reason(first)),
        Err(error) => Malformed::new(command, error.path().to_string(), reason(error.inner())),
    }
}

/// The error's text without the values it quotes, which may be secrets.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let mut plain = String::with_capacity(text.len());
    for (i, part) in text.split('"').enumerate() {
        plain.push_str(if i % 2 == 1 { "…" } else { part });
    }
    plain
}
