//! `profiles`: the logins that are kept here.

use serde_json::json;
use supermega::name::for_terminal;

use super::logout;
use super::summary::Summary;
use crate::arguments::{Profiles, ProfilesStep};
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;

/// Lists or removes logins.
pub async fn run(arguments: Profiles, context: &Context) -> Result<Exit> {
    if let Some(ProfilesStep::Remove(names)) = arguments.step {
        let mut summary = Summary::default();
        for name in &names.names {
            let removed = remove(&context.of_profile(name)).await;
            summary.add(context, removed)?;
        }
        return Ok(summary.exit(context));
    }
    for listed in context.profile()?.all()? {
        let mark = if listed.in_keyring { "  (keyring)" } else { "" };
        let line =
            format!("{}  {}  {}{mark}", listed.name, for_terminal(&listed.whose), listed.api_url);
        context.output.data(&line, || {
            json!({
                "type": "profile", "profile": listed.name, "as": listed.whose,
                "api_url": listed.api_url, "keyring": listed.in_keyring,
            })
        })?;
    }
    Ok(Exit::Done)
}

/// Logs out and forgets. A login for another service is only forgotten.
async fn remove(context: &Context) -> Result<()> {
    let profile = context.profile()?;
    let Some(listed) = profile.whose()? else {
        let what = format!("a profile {:?}", context.global.profile);
        return Err(supermega::Error::NotFound { what }.into());
    };
    if let Err(error) = logout::end_kept(&context.at_service(&listed.api_url)).await {
        // A session that cannot be ended now can be ended from another one.
        context.output.note(&format!("its session could not be ended: {error}"));
    }
    profile.forget().await
}
