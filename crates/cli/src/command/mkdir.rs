//! `mkdir`: makes folders.

use serde_json::json;

use super::summary::Summary;
use crate::arguments::Mkdir;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;

/// Makes each folder.
pub async fn run(arguments: Mkdir, context: &Context) -> Result<Exit> {
    let mut summary = Summary::default();
    for text in &arguments.paths {
        let (session, path) = context.enter(text).await?;
        let made = match arguments.parents {
            true => session.make_folders(&path).await,
            false => session.make_folder(&path).await,
        };
        if let Ok(folder) = &made {
            let handle = folder.handle().to_string();
            let object = || json!({ "type": "folder", "path": path.to_string(), "handle": handle });
            context.output.object(object)?;
        }
        summary.add(context, made.map_err(Into::into))?;
    }
    Ok(summary.exit(context))
}
