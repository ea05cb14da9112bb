//! The `supermega` command: MEGA for people and for scripts, without a daemon.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod command;
mod context;
mod error;
mod exit_code;
mod output;
mod place;
mod profile;
mod secret;
mod stop;
mod usage;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use arguments::Arguments;
use context::Context;
use exit_code::Exit;
use output::Output;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report(&error).into(),
    };
    let output = Output::new(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.problem(&error::CommandError::local(error));
            return Exit::Failed.into();
        }
    };
    let serves = matches!(arguments.command, arguments::Command::Server(_));
    let exit = runtime.block_on(async {
        let context = Context::new(arguments.global, output.clone());
        tokio::select! {
            done = command::run(arguments.command, &context) => match done {
                Ok(exit) => exit,
                Err(error) => {
                    output.problem(&error);
                    error.exit()
                }
            },
            // Dropping what was under way removes the files in the making.
            () = stop::requested(), if !serves => Exit::Interrupted,
        }
    });
    // Threads that write to such files are waited for, since these go away with them; one that waits for
    // standard input must not keep the command alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit.into()
}
