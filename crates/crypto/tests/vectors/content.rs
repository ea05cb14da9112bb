//! The content of files (`protocol-auth.md` 5.4, 6).

use serde_json::Value;
use sha2::{Digest, Sha256};
use supermega_crypto::{
    Chunk, ChunkMac, ContentCipher, ContentKey, CryptoError, FileKey, Fingerprint,
    FingerprintHasher, MetaMac, MetaMacBuilder, Nonce, chunk_count, chunks, upload_checksum,
};
use supermega_encoding::base64;

use super::{at, b64_array, hex, hex_array, number, rows, text};

fn pattern(row: &Value) -> Vec<u8> {
    let mixed = text(row, "pattern").starts_with('B');
    let byte = |i: u64| {
        let plain = 7 * i + 3;
        (if mixed { plain ^ (i >> 8) ^ (i >> 16) } else { plain }).to_le_bytes()[0]
    };
    (0..number(row, "size")).map(byte).collect()
}

/// The content of megajs's tests: 151511 bytes, each its index modulo 255.
fn megajs() -> Vec<u8> {
    (0..151_511u32).map(|i| (i % 255) as u8).collect()
}

fn key_and_nonce(row: &Value) -> (ContentKey, Nonce) {
    (
        ContentKey::from_bytes(hex_array(row, "key_hex")),
        Nonce::from_bytes(hex_array(row, "nonce_hex")),
    )
}

fn fold(key: &ContentKey, macs: &[ChunkMac]) -> MetaMac {
    let mut builder = MetaMacBuilder::new(key);
    for mac in macs {
        builder.push(mac);
    }
    builder.finish()
}

struct Encrypted {
    bytes: Vec<u8>,
    macs: Vec<ChunkMac>,
    meta_mac: MetaMac,
}

/// Encrypts, and makes sure that decryption sees the same MACs, whole and chunk by chunk.
fn encrypt(key: &ContentKey, nonce: Nonce, plain: &[u8]) -> Encrypted {
    let cipher = ContentCipher::new(key, nonce);
    let mut bytes = plain.to_vec();
    let macs = cipher.encrypt_chunks(0, &mut bytes);

    let mut decrypted = bytes.clone();
    assert_eq!(cipher.decrypt_chunks(0, &mut decrypted), macs);
    assert!(decrypted == plain);

    let mut single = Vec::new();
    for chunk in chunks(plain.len() as u64) {
        let [start, end] = [chunk.offset, chunk.end()].map(|at| usize::try_from(at).unwrap());
        single.extend(cipher.decrypt_chunks(chunk.offset, &mut bytes[start..end].to_vec()));
    }
    assert_eq!(single, macs);
    let meta_mac = fold(key, &macs);
    Encrypted { bytes, macs, meta_mac }
}

#[test]
fn file_crypto() {
    let (key, nonce) = key_and_nonce(at("/file_crypto"));
    for row in rows("/file_crypto/vectors", 11) {
        let plain = pattern(row);
        assert_eq!(Sha256::digest(&plain)[..], hex(row, "plain_sha256"));
        let Encrypted { bytes, macs, meta_mac } = encrypt(&key, nonce, &plain);
        assert_eq!(Sha256::digest(&bytes)[..], hex(row, "cipher_sha256"), "{row}");
        assert!(bytes.starts_with(&hex(row, "cipher_first16_hex")));
        assert!(bytes.ends_with(&hex(row, "cipher_last16_hex")));
        assert_eq!(macs.len() as u64, number(row, "chunks"));
        let mac = |mac: Option<&ChunkMac>| mac.map_or(Vec::new(), |mac| mac.as_bytes().to_vec());
        assert_eq!(mac(macs.first()), hex(row, "first_chunk_mac_hex"));
        assert_eq!(mac(macs.last()), hex(row, "last_chunk_mac_hex"));
        assert_eq!(meta_mac.as_bytes()[..], hex(row, "metamac_hex"), "{row}");

        let file = FileKey::new(&key, nonce, meta_mac).unwrap();
        assert_eq!(file.as_bytes()[..], hex(row, "filekey_hex"));
        assert_eq!(base64::encode(file.as_bytes()), text(row, "filekey_b64"));

        let mut hasher = FingerprintHasher::new(plain.len() as u64);
        plain.chunks(1000).for_each(|piece| hasher.update(piece));
        let fingerprint = hasher.finish(1_700_000_000);
        assert_eq!(fingerprint.crc[..], hex(row, "fingerprint_crc_hex"), "{row}");
        assert_eq!(fingerprint.to_text(), text(row, "fingerprint_c_mtime_1700000000"));
    }
}

