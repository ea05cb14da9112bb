//! `logout`: ends the session on the server and forgets it here.

use serde_json::json;
use supermega::{AuthenticationError, Client, Error};

use crate::context::{Context, SESSION};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret;

/// Logs out. A session that the server has ended already is forgotten all the same.
pub async fn run(context: &Context) -> Result<Exit> {
    if let Some(saved) = secret::variable(SESSION) {
        end(&context.client()?, &saved).await?;
    } else {
        end_kept(context).await?;
        context.profile()?.forget().await?;
    }
    context.output.note("logged out");
    context.output.object(|| json!({ "type": "logout" }))?;
    Ok(Exit::Done)
}

/// Ends the session that the profile keeps.
pub async fn end_kept(context: &Context) -> Result<()> {
    let nobody = || CommandError::NotLoggedIn(String::new());
    let secrets = context.profile()?.load().await?.ok_or_else(nobody)?;
    end(&context.client()?, &secrets.session).await
}

async fn end(client: &Client, saved: &str) -> Result<()> {
    let ended = match client.resume(saved).await {
        Ok(session) => session.logout().await,
        Err(error) => Err(error),
    };
    match ended {
        Err(Error::Authentication(AuthenticationError::SessionEnded)) => {
            client.forget(saved);
            Ok(())
        }
        ended => Ok(ended?),
    }
}
