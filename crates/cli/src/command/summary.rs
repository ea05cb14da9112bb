//! The end of a verb that works on several things: some may have failed.

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Counts what became of each thing, and says what failed.
#[derive(Debug, Default)]
pub struct Summary {
    done: usize,
    failed: usize,
    first: Option<Exit>,
}

impl Summary {
    /// Takes one result. Where nobody listens any more, there is no point in going on.
    pub fn add<T>(&mut self, context: &Context, result: Result<T>) -> Result<()> {
        match result {
            Ok(_) => self.done += 1,
            Err(error @ (CommandError::ClosedPipe | CommandError::Interrupted)) => {
                return Err(error);
            }
            Err(error) => {
                context.output.problem(&error);
                self.failed += 1;
                self.first.get_or_insert(error.exit());
            }
        }
        Ok(())
    }

    /// Takes the failure of one thing among several, unless the others would fail in the same way.
    pub fn fail(&mut self, context: &Context, error: CommandError, several: bool) -> Result<()> {
        if !several || error.concerns_all() {
            return Err(error);
        }
        self.add::<()>(context, Err(error))
    }

    /// How many things failed.
    pub fn failed(&self) -> usize {
        self.failed
    }

    /// How the run ends: a failure alone with its own code, among successes as partly done.
    pub fn exit(&self, context: &Context) -> Exit {
        match (self.first, self.done) {
            (None, _) => Exit::Done,
            (Some(exit), 0) => exit,
            (Some(_), done) => {
                context.output.note(&format!("{done} done, {} failed", self.failed));
                Exit::Partly
            }
        }
    }
}
