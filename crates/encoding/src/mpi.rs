//! Multi-precision integers: a 16-bit bit count, then the magnitude (`protocol-auth.md` 1.4).

use crate::DecodeError;

/// Appends an integer, given as big-endian bytes without leading zeros stripped; the header holds
/// the exact bit length, and leading zero bytes are not written.
pub fn write(out: &mut Vec<u8>, magnitude: &[u8]) {
    let magnitude = strip(magnitude);
    let bits =
        magnitude.first().map_or(0, |top| magnitude.len() * 8 - top.leading_zeros() as usize);
    header(out, bits);
    out.extend_from_slice(magnitude);
}

/// Appends an integer in the style of key serialisers: the header holds eight times the number
/// of bytes, and the bytes are written as they are.
pub fn write_bytes(out: &mut Vec<u8>, magnitude: &[u8]) {
    header(out, magnitude.len() * 8);
    out.extend_from_slice(magnitude);
}

fn header(out: &mut Vec<u8>, bits: usize) {
    let bits = u16::try_from(bits).expect("MEGA's integers stay below 65536 bits");
    out.extend_from_slice(&bits.to_be_bytes());
}

fn strip(magnitude: &[u8]) -> &[u8] {
    let zeros = magnitude.iter().take_while(|b| **b == 0).count();
    &magnitude[zeros..]
}

/// Reads the first integer of `bytes`: its magnitude as it stands there, and what follows it.
///
/// Both styles of header are accepted, since only the number of bytes is derived from it.
pub fn read(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let Some((header, rest)) = bytes.split_first_chunk::<2>() else {
        return Err(DecodeError::Truncated { expected: 2, actual: bytes.len() });
    };
    let len = usize::from(u16::from_be_bytes(*header)).div_ceil(8);
    rest.split_at_checked(len).ok_or(DecodeError::Truncated { expected: len, actual: rest.len() })
}

/// Reads exactly `N` integers and returns them with what is left over.
pub fn read_many<const N: usize>(mut bytes: &[u8]) -> Result<([&[u8]; N], &[u8]), DecodeError> {
    let mut integers = [&bytes[..0]; N];
    for integer in &mut integers {
        (*integer, bytes) = read(bytes)?;
    }
    Ok((integers, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_header_styles_are_read() {
        assert_eq!(read(&[0, 16, 1, 0x23]).unwrap().0, [1, 0x23]);
        assert_eq!(read(&[0, 9, 1, 0x23]).unwrap().0, [1, 0x23]);
        assert_eq!(read(&[0, 0]).unwrap().0, [0u8; 0]);
    }

    #[test]
    fn a_cut_integer_is_an_error() {
        assert!(read(&[0]).is_err());
        assert!(read(&[0, 16, 1]).is_err());
        assert!(read_many::<2>(&[0, 8, 1]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(magnitude in proptest::collection::vec(any::<u8>(), 0..300), tail: Vec<u8>) {
            let mut out = Vec::new();
            write(&mut out, &magnitude);
            out.extend_from_slice(&tail);
            let (read_back, rest) = read(&out).unwrap();
            prop_assert_eq!(read_back, strip(&magnitude));
            prop_assert_eq!(rest, tail);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = read_many::<4>(&bytes);
        }
    }
}
