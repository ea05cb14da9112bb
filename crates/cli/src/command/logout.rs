//! `logout`: ends the session on the server and forgets it here.

use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Logs out. A session that the server has ended already is forgotten all the same.
pub async fn run(context: &Context) -> Result<Exit> {
    use supermega::{AuthenticationError, Error};
    let profile = context.profile()?;
    let ended = match context.session().await {
        Ok(session) => session.logout().await.map_err(CommandError::from),
        Err(error) => Err(error),
    };
    match ended {
        Ok(())
        | Err(CommandError::Library(Error::Authentication(AuthenticationError::SessionEnded))) => {}
        Err(error) => return Err(error),
    }
    profile.forget()?;
    context.output.note("logged out");
    Ok(Exit::Done)
}
