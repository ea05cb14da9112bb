//! What a node is called, and whatever else its owner notes on it (`protocol-auth.md` 5.1, 5.2).

use std::borrow::Cow;

use cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use serde_json::{Map, Value};

use crate::ecb::Block;
use crate::secret::secret;
use crate::{CryptoError, FileKey, Fingerprint, FolderKey};

const MAGIC: &[u8] = b"MEGA";
/// What the attributes of nearly all nodes begin with.
const NAME: &str = "{\"n\":\"";

secret!(
    /// The key of a node's attributes, which a [`FileKey`] or [`FolderKey`] becomes.
    AttributeKey, 16
);

impl AttributeKey {
    /// Encrypts in place: CBC with a zero IV, over every whole block (`protocol-auth.md` 5.1).
    pub(crate) fn encrypt(&self, bytes: &mut [u8]) {
        let mut cbc = cbc::Encryptor::<aes::Aes128>::new(&Array(self.0), &Array([0; 16]));
        cbc.encrypt_blocks(Block::slice_as_chunks_mut(bytes).0);
    }

    /// Decrypts what [`encrypt`](Self::encrypt) made.
    pub(crate) fn decrypt(&self, bytes: &mut [u8]) {
        let mut cbc = cbc::Decryptor::<aes::Aes128>::new(&Array(self.0), &Array([0; 16]));
        cbc.decrypt_blocks(Block::slice_as_chunks_mut(bytes).0);
    }
}

impl From<&FileKey> for AttributeKey {
    fn from(key: &FileKey) -> Self {
        Self(*key.content_key().as_bytes())
    }
}

impl From<&FolderKey> for AttributeKey {
    fn from(key: &FolderKey) -> Self {
        Self(*key.as_bytes())
    }
}

/// A node's attributes: a JSON object, kept whole and in order, so that renaming a node loses
/// nothing that another client wrote.
///
/// ```
/// use supermega_crypto::{Attributes, FolderKey};
///
/// let key = FolderKey::generate()?;
/// let mut attributes = Attributes::new("Holiday");
/// attributes.set("fav", "1".into());
/// let encrypted = attributes.encrypt(&(&key).into());
/// assert_eq!(Attributes::decrypt(&(&key).into(), &encrypted)?, attributes);
/// # Ok::<(), supermega_crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(Map<String, Value>);

