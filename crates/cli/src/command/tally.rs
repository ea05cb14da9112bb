//! What a copy comes to in the end: how many files and bytes, how fast.

use std::time::Instant;

use serde_json::json;

use super::summary::Summary;
use crate::context::Context;
use crate::error::Result;
use crate::output::size;

/// Counts what became of files.
#[derive(Debug)]
pub struct Tally {
    begun: Instant,
    files: u64,
    bytes: u64,
    skipped: u64,
}

impl Tally {
    /// Begins to count, and to take the time.
    pub fn begin() -> Self {
        Self { begun: Instant::now(), files: 0, bytes: 0, skipped: 0 }
    }

    /// One was transferred.
    pub fn transferred(&mut self, bytes: u64) {
        self.several(1, bytes);
    }

    /// Several were, of so many bytes together.
    pub fn several(&mut self, files: u64, bytes: u64) {
        self.files += files;
        self.bytes += bytes;
    }

    /// One was there already.
    pub fn skipped(&mut self) {
        self.skipped += 1;
    }

    /// Says it: `done` is what was done to the files.
    pub fn tell(&self, context: &Context, done: &str, summary: &Summary) -> Result<()> {
        let took = self.begun.elapsed();
        let mut parts = vec![format!("{} of {} {done}", files(self.files), size(self.bytes, true))];
        if self.files > 0 {
            let rate = u128::from(self.bytes) * 1000 / took.as_millis().max(1);
            let rate = size(u64::try_from(rate).unwrap_or(u64::MAX), true);
            parts.push(format!("{:.1} s, {rate} a second", took.as_secs_f64()));
        }
        if self.skipped > 0 {
            parts.push(format!("{} left as they were", files(self.skipped)));
        }
        context.output.note(&parts.join("; "));
        context.output.object(|| {
            json!({
                "type": "summary",
                "files": self.files,
                "bytes": self.bytes,
                "skipped": self.skipped,
                "failed": summary.failed(),
                "seconds": took.as_secs_f64(),
            })
        })
    }
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file".into(),
        count => format!("{count} files"),
    }
}
