//! `link`: public links to files.

use serde_json::json;
use supermega::Session;

use super::summary::Summary;
use crate::arguments::Link;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::place::Place;

/// Makes or removes links.
pub async fn run(arguments: Link, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let mut summary = Summary::default();
    match arguments {
        Link::Make(remotes) => {
            for text in &remotes.paths {
                summary.add(context, make(context, &session, text).await)?;
            }
        }
        Link::Remove(remotes) => {
            for text in &remotes.paths {
                summary.add(context, remove(&session, text).await)?;
            }
        }
    }
    Ok(summary.exit(context))
}

async fn make(context: &Context, session: &Session, text: &str) -> Result<()> {
    let node = session.tree().await?.at(&Place::path(text)?)?;
    let url = session.make_link(&node).await?.to_url();
    context.output.data(&url, || json!({ "type": "link", "path": text, "url": url }))
}

async fn remove(session: &Session, text: &str) -> Result<()> {
    let node = session.tree().await?.at(&Place::path(text)?)?;
    Ok(session.remove_link(&node).await?)
}
