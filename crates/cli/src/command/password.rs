//! `password`, `upgrade`: what the account is opened with.

use crate::arguments::{ChangePassword, Upgrade};
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::secret::Source;

/// Sets another password.
pub async fn change(arguments: ChangePassword, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let source = Source::account(arguments.password_stdin);
    let password = source.read("New password: ".into()).await?;
    session.change_password(&password, arguments.mfa_code.as_deref()).await?;
    if arguments.end_sessions {
        session.end_other_sessions().await?;
    }
    context.output.note("the password is changed; the recovery key stays the same");
    Ok(Exit::Done)
}

/// Makes a version 2 account of one of version 1, or converts the keys of one that is older than the key
/// container.
pub async fn upgrade(arguments: Upgrade, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    if arguments.keys {
        let text = match session.convert_older_keys().await? {
            true => "the account's keys are in a key container now",
            false => "there was nothing to convert",
        };
        context.output.note(text);
        return Ok(Exit::Done);
    }
    let source = Source::account(arguments.password_stdin);
    session.upgrade_account(&source.read("Password: ".into()).await?).await?;
    Ok(Exit::Done)
}
