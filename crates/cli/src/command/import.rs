//! `import`: public files and folders into the account, without downloading them.

use serde_json::json;
use supermega::{Error, Link, Node, Session, Tree};

use super::get::unreadable;
use super::summary::Summary;
use crate::arguments::Import;
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::secret;

/// Copies the file or folder on the server.
pub async fn run(arguments: Import, context: &Context) -> Result<Exit> {
    let link = Link::parse(&arguments.link).map_err(Error::from)?;
    let link = secret::unlock(link, arguments.link_password_stdin).await?;
    let Found { session, tree, node: folder } = context.find(&arguments.folder).await?;
    let mut left_out = Vec::new();
    let node = match &link {
        Link::File { .. } => {
            let file = session.client().open_file(&link).await?;
            must_be_free(&tree, &folder, file.name().unwrap_or_default())?;
            session.import(&file, &folder).await?
        }
        Link::Folder { .. } => {
            let found = context.open_folder(&link, None).await?;
            must_be_free(&tree, &folder, found.node.name().unwrap_or_default())?;
            let imported = session.import_from(&found.session, &found.node, &folder).await?;
            left_out = imported.left_out;
            imported.node
        }
        _ => return Err(CommandError::Usage("links to collections cannot be imported".into())),
    };
    let mut summary = Summary::default();
    summary.add(context, show(context, &session, &node).await)?;
    for node in &left_out {
        summary.add::<()>(context, Err(unreadable(node)))?;
    }
    Ok(summary.exit(context))
}

/// An error if a folder has something of this name.
pub fn must_be_free(tree: &Tree, folder: &Node, name: &str) -> Result<()> {
    if tree.children_named(folder, name).is_empty() {
        return Ok(());
    }
    let path = tree.path_of(folder).join(name).to_string();
    Err(Error::AlreadyExists { path }.into())
}

async fn show(context: &Context, session: &Session, node: &Node) -> Result<()> {
    let path = session.tree().await?.path_of(node).to_string();
    let shown = supermega::name::for_terminal(&path).into_owned();
    let kind = if node.is_file() { "file" } else { "folder" };
    context
        .output
        .data(&shown, || json!({ "type": kind, "path": path, "handle": node.handle().to_string() }))
}
