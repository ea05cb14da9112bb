//! The extension module behind the Python package `supermega`: the library's calls, with Python's types.
#![deny(missing_docs)]
#![deny(unsafe_code)]
// What Python sees of an object is its `__repr__`.
#![allow(missing_debug_implementations)]

mod client;
mod error;
mod events;
mod link;
mod meter;
mod node;
mod operation;
mod remote_file;
mod runtime;
mod server;
mod session;
mod stream;
mod upload;
mod whole;

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
fn _supermega(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<client::Client>()?;
    module.add_class::<events::Event>()?;
    module.add_class::<events::Events>()?;
    module.add_class::<link::PublicLink>()?;
    module.add_class::<meter::Meter>()?;
    module.add_class::<node::Node>()?;
    module.add_class::<node::Walk>()?;
    module.add_class::<operation::Operation>()?;
    module.add_class::<remote_file::RemoteFile>()?;
    module.add_class::<server::Server>()?;
    module.add_class::<session::Quota>()?;
    module.add_class::<session::Session>()?;
    module.add_class::<stream::Chunks>()?;
    module.add_class::<stream::Reader>()?;
    module.add_function(wrap_pyfunction!(link::is_link, module)?)
}
