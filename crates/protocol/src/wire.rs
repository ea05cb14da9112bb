//! Writes and reads requests, batches and results (`protocol-api.md` 1.3 to 1.6).

use serde_json::value::RawValue;

use crate::drift::{self, Decoded, Malformed};
use crate::value::Form;
use crate::{Command, ErrorCode, Failure, SequenceTag};

/// Which grammar a client reads (`protocol-api.md` 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Grammar {
    /// No `v` in the query: results stand bare, new nodes come with them.
    Legacy,
    /// `v=3`: results that change something carry a sequence tag, new nodes come as packets.
    V3,
}

/// Why a result is no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResultError {
    /// The service refused.
    #[error(transparent)]
    Refused(#[from] Failure),
    /// The result cannot be read.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// Writes one command, `a` first.
pub fn encode_command<C: Command>(command: &C) -> Result<String, Malformed> {
    let body =
        serde_json::to_string(command).map_err(|e| Malformed::new(C::NAME, ".", e.to_string()))?;
    Ok(splice(C::NAME, &body))
}

/// Puts `"a":name` in front of the members of a JSON object.
pub(crate) fn splice(name: &str, object: &str) -> String {
    let members = object.strip_prefix('{').unwrap_or("}");
    let comma = if members == "}" { "" } else { "," };
    format!("{{\"a\":\"{name}\"{comma}{members}")
}

/// Writes a batch of commands that are encoded already.
#[must_use]
pub fn encode_batch(commands: &[impl AsRef<str>]) -> String {
    let mut body = String::with_capacity(commands.iter().map(|c| c.as_ref().len() + 1).sum());
    body.push('[');
    for (i, command) in commands.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        body.push_str(command.as_ref());
    }
    body.push(']');
    body
}

/// Reads a batch into its commands, still as text; a single object counts as a batch of one.
pub fn decode_batch(body: &str) -> Result<Vec<Box<RawValue>>, Malformed> {
    let body = body.trim();
    let batch = if body.starts_with('{') {
        serde_json::from_str(body).map(|one| vec![one])
    } else {
        serde_json::from_str(body)
    };
    batch.map_err(|e| Malformed::new("batch", ".", e.to_string()))
}

/// The name of a command in a batch.
pub fn command_name(command: &str) -> Result<String, Malformed> {
    #[derive(serde::Deserialize)]
    struct Head {
        a: String,
    }
    drift::read::<Head>("command", command, &[]).map(|(head, _)| head.a)
}

/// Reads a request whose name is known to be `C`'s.
pub fn decode_command<C: Command>(command: &str) -> Result<Decoded<C>, Malformed> {
    let (value, drift) = drift::read(C::NAME, command, &["a"])?;
    Ok(Decoded { value, tag: None, drift })
}

/// Writes a result as a client of this grammar reads it. Errors always stand bare.
pub fn encode_result<C: Command>(
    result: &Result<C::Response, Failure>,
    tag: Option<&SequenceTag>,
    grammar: Grammar,
) -> Result<String, Malformed> {
    let value = match result {
        Err(failure) => return Ok(encode_failure(*failure)),
        Ok(value) => {
            serde_json::to_string(value).map_err(|e| Malformed::new(C::NAME, ".", e.to_string()))?
        }
    };
    if grammar == Grammar::Legacy || !C::TAGGED {
        return Ok(value);
    }
    Ok(match (tag, value.as_str()) {
        (Some(tag), "0") => format!("\"{}\"", tag.0),
        (None, "0") => value,
        (Some(tag), _) => format!("[\"{}\",{value}]", tag.0),
        (None, _) => format!("[0,{value}]"),
    })
}

/// Writes a refusal.
#[must_use]
pub fn encode_failure(failure: Failure) -> String {
    let number = failure.code.number();
    match (failure.user, failure.link) {
        (None, None) => number.to_string(),
        (user, link) => {
            let member = |name, value: Option<i64>| {
                value.map(|v| format!(",\"{name}\":{v}")).unwrap_or_default()
            };
            format!("{{\"err\":{number}{}{}}}", member("u", user), member("l", link))
        }
    }
}

/// Reads a result in either grammar, whichever it comes in.
pub fn decode_result<C: Command>(result: &str) -> Result<Decoded<C::Response>, ResultError> {
    let result = result.trim();
    if let Some(failure) = Failure::read(result) {
        return Err(failure.into());
    }
    let (tag, value) = if C::TAGGED { unwrap(result) } else { (None, result) };
    let read = if C::LIST { drift::read_any } else { drift::read };
    let (value, mut drift) = read(C::NAME, value, &[])?;
    drift.extend(C::inner_drift(&value));
    let tag = tag.or_else(|| if C::TAGGED { bare_tag(result, &value) } else { None });
    Ok(Decoded { value, tag, drift })
}

