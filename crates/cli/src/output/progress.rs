//! One bar for all files of a transfer: bytes, rate, how long it will take, and how many files are done. Programs
//! get the same as objects.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use supermega::QuotaKind;
use supermega::transfer::{Progress, TransferEvent};

use super::Output;

/// How often programs are told how far it is.
const EVERY: Duration = Duration::from_secs(1);

/// Shows how a transfer goes.
#[derive(Debug)]
pub struct Bars {
    bar: ProgressBar,
    files: u64,
    finished: AtomicU64,
    output: Output,
    begun: Instant,
    /// Bytes that travelled: those of an earlier run are none.
    moved: AtomicU64,
    told: Mutex<Instant>,
    /// When the wait ends that was told last: all transfers wait for the same quota.
    waiting: Mutex<Option<Instant>>,
}

impl Bars {
    pub(super) fn new(output: &Output, files: u64, bytes: u64) -> Self {
        let bar = output.bars.add(ProgressBar::new(bytes));
        let style = ProgressStyle::with_template(
            "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta} {prefix} {wide_msg}",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_prefix(format!("0/{files}"));
        let (finished, waiting, begun) = (AtomicU64::new(0), Mutex::default(), Instant::now());
        let (moved, told, output) = (AtomicU64::new(0), Mutex::new(begun), output.clone());
        Self { bar, files, finished, output, begun, moved, told, waiting }
    }

    /// Tells a program how far it is, once in a while.
    fn tell(&self) {
        if !self.output.tells_progress() {
            return;
        }
        {
            // Whoever finds another thread at it has nothing to add.
            let Ok(mut told) = self.told.try_lock() else { return };
            if told.elapsed() < EVERY {
                return;
            }
            *told = Instant::now();
        }
        let moved = self.moved.load(Ordering::Relaxed);
        let millis = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = moved.saturating_mul(1000) / millis;
        let (bytes, total) = (self.bar.position(), self.bar.length().unwrap_or(0));
        let eta = total.saturating_sub(bytes).checked_div(rate);
        // Whoever closed standard output is told by the next file.
        let _ = self.output.object(|| {
            json!({
                "type": "progress",
                "bytes": bytes,
                "total_bytes": total,
                "files": self.finished.load(Ordering::Relaxed),
                "total_files": self.files,
                "rate": rate,
                "eta": eta,
            })
        });
    }

    fn say_waiting(&self, kind: QuotaKind, wait: Duration) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.is_some_and(|until| until > Instant::now()) {
            return;
        }
        *waiting = Some(Instant::now() + wait);
        self.output.waiting(kind, wait);
    }
}

impl Output {
    /// Tells that quota is waited for.
    pub fn waiting(&self, kind: QuotaKind, wait: Duration) {
        let quota = match kind {
            QuotaKind::Storage => "storage",
            QuotaKind::Transfer => "transfer",
        };
        let seconds = wait.as_secs();
        self.note(&format!("the {quota} quota is used up: waiting for {seconds} seconds"));
        // Whoever closed standard output is told by the next file.
        let _ = self.object(|| json!({ "type": "waiting", "quota": quota, "seconds": seconds }));
    }
}

impl Progress for Bars {
    fn event(&self, event: TransferEvent<'_>) {
        match event {
            TransferEvent::Advanced { bytes } => {
                self.bar.inc(bytes);
                self.moved.fetch_add(bytes, Ordering::Relaxed);
                self.tell();
            }
            TransferEvent::Restarted { bytes } => {
                self.bar.set_position(self.bar.position().saturating_sub(bytes));
            }
            TransferEvent::Started { path, .. } => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                self.bar.set_message(supermega::name::for_terminal(&name).into_owned());
            }
            TransferEvent::Resumed { bytes } => {
                self.bar.inc(bytes);
                // What was there already says nothing about the rate.
                self.bar.reset_eta();
            }
            TransferEvent::Finished { .. } => {
                let finished = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
                self.bar.set_prefix(format!("{finished}/{}", self.files));
            }
            TransferEvent::Unchecked { name, chunks } => {
                let name = supermega::name::for_terminal(name);
                self.output.note(&format!(
                    "{name}: verified but for {chunks} chunks, which an old uploader left out of its MAC"
                ));
            }
            TransferEvent::WaitingForQuota { kind, wait } => self.say_waiting(kind, wait),
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
