//! `tree`: a folder with everything below it, drawn.

use std::collections::{HashMap, HashSet};

use supermega::{Node, Tree};

use super::below::Entry;
use super::ls;
use super::summary::Summary;
use super::sums::sums;
use crate::arguments;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{Listing, size};

/// Draws each path's tree.
pub async fn run(arguments: arguments::Tree, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let mut summary = Summary::default();
    for path in &arguments.paths {
        match context.find(path).await {
            Ok(Found { tree, node, .. }) => {
                summary.add(context, draw(context, &arguments, &tree, &node).await)?;
            }
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

/// Draws a node and everything below it.
pub async fn draw(
    context: &Context,
    arguments: &arguments::Tree,
    tree: &Tree,
    top: &Node,
) -> Result<()> {
    let (arguments, tree, top) = (arguments.clone(), tree.clone(), top.clone());
    context.output.listing(move |out| write(out, &arguments, &tree, &top)).await
}

/// Deep trees need no deep stack.
fn write(out: &mut Listing, arguments: &arguments::Tree, tree: &Tree, top: &Node) -> Result<()> {
    let depth = arguments.depth.unwrap_or(usize::MAX);
    let sums = if arguments.sizes { sums(tree, top, depth) } else { HashMap::new() };
    let mut seen = HashSet::from([top.handle()]);
    let mut pending = vec![(String::new(), String::new(), Entry::top(tree, top))];
    while let Some((branch, indent, entry)) = pending.pop() {
        let bytes = match entry.node.is_file() {
            true => Some(entry.node.size()),
            false => sums.get(&entry.node.handle()).map(|usage| usage.bytes),
        };
        let bytes = bytes.map(|bytes| format!(" ({})", size(bytes, true))).unwrap_or_default();
        let line = || format!("{branch}{}{bytes}", ls::label(&entry));
        out.line(line, || ls::object_at(&entry.path, &entry.node))?;
        if entry.depth >= depth {
            continue;
        }
        let mut children = entry.children(tree);
        children.retain(|child| match child.node.is_file() {
            true => !arguments.folders_only,
            false => seen.insert(child.node.handle()),
        });
        for (i, child) in children.into_iter().rev().enumerate() {
            let (fork, below) =
                if i == 0 { ("└── ", "    ") } else { ("├── ", "│   ") };
            pending.push((format!("{indent}{fork}"), format!("{indent}{below}"), child));
        }
    }
    Ok(())
}
