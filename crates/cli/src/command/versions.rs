//! `versions`: what a file was before.

use std::time::SystemTime;

use serde_json::json;
use supermega::{Node, Session};

use super::ls;
use crate::arguments::{Prune, RestoreVersion, Versions};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::moment;
use crate::output::{local_time, size};

/// Lists, restores or deletes old versions.
pub async fn run(arguments: Versions, context: &Context) -> Result<Exit> {
    match arguments {
        Versions::List(version) => list(context, &version.path).await?,
        Versions::Prune(prune) => self::prune(context, &prune).await?,
        Versions::Restore(restore) => self::restore(context, &restore).await?,
    }
    Ok(Exit::Done)
}

async fn find(context: &Context, path: &str) -> Result<(Session, Node, Vec<Node>)> {
    let Found { session, tree, node: file } = context.find(path).await?;
    if !file.is_file() {
        return Err(supermega::Error::Refused(format!("{path} is not a file")).into());
    }
    let versions = tree.versions(&file);
    Ok((session, file, versions))
}

async fn list(context: &Context, path: &str) -> Result<()> {
    let (_, _, versions) = find(context, path).await?;
    for (i, version) in versions.iter().enumerate() {
        let number = i + 1;
        let time = local_time(version.created());
        let line =
            format!("{number:>3}  {}  {time}  {}", version.handle(), size(version.size(), false));
        context.output.data(&line, || ls::version_object(path, number, version))?;
    }
    Ok(())
}

async fn restore(context: &Context, restore: &RestoreVersion) -> Result<()> {
    let (session, file, versions) = find(context, &restore.path).await?;
    let text = restore.version.trim_start_matches("H:");
    let by_number = text.parse::<usize>().ok().and_then(|n| versions.get(n.checked_sub(1)?));
    let by_handle = || versions.iter().find(|version| version.handle().to_string() == text);
    let version = by_number.or_else(by_handle).ok_or_else(|| supermega::Error::NotFound {
        what: format!("the version {:?} of {}", restore.version, restore.path),
    })?;
    session.restore_version(&file, version).await?;
    Ok(())
}

async fn prune(context: &Context, prune: &Prune) -> Result<()> {
    if prune.keep == 0 && prune.older_than.is_none() {
        let text =
            "say what to keep: --keep N (0 with --older-than 0s deletes all), or --older-than SPAN";
        return Err(CommandError::Usage(text.into()));
    }
    let span = prune.older_than.as_deref().map(moment::span_of).transpose()?;
    let limit = span.and_then(|span| SystemTime::now().checked_sub(span));
    let (session, file, versions) = find(context, &prune.path).await?;
    let old =
        |version: &&Node| limit.is_none_or(|limit| version.created().is_none_or(|at| at <= limit));
    let gone: Vec<&Node> = versions.iter().skip(prune.keep).filter(old).collect();
    // The oldest first: what is left stays one chain at every step.
    for version in gone.iter().rev() {
        session.delete_version(&file, version).await?;
    }
    let (deleted, kept) = (gone.len(), versions.len() - gone.len());
    context.output.note(&format!("{deleted} deleted, {kept} kept"));
    context.output.object(
        || json!({ "type": "pruned", "path": prune.path, "deleted": deleted, "kept": kept }),
    )
}
