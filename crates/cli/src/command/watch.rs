//! `watch`: what changes in the account or in a folder link, while it happens.

use serde_json::{Value, json};
use supermega::name::for_terminal;
use supermega::{Error, Event, Events, Node, NodeHandle, NodeKind, Tree};

use crate::arguments::Watch;
use crate::context::{Context, Found};
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::output::Output;

/// Shows events until the session is over, until there were enough, until it took long enough, until nobody reads
/// them any more, or until it is interrupted.
pub async fn run(arguments: Watch, context: &Context) -> Result<Exit> {
    let found = context.find(&arguments.path).await?;
    let mut events = found.session.events().await?;
    context.output.note(&format!("watching {}", for_terminal(&arguments.path)));
    let over = async {
        match arguments.duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        exit = show(&mut events, &found, arguments.count, context) => exit,
        () = over => Ok(Exit::Done),
        () = Output::closed() => Err(CommandError::ClosedPipe),
    }
}

async fn show(
    events: &mut Events,
    found: &Found,
    count: Option<usize>,
    context: &Context,
) -> Result<Exit> {
    let Found { session, node: folder, .. } = found;
    let mut left = count.unwrap_or(usize::MAX);
    while left > 0 {
        let Some(event) = events.next().await else { break };
        let tree = session.tree().await?;
        if let Event::Ended(code) = event {
            let failure = supermega::Failure::from(code);
            return Err(Error::Service { command: "sc", failure }.into());
        }
        let Some(told) = tell(&event, &tree, folder) else { continue };
        context.output.data(&told.line, || told.object)?;
        left -= 1;
    }
    Ok(Exit::Done)
}

/// An event as it is shown.
struct Told {
    line: String,
    object: Value,
}

/// What is shown of an event, if it concerns the folder.
fn tell(event: &Event, tree: &Tree, folder: &Node) -> Option<Told> {
    let of_node = |what: &str, node: &Node| {
        tree.is_within(node, folder.handle()).then(|| told(what, tree, node, &Value::Null))
    };
    let of_handle = |what: &str, handle: NodeHandle| of_node(what, &tree.node(handle)?);
    // What concerns no folder is told to whoever watches all of them.
    let is_root = folder.kind() == NodeKind::Root;
    let of_account = |what: &str| Told {
        line: what.to_owned(),
        object: json!({ "type": "event", "event": what }),
    };
    match event {
        Event::Added(node) => of_node("added", node),
        Event::Changed(node) => of_node("changed", node),
        Event::Moved { node, from } => {
            let was = from.and_then(|from| tree.node(from));
            let concerns = [Some(node), was.as_ref()].into_iter().flatten();
            let concerns = concerns.into_iter().any(|n| tree.is_within(n, folder.handle()));
            let from = was.map(|was| tree.path_of(&was).to_string());
            concerns.then(|| told("moved", tree, node, &json!(from)))
        }
        Event::Renamed { node, from } => {
            tree.is_within(node, folder.handle()).then(|| told("renamed", tree, node, &json!(from)))
        }
        // It is in no folder any more: where it was says whether it concerns.
        Event::Removed(node) => {
            let parent = node.parent().and_then(|parent| tree.node(parent));
            let concerns = parent.as_ref().is_none_or(|p| tree.is_within(p, folder.handle()));
            concerns.then(|| {
                let path = match (parent, node.name()) {
                    (Some(parent), Some(name)) => tree.path_of(&parent).join(name).to_string(),
                    _ => format!("H:{}", node.handle()),
                };
                line_of("removed", &path, node, &Value::Null)
            })
        }
        Event::LinkChanged(handle) => of_handle("link", *handle),
        Event::ShareChanged(handle) => of_handle("share", *handle),
        Event::ContactsChanged => is_root.then(|| of_account("contacts")),
        Event::UserAttributesChanged { names, .. } => is_root.then(|| Told {
            line: format!("attributes  {}", for_terminal(&names.join(" "))),
            object: json!({ "type": "event", "event": "attributes", "names": names }),
        }),
        Event::Other(packet) => is_root.then(|| Told {
            line: format!("other     {}", for_terminal(packet)),
            object: json!({ "type": "event", "event": "other", "packet": packet }),
        }),
        Event::Reloaded => Some(of_account("reloaded")),
        _ => None,
    }
}

fn told(what: &str, tree: &Tree, node: &Node, from: &Value) -> Told {
    line_of(what, &tree.path_of(node).to_string(), node, from)
}

fn line_of(what: &str, path: &str, node: &Node, from: &Value) -> Told {
    let origin = from.as_str().map(|from| format!("  (was {})", for_terminal(from)));
    Told {
        line: format!("{what:8}  {}{}", for_terminal(path), origin.unwrap_or_default()),
        object: json!({
            "type": "event",
            "event": what,
            "path": path,
            "handle": node.handle().to_string(),
            "name": node.name(),
            "size": node.is_file().then(|| node.size()),
            "from": from,
        }),
    }
}
