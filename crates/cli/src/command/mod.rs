//! The verbs, one file each.

mod below;
mod cat;
mod contact;
mod cp;
mod dedupe;
mod demo;
mod df;
mod doctor;
mod du;
mod find;
mod get;
mod import;
mod lanes;
mod link;
pub mod login;
mod logout;
mod ls;
mod mark;
mod mfa;
mod mkdir;
mod mv;
mod overwrite;
mod password;
mod patience;
mod profiles;
mod put;
mod recover;
mod rm;
mod server;
mod server_order;
mod sessions;
mod share;
mod signup;
mod summary;
mod sums;
mod tally;
mod thumbnail;
mod trash;
mod tree;
mod verify;
mod versions;
mod watch;
mod whoami;

pub use cat::ByteRange;

use crate::arguments::Command;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> Result<Exit> {
    match command {
        Command::Cat(arguments) => cat::run(arguments, context).await,
        Command::Cancel(arguments) => recover::cancel(arguments, context).await,
        Command::Contact(arguments) => contact::run(arguments, context).await,
        Command::Cp(arguments) => cp::run(arguments, context).await,
        Command::Dedupe(arguments) => dedupe::run(arguments, context).await,
        Command::Demo => demo::run(context).await,
        Command::Df => df::run(context).await,
        Command::Doctor(arguments) => doctor::run(arguments, context).await,
        Command::Du(arguments) => du::run(arguments, context).await,
        Command::Find(arguments) => find::run(arguments, context).await,
        Command::Get(arguments) => get::run(arguments, context).await,
        Command::Import(arguments) => import::run(arguments, context).await,
        Command::Link(arguments) => link::run(arguments, context).await,
        Command::Login(arguments) => login::run(arguments, context).await,
        Command::Logout => logout::run(context).await,
        Command::Ls(arguments) => ls::run(arguments, context).await,
        Command::Mark(arguments) => mark::run(arguments, context).await,
        Command::Mfa(arguments) => mfa::run(arguments, context).await,
        Command::Mkdir(arguments) => mkdir::run(arguments, context).await,
        Command::Mv(arguments) => mv::run(arguments, context).await,
        Command::Password(arguments) => password::change(arguments, context).await,
        Command::Profiles(arguments) => profiles::run(arguments, context).await,
        Command::Put(arguments) => put::run(arguments, context).await,
        Command::Recover(arguments) => recover::run(arguments, context).await,
        Command::RecoveryKey => recover::show_key(context).await,
        Command::Rm(arguments) => rm::run(arguments, context).await,
        Command::Server(arguments) => server::run(arguments, context).await,
        Command::Sessions(arguments) => sessions::run(arguments, context).await,
        Command::Share(arguments) => share::run(arguments, context).await,
        Command::Signup(arguments) => signup::run(arguments, context).await,
        Command::Thumbnail(arguments) => thumbnail::run(arguments, context).await,
        Command::Trash(arguments) => trash::run(arguments, context).await,
        Command::Tree(arguments) => tree::run(arguments, context).await,
        Command::Upgrade(arguments) => password::upgrade(arguments, context).await,
        Command::Verify(arguments) => verify::run(arguments, context).await,
        Command::Versions(arguments) => versions::run(arguments, context).await,
        Command::Watch(arguments) => watch::run(arguments, context).await,
        Command::Whoami => whoami::run(context).await,
    }
}
