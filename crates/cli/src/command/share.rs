//! `share`: folders shared with others, and what others share.

use serde_json::json;
use supermega::name::for_terminal;
use supermega::{Access, Node, Session, ShareState, SharedWith};

use super::summary::Summary;
use crate::arguments::{AddShare, RemoveShare, Share, ShareAccess};
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::name_of;

/// Begins, shows or ends shares. Keys that wait for either side are handed over on the way.
pub async fn run(arguments: Share, context: &Context) -> Result<Exit> {
    match arguments {
        Share::Add(arguments) => add(&arguments, context).await?,
        Share::List => {
            let session = context.session().await?;
            session.complete_shares().await?;
            list(context, &session).await?;
        }
        Share::Remove(RemoveShare { path, email }) => {
            let (session, folder) = find(context, &path).await?;
            session.unshare(&folder, &email).await?;
        }
        Share::Leave(remotes) => {
            let mut summary = Summary::default();
            for text in &remotes.paths {
                summary.add(context, leave(context, text).await)?;
            }
            return Ok(summary.exit(context));
        }
    }
    Ok(Exit::Done)
}

/// The folder at a path of any login.
async fn find(context: &Context, path: &str) -> Result<(Session, Node)> {
    let Found { session, node, .. } = context.find(path).await?;
    session.complete_shares().await?;
    Ok((session, node))
}

async fn add(arguments: &AddShare, context: &Context) -> Result<()> {
    let access = match arguments.access {
        ShareAccess::Read => Access::Read,
        ShareAccess::Write => Access::Write,
        ShareAccess::Full => Access::Full,
    };
    let (path, email) = (&arguments.path, &arguments.email);
    let (session, folder) = find(context, path).await?;
    let state = session.share(&folder, email, access).await?;
    let (word, text) = match state {
        ShareState::Ready => ("ready", format!("{email} can open {path} now")),
        ShareState::WaitsForKeys => (
            "waits_for_keys",
            format!(
                "{email} sees {path}; its key follows when his client has made keys and you run \
                 supermega share list"
            ),
        ),
        _ => (
            "waits_for_contact",
            format!(
                "{email} was invited; the share begins when he accepts and you run supermega share list"
            ),
        ),
    };
    context.output.note(&text);
    context.output.object(|| {
        json!({ "type": "share", "path": path, "with": email, "access": access.to_string(), "state": word })
    })
}

async fn leave(context: &Context, text: &str) -> Result<()> {
    let (session, folder) = find(context, text).await?;
    Ok(session.leave(&folder).await?)
}

async fn list(context: &Context, session: &Session) -> Result<()> {
    let tree = session.tree().await?;
    for share in session.outgoing_shares().await? {
        let path = tree.path_of(&share.folder).to_string();
        let (with, waits) = match &share.with {
            SharedWith::User(user, email) => {
                (email.clone().unwrap_or_else(|| user.to_string()), false)
            }
            SharedWith::Invited(email) => (email.clone().unwrap_or_else(|| "?".into()), true),
            _ => continue,
        };
        let mark = if waits { "  (invited)" } else { "" };
        let line =
            format!("out  {:5}  {with}  {}{mark}", share.access.to_string(), for_terminal(&path));
        context.output.data(&line, || {
            json!({
                "type": "outgoing_share", "path": path, "with": with,
                "access": share.access.to_string(), "invited": waits,
            })
        })?;
    }
    for share in session.incoming_shares().await? {
        let from = share.email.clone().unwrap_or_else(|| share.sharer.to_string());
        let path = match share.folder.name() {
            Some(name) if !name.contains('/') => format!("//in/{from}/{name}"),
            _ => format!("H:{}", share.folder.handle()),
        };
        let problem = share.folder.problem().map(|problem| problem.to_string());
        let mark =
            if problem.is_some() { format!("  {}", name_of(&share.folder)) } else { String::new() };
        let line =
            format!("in   {:5}  {from}  {}{mark}", share.access.to_string(), for_terminal(&path));
        context.output.data(&line, || {
            json!({
                "type": "incoming_share", "path": path, "from": from,
                "access": share.access.to_string(), "problem": problem,
            })
        })?;
    }
    Ok(())
}
