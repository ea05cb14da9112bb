//! Everything that the command prints: data on standard output, all else on standard error.

mod closed;
mod listing;
mod progress;
mod text;

use std::io::{IsTerminal, Write};

use anstyle::AnsiColor;
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde_json::{Value, json};
use supermega::name::for_terminal;

use crate::arguments::{Color, Global};
use crate::error::{CommandError, Result};

pub use listing::Listing;
pub use progress::Bars;
pub use text::{local_time, name_of, seconds, size};

/// Where output goes, and how much of it there is.
#[derive(Clone, Debug)]
pub struct Output {
    json: bool,
    quiet: bool,
    progress: bool,
    bars: MultiProgress,
}

impl Output {
    /// Reads what the flags say.
    pub fn new(global: &Global) -> Self {
        match global.color {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
        let draw = std::io::stderr().is_terminal()
            && !(global.no_progress || global.quiet || global.json || global.verbose > 0);
        let target = if draw { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let told = match global.verbose {
            // A client of the server is told no more than a number.
            0 if !global.quiet => Some("supermega_server=error"),
            0 => None,
            1 => Some("supermega=info,supermega_server=info"),
            _ => Some("supermega=debug,supermega_server=debug"),
        };
        if let Some(told) = told {
            let filter = tracing_subscriber::EnvFilter::new(told);
            tracing_subscriber::fmt()
                .with_env_filter(filter)
                .with_writer(std::io::stderr)
                .without_time()
                .init();
        }
        let bars = MultiProgress::with_draw_target(target);
        Self { json: global.json, quiet: global.quiet, progress: !global.no_progress, bars }
    }

    /// Whether a program wants to know how far a transfer is.
    fn tells_progress(&self) -> bool {
        self.json && self.progress
    }

    /// Whether output is for a program.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of data, or with `--json` an object.
    pub fn data(&self, line: &str, object: impl FnOnce() -> Value) -> Result<()> {
        let text = if self.json { object().to_string() } else { line.to_owned() };
        self.bars.suspend(|| writeln!(std::io::stdout().lock(), "{text}"))?;
        Ok(())
    }

    /// Prints an object, if output is for a program.
    pub fn object(&self, object: impl FnOnce() -> Value) -> Result<()> {
        if self.json {
            let text = object().to_string();
            self.bars.suspend(|| writeln!(std::io::stdout().lock(), "{text}"))?;
        }
        Ok(())
    }

    /// Tells a person what is going on.
    pub fn note(&self, text: &str) {
        if !self.quiet && !self.json {
            self.complain(text);
        }
    }

    /// Says what went wrong, and what to do.
    pub fn problem(&self, error: &CommandError) {
        if matches!(error, CommandError::ClosedPipe | CommandError::Interrupted) {
            return;
        }
        if self.json {
            let object = json!({
                "type": "error",
                "error": error.to_string(),
                "exit": error.exit().code(),
                "hint": error.hint(),
            });
            return self.complain(&object.to_string());
        }
        let line = |color: AnsiColor, word: &str, text: &str| {
            let color = color.on_default();
            let text = for_terminal(text);
            self.complain(&format!("{}{word}:{} {text}", color.render(), color.render_reset()));
        };
        line(AnsiColor::Red, "error", &error.to_string());
        if let Some(hint) = error.hint() {
            line(AnsiColor::Cyan, "hint", &hint);
        }
    }

    /// Asks a person, who may say nothing, which means no. Nobody is asked when there is no terminal.
    pub async fn ask(&self, question: String) -> Result<Option<bool>> {
        if self.json || !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
            return Ok(None);
        }
        let answer = tokio::task::spawn_blocking(move || {
            write!(std::io::stderr(), "{question} [y/N] ")?;
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let answer = answer.await.map_err(CommandError::local)??;
        Ok(Some(matches!(answer.trim(), "y" | "Y" | "yes")))
    }

    /// Writes a line to standard error. Whoever closed that wants to hear nothing.
    fn complain(&self, line: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{line}");
        });
    }

    /// Bars for a transfer of so many files and bytes.
    pub fn bars(&self, files: usize, bytes: u64) -> Bars {
        Bars::new(self, files as u64, bytes)
    }
}
