//! The event channel: `sc`, `wsc` and wait addresses (`protocol-api.md` 5).
//!
//! The client's cursor is the only one: this server keeps none.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use supermega_encoding::{EventCursor, PublicHandle, UserHandle, base64};
use supermega_protocol::ErrorCode;
use supermega_protocol::wire::encode_failure;

use crate::state::State;
use crate::store::events::{self, Page, Stream};

/// Official clients give a silent poll up after 40 seconds.
const HOLD: Duration = Duration::from_secs(30);
/// Packets in one answer; more follow at once.
const PAGE: usize = 1000;

/// How a poll is to be answered when there is nothing new.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Poll {
    /// At once, with an address to wait at.
    Now,
    /// After a while, or when there is something.
    Wait,
}

/// Answers a poll from a cursor.
pub(crate) async fn poll(
    state: &Arc<State>,
    stream: Stream,
    from: EventCursor,
    mode: Poll,
    base: &str,
) -> String {
    let mut commits = state.commits.subscribe();
    let deadline = tokio::time::Instant::now() + HOLD;
    loop {
        commits.mark_unchanged();
        let Some(page) = page(state, stream, from).await else {
            return encode_failure(ErrorCode::TooMany.into());
        };
        if !page.packets.is_empty() {
            return packets(state, stream, &page, mode, base);
        }
        if mode == Poll::Now {
            let wait = wait_url(state, stream, page.cursor, base);
            return format!("{{\"w\":\"{wait}\",\"sn\":\"{}\"}}", page.cursor);
        }
        if tokio::time::timeout_at(deadline, commits.changed()).await.is_err() {
            return "0".into();
        }
    }
}

/// Answers a client that only wants to know when it should poll: there is something behind the cursor of
/// its wait address.
pub(crate) async fn wait(state: &Arc<State>, stream: Stream, from: EventCursor) -> String {
    let mut commits = state.commits.subscribe();
    let deadline = tokio::time::Instant::now() + HOLD;
    loop {
        commits.mark_unchanged();
        let quiet = page(state, stream, from).await.is_some_and(|page| page.packets.is_empty());
        if !quiet || tokio::time::timeout_at(deadline, commits.changed()).await.is_err() {
            return "0".into();
        }
    }
}

async fn page(state: &Arc<State>, stream: Stream, from: EventCursor) -> Option<Page> {
    let state = state.clone();
    let read = move || state.store.read(|db| events::after(db, stream, from, PAGE));
    tokio::task::spawn_blocking(read).await.ok()?.ok()?
}

/// `sn` comes last, and older clients must not find a wait address beside packets: one of them would
/// pass over the packets.
fn packets(state: &State, stream: Stream, page: &Page, mode: Poll, base: &str) -> String {
    let list = page.packets.join(",");
    let more = if page.more { ",\"ir\":1" } else { "" };
    let wait = match mode {
        Poll::Wait => format!(",\"w\":\"{}\"", wait_url(state, stream, page.cursor, base)),
        Poll::Now => String::new(),
    };
    format!("{{\"a\":[{list}]{wait}{more},\"sn\":\"{}\"}}", page.cursor)
}

/// An address that names the stream and the cursor, and that nobody can make up.
fn wait_url(state: &State, stream: Stream, cursor: EventCursor, base: &str) -> String {
    let mut token = cursor.as_bytes().to_vec();
    token.extend_from_slice(stream.bytes());
    token.extend_from_slice(&seal(state, &token));
    format!("{base}/w/{}", base64::encode(&token))
}

/// Reads the token of a wait address.
pub(crate) fn read_token(state: &State, token: &str) -> Option<(Stream, EventCursor)> {
    let token = base64::decode(token).ok()?;
    let (payload, seal_found) = token.split_at_checked(token.len().checked_sub(16)?)?;
    if !bool::from(seal(state, payload).ct_eq(seal_found)) {
        return None;
    }
    let (cursor, stream) = payload.split_first_chunk::<8>()?;
    let stream = match stream.len() {
        UserHandle::LEN => Stream::User(UserHandle::from_bytes(stream.try_into().ok()?)),
        _ => Stream::Link(PublicHandle::from_bytes(stream.try_into().ok()?)),
    };
    Some((stream, EventCursor::from_bytes(*cursor)))
}

fn seal(state: &State, payload: &[u8]) -> [u8; 16] {
    let mut hash = Sha256::new();
    hash.update(state.secret);
    hash.update(payload);
    let digest: [u8; 32] = hash.finalize().into();
    let mut seal = [0; 16];
    seal.copy_from_slice(&digest[..16]);
    seal
}
