//! What changes, as an iterator.

use std::sync::Arc;

use pyo3::prelude::*;
use tokio::sync::Mutex;

use crate::error::Failure;
use crate::node::Node;
use crate::operation::Operation;
use crate::runtime::Kept;

/// Something that changed, whoever did it.
#[pyclass(frozen, get_all, module = "supermega._supermega")]
pub struct Event {
    /// `added`, `moved`, `renamed`, `changed`, `removed`, `link`, `share`, `contacts`, `user`, `reloaded`, `ended`, or
    /// `other`.
    pub kind: &'static str,
    /// The node that it happened to, as it is now or was last.
    pub node: Option<Py<Node>>,
    /// What else there is to say: the former folder's handle, the former name, the handle, the names of attributes.
    pub detail: Option<String>,
}

#[pymethods]
impl Event {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let node = match &self.node {
            Some(node) => format!(" {}", node.bind(py).repr()?),
            None => String::new(),
        };
        Ok(format!("<event {}{node}>", self.kind))
    }
}

/// An event, until it is a Python object.
struct Happened(supermega::Event);

impl<'py> IntoPyObject<'py> for Happened {
    type Target = Event;
    type Output = Bound<'py, Event>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        use supermega::Event as Of;
        let (kind, node, detail) = match self.0 {
            Of::Added(node) => ("added", Some(node), None),
            Of::Moved { node, from } => ("moved", Some(node), from.map(|from| from.to_string())),
            Of::Renamed { node, from } => ("renamed", Some(node), from),
            Of::Changed(node) => ("changed", Some(node), None),
            Of::Removed(node) => ("removed", Some(node), None),
            Of::LinkChanged(handle) => ("link", None, Some(handle.to_string())),
            Of::ShareChanged(handle) => ("share", None, Some(handle.to_string())),
            Of::ContactsChanged => ("contacts", None, None),
            Of::UserAttributesChanged { names, .. } => ("user", None, Some(names.join(" "))),
            Of::Reloaded => ("reloaded", None, None),
            Of::Ended(code) => ("ended", None, Some(code.to_string())),
            Of::Other(name) => ("other", None, Some(name)),
            _ => ("other", None, None),
        };
        let node = node.map(|node| Py::new(py, Node(node))).transpose()?;
        Bound::new(py, Event { kind, node, detail })
    }
}

/// The events of a session from when it was asked for.
#[pyclass(frozen, module = "supermega._supermega")]
pub struct Events(Arc<Kept<Mutex<supermega::Events>>>);

impl Events {
    pub fn new(events: supermega::Events) -> Self {
        Self(Arc::new(Kept::new(Mutex::new(events))))
    }
}

#[pymethods]
impl Events {
    /// The next event; nothing when the session is gone.
    fn next(&self) -> Operation {
        let events = self.0.clone();
        Operation::new(async move {
            let event = events.lock().await.next().await;
            Ok::<_, Failure>(event.map(Happened))
        })
    }
}
