//! AES-128 over independent blocks: how MEGA wraps keys (`protocol-auth.md` 4.1).

use aes::Aes128;
use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::CryptoError;
use crate::node_key::NodeKey;

pub(crate) type Block = cipher::Block<Aes128>;

/// The key schedule of `key`.
pub(crate) fn cipher(key: &[u8; 16]) -> Aes128 {
    Aes128::new(&Array(*key))
}

/// Encrypts one block.
pub(crate) fn encrypt_block(key: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut block = Array(*block);
    cipher(key).encrypt_block(&mut block);
    block.0
}

/// Decrypts one block.
pub(crate) fn decrypt_block(key: &[u8; 16], block: &[u8; 16]) -> [u8; 16] {
    let mut block = Array(*block);
    cipher(key).decrypt_block(&mut block);
    block.0
}

/// Encrypts every whole block in place; a shorter tail stays as it is.
pub(crate) fn encrypt(key: &[u8; 16], bytes: &mut [u8]) {
    let (blocks, _) = Block::slice_as_chunks_mut(bytes);
    cipher(key).encrypt_blocks(blocks);
}

/// Decrypts every whole block in place; a shorter tail stays as it is.
pub(crate) fn decrypt(key: &[u8; 16], bytes: &mut [u8]) {
    let (blocks, _) = Block::slice_as_chunks_mut(bytes);
    cipher(key).decrypt_blocks(blocks);
}

/// Wraps a node key of either kind.
pub(crate) fn wrap_node_key(key: &[u8; 16], node: &NodeKey) -> Vec<u8> {
    let mut bytes = node.as_bytes().to_vec();
    encrypt(key, &mut bytes);
    bytes
}

/// Unwraps a node key, whose kind follows from its length.
pub(crate) fn unwrap_node_key(key: &[u8; 16], wrapped: &[u8]) -> Result<NodeKey, CryptoError> {
    unwrap_node_key_with(&cipher(key), wrapped)
}

/// The same with a key schedule that was made before.
pub(crate) fn unwrap_node_key_with(
    cipher: &Aes128,
    wrapped: &[u8],
) -> Result<NodeKey, CryptoError> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    let Some(bytes) = bytes.get_mut(..wrapped.len()) else {
        return Err(CryptoError::Length { what: "NodeKey", expected: 32, actual: wrapped.len() });
    };
    bytes.copy_from_slice(wrapped);
    let (blocks, _) = Block::slice_as_chunks_mut(bytes);
    cipher.decrypt_blocks(blocks);
    NodeKey::from_bytes(bytes)
}
