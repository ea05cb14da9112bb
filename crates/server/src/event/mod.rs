//! The event channel: `sc`, `wsc` and wait addresses (`protocol-api.md` 5).
//!
//! The client's cursor is the only one: this server keeps none.

mod watcher;

use std::sync::Arc;

use supermega_encoding::EventCursor;
use supermega_protocol::ErrorCode;
use supermega_protocol::wire::encode_failure;

use crate::fault::{self, Action, Place};
use crate::state::State;
use crate::store::events::{self, Page};

pub(crate) use watcher::{Watcher, read_token, watcher};

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
    watcher: Watcher,
    from: EventCursor,
    mode: Poll,
    base: &str,
) -> String {
    let found = match mode {
        Poll::Now => look(state, watcher, from).await,
        Poll::Wait => look_until_news(state, watcher, from).await,
    };
    let page = match found {
        Err(code) => return encode_failure(code.into()),
        Ok(page) => page,
    };
    let (page, is_lost) = spoil(state, page, from).await;
    let wait = format!("\"w\":\"{base}/w/{}\"", watcher::token(state, watcher, page.cursor));
    // What is lost must not come at the next poll either, and some clients go on only from the `sn` of an
    // answer that has a list of packets.
    match (page.packets.is_empty() && !is_lost, mode) {
        (true, Poll::Wait) => "0".into(),
        (true, Poll::Now) => format!("{{{wait},\"sn\":\"{}\"}}", page.cursor),
        (false, _) => packets(&page, mode, &wait),
    }
}

/// What faults make of packets on their way, and whether those are lost.
async fn spoil(state: &State, mut page: Page, from: EventCursor) -> (Page, bool) {
    let mut is_lost = false;
    if page.packets.is_empty() {
        return (page, is_lost);
    }
    for action in state.faults.hit(|place| *place == Place::Packets) {
        match action {
            Action::Delay { milliseconds } => fault::delay(state, milliseconds).await,
            Action::Drift => fault::drift::packets(&mut page.packets),
            Action::Lost => is_lost = true,
            // The client asks from where it was, and gets them again.
            Action::Repeat => (page.cursor, page.more) = (from, false),
            _ => {}
        }
    }
    if is_lost {
        page.packets.clear();
    }
    (page, is_lost)
}

/// Returns when there is something behind the cursor, when the session is over, or after a while.
pub(crate) async fn wait(state: &Arc<State>, watcher: Watcher, from: EventCursor) {
    let _ = look_until_news(state, watcher, from).await;
}

async fn look_until_news(
    state: &Arc<State>,
    watcher: Watcher,
    from: EventCursor,
) -> Result<Page, ErrorCode> {
    let mut commits = state.commits.subscribe();
    let deadline = tokio::time::sleep(state.config.hold);
    let mut deadline = std::pin::pin!(deadline);
    loop {
        commits.mark_unchanged();
        let page = look(state, watcher, from).await?;
        if !page.packets.is_empty() {
            return Ok(page);
        }
        tokio::select! {
            changed = commits.changed() => if changed.is_err() { return Ok(page) },
            () = &mut deadline => return Ok(page),
            () = state.stopped() => return Ok(page),
        }
    }
}

/// What there is behind a cursor.
async fn look(state: &Arc<State>, watcher: Watcher, from: EventCursor) -> Result<Page, ErrorCode> {
    let state = state.clone();
    let look = move || {
        state.store.read(|db| {
            Ok(match watcher.ended(db)? {
                Some(code) => Err(code),
                // A cursor that nobody was given: the client must load the tree anew.
                None => events::after(db, watcher.stream(), from, PAGE)?.ok_or(ErrorCode::TooMany),
            })
        })
    };
    match tokio::task::spawn_blocking(look).await {
        Ok(Ok(found)) => found,
        _ => Err(ErrorCode::Again),
    }
}

/// `sn` comes last, and answers to clients that do not wait here must not have a wait address beside
/// packets: one of them would pass over the packets.
fn packets(page: &Page, mode: Poll, wait: &str) -> String {
    let list = page.packets.join(",");
    let wait = if mode == Poll::Wait { format!(",{wait}") } else { String::new() };
    let more = if page.more { ",\"ir\":1" } else { "" };
    format!("{{\"a\":[{list}]{wait}{more},\"sn\":\"{}\"}}", page.cursor)
}
