//! Lists that may be long: they go out in blocks, on a terminal line by line.

use std::io::{BufWriter, IsTerminal, Stdout, Write};

use serde_json::Value;

use super::Output;
use crate::error::{CommandError, Result};

/// How much is kept until it goes out.
const BLOCK: usize = 64 << 10;

/// Where a list goes.
#[derive(Debug)]
pub struct Listing {
    json: bool,
    /// Somebody looks at it.
    is_watched: bool,
    out: BufWriter<Stdout>,
}

impl Output {
    /// Lets a list be written, on a thread of its own: whoever interrupts the command need not wait for the end of it.
    pub async fn listing<T: Send + 'static>(
        &self,
        write: impl FnOnce(&mut Listing) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let json = self.json;
        let listed = tokio::task::spawn_blocking(move || {
            let mut listing = Listing::new(json);
            let told = write(&mut listing);
            // What came before a failure is shown.
            listing.out.flush()?;
            told
        });
        listed.await.map_err(CommandError::local)?
    }
}

impl Listing {
    fn new(json: bool) -> Self {
        let out = std::io::stdout();
        let is_watched = out.is_terminal();
        Self { json, is_watched, out: BufWriter::with_capacity(BLOCK, out) }
    }

    /// Writes a line for a person, or with `--json` an object.
    pub fn line(
        &mut self,
        line: impl FnOnce() -> String,
        object: impl FnOnce() -> Value,
    ) -> Result<()> {
        match self.json {
            true => {
                serde_json::to_writer(&mut self.out, &object()).map_err(std::io::Error::from)?;
            }
            false => self.out.write_all(line().as_bytes())?,
        }
        self.end(b"\n")
    }

    /// Writes a line that is for people alone.
    pub fn heading(&mut self, line: impl FnOnce() -> String) -> Result<()> {
        match self.json {
            true => Ok(()),
            false => self.line(line, || Value::Null),
        }
    }

    /// Writes a text as it is, and a zero byte.
    pub fn zero_ended(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.end(b"\0")
    }

    fn end(&mut self, end: &[u8]) -> Result<()> {
        self.out.write_all(end)?;
        if self.is_watched {
            self.out.flush()?;
        }
        Ok(())
    }
}
