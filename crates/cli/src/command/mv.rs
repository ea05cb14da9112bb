//! `mv`: moves into a folder, or gives another name and place.

use supermega::{Error, Node, RemotePath, Session};

use super::summary::Summary;
use crate::arguments::Mv;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;

/// Moves each source.
pub async fn run(arguments: Mv, context: &Context) -> Result<Exit> {
    let Some((target, sources)) = arguments.paths.split_last() else {
        return Err(CommandError::Usage("name what to move, and where to".into()));
    };
    let (session, target) = context.enter(target).await?;
    let target = &target;
    let folder = match session.tree().await?.at(target) {
        Ok(node) if !node.is_file() => Some(node),
        Ok(_) => return Err(Error::AlreadyExists { path: target.to_string() }.into()),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if folder.is_none() && sources.len() > 1 {
        return Err(Error::NotFound { what: target.to_string() }.into());
    }
    let mut summary = Summary::default();
    for source in sources {
        let (from, source) = context.enter(source).await?;
        let moved = match &folder {
            _ if !from.is_same(&session) => {
                let text = format!("{source} cannot be moved to another login: copy it");
                Err(Error::Refused(text).into())
            }
            Some(folder) => into_folder(&session, &source, folder).await,
            None => to_path(&session, &source, target).await,
        };
        summary.add(context, moved)?;
    }
    Ok(summary.exit(context))
}

async fn into_folder(session: &Session, source: &RemotePath, folder: &Node) -> Result<()> {
    let tree = session.tree().await?;
    let node = tree.at(source)?;
    if let Some(name) = node.name()
        && !tree.children_named(folder, name).is_empty()
    {
        let path = tree.path_of(folder).join(name).to_string();
        return Err(Error::AlreadyExists { path }.into());
    }
    session.move_to(&node, folder).await?;
    Ok(())
}

async fn to_path(session: &Session, source: &RemotePath, target: &RemotePath) -> Result<()> {
    let tree = session.tree().await?;
    let node = tree.at(source)?;
    let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
        return Err(Error::NotFound { what: target.to_string() }.into());
    };
    let parent = tree.at(&parent)?;
    let node = match node.parent() == Some(parent.handle()) {
        true => node,
        false => session.move_to(&node, &parent).await?,
    };
    if node.name() != Some(name) {
        session.rename(&node, name).await?;
    }
    Ok(())
}
