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
    let trashed = node.handle() != trash.handle() && tree.is_within(&node, trash.handle());
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