/// The tag of a command that only succeeds or fails, which stands in the place of its `0`.
fn bare_tag(result: &str, value: &impl serde::Serialize) -> Option<SequenceTag> {
    let tag = result.starts_with('"').then(|| serde_json::from_str(result).ok())??;
    (serde_json::to_string(value).ok()? == "0").then_some(tag)
}

/// Takes a wrapper `["tag",value]` or `[0,value]` off. A bare string stays: it is the tag of a
/// status, or a legacy server's value, and the response type tells them apart.
fn unwrap(result: &str) -> (Option<SequenceTag>, &str) {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Tag {
        Text(SequenceTag),
        None(u8),
    }
    if result.starts_with('[')
        && let Ok((tag, value)) = serde_json::from_str::<(Tag, &RawValue)>(result)
    {
        return match tag {
            Tag::Text(tag) => (Some(tag), value.get()),
            Tag::None(0) => (None, value.get()),
            Tag::None(_) => (None, result),
        };
    }
    (None, result)
}

/// The answer to a whole batch (`protocol-api.md` 1.4).
#[derive(Debug)]
pub enum Reply {
    /// One result a command, in order.
    Results(Vec<Box<RawValue>>),
    /// One refusal for all.
    Refused(Failure),
}

impl Reply {
    /// Reads the body of an answer to `commands` commands.
    pub fn read(body: &str, commands: usize) -> Result<Self, Malformed> {
        let body = body.trim();
        if let Some(failure) = Failure::read(body) {
            return Ok(Self::Refused(failure));
        }
        let results: Vec<Box<RawValue>> =
            serde_json::from_str(body).map_err(|e| Malformed::new("batch", ".", e.to_string()))?;
        match results.as_slice() {
            results if results.len() == commands => {}
            [only] if let Some(failure) = Failure::read(only.get()) => {
                return Ok(Self::Refused(failure));
            }
            _ => {
                let reason = format!("{} results for {commands} commands", results.len());
                return Err(Malformed::new("batch", ".", reason));
            }
        }
        Ok(Self::Results(results))
    }
}

/// The result of commands that only succeed or fail: `0`, a tag, or an object that older servers
/// give.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done;

impl serde::Serialize for Done {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(0)
    }
}

impl<'de> serde::Deserialize<'de> for Done {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Codes {
            // Left out by servers that answer with an empty object, such as mega-mock.
            #[serde(default)]
            r: Vec<ErrorCode>,
        }
        match Form::<Codes>::deserialize(deserializer)? {
            Form::Number | Form::Text(_) => Ok(Self),
            Form::Object(codes) if codes.r.iter().all(|code| code.number() == 0) => Ok(Self),
            Form::Object(_) => Err(serde::de::Error::custom("expected codes of success")),
        }
    }
}

impl schemars::JsonSchema for Done {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Done".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "Success: 0, or under v=3 the sequence tag alone.",
            "type": ["integer", "string", "object"],
            "minimum": 0,
            "properties": { "r": { "type": "array", "items": { "const": 0 } } }
        })
    }
}

/// A text, where the result is one, or success: `0` or a tag. Under `v=3` a bare text is a tag, and older
/// clients get their text bare: a tag is known by having fewer than `MIN` letters.
#[derive(Clone, PartialEq, Eq)]
pub enum TextOrDone<const MIN: usize> {
    /// The text, which may be a secret.
    Text(String),
    /// Success without one.
    Done,
}

impl<const MIN: usize> std::fmt::Debug for TextOrDone<MIN> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Text(_)) { "Text(..)" } else { "Done" })
    }
}

impl<const MIN: usize> serde::Serialize for TextOrDone<MIN> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Done => Done.serialize(serializer),
        }
    }
}

impl<'de, const MIN: usize> serde::Deserialize<'de> for TextOrDone<MIN> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::<serde::de::IgnoredAny>::deserialize(deserializer)? {
            Form::Text(text) if text.len() >= MIN => Ok(Self::Text(text)),
            Form::Text(_) | Form::Number => Ok(Self::Done),
            Form::Object(_) => Err(serde::de::Error::custom("expected a text, or 0")),
        }
    }
}

impl<const MIN: usize> schemars::JsonSchema for TextOrDone<MIN> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("TextOrDone{MIN}").into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text, or success: 0 or a sequence tag.",
            "type": ["integer", "string"],
            "minimum": 0
        })
    }
}
