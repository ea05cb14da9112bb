//! What faults answer instead of the server.

use std::time::Duration;

use super::action::Action;
use super::challenge::Proof;
use crate::http::Reply;
use crate::state::State;

/// Lets the faults that hit a request happen, as far as they happen before it is carried out. Gives the
/// answer if that settles it.
pub(crate) async fn instead(state: &State, actions: &[Action], proof: Proof) -> Option<Reply> {
    if let Proof::Wrong(easiness) = proof {
        return Some(challenge(state, easiness));
    }
    for action in actions {
        match *action {
            Action::Again => return Some(number(3)),
            Action::Delay { milliseconds } => delay(state, milliseconds).await,
            Action::Error { number: n } => return Some(number(n)),
            Action::Hashcash { easiness } if proof != Proof::Right => {
                return Some(challenge(state, easiness));
            }
            Action::Quota { seconds } => {
                let reply = Reply::status(509);
                return Some(reply.header("X-MEGA-Time-Left", seconds.to_string()));
            }
            Action::RateLimit => return Some(number(4)),
            Action::Stall { bytes: 0 } => {
                state.stopped().await;
                return Some(Reply::none());
            }
            Action::Status { code } => return Some(Reply::status(code)),
            // These concern the body or single results, come after the request is carried out, or behind the others here.
            Action::Bandwidth { .. }
            | Action::Cut { .. }
            | Action::Drift
            | Action::DriftKind
            | Action::Expired
            | Action::Flip { .. }
            | Action::Forget
            | Action::Hashcash { .. }
            | Action::Lost
            | Action::OverQuota { .. }
            | Action::Refuse { .. }
            | Action::Repeat
            | Action::Result { .. }
            | Action::Stall { .. }
            | Action::Truncate { .. } => {}
        }
    }
    actions.contains(&Action::Expired).then(|| Reply::status(403))
}

/// Lets time pass, unless the server is to stop.
pub(crate) async fn delay(state: &State, milliseconds: u64) {
    tokio::select! {
        () = tokio::time::sleep(Duration::from_millis(milliseconds)) => {}
        () = state.stopped() => {}
    }
}

fn number(n: u32) -> Reply {
    Reply::json(format!("-{n}"))
}

fn challenge(state: &State, easiness: u8) -> Reply {
    match state.challenges.ask(easiness) {
        Ok(header) => Reply::status(402).header("X-Hashcash", header),
        Err(_) => Reply::status(500),
    }
}
