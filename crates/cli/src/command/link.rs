//! `link`: public links to files and folders.

use std::time::SystemTime;

use serde_json::json;
use supermega::name::for_terminal;
use supermega::{Error, Inside, Link as PublicLink, LinkOptions, ProtectedLink};
use zeroize::Zeroizing;

use super::summary::Summary;
use crate::arguments::{Link, LinkInfo, MakeLink};
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::{local_time, name_of, size};
use crate::place::link_of;
use crate::{moment, secret};

/// Makes, lists, explains or removes links.
pub async fn run(arguments: Link, context: &Context) -> Result<Exit> {
    match arguments {
        Link::Info(arguments) => info(&arguments, context).await,
        Link::List => list(context).await,
        Link::Make(arguments) => make_all(&arguments, context).await,
        Link::Remove(remotes) => {
            let mut summary = Summary::default();
            for text in &remotes.paths {
                summary.add(context, remove(context, text).await)?;
            }
            Ok(summary.exit(context))
        }
    }
}

async fn make_all(arguments: &MakeLink, context: &Context) -> Result<Exit> {
    let expires = arguments.expires.as_deref().map(moment::after_now).transpose()?;
    let options = LinkOptions { expires, writable: arguments.writable };
    let password = match arguments.protect {
        true => {
            let source = secret::Source::link(arguments.link_password_stdin);
            Some(source.read("Password for the links: ".into()).await?)
        }
        false => None,
    };
    let mut summary = Summary::default();
    for text in &arguments.paths {
        let made = make(context, text, options, password.as_ref()).await;
        summary.add(context, made)?;
    }
    Ok(summary.exit(context))
}

async fn make(
    context: &Context,
    text: &str,
    options: LinkOptions,
    password: Option<&Zeroizing<String>>,
) -> Result<()> {
    let Found { session, node, .. } = context.find(text).await?;
    let made = session.make_link_with(&node, options).await?;
    let mut url = made.link.to_url();
    if let Some(password) = password.cloned() {
        let protect = move || ProtectedLink::protect(&made.link, &password);
        let protected = tokio::task::spawn_blocking(protect).await.map_err(CommandError::local)?;
        url = protected.map_err(Error::from)?.to_url();
    }
    let auth = made.write_auth.map(|auth| auth.to_text());
    let line = match &auth {
        Some(auth) => format!("{url} {}", **auth),
        None => url.clone(),
    };
    context
        .output
        .data(&line, || {
        json!({
            "type": "link", "path": text, "url": url, "write_auth": auth.as_ref().map(|a| a.as_str()),
        })
    })
}

async fn remove(context: &Context, text: &str) -> Result<()> {
    let Found { session, node, .. } = context.find(text).await?;
    Ok(session.remove_link(&node).await?)
}

async fn list(context: &Context) -> Result<Exit> {
    let session = context.session().await?;
    let links = session.links().await?;
    let tree = session.tree().await?;
    for known in links {
        let path = tree.path_of(&known.node).to_string();
        let url = known.link.as_ref().map(PublicLink::to_url);
        let end = match known.expires {
            Some(_) => format!("  until {}", local_time(known.expires)),
            None => String::new(),
        };
        let down = if known.taken_down { "  (taken down)" } else { "" };
        let line = format!(
            "{}  {}{end}{down}",
            url.clone().unwrap_or_else(|| format!("{} (its key is not known)", known.handle)),
            for_terminal(&path)
        );
        let seconds = |time: Option<SystemTime>| {
            time.and_then(|time| jiff::Timestamp::try_from(time).ok())
                .map(jiff::Timestamp::as_second)
        };
        context.output.data(&line, || {
            json!({
                "type": "link", "path": path, "url": url, "handle": known.handle.to_string(),
                "created": seconds(known.created), "expires": seconds(known.expires),
                "write_auth": known.write_auth.as_ref().map(|auth| auth.to_text().to_string()),
                "taken_down": known.taken_down,
            })
        })?;
    }
    Ok(Exit::Done)
}

async fn info(arguments: &LinkInfo, context: &Context) -> Result<Exit> {
    let (link, auth) = link_of(&arguments.link).map_err(Error::from)?;
    let protected = matches!(link, PublicLink::Protected(_));
    let link = secret::unlock(link, arguments.link_password_stdin).await?;
    let handle = link.handle();
    let (kind, name, bytes, files, folders) = match &link {
        PublicLink::File { .. } => {
            let file = context.client()?.open_file(&link).await?;
            ("file", file.name().map(str::to_owned), file.size(), 1, 0)
        }
        PublicLink::Folder { inside, .. } => {
            let found = context.open_folder(&link, None).await?;
            let kind = match inside {
                Some(Inside::File(_)) => "file in a folder",
                Some(Inside::Folder(_)) => "folder in a folder",
                None => "folder",
            };
            let (mut bytes, mut files, mut folders) = (found.node.size(), 0, 0);
            if found.node.is_file() {
                files = 1;
            } else {
                for step in found.tree.walk_from(&found.node) {
                    bytes += step.files.iter().map(supermega::Node::size).sum::<u64>();
                    files += step.files.len();
                    folders += step.folders.len();
                }
            }
            (kind, Some(name_of(&found.node)), bytes, files, folders)
        }
        _ => return Err(CommandError::Usage("links to collections are not opened yet".into())),
    };
    let shown = name.as_deref().map_or_else(|| "-".into(), |name| for_terminal(name).into_owned());
    let how = match (protected, auth.is_some()) {
        (true, _) => ", protected by a password",
        (_, true) => ", with an authorisation to write",
        _ => "",
    };
    let text = format!(
        "{kind} {shown}: {files} files, {folders} folders, {bytes} bytes ({}){how}",
        size(bytes, true)
    );
    context.output.data(&text, || {
        json!({
            "type": "link_info", "kind": kind, "handle": handle.to_string(), "name": name,
            "size": bytes, "files": files, "folders": folders, "protected": protected,
        })
    })?;
    Ok(Exit::Done)
}