#[test]
fn file_crypto_pattern_b() {
    let (key, nonce) = key_and_nonce(at("/file_crypto"));
    for row in rows("/file_crypto/vectors_pattern_B", 7) {
        let plain = pattern(row);
        assert_eq!(Sha256::digest(&plain)[..], hex(row, "plain_sha256"));
        let encrypted = encrypt(&key, nonce, &plain);
        assert_eq!(Sha256::digest(&encrypted.bytes)[..], hex(row, "cipher_sha256"), "{row}");
        assert_eq!(encrypted.meta_mac.as_bytes()[..], hex(row, "metamac_hex"), "{row}");
    }
}

#[test]
fn file_crypto_small_from_mega_py_tests() {
    let row = at("/file_crypto/small_from_mega_py_tests");
    let (key, nonce) = key_and_nonce(row);
    let encrypted = encrypt(&key, nonce, text(row, "plain_ascii").as_bytes());
    assert_eq!(encrypted.meta_mac.as_bytes()[..], hex(row, "metamac_hex"));
}

#[test]
fn file_crypto_megajs_verify_test() {
    let row = at("/file_crypto/megajs_verify_test");
    // Its content key is zero, which nobody may use for a file, but AES computes with it.
    let file: [u8; 32] = b64_array(row, "filekey_b64");
    assert_eq!(FileKey::from_bytes(file), Err(CryptoError::ZeroKey));
    let (key, nonce) = (ContentKey::from_bytes([0; 16]), Nonce::from_bytes([0; 8]));
    let meta_mac = encrypt(&key, nonce, &megajs()).meta_mac;
    assert_eq!(meta_mac.as_bytes()[..], hex(row, "metamac_hex"));
    assert_eq!(meta_mac.as_bytes()[..], file[24..]);
}

#[test]
fn file_crypto_megajs_crypto_stream_test() {
    let row = at("/file_crypto/megajs_crypto_stream_test");
    let (key, nonce) = key_and_nonce(row);
    let encrypted = encrypt(&key, nonce, &megajs());
    let file = FileKey::new(&key, nonce, encrypted.meta_mac).unwrap();
    assert_eq!(file.as_bytes()[..], hex(row, "filekey_hex"));
    assert_eq!(sha1::Sha1::digest(&encrypted.bytes)[..], hex(row, "cipher_sha1"));
}

#[test]
fn upload_request_crc() {
    let (key, nonce) = key_and_nonce(at("/file_crypto"));
    for row in rows("/file_crypto/upload_request_crc/vectors", 6) {
        let mut bytes: Vec<u8> =
            (0..number(row, "file_size")).map(|i| (7 * i + 3).to_le_bytes()[0]).collect();
        ContentCipher::new(&key, nonce).apply(0, &mut bytes);
        let [start, end] = ["start", "end"].map(|name| usize::try_from(number(row, name)).unwrap());
        let checksum = upload_checksum(&bytes[start..end]);
        assert_eq!(checksum[..], hex(row, "crc_hex"), "{row}");
        let suffix = format!("/{start}?d={}", base64::encode(&checksum));
        assert_eq!(suffix, text(row, "url_suffix"));
    }
}

#[test]
fn chunk_boundaries() {
    for row in rows("/chunk_boundaries", 9) {
        let size = number(row, "size");
        let expected: Vec<[u64; 2]> = serde_json::from_value(row["chunks"].clone()).unwrap();
        let ours: Vec<[u64; 2]> = chunks(size).map(|chunk| [chunk.offset, chunk.len]).collect();
        assert_eq!(ours, expected, "{size}");
        assert_eq!(chunk_count(size), expected.len() as u64);
        for (index, [offset, len]) in (0..).zip(expected) {
            assert_eq!(Chunk::at(index, size), Some(Chunk { index, offset, len }));
        }
    }
}

#[test]
fn fingerprint() {
    for row in rows("/fingerprint", 20) {
        let plain = pattern(row);
        let mut hasher = FingerprintHasher::new(plain.len() as u64);
        hasher.update(&plain);
        let fingerprint = hasher.finish(row["mtime"].as_i64().unwrap());
        assert_eq!(fingerprint.crc[..], hex(row, "crc_hex"), "{row}");
        assert_eq!(fingerprint.to_string(), text(row, "c"), "{row}");
        assert_eq!(text(row, "c").parse(), Ok(fingerprint), "{row}");
    }
}

#[test]
fn fingerprint_negative_mtime() {
    let row = at("/fingerprint_negative_mtime");
    let fingerprint = Fingerprint { crc: [0; 16], mtime: row["mtime"].as_i64().unwrap() };
    let bytes = base64::decode(&fingerprint.to_text()).unwrap();
    assert_eq!(bytes[16..], hex(row, "serialised_hex"));
    assert_eq!(fingerprint.to_text().parse(), Ok(fingerprint));
}
