//! Answers of the event channel: `sc`, `wsc` and the wait address (`protocol-api.md` 5.1).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use supermega_encoding::EventCursor;

use crate::drift::{self, Decoded, Malformed};
use crate::packet::ActionPacket;
use crate::{Failure, Flag, StorageUrl};

/// What a poll brings.
#[derive(Clone, Debug, PartialEq)]
pub enum EventReply {
    /// Nothing for now: connect again.
    KeepAlive,
    /// Packets, or an address to wait at, or both.
    Events(Events),
    /// The channel refuses: -6 asks for a reload, -15 says that the session is over.
    Refused(Failure),
}

/// Packets that follow the cursor of the poll.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Events {
    /// The packets, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub a: Option<Vec<ActionPacket>>,
    /// Where to wait for the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub w: Option<StorageUrl>,
    /// Set when more follow at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ir: Option<Flag>,
    /// The cursor after these packets; always last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sn: Option<EventCursor>,
}

impl EventReply {
    /// Reads the body of an answer.
    pub fn decode(body: &str) -> Result<Decoded<Self>, Malformed> {
        #[derive(Deserialize)]
        struct Raw {
            a: Option<Vec<Box<RawValue>>>,
            w: Option<StorageUrl>,
            ir: Option<Flag>,
            sn: Option<EventCursor>,
        }
        let body = body.trim();
        let plain = |value| Ok(Decoded { value, tag: None, drift: Vec::new() });
        if body == "0" {
            return plain(Self::KeepAlive);
        }
        if let Some(failure) = Failure::read(body) {
            return plain(Self::Refused(failure));
        }
        let (raw, mut drift) = drift::read::<Raw>("sc", body, &[])?;
        let mut packets = raw.a.as_ref().map(|list| Vec::with_capacity(list.len()));
        for (i, packet) in raw.a.iter().flatten().enumerate() {
            match ActionPacket::decode(packet.get()) {
                Ok(packet) => {
                    drift.extend(packet.drift);
                    if let Some(packets) = &mut packets {
                        packets.push(packet.value);
                    }
                }
                Err(error) => {
                    let path = format!("a[{i}]");
                    drift.push(crate::Drift::skipped("sc", path, error.to_string()));
                }
            }
        }
        let events = Events { a: packets, w: raw.w, ir: raw.ir, sn: raw.sn };
        Ok(Decoded { value: Self::Events(events), tag: None, drift })
    }

    /// Writes the body of an answer.
    pub fn encode(&self) -> Result<String, Malformed> {
        match self {
            Self::KeepAlive => Ok("0".into()),
            Self::Refused(failure) => Ok(crate::wire::encode_failure(*failure)),
            Self::Events(events) => {
                serde_json::to_string(events).map_err(|e| Malformed::new("sc", ".", e.to_string()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_answer_is_read() {
        let read = |body| EventReply::decode(body).unwrap().value;
        assert_eq!(read("0"), EventReply::KeepAlive);
        assert!(matches!(read("-6"), EventReply::Refused(_)));
        let body = r#"{"a":[{"a":"d","n":"AQIDBAUG"}],"w":"http://h/w/1","sn":"AAAAAAAAAAE"}"#;
        let EventReply::Events(events) = read(body) else { panic!("no events") };
        assert_eq!(events.a.as_ref().unwrap().len(), 1);
        assert_eq!(EventReply::Events(events).encode().unwrap(), body);
    }

    #[test]
    fn a_packet_that_cannot_be_read_is_reported_and_left_out() {
        let decoded = EventReply::decode(r#"{"a":[{"a":"d"},{"a":"pk"}],"sn":"AAAAAAAAAAE"}"#);
        let decoded = decoded.unwrap();
        assert_eq!(decoded.drift[0].path, "a[0]");
        let EventReply::Events(events) = decoded.value else { panic!("no events") };
        assert_eq!(events.a.unwrap().len(), 1);
    }
}
