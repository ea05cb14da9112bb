//! `du`: how much lies in folders.

use serde_json::json;
use supermega::name::for_terminal;
use supermega::{Node, RemotePath, Tree};

use super::summary::Summary;
use crate::arguments::Du;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::size;

/// Shows each path's size, and those of the folders in it as far down as asked.
pub async fn run(arguments: Du, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let (mut session, mut summary) = (None, Summary::default());
    for path in &arguments.paths {
        match context.find(&mut session, path).await {
            Ok(found) => summary.add(context, measure(&arguments, context, &found))?,
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

fn measure(arguments: &Du, context: &Context, found: &Found) -> Result<()> {
    let tree = &found.tree;
    let mut pending = vec![(tree.path_of(&found.node), found.node.clone(), 0)];
    while let Some((path, node, depth)) = pending.pop() {
        show(arguments, context, tree, &node, &path)?;
        if depth < arguments.depth {
            let folders = tree.children(&node).into_iter().rev().filter(|node| !node.is_file());
            pending.extend(folders.map(|folder| {
                let path = match folder.name() {
                    Some(name) => path.join(name),
                    None => RemotePath::handle(folder.handle()),
                };
                (path, folder, depth + 1)
            }));
        }
    }
    Ok(())
}

fn show(
    arguments: &Du,
    context: &Context,
    tree: &Tree,
    node: &Node,
    path: &RemotePath,
) -> Result<()> {
    let usage = tree.usage(node);
    let text = path.to_string();
    let line = format!("{:>14}  {}", size(usage.bytes, arguments.human), for_terminal(&text));
    context.output.data(&line, || {
        json!({
            "type": "usage",
            "path": text,
            "bytes": usage.bytes,
            "files": usage.files,
            "folders": usage.folders,
            "version_bytes": usage.version_bytes,
            "versions": usage.versions,
        })
    })
}
