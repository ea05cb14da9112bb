//! The master key, which everything of an account hangs on (`protocol-auth.md` 4.1).

use supermega_encoding::NodeHandle;
use zeroize::Zeroizing;

use crate::node_key::NodeKeyUnwrapper;
use crate::secret::any_secret;
use crate::{CryptoError, NodeKey, PrivateKey, PublicKey, ShareKey, ecb, random};

any_secret!(
    /// An account's master key: random, never changed, never sent in the clear.
    MasterKey, 16
);

impl MasterKey {
    /// Draws the key of a new account.
    pub fn generate() -> Result<Self, CryptoError> {
        random::array().map(Self)
    }

    /// Wraps the key of a node that this account owns (`protocol-auth.md` 4.2).
    #[must_use]
    pub fn wrap_node_key(&self, key: &NodeKey) -> Vec<u8> {
        ecb::wrap_node_key(&self.0, key)
    }

    /// Unwraps a node key: 16 bytes are a folder's, 32 a file's. Zero keys are refused.
    pub fn unwrap_node_key(&self, wrapped: &[u8]) -> Result<NodeKey, CryptoError> {
        ecb::unwrap_node_key(&self.0, wrapped)
    }

    /// Unwraps many node keys.
    #[must_use]
    pub fn unwrapper(&self) -> NodeKeyUnwrapper {
        NodeKeyUnwrapper::new(&self.0)
    }

    /// Wraps a share key the old way, for `ok` (`protocol-auth.md` 4.6).
    #[must_use]
    pub fn wrap_share_key(&self, key: &ShareKey) -> [u8; 16] {
        ecb::encrypt_block(&self.0, key.as_bytes())
    }

    /// Unwraps a share key of the old kind; check `ha` before, with
    /// [`check_handle_auth`](Self::check_handle_auth).
    pub fn unwrap_share_key(&self, wrapped: &[u8; 16]) -> Result<ShareKey, CryptoError> {
        ShareKey::from_bytes(ecb::decrypt_block(&self.0, wrapped))
    }

    /// Encrypts one block.
    #[must_use]
    pub fn wrap_block(&self, block: &[u8; 16]) -> [u8; 16] {
        ecb::encrypt_block(&self.0, block)
    }

    /// Decrypts one block.
    #[must_use]
    pub fn unwrap_block(&self, block: &[u8; 16]) -> [u8; 16] {
        ecb::decrypt_block(&self.0, block)
    }

    /// Wraps the RSA private key: the account's `privk` (`protocol-auth.md` 1.6).
    pub fn wrap_private_key(&self, key: &PrivateKey) -> Result<Vec<u8>, CryptoError> {
        let mut bytes = key.to_bytes().to_vec();
        let plain = bytes.len();
        bytes.resize(plain.next_multiple_of(16), 0);
        random::fill(&mut bytes[plain..])?;
        ecb::encrypt(&self.0, &mut bytes);
        Ok(bytes)
    }

    /// Unwraps `privk` and makes every check of `protocol-auth.md` 9.3.1 that needs no public
    /// key. All failures are one error.
    pub fn unwrap_private_key(&self, wrapped: &[u8]) -> Result<PrivateKey, CryptoError> {
        PrivateKey::parse(&self.private_key_bytes(wrapped)?)
    }

    /// Like [`unwrap_private_key`](Self::unwrap_private_key), where the public key is known: the
    /// two must belong together.
    pub fn unwrap_private_key_with_public(
        &self,
        wrapped: &[u8],
        public: &PublicKey,
    ) -> Result<PrivateKey, CryptoError> {
        PrivateKey::parse_with_public(&self.private_key_bytes(wrapped)?, public)
    }

    /// Unwraps what [`wrap_private_key`](Self::wrap_private_key) gave and nobody else can have changed since
    /// ([`PrivateKey::from_own_bytes`]).
    pub fn unwrap_own_private_key(&self, wrapped: &[u8]) -> Result<PrivateKey, CryptoError> {
        PrivateKey::from_own_bytes(&self.private_key_bytes(wrapped)?)
    }

    fn private_key_bytes(&self, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        if wrapped.len() < 256 || !wrapped.len().is_multiple_of(16) {
            return Err(CryptoError::InvalidKeyPair);
        }
        let mut bytes = Zeroizing::new(wrapped.to_vec());
        ecb::decrypt(&self.0, &mut bytes);
        Ok(bytes)
    }

    /// The proof `ha` that the owner of this key shared this folder (`protocol-auth.md` 4.6).
    #[must_use]
    pub fn handle_auth(&self, handle: &NodeHandle) -> [u8; 16] {
        let text = handle.to_string();
        let mut block = [0; 16];
        for (place, byte) in block.iter_mut().zip(text.bytes().cycle()) {
            *place = byte;
        }
        ecb::encrypt_block(&self.0, &block)
    }

    /// Whether `ha` is that proof; constant time.
    #[must_use]
    pub fn check_handle_auth(&self, handle: &NodeHandle, auth: &[u8]) -> bool {
        subtle::ConstantTimeEq::ct_eq(&self.handle_auth(handle)[..], auth).into()
    }

    /// Wraps this key under a session key, as a saved session of version 1 holds it
    /// (`protocol-auth.md` 2.11).
    #[must_use]
    pub fn wrap_under(&self, session_key: &[u8; 16]) -> [u8; 16] {
        ecb::encrypt_block(session_key, &self.0)
    }

    /// Unwraps the key of a saved session with the session key that the server gave back.
    #[must_use]
    pub fn unwrap_under(wrapped: &[u8; 16], session_key: &[u8; 16]) -> Self {
        Self(ecb::decrypt_block(session_key, wrapped))
    }
}
