//! The `supermega` command: MEGA for people and for scripts, without a daemon.
#![deny(missing_docs)]
#![forbid(unsafe_code)]

mod arguments;
mod command;
mod context;
mod defaults;
mod error;
mod exit_code;
mod keyring;
mod moment;
mod output;
mod pattern;
mod place;
mod profile;
mod proxy;
mod secret;
mod selection;
mod stop;
mod usage;

use std::process::ExitCode;
use std::time::Duration;

use arguments::{Arguments, Command};
use context::Context;
use error::CommandError;
use exit_code::Exit;
use output::Output;
use stop::Stop;

fn main() -> ExitCode {
    let arguments = match defaults::parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage::report(&error).into(),
    };
    let output = Output::new(&arguments.global);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            output.problem(&CommandError::local(error));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run(arguments, output));
    // Threads that write to such files are waited for, since these go away with them; one that waits for
    // standard input must not keep the command alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    exit.into()
}

async fn run(arguments: Arguments, output: Output) -> Exit {
    // A server ends in its own way.
    let serves = matches!(&arguments.command, Command::Server(server) if server.order.is_none());
    let context = Context::new(arguments.global, output.clone());
    let interrupted = async {
        match Stop::listen() {
            Ok(mut stop) if !serves => stop.requested().await,
            _ => std::future::pending().await,
        }
    };
    let done = tokio::select! {
        done = command::run(arguments.command, &context) => done,
        // Dropping what was under way keeps what a later run can go on with, and removes the rest.
        () = interrupted => Err(CommandError::Interrupted),
    };
    done.unwrap_or_else(|error| {
        output.problem(&error);
        error.exit()
    })
}
