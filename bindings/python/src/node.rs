//! Nodes, as Python sees them.

use std::time::SystemTime;

use pyo3::prelude::*;
use supermega::name::{System, to_local};
use supermega::{NodeKind, Tree};

/// A file or folder as it was when it was asked for.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Node(pub supermega::Node);

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> f64 {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => after.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}

/// The name, or the handle in its place.
pub fn name_of(node: &supermega::Node) -> String {
    match (node.name(), node.kind()) {
        (Some(name), _) => name.to_owned(),
        (None, NodeKind::File | NodeKind::Folder) => format!("H:{}", node.handle()),
        (None, _) => String::new(),
    }
}

/// Nodes as Python sees them.
pub fn nodes(nodes: Vec<supermega::Node>) -> Vec<Node> {
    nodes.into_iter().map(Node).collect()
}

#[pymethods]
impl Node {
    /// The handle, which stays the same when the node is moved or renamed.
    #[getter]
    fn handle(&self) -> String {
        self.0.handle().to_string()
    }

    /// The handle of the folder it lies in.
    #[getter]
    fn parent(&self) -> Option<String> {
        self.0.parent().map(|parent| parent.to_string())
    }

    /// The name: somebody else's text. A root has an empty one, and what cannot be read has `H:` and its handle.
    #[getter]
    fn name(&self) -> String {
        name_of(&self.0)
    }

    /// The name that a local file can have: never a path, never a way out of a folder.
    #[getter]
    fn local_name(&self) -> String {
        to_local(&name_of(&self.0), System::current()).into_owned()
    }

    /// `file`, `folder`, `root`, `vault` or `trash`.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.kind() {
            NodeKind::File => "file",
            NodeKind::Root => "root",
            NodeKind::Vault => "vault",
            NodeKind::Trash => "trash",
            _ => "folder",
        }
    }

    /// Whether it is a file.
    #[getter]
    fn is_file(&self) -> bool {
        self.0.is_file()
    }

    /// Whether others can lie in it.
    #[getter]
    fn is_folder(&self) -> bool {
        !self.0.is_file()
    }

    /// Size in bytes; 0 for folders.
    #[getter]
    fn size(&self) -> u64 {
        self.0.size()
    }

    /// When the file was changed last where it came from, in seconds since 1970.
    #[getter]
    fn modified(&self) -> Option<f64> {
        self.0.modified().map(seconds)
    }

    /// When the service made the node, in seconds since 1970.
    #[getter]
    fn created(&self) -> Option<f64> {
        self.0.created().map(seconds)
    }

    /// The user that it belongs to.
    #[getter]
    fn owner(&self) -> Option<String> {
        self.0.owner().map(|owner| owner.to_string())
    }

    /// Why it cannot be read, if it cannot.
    #[getter]
    fn problem(&self) -> Option<String> {
        self.0.problem().map(|problem| problem.to_string())
    }

    fn __repr__(&self) -> String {
        format!("<{} {:?} H:{}>", self.kind(), name_of(&self.0), self.0.handle())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0.handle() == self.0.handle())
    }

    fn __hash__(&self) -> u64 {
        self.0.handle().as_bytes().iter().fold(0, |hash, byte| hash << 8 | u64::from(*byte))
    }
}

/// One folder of a walk.
type Step = (String, Node, Vec<Node>, Vec<Node>);

/// Goes through a tree folder by folder, in a snapshot of it.
#[pyclass(module = "supermega._supermega")]
pub struct Walk(supermega::tree::Walk);

impl Walk {
    pub fn new(tree: &Tree, from: &supermega::Node) -> Self {
        Self(tree.walk_from(from))
    }
}

#[pymethods]
impl Walk {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    /// Path, folder, its sub-folders and its files.
    fn __next__(&mut self) -> Option<Step> {
        let step = self.0.next()?;
        Some((step.path.to_string(), Node(step.folder), nodes(step.folders), nodes(step.files)))
    }
}
