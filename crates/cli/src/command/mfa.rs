//! `mfa`: the second factor on and off.

use serde_json::json;

use crate::arguments::Mfa;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Shows or changes the second factor.
pub async fn run(arguments: Mfa, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    match arguments {
        Mfa::Status => {
            let email = session.account().and_then(|account| account.email.clone());
            let email = email.ok_or_else(|| {
                CommandError::Usage("an account without an address has no second factor".into())
            })?;
            let on = session.client().has_second_factor(&email).await?;
            let text = if on { "on" } else { "off" };
            context.output.data(text, || json!({ "type": "second_factor", "on": on }))?;
        }
        Mfa::Enable => {
            let secret = session.new_second_factor().await?.to_text();
            let text = "give this secret to an application that makes codes, then: supermega mfa verify CODE";
            context.output.note(text);
            context.output.data(
                &secret,
                || json!({ "type": "second_factor_secret", "secret": secret.as_str() }),
            )?;
        }
        Mfa::Verify(code) => session.enable_second_factor(&code.code).await?,
        Mfa::Disable(code) => session.disable_second_factor(&code.code).await?,
    }
    Ok(Exit::Done)
}
