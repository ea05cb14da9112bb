//! `ls`: what lies in a folder.

use serde_json::{Value, json};
use supermega::{Node, NodeKind, Tree};

use crate::arguments::Ls;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{local_time, name_of, size};

/// Lists each path: a folder's content, or a file itself.
pub async fn run(arguments: Ls, context: &Context) -> Result<Exit> {
    let mut session = None;
    for (i, path) in arguments.paths.iter().enumerate() {
        let found = context.find(&mut session, path).await?;
        if arguments.paths.len() > 1 && !context.output.is_json() {
            let gap = if i > 0 { "\n" } else { "" };
            context.output.data(&format!("{gap}{path}:"), || Value::Null)?;
        }
        let nodes = match found.node.is_file() {
            true => vec![found.node.clone()],
            false => found.tree.children(&found.node),
        };
        for node in nodes {
            let line = if arguments.long { long(&node, arguments.human) } else { short(&node) };
            context.output.data(&line, || object(&found.tree, &node))?;
        }
    }
    Ok(Exit::Done)
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
        "path": tree.path_of(node).to_string(),
        "name": node.name(),
        "size": node.is_file().then(|| node.size()),
        "modified": seconds(node.modified()),
        "created": seconds(node.created()),
        "problem": node.problem().map(|problem| problem.to_string()),
    })
}
