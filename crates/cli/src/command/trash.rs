//! `trash`: what was thrown away, back again or gone for good.

use serde_json::json;
use supermega::Session;
use supermega::name::for_terminal;

use super::summary::Summary;
use crate::arguments::Trash;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::name_of;

/// Lists, restores or empties.
pub async fn run(arguments: Trash, context: &Context) -> Result<Exit> {
    match arguments {
        Trash::Empty => context.session().await?.empty_trash().await?,
        Trash::List => list(context, &context.session().await?).await?,
        Trash::Restore(remotes) => {
            let mut summary = Summary::default();
            for text in &remotes.paths {
                summary.add(context, restore(context, text).await)?;
            }
            return Ok(summary.exit(context));
        }
    }
    Ok(Exit::Done)
}

async fn list(context: &Context, session: &Session) -> Result<()> {
    let tree = session.tree().await?;
    for node in tree.children(&tree.trash()?) {
        let before = session.lay_before(&node).await?;
        let before = before.map(|folder| tree.path_of(&folder).to_string());
        let path = tree.path_of(&node).to_string();
        let from = before
            .as_deref()
            .map_or_else(String::new, |path| format!("  from {}", for_terminal(path)));
        let line = format!("H:{}  {}{from}", node.handle(), name_of(&node));
        context.output.data(&line, || {
            json!({
                "type": "trashed", "path": path, "handle": node.handle().to_string(),
                "name": node.name(), "from": before,
            })
        })?;
    }
    Ok(())
}

async fn restore(context: &Context, text: &str) -> Result<()> {
    let Found { session, node, .. } = context.find(text).await?;
    let node = session.restore(&node).await?;
    let path = session.tree().await?.path_of(&node).to_string();
    context.output.data(
        &for_terminal(&path),
        || json!({ "type": "restored", "path": path, "handle": node.handle().to_string() }),
    )
}
