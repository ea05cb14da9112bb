//! What clients asked: for tests and for whoever wonders what a client does.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Older entries than this many make room for new ones.
const KEPT: usize = 100_000;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoggedRequest {
    /// A batch of commands, by their names.
    Api(Vec<String>),
    /// File attributes, such as thumbnails, were asked for.
    AttributeDownload {
        /// How many.
        attributes: usize,
    },
    /// A file attribute was sent.
    AttributeUpload {
        /// How long it is.
        length: u64,
    },
    /// Bytes `start..end` of a file were asked for; nothing stands for all of it.
    Download {
        /// The first byte.
        start: u64,
        /// The byte behind the last.
        end: Option<u64>,
        /// The part of the file that it was asked of: 0 is parity.
        part: Option<u8>,
    },
    /// A poll for events.
    Event,
    /// Bytes were sent for this offset.
    Upload {
        /// Where they belong.
        offset: u64,
        /// How many.
        length: u64,
    },
}

#[derive(Debug, Default)]
pub(crate) struct RequestLog(Mutex<VecDeque<LoggedRequest>>);

impl RequestLog {
    pub(crate) fn add(&self, request: LoggedRequest) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(request);
    }

    pub(crate) fn entries(&self) -> Vec<LoggedRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
