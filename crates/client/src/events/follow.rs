//! Polls for packets and applies them, until the session is gone.
//!
//! The cursor is part of the tree: packets count only if the tree is still the one that they were asked for.

use std::time::Duration;

use bytes::Bytes;
use supermega_encoding::EventCursor;
use supermega_protocol::event::{EventReply, Events};
use supermega_protocol::{ErrorCode, StorageUrl, is_set};
use tokio::sync::{broadcast, watch};

use super::{Event, apply::apply};
use crate::keys::offered;
use crate::session::{Session, WeakSession};
use crate::transport::{Backoff, Channel};

/// The server holds a poll for half a minute.
const HOLD: Duration = Duration::from_mins(1);
/// Longer answers are not taken.
const ANSWER: usize = 1 << 30;
/// While the network fails, tries are further and further apart for so long, and then begin anew: only the end of
/// the session ends them.
const PATIENCE: Duration = Duration::from_hours(24);

/// What a poll brought.
pub(crate) enum Poll {
    Reply(EventReply),
    Failed,
}

/// Follows the channel of a session.
pub(super) async fn follow(
    session: WeakSession,
    sender: broadcast::Sender<Event>,
    mut alive: watch::Receiver<()>,
) {
    let mut wait: Option<StorageUrl> = None;
    let mut backoff = Backoff::new(PATIENCE);
    loop {
        let Some(strong) = session.upgrade() else { return };
        let Some(cursor) = strong.known_tree().and_then(|tree| tree.cursor()) else { return };
        let channel = strong.channel().clone();
        // The poll must not keep the session alive.
        drop(strong);
        let answer = tokio::select! {
            answer = poll(&channel, cursor, wait.take()) => answer,
            // The sender is dropped with the session.
            _ = alive.changed() => return,
        };
        let Some(session) = session.upgrade() else { return };
        match answer {
            Poll::Failed => {
                if !backoff.wait().await {
                    backoff = Backoff::new(PATIENCE);
                }
            }
            Poll::Reply(EventReply::KeepAlive) => {}
            Poll::Reply(EventReply::Events(events)) => {
                backoff = Backoff::new(PATIENCE);
                #[cfg(feature = "cache")]
                if let Err(error) = session.keep_packets(cursor, &events).await {
                    tracing::warn!(%error, "what packets tell of the account cannot be taken");
                }
                wait = take(&session, cursor, events, &sender);
            }
            Poll::Reply(EventReply::Refused(failure)) => match failure.code {
                ErrorCode::Again | ErrorCode::RateLimit => {
                    if !backoff.wait().await {
                        backoff = Backoff::new(PATIENCE);
                    }
                }
                ErrorCode::TooMany if session.refresh().await.is_ok() => {
                    let _ = sender.send(Event::Reloaded);
                }
                code => {
                    let _ = sender.send(Event::Ended(code));
                    return;
                }
            },
        }
    }
}

/// Applies packets, and gives the address to wait at next.
fn take(
    session: &Session,
    from: EventCursor,
    events: Events,
    sender: &broadcast::Sender<Event>,
) -> Option<StorageUrl> {
    let own = session.account().map(|account| account.user);
    let offered = offered::in_packets(events.a.as_deref().unwrap_or_default(), own);
    if !offered.is_empty() {
        session.update_keys(|keys| keys.learn(&offered));
    }
    let mut told = Vec::new();
    session.apply(|tree| {
        // Whoever loaded the tree anew meanwhile has these already.
        if tree.cursor() != Some(from) {
            return;
        }
        for packet in events.a.into_iter().flatten() {
            apply(tree, packet, own, &mut told);
        }
        if let Some(cursor) = events.sn {
            tree.facts().cursor = Some(cursor);
        }
    });
    for event in told {
        // Nobody may be listening.
        let _ = sender.send(event);
    }
    events.w.filter(|_| !is_set(events.ir))
}

/// Asks for the packets behind a cursor.
pub(crate) async fn poll(channel: &Channel, from: EventCursor, wait: Option<StorageUrl>) -> Poll {
    let Some(request) = channel.poll(from, wait.as_ref(), HOLD) else { return Poll::Failed };
    let Ok(response) = channel.options().http.send(request).await else { return Poll::Failed };
    if response.status != 200 {
        return Poll::Failed;
    }
    let Ok(body) = response.bytes(ANSWER).await else { return Poll::Failed };
    match std::str::from_utf8(&Bytes::from(body)).map(EventReply::decode) {
        Ok(Ok(decoded)) => {
            channel.options().drift.report(decoded.drift);
            Poll::Reply(decoded.value)
        }
        _ => Poll::Failed,
    }
}
