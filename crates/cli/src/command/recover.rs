//! `recovery-key`, `recover`, `cancel`: what there is when the password is lost, and the end.

use serde_json::json;

use crate::arguments::{Cancel, CancelStep, Recover, RecoverStep};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret::{self, Source};

/// Shows the recovery key.
pub async fn show_key(context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let key = session.recovery_key()?;
    context.output.note("whoever has this key and your mails has your account: keep it safe");
    context.output.data(&key, || json!({ "type": "recovery_key", "key": key.as_str() }))?;
    // The key is shown all the same.
    if let Err(error) = session.note_recovery_key().await {
        context.output.note(&format!("official clients will still remind you of it: {error}"));
    }
    Ok(Exit::Done)
}

/// Sets another password by mail.
pub async fn run(arguments: Recover, context: &Context) -> Result<Exit> {
    let client = context.client()?;
    if let Some(RecoverStep::Confirm(confirm)) = &arguments.step {
        let code = secret::mail_code(&confirm.code, "recover");
        let password = |email: &str| format!("New password{email}: ");
        let source = Source::account(confirm.password_stdin);
        let email = if confirm.lose_data {
            client.park(code, &source.read(password("")).await?).await?
        } else {
            let key = Source::recovery_key(confirm.recovery_key_stdin);
            let key = key.read("Recovery key: ".into()).await?;
            client.recover(code, &key, &source.read(password("")).await?).await?
        };
        context
            .output
            .note(&format!("the password of {email} is changed: supermega login {email}"));
        context.output.object(|| json!({ "type": "recovered", "email": email }))?;
        return Ok(Exit::Done);
    }
    let Some(email) = arguments.email else {
        return Err(CommandError::Usage("name the e-mail address of the account".into()));
    };
    client.request_recovery(&email, !arguments.lose_data).await?;
    let text =
        format!("a mail with a code is on its way to {email}: supermega recover confirm CODE");
    context.output.note(&text);
    Ok(Exit::Done)
}

/// Ends the account by mail.
pub async fn cancel(arguments: Cancel, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    if let Some(CancelStep::Confirm(code)) = &arguments.step {
        session.cancel_account(secret::mail_code(&code.code, "cancel")).await?;
        context.profile()?.forget().await?;
        context.output.note("the account is gone");
        return Ok(Exit::Done);
    }
    session.request_cancellation(arguments.mfa_code.as_deref()).await?;
    let text = "a mail with a code is on its way: supermega cancel confirm CODE ends the account, with all \
                that is in it";
    context.output.note(text);
    Ok(Exit::Done)
}
