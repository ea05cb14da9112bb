//! `ls`: what lies in a folder.

use std::collections::HashSet;

use serde_json::{Value, json};
use supermega::name::for_terminal;
use supermega::{Node, NodeKind, RemotePath, Tree};

use super::below::{Entry, sort};
use super::summary::Summary;
use crate::arguments::Ls;
use crate::context::{Context, Found};
use crate::error::Result;
use crate::exit_code::Exit;
use crate::output::{Listing, local_time, name_of, seconds, size};

/// Lists each path: a folder's content, or a file itself.
pub async fn run(arguments: Ls, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let mut summary = Summary::default();
    let mut gap = "";
    for path in &arguments.paths {
        let Found { tree, node, .. } = match context.find(path).await {
            Ok(found) => found,
            Err(error) => {
                summary.fail(context, error, several)?;
                continue;
            }
        };
        // The headings of a recursive list name the path already.
        let heading = (several && !arguments.recursive && !arguments.directory)
            .then(|| format!("{gap}{}:", for_terminal(path)));
        gap = "\n";
        let list = List { arguments: arguments.clone(), tree };
        let write = move |out: &mut Listing| {
            if let Some(heading) = heading {
                out.heading(|| heading)?;
            }
            list.write(out, &node)
        };
        summary.add(context, context.output.listing(write).await)?;
    }
    Ok(summary.exit(context))
}

/// How nodes of a tree are listed.
struct List {
    arguments: Ls,
    tree: Tree,
}

impl List {
    fn write(&self, out: &mut Listing, node: &Node) -> Result<()> {
        if self.arguments.strays {
            let strays = self.tree.strays();
            return self
                .lines(out, strays.iter().map(|node| Entry::top(&self.tree, node)).collect());
        }
        let top = Entry::top(&self.tree, node);
        match node.is_file() || self.arguments.directory {
            true => self.lines(out, vec![top]),
            false if self.arguments.recursive => self.recursive(out, top),
            false => self.lines(out, top.children(&self.tree)),
        }
    }

    /// Folder by folder, under headings.
    fn recursive(&self, out: &mut Listing, top: Entry) -> Result<()> {
        let mut seen = HashSet::from([top.node.handle()]);
        let mut pending = vec![top];
        let mut gap = "";
        while let Some(folder) = pending.pop() {
            out.heading(|| format!("{gap}{}:", for_terminal(&folder.path.to_string())))?;
            gap = "\n";
            let mut entries = folder.children(&self.tree);
            sort(&mut entries, self.arguments.sort, self.arguments.reverse);
            let mut folders: Vec<Entry> = entries.clone();
            folders.retain(|entry| !entry.node.is_file() && seen.insert(entry.node.handle()));
            pending.extend(folders.into_iter().rev());
            entries.iter().try_for_each(|entry| self.line(out, entry))?;
        }
        Ok(())
    }

    fn lines(&self, out: &mut Listing, mut entries: Vec<Entry>) -> Result<()> {
        sort(&mut entries, self.arguments.sort, self.arguments.reverse);
        entries.iter().try_for_each(|entry| self.line(out, entry))
    }

    fn line(&self, out: &mut Listing, entry: &Entry) -> Result<()> {
        let node = &entry.node;
        out.line(|| self.text(node, &label(entry)), || object_at(&entry.path, node))?;
        if !(self.arguments.versions && node.is_file()) {
            return Ok(());
        }
        let path = entry.path.to_string();
        let versions = self.tree.versions(node);
        versions.iter().enumerate().try_for_each(|(i, old)| {
            let number = i + 1;
            let name = format!("{} (version {number}, H:{})", name_of(node), old.handle());
            out.line(|| self.text(old, &name), || version_object(&path, number, old))
        })
    }

    fn text(&self, node: &Node, label: &str) -> String {
        if !self.arguments.long {
            return label.to_owned();
        }
        let kind = match node.kind() {
            NodeKind::File => '-',
            _ => 'd',
        };
        let link = if self.tree.link_of(node).is_some() { 'l' } else { '-' };
        let share = if self.tree.is_shared(node) || node.sharer().is_some() { 's' } else { '-' };
        let bytes =
            if node.is_file() { size(node.size(), self.arguments.human) } else { "-".into() };
        let time = local_time(node.modified().or_else(|| node.created()));
        format!("{kind}{link}{share} {bytes:>14}  {time:19}  {}  {label}", node.handle())
    }
}

/// An entry's name as a person sees it, with its handle where that alone names it.
pub fn label(entry: &Entry) -> String {
    let slash = if entry.node.is_file() || entry.node.parent().is_none() { "" } else { "/" };
    let handle = match entry.needs_handle() {
        true => format!("  (H:{})", entry.node.handle()),
        false => String::new(),
    };
    format!("{}{slash}{handle}", name_of(&entry.node))
}

/// A node as `--json` shows it, whose path is known.
pub fn object_at(path: &RemotePath, node: &Node) -> Value {
    let kind = match node.kind() {
        NodeKind::File => "file",
        NodeKind::Root => "root",
        NodeKind::Vault => "vault",
        NodeKind::Trash => "trash",
        _ => "folder",
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

/// An old version of a file as `--json` shows it.
pub fn version_object(path: &str, number: usize, version: &Node) -> Value {
    json!({
        "type": "version", "path": path, "number": number, "size": version.size(),
        "handle": version.handle().to_string(), "created": seconds(version.created()),
    })
}
