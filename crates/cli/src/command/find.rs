//! `find`: what in a folder, at any depth, is so and so.

use regex::Regex;
use supermega::name::for_terminal;
use supermega::{Glance, Marks, Node, RemotePath, Tree};

use super::below::{Below, Entry};
use super::ls;
use super::summary::Summary;
use crate::arguments::{Find, Kind};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::Listing;
use crate::pattern::Pattern;

/// Shows what is found, while it is found.
pub async fn run(arguments: Find, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let mut summary = Summary::default();
    for path in &arguments.paths {
        let wanted = Wanted::new(&arguments)?;
        match context.find(path).await {
            Ok(Found { tree, node, .. }) => {
                let write = move |out: &mut Listing| look(out, &wanted, &tree, &node);
                summary.add(context, context.output.listing(write).await)?;
            }
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

fn look(out: &mut Listing, wanted: &Wanted, tree: &Tree, top: &Node) -> Result<()> {
    let arguments = &wanted.arguments;
    if !arguments.handle.is_empty() {
        let nodes = arguments.handle.iter().filter_map(|handle| tree.node(*handle));
        let nodes = nodes.filter(|node| arguments.strays || tree.is_within(node, top.handle()));
        return show_wanted(out, wanted, nodes.map(|node| Entry::top(tree, &node)));
    }
    if arguments.strays {
        let tops = tree.strays().into_iter().map(|stray| Entry::top(tree, &stray));
        let below = tops.flat_map(|top| Below::new(tree, top, arguments.depth));
        return show_wanted(out, wanted, below);
    }
    let mut below = Below::new(tree, Entry::top(tree, top), arguments.depth);
    if wanted.is_choosy() {
        below = below.within(tree.folders_with(top, |node| wanted.may_be(node)));
    }
    show_wanted(out, wanted, below.filter(|entry| entry.depth > 0 || entry.node.is_file()))
}

fn show_wanted(
    out: &mut Listing,
    wanted: &Wanted,
    mut entries: impl Iterator<Item = Entry>,
) -> Result<()> {
    entries.try_for_each(|entry| match wanted.is(&entry.node, &entry.path) {
        true => show(out, wanted, &entry),
        false => Ok(()),
    })
}

fn show(out: &mut Listing, wanted: &Wanted, entry: &Entry) -> Result<()> {
    let path = entry.path.to_string();
    if wanted.arguments.print0 {
        return out.zero_ended(&path);
    }
    let line = || match entry.node.problem().filter(|_| wanted.arguments.problem) {
        Some(problem) => format!("{}  ({problem})", for_terminal(&path)),
        None => for_terminal(&path).into_owned(),
    };
    out.line(line, || ls::object_at(&entry.path, &entry.node))
}

/// What is looked for.
struct Wanted {
    arguments: Find,
    name: Option<Pattern>,
    regex: Option<Regex>,
}

impl Wanted {
    fn new(arguments: &Find) -> Result<Self> {
        let has_capitals = |text: &str| text.chars().any(char::is_uppercase);
        let name = arguments.name.as_deref();
        let name = name.map(|text| Pattern::of_name(text, !has_capitals(text))).transpose()?;
        let regex = arguments.regex.as_deref().map(|text| {
            let mut builder = regex::RegexBuilder::new(text);
            let built = builder.case_insensitive(!has_capitals(text)).build();
            built.map_err(|error| CommandError::Usage(error.to_string()))
        });
        Ok(Self { arguments: arguments.clone(), name, regex: regex.transpose()? })
    }

    fn is(&self, node: &Node, path: &RemotePath) -> bool {
        self.has_facts(node) && self.has_marks(node) && self.is_named(node) && self.is_at(path)
    }

    /// Whether it is worth while to look first where a walk has to go.
    fn is_choosy(&self) -> bool {
        let wanted = &self.arguments;
        self.name.is_some() || wanted.min_size.is_some() || wanted.max_size.is_some()
    }

    /// Whether something that is looked at in passing may be wanted.
    fn may_be(&self, node: &Glance<'_>) -> bool {
        let wanted = &self.arguments;
        let kind = match wanted.kind {
            Some(Kind::File) => node.is_file(),
            Some(Kind::Folder) => !node.is_file(),
            None => true,
        };
        let size = wanted.min_size.is_none_or(|min| node.size() >= min)
            && wanted.max_size.is_none_or(|max| node.size() <= max);
        let named = |pattern: &Pattern| node.is_named(|name| pattern.means_name(name));
        kind && size && self.name.as_ref().is_none_or(named)
    }

    /// Kind, size, time and problem.
    fn has_facts(&self, node: &Node) -> bool {
        let wanted = &self.arguments;
        let kind = match wanted.kind {
            Some(Kind::File) => node.is_file(),
            Some(Kind::Folder) => !node.is_file(),
            None => true,
        };
        let sized = wanted.min_size.is_some() || wanted.max_size.is_some();
        let size = !sized
            || (node.is_file()
                && wanted.min_size.is_none_or(|min| node.size() >= min)
                && wanted.max_size.is_none_or(|max| node.size() <= max));
        let timed = wanted.newer_than.is_some() || wanted.older_than.is_some();
        let time = timed.then(|| node.modified().or_else(|| node.created())).flatten();
        let newer = wanted.newer_than.is_none_or(|then| time.is_some_and(|time| time > then));
        let older = wanted.older_than.is_none_or(|then| time.is_some_and(|time| time < then));
        let problem = !wanted.problem || node.problem().is_some();
        kind && size && newer && older && problem
    }

    fn has_marks(&self, node: &Node) -> bool {
        let Find { favourite, label, tag, .. } = &self.arguments;
        if !favourite && label.is_none() && tag.is_empty() {
            return true;
        }
        let marks = Marks::of(node);
        (!favourite || marks.favourite)
            && label.is_none_or(|label| marks.label == Some(label))
            && tag.iter().all(|tag| marks.tags.contains(tag))
    }

    fn is_named(&self, node: &Node) -> bool {
        let Some(pattern) = &self.name else { return true };
        node.name().is_some_and(|name| pattern.means_name(name))
    }

    fn is_at(&self, path: &RemotePath) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(&path.to_string()))
    }
}
