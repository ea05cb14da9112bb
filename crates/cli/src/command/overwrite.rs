//! What becomes of a file whose name is taken at the target.

use std::time::SystemTime;

use supermega::transfer::TargetState;

use crate::arguments::Overwrite;
use crate::error::Result;
use crate::output::Output;

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is transferred; what is there is replaced.
    Transfer,
    /// It stays as it is.
    Skip,
    /// It is different, and nobody said what to do.
    Undecided,
}

/// How two files of one name compare.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// By size and time, or by content.
    pub state: TargetState,
    /// When the source was changed last.
    pub source: Option<SystemTime>,
    /// When the target was changed last.
    pub target: Option<SystemTime>,
}

/// Decides; `shown` is what a person is asked about.
pub async fn decide(
    output: &Output,
    overwrite: Overwrite,
    pair: Pair,
    shown: &str,
) -> Result<Verdict> {
    let is_newer = match (pair.source, pair.target) {
        (Some(source), Some(target)) => source > target,
        // Whatever has no time may be older.
        (Some(_), None) => true,
        _ => false,
    };
    let replace = match (pair.state, overwrite) {
        (TargetState::Absent, _) | (_, Overwrite::Always) => true,
        (TargetState::Same, _) | (TargetState::Different, Overwrite::Never) => false,
        (TargetState::Different, Overwrite::Different) => true,
        (TargetState::Different, Overwrite::Newer) => is_newer,
        (TargetState::Different, Overwrite::Ask) => {
            let question = format!("{shown} is there and different. Replace it?");
            match output.ask(question).await? {
                Some(answer) => answer,
                None => return Ok(Verdict::Undecided),
            }
        }
    };
    Ok(if replace { Verdict::Transfer } else { Verdict::Skip })
}
