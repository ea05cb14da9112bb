//! Faults of a body: how fast it goes, where it ends, what is wrong in it.

use std::time::Duration;

use tokio::time::Instant;

use super::grammar::Action;

/// How a download's body departs from the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFaults {
    /// The length that the answer names, if it is less than what was asked for.
    pub truncate: Option<u64>,
    /// How many bytes come before the connection is cut.
    pub cut: Option<u64>,
    /// How many bytes come before nothing more comes.
    pub stall: Option<u64>,
    /// Offsets in the file of bytes whose lowest bit is turned.
    pub flips: Vec<u64>,
}

impl BodyFaults {
    pub(crate) fn of(actions: &[Action]) -> Self {
        let mut faults = Self::default();
        for action in actions {
            match *action {
                Action::Cut { bytes } => faults.cut = Some(bytes),
                Action::Flip { offset } => faults.flips.push(offset),
                Action::Stall { bytes } => faults.stall = Some(bytes),
                Action::Truncate { bytes } => faults.truncate = Some(bytes),
                _ => {}
            }
        }
        faults
    }

    /// Turns the bits that are to be turned; `bytes` begin at this offset of the file.
    pub(crate) fn flip(&self, bytes: &mut [u8], at: u64) {
        for offset in &self.flips {
            let index = offset.checked_sub(at).and_then(|index| usize::try_from(index).ok());
            if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                *byte ^= 1;
            }
        }
    }
}

/// Holds a body back to a bandwidth.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    begun: Instant,
    rate: Option<u32>,
}

impl Pace {
    pub(crate) fn of(actions: &[Action]) -> Self {
        let rates = actions.iter().filter_map(|action| match action {
            Action::Bandwidth { rate } => Some(*rate),
            _ => None,
        });
        Self { begun: Instant::now(), rate: rates.min() }
    }

    /// How much may go at once, so that it goes evenly.
    pub(crate) fn piece(&self, most: usize) -> usize {
        match self.rate {
            Some(rate) => most.min((rate / 20).max(1) as usize),
            None => most,
        }
    }

    /// Returns when so many bytes may have gone.
    pub(crate) async fn hold(&self, bytes: u64) {
        if let Some(rate) = self.rate {
            let millis = bytes.saturating_mul(1000) / u64::from(rate);
            tokio::time::sleep_until(self.begun + Duration::from_millis(millis)).await;
        }
    }
}
