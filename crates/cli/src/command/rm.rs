//! `rm`: to the rubbish bin, or for good.

use supermega::{Error, Session};

use super::summary::Summary;
use crate::arguments::Rm;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::place::Place;

/// Removes each path.
pub async fn run(arguments: Rm, context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let mut summary = Summary::default();
    for text in &arguments.paths {
        summary.add(context, remove(&arguments, &session, text).await)?;
    }
    Ok(summary.exit(context))
}

async fn remove(arguments: &Rm, session: &Session, text: &str) -> Result<()> {
    let tree = session.tree().await?;
    let node = tree.at(&Place::path(text)?)?;
    if !node.is_file() && !arguments.recursive {
        return Err(Error::Refused(format!("{text} is a folder: use --recursive")).into());
    }
    let trash = tree.trash()?;
    let mut above = node.parent();
    let mut trashed = false;
    while let Some(parent) = above.and_then(|handle| tree.node(handle)) {
        trashed |= parent.handle() == trash.handle();
        above = parent.parent();
    }
    match (arguments.permanent, trashed) {
        (true, _) => session.delete(&node).await?,
        (false, true) => {
            let text = format!("{text} is in the rubbish bin already: use --permanent");
            return Err(Error::Refused(text).into());
        }
        (false, false) => {
            session.trash(&node).await?;
        }
    }
    Ok(())
}
