//! `du`: how much lies in folders.

use std::cmp::Reverse;

use serde_json::json;
use supermega::name::for_terminal;
use supermega::{Node, Tree, Usage};

use super::below::{Below, Entry};
use super::summary::Summary;
use super::sums::sums;
use crate::arguments::Du;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{Listing, size};

/// Shows each path's size, and those of the folders in it as far down as asked.
pub async fn run(arguments: Du, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let mut summary = Summary::default();
    for path in &arguments.paths {
        match context.find(path).await {
            Ok(Found { tree, node, .. }) => {
                let arguments = arguments.clone();
                let write = move |out: &mut Listing| measure(out, &arguments, &tree, &node);
                summary.add(context, context.output.listing(write).await)?;
            }
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

fn measure(out: &mut Listing, arguments: &Du, tree: &Tree, top: &Node) -> Result<()> {
    let sums = sums(tree, top, arguments.depth);
    let usage = |node: &Node| match sums.get(&node.handle()) {
        Some(usage) => *usage,
        None => tree.usage(node),
    };
    let top = Entry::top(tree, top);
    let below = Below::new(tree, top, Some(arguments.depth))
        .filter(|entry| entry.depth == 0 || arguments.all || !entry.node.is_file())
        .map(|entry| (usage(&entry.node), entry));
    if !arguments.sort {
        return below
            .into_iter()
            .try_for_each(|(usage, entry)| show(out, arguments, &entry, usage));
    }
    let mut all: Vec<(Usage, Entry)> = below.collect();
    all.sort_by_key(|(usage, _)| Reverse(bytes(arguments, usage)));
    all.iter().try_for_each(|(usage, entry)| show(out, arguments, entry, *usage))
}

fn bytes(arguments: &Du, usage: &Usage) -> u64 {
    usage.bytes + if arguments.versions { usage.version_bytes } else { 0 }
}

fn show(out: &mut Listing, arguments: &Du, entry: &Entry, usage: Usage) -> Result<()> {
    let path = entry.path.to_string();
    let bytes = size(bytes(arguments, &usage), arguments.human);
    out.line(
        || format!("{bytes:>14}  {}", for_terminal(&path)),
        || {
            json!({
                "type": "usage",
                "path": path,
                "bytes": usage.bytes,
                "files": usage.files,
                "folders": usage.folders,
                "version_bytes": usage.version_bytes,
                "versions": usage.versions,
            })
        },
    )
}
