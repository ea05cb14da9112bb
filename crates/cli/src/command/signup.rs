//! `signup`: an account from the address to the first login.

use serde_json::json;

use crate::arguments::{Signup, SignupStep};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret::{self, Source};

/// Asks for an account, or confirms it.
pub async fn run(arguments: Signup, context: &Context) -> Result<Exit> {
    let client = context.client()?;
    if let Some(SignupStep::Confirm(code)) = &arguments.step {
        let email = client.confirm_signup(secret::mail_code(&code.code, "confirm")).await?;
        context.output.note(&format!("{email} has an account now: supermega login {email}"));
        context.output.object(|| json!({ "type": "account", "email": email }))?;
        return Ok(Exit::Done);
    }
    let Some(email) = arguments.email else {
        return Err(CommandError::Usage("name the e-mail address of the new account".into()));
    };
    let source = Source::account(arguments.password_stdin);
    let password = source.read(format!("Password of the new account {email}: ")).await?;
    client.sign_up(&email, &password, &arguments.name).await?;
    let text =
        format!("a mail with a code is on its way to {email}: supermega signup confirm CODE");
    context.output.note(&text);
    context.output.object(|| json!({ "type": "signup", "email": email }))?;
    Ok(Exit::Done)
}
