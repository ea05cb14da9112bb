//! A `bytes` object that is filled while its content comes, and seen by nobody before it is full.
//!
//! PyO3 writes all of the memory of such an object before it lets anybody fill it. For large contents that takes half
//! as long as the network does.
#![allow(unsafe_code)]

use std::ptr::{self, NonNull};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};

/// A content in the making.
pub struct Whole {
    bytes: Py<PyBytes>,
    room: Room,
}

/// The place of what is to come.
struct Room {
    start: NonNull<u8>,
    filled: usize,
    length: usize,
}

// SAFETY: the place belongs to an object that nobody else knows, and `&mut` says who writes there.
unsafe impl Send for Room {}

#[cfg(target_os = "linux")]
impl Room {
    /// Asks for memory in large pages, since the system takes as long to hand out small ones as it takes to fill
    /// them. If it has none, small ones come.
    fn ask_for_large_pages(&self) {
        const LARGE: usize = 2 << 20;
        let skipped = self.start.align_offset(LARGE);
        let length = self.length.saturating_sub(skipped) / LARGE * LARGE;
        if length == 0 {
            return;
        }
        // SAFETY: these bytes lie inside the object's memory, and the advice leaves their content alone.
        let _ = unsafe {
            madvise(self.start.add(skipped).as_ptr().cast(), length, Advice::LinuxHugepage)
        };
    }
}

impl Whole {
    /// Takes memory for so many bytes; none of it is written.
    pub fn new(py: Python<'_>, length: usize) -> PyResult<Self> {
        let size = ffi::Py_ssize_t::try_from(length)?;
        // SAFETY: without a text to copy, this gives a new `bytes`, or null with an exception set.
        let bytes = unsafe {
            Bound::from_owned_ptr_or_err(py, ffi::PyBytes_FromStringAndSize(ptr::null(), size))?
                .cast_into_unchecked::<PyBytes>()
        };
        // SAFETY: it is a `bytes`, whose place stays the same as long as it lives.
        let start = unsafe { ffi::PyBytes_AsString(bytes.as_ptr()) };
        let start = NonNull::new(start.cast()).ok_or_else(|| PyErr::fetch(py))?;
        let room = Room { start, filled: 0, length };
        #[cfg(target_os = "linux")]
        room.ask_for_large_pages();
        Ok(Self { bytes: bytes.unbind(), room })
    }

    /// Puts a piece behind the others; `false` if there is no room for it.
    pub fn push(&mut self, piece: &[u8]) -> bool {
        let room = &mut self.room;
        if piece.len() > room.length - room.filled {
            return false;
        }
        // SAFETY: the object has `length` bytes, of which `filled` are taken, and nobody else knows it.
        unsafe {
            let here = room.start.add(room.filled);
            ptr::copy_nonoverlapping(piece.as_ptr(), here.as_ptr(), piece.len());
        }
        room.filled += piece.len();
        true
    }

    /// The object, if all of it has come.
    pub fn finish(self) -> Option<Py<PyBytes>> {
        (self.room.filled == self.room.length).then_some(self.bytes)
    }
}
