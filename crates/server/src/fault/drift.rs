//! What a later service might answer: members, results and packets that nobody knows yet.

use std::io::{self, Write};

use serde_json::value::RawValue;

/// A member that nobody knows, of a kind that clients skip.
const MEMBER: &str = "\"zz\":{\"n\":[1]}";

/// An object with a member that nobody knows at its beginning; other results as they are.
pub(crate) fn with_member(result: &str) -> String {
    let (head, value) = value(result);
    match value.strip_prefix('{') {
        Some("}") => format!("{head}{{{MEMBER}}}{}", tail(head)),
        Some(members) => format!("{head}{{{MEMBER},{members}{}", tail(head)),
        None => result.to_owned(),
    }
}

/// A list instead of an object, and an object instead of anything else.
pub(crate) fn of_another_kind(result: &str) -> String {
    let (head, value) = value(result);
    let other = if value.starts_with('{') { "[1]" } else { "{\"zz\":1}" };
    format!("{head}{other}{}", tail(head))
}

/// Packets that each have a member that nobody knows, with one that nobody knows behind them.
pub(crate) fn packets(packets: &mut Vec<String>) {
    for packet in &mut *packets {
        // The first members of a packet must keep their places (`protocol-api.md` 1.6).
        if let Some(members) = packet.strip_suffix('}') {
            *packet = format!("{members},{MEMBER}}}");
        }
    }
    packets.push(format!("{{\"a\":\"zz\",{MEMBER}}}"));
}

/// The value of a result that may be wrapped with its tag, `["tag",value]` or `[0,value]`.
fn value(result: &str) -> (&str, &str) {
    let tag = |text: &str| text == "0" || (text.len() > 2 && text.starts_with('"'));
    let inner = result.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match inner.and_then(|inner| inner.split_once(',')) {
        Some((first, value)) if tag(first) && serde_json::from_str::<&RawValue>(value).is_ok() => {
            (&result[..first.len() + 2], value)
        }
        _ => ("", result),
    }
}

/// Writes an object with a member that nobody knows at its beginning.
pub(crate) struct WithMember<'a> {
    out: &'a mut dyn Write,
    is_begun: bool,
}

impl<'a> WithMember<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, is_begun: false }
    }
}

impl Write for WithMember<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_begun || bytes.is_empty() {
            return self.out.write(bytes);
        }
        self.is_begun = true;
        self.out.write_all(&bytes[..1])?;
        self.out.write_all(MEMBER.as_bytes())?;
        self.out.write_all(b",")?;
        Ok(1)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// What closes a wrapper.
fn tail(head: &str) -> &'static str {
    if head.is_empty() { "" } else { "]" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_get_a_member_in_their_wrapper_or_without() {
        for (before, after) in [
            ("{}", r#"{"zz":{"n":[1]}}"#),
            (r#"{"p":"u"}"#, r#"{"zz":{"n":[1]},"p":"u"}"#),
            (r#"["01",{"e":[],"fh":["a"]}]"#, r#"["01",{"zz":{"n":[1]},"e":[],"fh":["a"]}]"#),
            ("[0,{}]", r#"[0,{"zz":{"n":[1]}}]"#),
            (r#"["01","text"]"#, r#"["01","text"]"#),
            ("0", "0"),
            ("[]", "[]"),
            (r#"[0,{"a":1},{"b":2}]"#, r#"[0,{"a":1},{"b":2}]"#),
        ] {
            assert_eq!(with_member(before), after);
        }
    }

    #[test]
    fn kinds_change() {
        for (before, after) in [
            ("0", r#"{"zz":1}"#),
            ("\"01\"", r#"{"zz":1}"#),
            (r#"{"p":"u"}"#, "[1]"),
            (r#"["01",{"e":[]}]"#, r#"["01",[1]]"#),
            (r#"["01","text"]"#, r#"["01",{"zz":1}]"#),
            ("[]", r#"{"zz":1}"#),
        ] {
            assert_eq!(of_another_kind(before), after);
        }
    }

    #[test]
    fn packets_keep_their_heads() {
        let mut list = vec![r#"{"a":"d","st":"01","n":"x"}"#.to_owned()];
        packets(&mut list);
        assert_eq!(
            list,
            [r#"{"a":"d","st":"01","n":"x","zz":{"n":[1]}}"#, r#"{"a":"zz","zz":{"n":[1]}}"#]
        );
    }
}
