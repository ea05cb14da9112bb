//! The keys of nodes and shares (`protocol-auth.md` 4.1, 4.2, 6.1).

use std::fmt;

use crate::content::{ContentKey, MetaMac, Nonce};
use crate::error::exact;
use crate::secret::secret;
use crate::{AttributeKey, CryptoError, ecb, random};

secret!(
    /// A folder's key: it encrypts the folder's attributes.
    FolderKey, 16
);
secret!(
    /// A file's key: content key, nonce and meta-MAC folded into 32 bytes (`protocol-auth.md` 6.1).
    FileKey, 32
);
secret!(
    /// The key of a shared or exported folder: it wraps the keys of everything below.
    ShareKey, 16
);

/// Gives a key of 16 bytes its constructors, which refuse zero.
macro_rules! nonzero {
    ($name:ident) => {
        impl $name {
            /// Draws a new key.
            pub fn generate() -> Result<Self, CryptoError> {
                Self::from_bytes(random::array()?)
            }

            /// Takes the bytes, unless all are zero.
            pub fn from_bytes(bytes: [u8; 16]) -> Result<Self, CryptoError> {
                let key = Self(bytes);
                if key.ct_eq(&Self([0; 16])) { Err(CryptoError::ZeroKey) } else { Ok(key) }
            }
        }
    };
}

nonzero!(FolderKey);
nonzero!(ShareKey);

impl ShareKey {
    /// Wraps the key of a node below the shared folder.
    #[must_use]
    pub fn wrap_node_key(&self, key: &NodeKey) -> Vec<u8> {
        ecb::wrap_node_key(&self.0, key)
    }

    /// The same for many of them.
    #[must_use]
    pub fn unwrapper(&self) -> NodeKeyUnwrapper {
        NodeKeyUnwrapper::new(&self.0)
    }

    /// Unwraps such a key: 16 bytes are a folder's, 32 a file's. Zero keys are refused.
    pub fn unwrap_node_key(&self, wrapped: &[u8]) -> Result<NodeKey, CryptoError> {
        ecb::unwrap_node_key(&self.0, wrapped)
    }
}

/// Unwraps many node keys with one key, whose schedule is made once.
#[derive(Clone)]
pub struct NodeKeyUnwrapper(aes::Aes128);

impl NodeKeyUnwrapper {
    pub(crate) fn new(key: &[u8; 16]) -> Self {
        Self(ecb::cipher(key))
    }

    /// Unwraps a node key: 16 bytes are a folder's, 32 a file's. Zero keys are refused.
    pub fn unwrap(&self, wrapped: &[u8]) -> Result<NodeKey, CryptoError> {
        ecb::unwrap_node_key_with(&self.0, wrapped)
    }
}

impl fmt::Debug for NodeKeyUnwrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKeyUnwrapper(..)")
    }
}

impl FileKey {
    /// Takes the bytes, unless the halves are equal: that means a zero content key.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, CryptoError> {
        let key = Self(bytes);
        if key.content_key().ct_eq(&ContentKey::from_bytes([0; 16])) {
            Err(CryptoError::ZeroKey)
        } else {
            Ok(key)
        }
    }

    /// Folds the parts of a finished upload into the file's key.
    pub fn new(content: &ContentKey, nonce: Nonce, mac: MetaMac) -> Result<Self, CryptoError> {
        let mut bytes = [0; 32];
        bytes[16..24].copy_from_slice(nonce.as_bytes());
        bytes[24..].copy_from_slice(mac.as_bytes());
        let (first, second) = bytes.split_at_mut(16);
        for ((out, key), mask) in first.iter_mut().zip(content.as_bytes()).zip(second) {
            *out = key ^ *mask;
        }
        Self::from_bytes(bytes)
    }

    /// The key of the content, which is also that of the attributes.
    #[must_use]
    pub fn content_key(&self) -> ContentKey {
        let mut key = ContentKey::from_bytes([0; 16]);
        for (i, out) in key.0.iter_mut().enumerate() {
            *out = self.0[i] ^ self.0[16 + i];
        }
        key
    }

    /// The nonce of the content.
    #[must_use]
    pub fn nonce(&self) -> Nonce {
        let mut nonce = [0; 8];
        nonce.copy_from_slice(&self.0[16..24]);
        Nonce::from_bytes(nonce)
    }

    /// What the content's MACs must come to.
    #[must_use]
    pub fn meta_mac(&self) -> MetaMac {
        let mut mac = [0; 8];
        mac.copy_from_slice(&self.0[24..]);
        MetaMac::from_bytes(mac)
    }
}

/// The key of a node of either kind.
#[derive(Clone, PartialEq, Eq)]
pub enum NodeKey {
    /// A file's: 32 bytes.
    File(FileKey),
    /// A folder's: 16 bytes.
    Folder(FolderKey),
}

impl NodeKey {
    /// Reads an unwrapped key: 16 bytes are a folder's, 32 a file's. Zero keys are refused.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        if bytes.len() == FolderKey::LEN {
            FolderKey::from_bytes(exact("FolderKey", bytes)?).map(Self::Folder)
        } else {
            FileKey::from_bytes(exact("FileKey", bytes)?).map(Self::File)
        }
    }

    /// The key itself: keep it out of logs and messages.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::File(key) => key.as_bytes(),
            Self::Folder(key) => key.as_bytes(),
        }
    }

    /// The key of the node's attributes.
    #[must_use]
    pub fn attribute_key(&self) -> AttributeKey {
        match self {
            Self::File(key) => key.into(),
            Self::Folder(key) => key.into(),
        }
    }
}

impl From<FileKey> for NodeKey {
    fn from(key: FileKey) -> Self {
        Self::File(key)
    }
}

impl From<FolderKey> for NodeKey {
    fn from(key: FolderKey) -> Self {
        Self::Folder(key)
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "NodeKey::File(..)",
            Self::Folder(_) => "NodeKey::Folder(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::MasterKey;

    #[test]
    fn zero_keys_are_refused() {
        assert_eq!(FolderKey::from_bytes([0; 16]), Err(CryptoError::ZeroKey));
        assert_eq!(ShareKey::from_bytes([0; 16]), Err(CryptoError::ZeroKey));
        assert_eq!(FileKey::from_bytes([9; 32]), Err(CryptoError::ZeroKey));
        let zero = ContentKey::from_bytes([0; 16]);
        let (nonce, mac) = (Nonce::from_bytes([1; 8]), MetaMac::from_bytes([2; 8]));
        assert_eq!(FileKey::new(&zero, nonce, mac), Err(CryptoError::ZeroKey));
    }

    proptest! {
        #[test]
        fn a_file_key_unfolds_into_its_parts(key: [u8; 16], nonce: [u8; 8], mac: [u8; 8]) {
            prop_assume!(key != [0; 16]);
            let parts = (ContentKey::from_bytes(key), Nonce::from_bytes(nonce), MetaMac::from_bytes(mac));
            let file = FileKey::new(&parts.0, parts.1, parts.2).unwrap();
            prop_assert_eq!((file.content_key(), file.nonce(), file.meta_mac()), parts);
        }

        #[test]
        fn no_wrapped_key_panics(bytes: Vec<u8>) {
            let master = MasterKey::from_bytes([1; 16]);
            if let Ok(key) = master.unwrap_node_key(&bytes) {
                prop_assert_eq!(master.wrap_node_key(&key), bytes);
            }
        }
    }
}
