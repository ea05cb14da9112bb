//! How much each of many folders holds, counted in one go.

use std::collections::{HashMap, HashSet};

use supermega::{Node, NodeHandle, Tree, Usage};

/// A folder's count, and the place of the folder around it.
struct Count {
    handle: NodeHandle,
    parent: Option<usize>,
    usage: Usage,
}

/// How much a node and the folders below it hold, so many levels down. Each node is counted once, however
/// many of its ancestors are asked about; what lies deeper is not decrypted.
pub fn sums(tree: &Tree, top: &Node, depth: usize) -> HashMap<NodeHandle, Usage> {
    let mut counts: Vec<Count> = Vec::new();
    let mut seen = HashSet::from([top.handle()]);
    let mut pending = vec![(top.clone(), None, 0)];
    while let Some((node, parent, level)) = pending.pop() {
        let here = counts.len();
        let is_last = node.is_file() || level >= depth;
        let mut usage = if is_last { tree.usage(&node) } else { Usage::default() };
        for child in if is_last { Vec::new() } else { tree.children(&node) } {
            if child.is_file() {
                add(&mut usage, &tree.usage(&child));
            } else if seen.insert(child.handle()) {
                pending.push((child, Some(here), level + 1));
            }
        }
        counts.push(Count { handle: node.handle(), parent, usage });
    }
    // A folder comes before what lies in it.
    for i in (0..counts.len()).rev() {
        let (parent, usage) = (counts[i].parent, counts[i].usage);
        if let Some(parent) = parent {
            add(&mut counts[parent].usage, &usage);
            counts[parent].usage.folders += 1;
        }
    }
    counts.into_iter().map(|count| (count.handle, count.usage)).collect()
}

fn add(sum: &mut Usage, more: &Usage) {
    sum.bytes += more.bytes;
    sum.files += more.files;
    sum.folders += more.folders;
    sum.version_bytes += more.version_bytes;
    sum.versions += more.versions;
}
