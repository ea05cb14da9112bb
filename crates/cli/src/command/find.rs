//! `find`: what in a folder, at any depth, is so and so.

use std::io::Write;
use std::path::Path;

use regex::Regex;
use supermega::name::for_terminal;
use supermega::{Node, RemotePath};

use super::ls;
use super::summary::Summary;
use crate::arguments::{Find, Kind};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::selection::Pattern;

/// Shows what is found, while it is found.
pub async fn run(arguments: Find, context: &Context) -> Result<Exit> {
    let several = arguments.paths.len() > 1;
    let wanted = Wanted::new(&arguments)?;
    let (mut session, mut summary) = (None, Summary::default());
    for path in &arguments.paths {
        match context.find(&mut session, path).await {
            Ok(found) => summary.add(context, look(&wanted, context, &found))?,
            Err(error) => summary.fail(context, error, several)?,
        }
    }
    Ok(summary.exit(context))
}

fn look(wanted: &Wanted, context: &Context, found: &Found) -> Result<()> {
    let tree = &found.tree;
    if found.node.is_file() {
        let path = tree.path_of(&found.node);
        return if wanted.is(&found.node, &path) {
            show(wanted, context, &found.node, &path)
        } else {
            Ok(())
        };
    }
    for step in tree.walk_from(&found.node) {
        for node in step.folders.iter().chain(&step.files) {
            let path = match node.name() {
                Some(name) => step.path.join(name),
                None => RemotePath::handle(node.handle()),
            };
            if wanted.is(node, &path) {
                show(wanted, context, node, &path)?;
            }
        }
    }
    Ok(())
}

fn show(wanted: &Wanted, context: &Context, node: &Node, path: &RemotePath) -> Result<()> {
    let text = path.to_string();
    if wanted.arguments.print0 {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        return Ok(out.write_all(b"\0")?);
    }
    context.output.data(&for_terminal(&text), || ls::object_at(path, node))
}

/// What is looked for.
struct Wanted<'a> {
    arguments: &'a Find,
    /// A pattern for names, and whether case matters.
    name: Option<(Pattern, bool)>,
    regex: Option<Regex>,
}

impl<'a> Wanted<'a> {
    fn new(arguments: &'a Find) -> Result<Self> {
        let has_capitals = |text: &str| text.chars().any(char::is_uppercase);
        let name = arguments.name.as_deref().map(|text| (Pattern::new(text), has_capitals(text)));
        let regex = arguments.regex.as_deref().map(|text| {
            let mut builder = regex::RegexBuilder::new(text);
            let built = builder.case_insensitive(!has_capitals(text)).build();
            built.map_err(|error| CommandError::Usage(error.to_string()))
        });
        Ok(Self { arguments, name, regex: regex.transpose()? })
    }

    fn is(&self, node: &Node, path: &RemotePath) -> bool {
        let wanted = self.arguments;
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
        let time = node.modified().or_else(|| node.created());
        let newer = wanted.newer_than.is_none_or(|then| time.is_some_and(|time| time > then));
        let older = wanted.older_than.is_none_or(|then| time.is_some_and(|time| time < then));
        kind && size && newer && older && self.is_named(node) && self.is_at(path)
    }

    fn is_named(&self, node: &Node) -> bool {
        let Some((pattern, with_case)) = &self.name else { return true };
        node.name().is_some_and(|name| match with_case {
            true => pattern.matches(Path::new(&name.replace('/', " "))),
            false => pattern.matches(Path::new(&name.to_lowercase().replace('/', " "))),
        })
    }

    fn is_at(&self, path: &RemotePath) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(&path.to_string()))
    }
}
