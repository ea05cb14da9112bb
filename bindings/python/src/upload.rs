//! Where an upload goes, and its start.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::pybacked::PyBackedBytes;
use supermega::transfer::Progress;
use supermega::{Error, Node, RemotePath, Tree};

use crate::error::Failure;
use crate::remote_file::on_quota;

/// What is uploaded.
pub enum Source {
    /// A local file.
    Path(PathBuf),
    /// Bytes in memory.
    Bytes(PyBackedBytes),
}

/// How it is uploaded.
pub struct Order {
    pub source: Source,
    pub remote: String,
    pub modified: Option<i64>,
    pub overwrite: bool,
    pub wait_for_quota: bool,
    pub progress: Arc<dyn Progress>,
}

/// A folder, a name in it, and the file that has this name now.
struct Target {
    folder: Node,
    name: String,
    existing: Option<Node>,
}

impl Target {
    /// An existing folder takes the file under its local name; any other path is the file's own.
    fn find(tree: &Tree, remote: &str, local: Option<&str>) -> Result<Self, Failure> {
        let path: RemotePath = remote.parse()?;
        let found = match tree.at(&path) {
            Ok(node) => Some(node),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let place = |folder: Node, name: String| {
            let mut namesakes = tree.children_named(&folder, &name);
            let existing = namesakes.pop();
            match &existing {
                Some(node) if !node.is_file() || !namesakes.is_empty() => {
                    let path = tree.path_of(&folder).join(&name).to_string();
                    Err(Failure::from(Error::AlreadyExists { path }))
                }
                _ => Ok(Self { folder, name, existing }),
            }
        };
        match (found, path.parent(), path.file_name()) {
            (Some(folder), ..) if !folder.is_file() => match local {
                Some(name) => place(folder, name.to_owned()),
                None => Err(Error::AlreadyExists { path: path.to_string() }.into()),
            },
            (Some(file), ..) => {
                let folder = file.parent().and_then(|parent| tree.node(parent));
                let folder =
                    folder.ok_or_else(|| Failure::Input(format!("{path} lies nowhere")))?;
                let name = crate::node::name_of(&file);
                Ok(Self { folder, name, existing: Some(file) })
            }
            (None, Some(parent), Some(name)) => place(tree.at(&parent)?, name.to_owned()),
            (None, ..) => Err(Error::NotFound { what: path.to_string() }.into()),
        }
    }
}

/// Uploads, and gives the new node. A file that has the name already becomes its old version.
pub async fn run(session: supermega::Session, tree: Tree, order: Order) -> Result<Node, Failure> {
    let local = match &order.source {
        Source::Path(path) => path.file_name().and_then(|name| name.to_str()).map(|name| {
            supermega::name::to_remote(name, supermega::name::System::current()).into_owned()
        }),
        Source::Bytes(_) => None,
    };
    let target = Target::find(&tree, &order.remote, local.as_deref())?;
    let path = tree.path_of(&target.folder).join(&target.name).to_string();
    // A snapshot that is held while the tree changes is copied.
    drop(tree);
    let mut upload = session.upload(&target.folder).name(target.name).progress(order.progress);
    upload = upload.on_quota(on_quota(order.wait_for_quota));
    if let Some(modified) = order.modified {
        upload = upload.modified(modified);
    }
    match &target.existing {
        Some(_) if !order.overwrite => return Err(Error::AlreadyExists { path }.into()),
        Some(existing) => upload = upload.replacing(existing),
        None => {}
    }
    Ok(match order.source {
        Source::Path(path) => upload.from_path(path).await?,
        Source::Bytes(bytes) => upload.from_reader(bytes.len() as u64, &bytes[..]).await?,
    })
}