impl Attributes {
    /// Those of a new node: its name and nothing else.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut attributes = Self::default();
        attributes.set_name(name);
        attributes
    }

    /// Reads a JSON object.
    pub fn parse_json(json: &str) -> Result<Self, CryptoError> {
        serde_json::from_str(json).map(Self).map_err(|_| CryptoError::Attributes)
    }

    /// Writes the JSON object, members in the order in which they came.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::from("{");
        for (name, value) in &self.0 {
            if json.len() > 1 {
                json.push(',');
            }
            json.push_str(&Value::from(name.as_str()).to_string());
            json.push(':');
            json.push_str(&value.to_string());
        }
        json.push('}');
        json
    }

    /// The name, `n`: another user's text, which may hold anything.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.get("n")?.as_str()
    }

    /// Sets the name.
    pub fn set_name(&mut self, name: &str) {
        self.set("n", name.into());
    }

    /// The fingerprint of a file's content, `c`; `None` if there is none or it is malformed.
    #[must_use]
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.get("c")?.as_str()?.parse().ok()
    }

    /// Sets the fingerprint.
    pub fn set_fingerprint(&mut self, fingerprint: &Fingerprint) {
        self.set("c", fingerprint.to_string().into());
    }

    /// Any member. Clients disagree on types: `fav` comes as text, number or boolean.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets a member; a new one goes to the end. Official clients want values to be text.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Removes a member and returns it; the others keep their order.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.shift_remove(name)
    }

    /// All members, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Encrypts: the node's `a` (`protocol-auth.md` 5.1).
    #[must_use]
    pub fn encrypt(&self, key: &AttributeKey) -> Vec<u8> {
        let mut bytes = [MAGIC, self.to_json().as_bytes()].concat();
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        key.encrypt(&mut bytes);
        bytes
    }

    /// Decrypts a node's `a` without reading it: the JSON text is then in `json`, which can be used again and
    /// again.
    pub fn decrypt_json(
        key: &AttributeKey,
        bytes: &[u8],
        json: &mut Vec<u8>,
    ) -> Result<(), CryptoError> {
        json.clear();
        if !bytes.len().is_multiple_of(16) {
            return Err(CryptoError::Attributes);
        }
        json.extend_from_slice(bytes);
        key.decrypt(json);
        if !json.starts_with(MAGIC) {
            return Err(CryptoError::Attributes);
        }
        json.drain(..MAGIC.len());
        let end = json.iter().position(|byte| *byte == 0).unwrap_or(json.len());
        json.truncate(end);
        Ok(())
    }

    /// The name in a JSON text, which is mostly found without reading all of it.
    ///
    /// It is the name that [`decrypt`](Self::decrypt) finds, but where that finds the text to be damaged this may
    /// find a name.
    #[must_use]
    pub fn name_in(json: &[u8]) -> Option<Cow<'_, str>> {
        let json = std::str::from_utf8(json).ok()?;
        if let Some(rest) = json.strip_prefix(NAME)
            && let Some((name, rest)) = rest.split_once('"')
            && !json.contains('\\')
            && !rest.contains("\"n\"")
        {
            return Some(Cow::Borrowed(name));
        }
        let attributes = Self::parse_json(json).ok()?;
        attributes.name().map(|name| Cow::Owned(name.to_owned()))
    }

    /// Decrypts a node's `a`. With a wrong key the magic does not appear, which is an error.
    pub fn decrypt(key: &AttributeKey, bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut json = Vec::new();
        Self::decrypt_json(key, bytes, &mut json)?;
        serde_json::from_slice(&json).map(Self).map_err(|_| CryptoError::Attributes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: AttributeKey = AttributeKey([7; 16]);

    fn encrypted(plain: &[u8]) -> Vec<u8> {
        let mut bytes = plain.to_vec();
        bytes.resize(plain.len().next_multiple_of(16), 0);
        KEY.encrypt(&mut bytes);
        bytes
    }

    #[test]
    fn what_we_do_not_know_survives() {
        let json = r#"{"zz":{"b":[1,2.5,null],"a":true},"n":"old","c":"x","_app":"ü"}"#;
        let mut attributes = Attributes::parse_json(json).unwrap();
        attributes.set_name("new");
        assert_eq!(attributes.to_json(), json.replace("old", "new"));
        attributes.remove("zz");
        assert_eq!(attributes.to_json(), r#"{"n":"new","c":"x","_app":"ü"}"#);
    }

    #[test]
    fn values_may_hold_braces_and_escapes() {
        for name in ["}", "{\"n\":\"}\"}", "a\0b", "\t\"\\", "\u{202e}"] {
            let bytes = Attributes::new(name).encrypt(&KEY);
            assert_eq!(Attributes::decrypt(&KEY, &bytes).unwrap().name(), Some(name));
        }
    }

    #[test]
    fn anything_but_a_json_object_is_refused() {
        for plain in ["", "MEGA", "MEGA[]", "MEGA\"x\"", "MEGA{\"n\":\"a\"", "mega{}", "MEGA{}x"] {
            let bytes = encrypted(plain.as_bytes());
            assert_eq!(Attributes::decrypt(&KEY, &bytes), Err(CryptoError::Attributes), "{plain}");
        }
        assert!(Attributes::decrypt(&KEY, &encrypted(b"MEGA{}")).is_ok());
        assert!(Attributes::decrypt(&KEY, &[0; 15]).is_err());
    }

    #[test]
    fn a_name_that_is_no_text_is_none() {
        assert_eq!(Attributes::parse_json(r#"{"n":5}"#).unwrap().name(), None);
    }

    proptest! {
        #[test]
        fn every_name_survives(name: String) {
            let bytes = Attributes::new(&name).encrypt(&KEY);
            let read = Attributes::decrypt(&KEY, &bytes).unwrap();
            prop_assert_eq!(read.name(), Some(&*name));
        }

        #[test]
        fn a_name_in_a_text_is_the_name(
            members in proptest::collection::vec((r#"(n|nn|c|"n"|\\\\|[a-z])"#, "\\PC{0,12}"), 0..5),
        ) {
            let mut attributes = Attributes::default();
            for (name, value) in members {
                attributes.set(&name, value.into());
            }
            let mut json = Vec::new();
            Attributes::decrypt_json(&KEY, &attributes.encrypt(&KEY), &mut json).unwrap();
            let name = Attributes::name_in(&json);
            prop_assert_eq!(name.as_deref(), attributes.name());
        }

        #[test]
        fn no_ciphertext_panics(bytes: Vec<u8>) {
            let _ = Attributes::decrypt(&KEY, &bytes);
            let _ = Attributes::name_in(&bytes);
        }

        #[test]
        fn no_plaintext_panics(tail: Vec<u8>) {
            let _ = Attributes::decrypt(&KEY, &encrypted(&[MAGIC, b"{", &tail].concat()));
        }
    }
}
