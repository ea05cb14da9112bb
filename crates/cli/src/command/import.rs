//! `import`: a public file into the account, without downloading it.

use serde_json::json;
use supermega::{Error, Link};

use crate::arguments::Import;
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::place::Place;
use crate::secret;

/// Copies the file on the server.
pub async fn run(arguments: Import, context: &Context) -> Result<Exit> {
    let link = Link::parse(&arguments.link).map_err(Error::from)?;
    let link = secret::unlock(link, false).await?;
    if !matches!(link, Link::File { .. }) {
        return Err(CommandError::Usage("the link is not that of a file".into()));
    }
    let session = context.session().await?;
    let tree = session.tree().await?;
    let folder = tree.at(&Place::path(&arguments.folder)?)?;
    let file = session.client().open_file(&link).await?;
    let name = file.name().unwrap_or_default();
    if !tree.children_named(&folder, name).is_empty() {
        let path = tree.path_of(&folder).join(name).to_string();
        return Err(Error::AlreadyExists { path }.into());
    }
    let node = session.import(&file, &folder).await?;
    let path = session.tree().await?.path_of(&node).to_string();
    let shown = supermega::name::for_terminal(&path).into_owned();
    context.output.data(
        &shown,
        || json!({ "type": "file", "path": path, "handle": node.handle().to_string() }),
    )?;
    Ok(Exit::Done)
}
