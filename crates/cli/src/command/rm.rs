//! `rm`: to the rubbish bin, or for good.

use supermega::Error;

use super::summary::Summary;
use crate::arguments::Rm;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;

/// Removes each path.
pub async fn run(arguments: Rm, context: &Context) -> Result<Exit> {
    let mut summary = Summary::default();
    for text in &arguments.paths {
        summary.add(context, remove(&arguments, context, text).await)?;
    }
    Ok(summary.exit(context))
}

async fn remove(arguments: &Rm, context: &Context, text: &str) -> Result<()> {
    let Found { session, tree, node } = context.find(text).await?;
    if !node.is_file() && !arguments.recursive {
        return Err(Error::Refused(format!("{text} is a folder: use --recursive")).into());
    }
    let trash = tree.trash().ok();
    let trashed = trash.is_some_and(|trash| {
        node.handle() != trash.handle() && tree.is_within(&node, trash.handle())
    });
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
