//! The extension module behind the Python package `supermega`: the library's calls, with Python's types.
#![deny(missing_docs)]

use pyo3::prelude::*;

/// The extension module.
#[pymodule]
fn _supermega(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
