//! What a folder link takes to let its reader write (`protocol-auth.md` 4.13).

use std::str::FromStr;

use supermega_encoding::base64;
use zeroize::Zeroizing;

use super::LinkError;
use crate::secret::any_secret;

any_secret!(
    /// What a folder link takes to let its reader write. It travels apart from the link.
    ///
    /// ```
    /// let auth: supermega_crypto::WriteAuth = "AAECAwQFBgcICQoLDA0ODw".parse()?;
    /// assert_eq!(*auth.to_text(), "AAECAwQFBgcICQoLDA0ODw");
    /// # Ok::<(), supermega_crypto::LinkError>(())
    /// ```
    WriteAuth, 16
);

impl WriteAuth {
    /// The 22 characters that stand behind the link's handle in requests.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::encode(self.as_bytes()))
    }
}

impl FromStr for WriteAuth {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let bytes = base64::decode_array("WriteAuth", text.trim());
        bytes.map(Self::from_bytes).map_err(|_| LinkError::BadWriteAuth)
    }
}
