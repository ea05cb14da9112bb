//! `tree`: a folder with everything below it, drawn.

use supermega::{Node, Tree};

use super::ls;
use super::summary::Summary;
use crate::arguments;
use crate::context::Context;
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{name_of, size};

/// Draws each path's tree.
pub async fn run(arguments: arguments::Tree, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let (mut session, mut summary) = (None, Summary::default());
    for path in &arguments.paths {
        match context.find(&mut session, path).await {
            Ok(found) => summary.add(context, draw(context, &found.tree, &found.node))?,
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

/// Draws a node and everything below it; deep trees need no deep stack.
pub fn draw(context: &Context, tree: &Tree, top: &Node) -> Result<()> {
    let mut pending = vec![(String::new(), String::new(), top.clone())];
    while let Some((branch, indent, node)) = pending.pop() {
        let line = format!("{branch}{}", label(&node));
        context.output.data(&line, || ls::object(tree, &node))?;
        let children = tree.children(&node);
        for (i, child) in children.into_iter().rev().enumerate() {
            let (fork, below) =
                if i == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            pending.push((format!("{indent}{fork}"), format!("{indent}{below}"), child));
        }
    }
    Ok(())
}

fn label(node: &Node) -> String {
    match node.is_file() {
        true => format!("{} ({})", name_of(node), size(node.size(), true)),
        false if node.parent().is_none() => name_of(node),
        false => format!("{}/", name_of(node)),
    }
}
