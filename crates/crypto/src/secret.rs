//! How a secret of fixed length is held: wiped on drop, silent in `Debug`, equal in constant time.

/// Declares such a type over `[u8; N]`, without constructors.
macro_rules! secret {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
        pub struct $name(pub(crate) [u8; $len]);

        impl $name {
            /// Number of bytes.
            pub const LEN: usize = $len;

            /// The secret itself: keep it out of logs and messages.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        $crate::secret::guarded!($name);
    };
}

/// Declares such a type, which any bytes may be.
macro_rules! any_secret {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $crate::secret::secret!($(#[$doc])* $name, $len);
        $crate::secret::from_bytes!($name, $len);
    };
}

/// Declares a copyable value that reveals no key, but has no business in a log either.
macro_rules! discreet {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name(pub(crate) [u8; $len]);

        impl $name {
            /// Number of bytes.
            pub const LEN: usize = $len;

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        $crate::secret::from_bytes!($name, $len);
        $crate::secret::guarded!($name);
    };
}

macro_rules! from_bytes {
    ($name:ident, $len:literal) => {
        impl $name {
            /// Takes the bytes as they are.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }
        }
    };
}

macro_rules! guarded {
    ($name:ident) => {
        impl $name {
            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                subtle::ConstantTimeEq::ct_eq(&self.0[..], &other.0[..]).into()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.ct_eq(other)
            }
        }

        impl Eq for $name {}

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    };
}

pub(crate) use {any_secret, discreet, from_bytes, guarded, secret};

#[cfg(test)]
mod tests {
    use crate::{MasterKey, MetaMac};

    #[test]
    fn a_secret_does_not_print_itself() {
        assert_eq!(format!("{:?}", MasterKey::from_bytes([7; 16])), "MasterKey(..)");
        assert_eq!(format!("{:?}", MetaMac::from_bytes([7; 8])), "MetaMac(..)");
    }
}
