//! `ls`: what lies in a folder.

use serde_json::{Value, json};
use supermega::name::for_terminal;
use supermega::{Node, NodeKind, RemotePath, Tree};

use super::summary::Summary;
use crate::arguments::Ls;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{local_time, name_of, size};

/// Lists each path: a folder's content, or a file itself.
pub async fn run(arguments: Ls, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let (mut session, mut summary) = (None, Summary::default());
    let mut gap = "";
    for path in &arguments.paths {
        let found = match context.find(&mut session, path).await {
            Ok(found) => found,
            Err(error) => {
                summary.fail(context, error, several)?;
                continue;
            }
        };
        if several && !context.output.is_json() {
            let heading = format!("{gap}{}:", for_terminal(path));
            context.output.data(&heading, || Value::Null)?;
            gap = "\n";
        }
        let list = list(&arguments, context, &found);
        summary.add(context, list)?;
    }
    Ok(summary.exit(context))
}

fn list(arguments: &Ls, context: &Context, found: &Found) -> Result<()> {
    let nodes = match found.node.is_file() {
        true => vec![found.node.clone()],
        false => found.tree.children(&found.node),
    };
    nodes.iter().try_for_each(|node| {
        let line = if arguments.long { long(node, arguments.human) } else { short(node) };
        context.output.data(&line, || object(&found.tree, node))
    })
}

fn short(node: &Node) -> String {
    format!("{}{}", name_of(node), if node.is_file() { "" } else { "/" })
}

fn long(node: &Node, human: bool) -> String {
    let bytes = if node.is_file() { size(node.size(), human) } else { "-".into() };
    let time = local_time(node.modified().or_else(|| node.created()));
    format!("{bytes:>14}  {time:19}  {}  {}", node.handle(), short(node))
}

/// A node as `--json` shows it.
pub fn object(tree: &Tree, node: &Node) -> Value {
    object_at(&tree.path_of(node), node)
}

/// The same for a node whose path is known.
pub fn object_at(path: &RemotePath, node: &Node) -> Value {
    let kind = match node.kind() {
        NodeKind::File => "file",
        NodeKind::Root => "root",
        NodeKind::Vault => "vault",
        NodeKind::Trash => "trash",
        _ => "folder",
    };
    let seconds = |time: Option<std::time::SystemTime>| {
        time.and_then(|time| jiff::Timestamp::try_from(time).ok()).map(jiff::Timestamp::as_second)
    };
    json!({
        "type": kind,
        "handle": node.handle().to_string(),
        "path": path.to_string(),
        "name": node.name(),
        "size": node.is_file().then(|| node.size()),
        "modified": seconds(node.modified()),
        "created": seconds(node.created()),
        "problem": node.problem().map(|problem| problem.to_string()),
    })
}
