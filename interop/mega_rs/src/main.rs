//! Drives the crate `mega`: `VERB [ARGUMENT…]`, with GATEWAY, EMAIL and PASSWORD in the environment. Prints one
//! JSON value; `listen` prints one for each change, with the time in milliseconds.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use futures::io::{AllowStdIo, Cursor};
use mega::{Client, Event, LastModified, Node, NodeKind, Nodes};
use serde_json::{Value, json};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

fn stranger() -> Outcome<Client> {
    let origin: reqwest::Url = variable("GATEWAY").parse()?;
    Ok(Client::builder().origin(origin).https(false).build(reqwest::Client::new())?)
}

async fn session() -> Outcome<(Client, Nodes)> {
    let mut mega = stranger()?;
    mega.login(&variable("EMAIL"), &variable("PASSWORD"), None).await?;
    let nodes = mega.fetch_own_nodes().await?;
    Ok((mega, nodes))
}

/// The children by their parent: a node's own list of them holds its own handle at times.
fn children<'a>(nodes: &'a Nodes, parent: &Node) -> Vec<&'a Node> {
    nodes.iter().filter(|node| node.parent() == Some(parent.handle())).collect()
}

fn at<'a>(nodes: &'a Nodes, path: &str) -> Outcome<&'a Node> {
    let mut node = nodes.cloud_drive().ok_or("no cloud drive")?;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let found: Vec<_> =
            children(nodes, node).into_iter().filter(|child| child.name() == name).collect();
        let [child] = found[..] else {
            return Err(format!("{path}: {} nodes", found.len()).into());
        };
        node = child;
    }
    Ok(node)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

async fn put(mega: &Client, folder: &Node, path: &Path) -> Outcome<()> {
    let file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let name = path.file_name().ok_or("no name")?.to_string_lossy().into_owned();
    mega.upload_node(folder, &name, size, AllowStdIo::new(file), LastModified::Now).await?;
    Ok(())
}

async fn get(mega: &Client, file: &Node, path: &Path) -> Outcome<()> {
    let writer = AllowStdIo::new(std::fs::File::create(path)?);
    let got = mega.download_node(file, writer).await;
    if got.is_err() {
        std::fs::remove_file(path)?;
    }
    Ok(got?)
}

async fn get_all(mega: &Client, files: Vec<&Node>, local: &Path) -> Outcome<Value> {
    std::fs::create_dir_all(local)?;
    let mut outcomes = BTreeMap::new();
    for file in files {
        let got = get(mega, file, &local.join(file.name())).await;
        outcomes.insert(file.name(), got.map_or_else(|error| error.to_string(), |()| "ok".into()));
    }
    Ok(json!(outcomes))
}

async fn put_all(mega: &Client, local: &Path, folder: &Node) -> Outcome<Value> {
    let entries = std::fs::read_dir(local)?.collect::<Result<Vec<_>, _>>()?;
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    let mut outcomes = BTreeMap::new();
    for path in paths {
        let name = path.file_name().ok_or("no name")?.to_string_lossy().into_owned();
        let told = put(mega, folder, &path).await;
        outcomes.insert(name, told.map_or_else(|error| error.to_string(), |()| "ok".into()));
    }
    Ok(json!(outcomes))
}

fn tree(nodes: &Nodes, top: &Node, prefix: &str, sizes: &mut BTreeMap<String, Option<u64>>) {
    for child in children(nodes, top) {
        let path = format!("{prefix}{}", child.name());
        sizes.insert(path.clone(), (child.kind() == NodeKind::File).then(|| child.size()));
        tree(nodes, child, &format!("{path}/"), sizes);
    }
}

fn tell(what: &str, name: Option<&str>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    println!("{}", json!([what, name, u64::try_from(now.as_millis()).unwrap_or_default()]));
}

async fn listen() -> Outcome<Value> {
    let (mega, mut nodes) = session().await?;
    println!("\"listening\"");
    loop {
        let batch = mega.wait_events(&nodes).await?;
        for event in batch.events() {
            match event {
                Event::NodeCreated { nodes } => {
                    nodes.iter().for_each(|node| tell("add", Some(node.name())));
                }
                Event::NodeUpdated { attrs } => tell("update", Some(attrs.name())),
                Event::NodeDeleted { handle } => {
                    tell("delete", nodes.get_node_by_handle(handle).map(Node::name));
                }
            }
        }
        nodes.apply_events(batch)?;
    }
}

