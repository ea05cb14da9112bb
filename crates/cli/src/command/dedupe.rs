//! `dedupe`: files that hold the same, and namesakes in one folder. Nothing is changed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use supermega::name::for_terminal;
use supermega::{RemotePath, Tree};

use super::below::{Below, Entry};
use crate::arguments::Dedupe;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{Listing, local_time, name_of, seconds, size};

/// Size and checksum: files that have both in common are taken for the same.
type Content = (u64, [u8; 16]);

/// Lists the groups, those that waste most first.
pub async fn run(arguments: Dedupe, context: &Context) -> Result<Exit> {
    let mut tops = Vec::new();
    for path in &arguments.paths {
        let Found { tree, node, .. } = context.find(path).await?;
        tops.push((Entry::top(&tree, &node), tree));
    }
    let write = move |out: &mut Listing| match arguments.namesakes {
        true => namesakes(out, &tops),
        false => same_content(out, &tops, arguments.min_size),
    };
    let note = context.output.listing(write).await?;
    context.output.note(&note);
    Ok(Exit::Done)
}

/// Files with one content. They are gone through twice, so that only those that are shown are kept.
fn same_content(out: &mut Listing, tops: &[(Entry, Tree)], min_size: u64) -> Result<String> {
    let mut counts = HashMap::<Content, usize>::new();
    let mut without = 0_u64;
    for file in files(tops, min_size) {
        match content(&file) {
            Some(content) => *counts.entry(content).or_default() += 1,
            None => without += 1,
        }
    }
    counts.retain(|_, count| *count > 1);
    let mut groups = HashMap::<Content, Vec<Entry>>::new();
    for file in files(tops, min_size) {
        if let Some(content) = content(&file).filter(|content| counts.contains_key(content)) {
            groups.entry(content).or_default().push(file);
        }
    }
    let wasted = |group: &(Content, Vec<Entry>)| group.0.0.saturating_mul(group.1.len() as u64 - 1);
    let mut groups: Vec<(Content, Vec<Entry>)> = groups.into_iter().collect();
    groups.sort_by_key(|group| (Reverse(wasted(group)), group.0));
    let sum = groups.iter().map(wasted).fold(0, u64::saturating_add);
    for ((size, _), files) in &groups {
        group(out, &Group::Content(*size), files)?;
    }
    let unknown = match without {
        0 => String::new(),
        without => format!("; {without} files have no checksum"),
    };
    Ok(format!("{}, {} more than once{unknown}", count(groups.len()), size(sum, true)))
}

/// All files of at least this size; what is named twice is seen once.
fn files(tops: &[(Entry, Tree)], min_size: u64) -> impl Iterator<Item = Entry> {
    let mut seen = HashSet::new();
    let all = tops.iter().flat_map(|(top, tree)| Below::new(tree, top.clone(), None));
    all.filter(move |entry| {
        let node = &entry.node;
        node.is_file() && node.size() >= min_size && seen.insert(node.handle())
    })
}

fn content(file: &Entry) -> Option<Content> {
    file.node.fingerprint().map(|fingerprint| (file.node.size(), fingerprint.crc))
}

/// Nodes of one name in one folder.
fn namesakes(out: &mut Listing, tops: &[(Entry, Tree)]) -> Result<String> {
    let (mut seen, mut groups) = (HashSet::new(), 0);
    for (top, tree) in tops {
        for folder in Below::new(tree, top.clone(), None) {
            if folder.node.is_file() || !seen.insert(folder.node.handle()) {
                continue;
            }
            let mut children = folder.children(tree);
            children.retain(|child| child.node.name().is_some());
            for same in children.chunk_by(|a, b| a.node.name() == b.node.name()) {
                if same.len() > 1 {
                    groups += 1;
                    group(out, &Group::Namesakes(&folder.path), same)?;
                }
            }
        }
    }
    Ok(count(groups))
}

fn count(groups: usize) -> String {
    format!("{groups} group{}", if groups == 1 { "" } else { "s" })
}

/// What nodes have in common.
enum Group<'a> {
    /// The content, which is so long.
    Content(u64),
    /// The name, in this folder.
    Namesakes(&'a RemotePath),
}

fn group(out: &mut Listing, group: &Group<'_>, entries: &[Entry]) -> Result<()> {
    let object = || match group {
        Group::Content(size) => {
            json!({ "type": "same_content", "size": size, "nodes": objects(entries) })
        }
        Group::Namesakes(folder) => json!({
            "type": "namesakes",
            "path": folder.to_string(),
            "name": entries.first().and_then(|entry| entry.node.name()),
            "nodes": objects(entries),
        }),
    };
    let text = || {
        let heading = match group {
            Group::Content(bytes) => format!("{} × {}", entries.len(), size(*bytes, true)),
            Group::Namesakes(folder) => {
                let name = entries.first().map(|entry| name_of(&entry.node)).unwrap_or_default();
                format!("{} × {name} in {}", entries.len(), for_terminal(&folder.to_string()))
            }
        };
        let line = |entry: &Entry| {
            let time = local_time(entry.node.modified().or_else(|| entry.node.created()));
            let path = entry.path.to_string();
            format!("\n  {}  {time:19}  {}", entry.node.handle(), for_terminal(&path))
        };
        heading + &entries.iter().map(line).collect::<String>()
    };
    out.line(text, object)
}

fn objects(entries: &[Entry]) -> Value {
    let object = |entry: &Entry| {
        json!({
            "handle": entry.node.handle().to_string(),
            "path": entry.path.to_string(),
            "size": entry.node.is_file().then(|| entry.node.size()),
            "modified": seconds(entry.node.modified()),
            "created": seconds(entry.node.created()),
        })
    };
    entries.iter().map(object).collect()
}
