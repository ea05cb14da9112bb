//! What generated nodes have in common.

use supermega_crypto::{Attributes, NodeKey};
use supermega_encoding::base64;

/// All files are the beginning of one blob, whose ciphertext is this many zeros.
pub(super) const CONTENT: u64 = 4096;

/// The attributes as they are sent.
pub(super) fn attributes(name: &str, key: &NodeKey) -> String {
    base64::encode(&Attributes::new(name).encrypt(&key.attribute_key()))
}
