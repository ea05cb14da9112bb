//! One bar for all files of a transfer: bytes, rate, and how long it will take.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use supermega::transfer::{Progress, TransferEvent};

/// Shows how a transfer goes.
#[derive(Debug)]
pub struct Bars(ProgressBar);

impl Bars {
    pub(super) fn new(bars: &MultiProgress, bytes: u64) -> Self {
        let bar = bars.add(ProgressBar::new(bytes));
        let style = ProgressStyle::with_template(
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {wide_msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self(bar)
    }
}

impl Progress for Bars {
    fn event(&self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Advanced { bytes } => self.0.inc(bytes),
            TransferEvent::Restarted { bytes } => {
                self.0.set_position(self.0.position().saturating_sub(bytes));
            }
            TransferEvent::Started { path, .. } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.0.set_message(supermega::name::for_terminal(&name).into_owned());
            }
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