async fn run(verb: &str, arguments: &[&str]) -> Outcome<Value> {
    match (verb, arguments) {
        ("listen", []) => return listen().await,
        ("fetchlink", [url, local]) => {
            let mega = stranger()?;
            let nodes = mega.fetch_public_nodes(url).await?;
            let file = nodes.iter().next().ok_or("nothing there")?;
            get(&mega, file, Path::new(local)).await?;
            return Ok(json!(true));
        }
        ("fetchfolder", [url, local]) => {
            let mega = stranger()?;
            let nodes = mega.fetch_public_nodes(url).await?;
            let files = nodes.iter().filter(|node| node.kind() == NodeKind::File).collect();
            return get_all(&mega, files, Path::new(local)).await;
        }
        ("listlink", [url]) => {
            let nodes = stranger()?.fetch_public_nodes(url).await?;
            let root = nodes.roots().next().ok_or("nothing there")?;
            return Ok(children(&nodes, root).into_iter().map(Node::name).collect());
        }
        ("linktree", [url]) => {
            let nodes = stranger()?.fetch_public_nodes(url).await?;
            let mut sizes = BTreeMap::new();
            for root in nodes.roots() {
                tree(&nodes, root, "", &mut sizes);
            }
            return Ok(json!(sizes));
        }
        ("fetchprotected", [url, password, local]) => {
            let mega = stranger()?;
            let nodes = mega.fetch_protected_nodes(url, password).await?;
            let files = nodes.iter().filter(|node| node.kind() == NodeKind::File).collect();
            return get_all(&mega, files, Path::new(local)).await;
        }
        _ => {}
    }
    let (mega, nodes) = session().await?;
    match (verb, arguments) {
        ("login", []) => {
            let user = mega.get_current_user_info().await?;
            if user.email != variable("EMAIL") {
                return Err(format!("logged in as {}", user.email).into());
            }
        }
        ("list", [path]) => {
            let found = children(&nodes, at(&nodes, path)?);
            return Ok(json!(found.iter().map(|node| node.name()).collect::<Vec<_>>()));
        }
        ("tree", [path]) => {
            let mut sizes = BTreeMap::new();
            tree(&nodes, at(&nodes, path)?, "", &mut sizes);
            return Ok(json!(sizes));
        }
        ("mkdir", [path]) => {
            let (parent, name) = split(path);
            mega.create_folder(at(&nodes, parent)?, name).await?;
        }
        ("putdir", [local, remote]) => {
            return put_all(&mega, Path::new(local), at(&nodes, remote)?).await;
        }
        ("getdir", [remote, local]) => {
            return get_all(&mega, children(&nodes, at(&nodes, remote)?), Path::new(local)).await;
        }
        ("read", [path]) => {
            let mut bytes = Cursor::new(Vec::new());
            mega.download_node(at(&nodes, path)?, &mut bytes).await?;
            return Ok(json!(String::from_utf8(bytes.into_inner())?));
        }
        ("givethumbnail", [path, local]) => {
            let bytes = std::fs::read(local)?;
            let size = bytes.len() as u64;
            mega.upload_thumbnail(at(&nodes, path)?, size, Cursor::new(bytes)).await?;
        }
        ("fetchthumbnail", [path, local]) => {
            let file = AllowStdIo::new(std::fs::File::create(local)?);
            mega.download_thumbnail(at(&nodes, path)?, file).await?;
        }
        ("rename", [path, name]) => mega.rename_node(at(&nodes, path)?, name).await?,
        ("move", [path, folder]) => {
            mega.move_node(at(&nodes, path)?, at(&nodes, folder)?).await?;
        }
        ("trash", [path]) => {
            let bin = nodes.rubbish_bin().ok_or("no rubbish bin")?;
            mega.move_node(at(&nodes, path)?, bin).await?;
        }
        ("delete", [path]) => mega.delete_node(at(&nodes, path)?).await?,
        ("quota", []) => {
            return Ok(json!({ "spaceUsed": mega.get_storage_quotas().await?.memory_used }));
        }
        _ => return Err(format!("no such verb: {verb} {arguments:?}").into()),
    }
    Ok(json!(true))
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.split_first() {
        Some((verb, rest)) => run(verb, rest).await,
        None => Err("which verb?".into()),
    };
    match outcome {
        Ok(answer) => println!("{answer}"),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
