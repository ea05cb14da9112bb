//! `sessions`: who is logged in to the account, from where.

use serde_json::json;
use supermega::name::for_terminal;

use super::summary::Summary;
use crate::arguments::{Sessions, SessionsStep};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::local_time;

/// Lists or ends sessions.
pub async fn run(arguments: Sessions, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    if let Some(SessionsStep::Kill(kill)) = arguments.step {
        if kill.others {
            session.end_other_sessions().await?;
            return Ok(Exit::Done);
        }
        let mut summary = Summary::default();
        for text in &kill.ids {
            let wrong = |_| CommandError::Usage(format!("{text:?} is no id of a session"));
            let done = match text.parse().map_err(wrong) {
                Ok(id) => session.end_session(id).await.map_err(CommandError::from),
                Err(error) => Err(error),
            };
            summary.add(context, done)?;
        }
        return Ok(summary.exit(context));
    }
    for listed in session.sessions().await? {
        if !listed.alive && !arguments.all {
            continue;
        }
        let id = listed.id.map_or_else(|| "-".into(), |id| id.to_string());
        let mark = match (listed.current, listed.alive) {
            (true, _) => "  (this one)",
            (false, true) => "",
            (false, false) => "  (ended)",
        };
        let line = format!(
            "{id}  {}  {}  {} {}{mark}",
            local_time(listed.used),
            for_terminal(&listed.agent),
            for_terminal(&listed.ip),
            for_terminal(&listed.country),
        );
        let seconds = |time: Option<std::time::SystemTime>| {
            time.and_then(|time| jiff::Timestamp::try_from(time).ok())
                .map(jiff::Timestamp::as_second)
        };
        context.output.data(&line, || {
            json!({
                "type": "session", "id": id, "opened": seconds(listed.opened),
                "used": seconds(listed.used), "agent": listed.agent, "ip": listed.ip,
                "country": listed.country, "current": listed.current, "alive": listed.alive,
            })
        })?;
    }
    Ok(Exit::Done)
}
