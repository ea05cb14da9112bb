//! Faults of single results in a batch.

use supermega_protocol::transfer::{DownloadReply, RequestDownload};
use supermega_protocol::wire;
use supermega_protocol::{Command, ErrorCode, Failure};

use super::answer::Part;
use crate::fault::{Action, drift};

/// What faults answer instead of a command, if they do.
pub(super) fn instead(command: &str, faults: &[Action]) -> Option<Result<Part, Failure>> {
    faults.iter().find_map(|fault| match *fault {
        Action::Refuse { number } => Some(Err(ErrorCode::from_number(-i64::from(number)).into())),
        Action::Result { number } => Some(Ok(Part::Text(number.to_string()))),
        Action::OverQuota { seconds } => Some(over_quota(command, seconds)),
        _ => None,
    })
}

/// A download says how long to wait (`protocol-api.md` 3.5).
fn over_quota(command: &str, seconds: u64) -> Result<Part, Failure> {
    let (e, tl) = (Some(ErrorCode::OverQuota), Some(seconds));
    if wire::command_name(command).is_ok_and(|name| name == RequestDownload::NAME)
        && let Ok(reply) = serde_json::to_string(&DownloadReply { e, tl, ..Default::default() })
    {
        return Ok(Part::Text(reply));
    }
    Err(ErrorCode::OverQuota.into())
}

/// The result of a command as the faults have it.
pub(super) fn spoil(part: Part, faults: &[Action]) -> Part {
    faults.iter().fold(part, |part, fault| match (fault, part) {
        (Action::Drift, Part::Text(text)) => Part::Text(drift::with_member(&text)),
        (Action::Drift, Part::Tree(tree)) => Part::TreeWithMember(tree),
        (Action::DriftKind, Part::Text(text)) => Part::Text(drift::of_another_kind(&text)),
        (Action::DriftKind, _) => Part::Text(drift::of_another_kind("{}")),
        (_, part) => part,
    })
}
