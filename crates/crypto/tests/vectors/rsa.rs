//! RSA keys and what they encrypt (`protocol-auth.md` 1.5 to 1.7).

use supermega_crypto::{CryptoError, MasterKey, PrivateKey, PublicKey};
use supermega_encoding::base64;

use super::{at, b64, hex, hex_array, number, rows, text};

fn private() -> PrivateKey {
    PrivateKey::parse(&hex(at("/rsa"), "privk_plain_hex")).unwrap()
}

#[test]
fn rsa_privk() {
    let vectors = at("/rsa");
    let plain = hex(vectors, "privk_plain_hex");
    let unpadded = usize::try_from(number(vectors, "privk_plain_unpadded_len")).unwrap();
    assert_eq!(private().to_bytes()[..], plain[..unpadded]);

    let master = MasterKey::from_bytes(hex_array(at("/login_v2/expect"), "master_key_hex"));
    let wrapped = b64(vectors, "privk_b64");
    assert_eq!(master.unwrap_private_key(&wrapped), Ok(private()));
    let public = PublicKey::parse(&b64(vectors, "pubk_b64")).unwrap();
    assert_eq!(master.unwrap_private_key_with_public(&wrapped, &public), Ok(private()));
    let again = master.wrap_private_key(&private()).unwrap();
    assert_eq!(again.len(), wrapped.len());
    assert_eq!(again[..unpadded / 16 * 16], wrapped[..unpadded / 16 * 16]);

    let wrong = MasterKey::from_bytes([1; 16]);
    assert_eq!(wrong.unwrap_private_key(&wrapped), Err(CryptoError::InvalidKeyPair));
}

#[test]
fn rsa_short_form() {
    let short = hex(at("/rsa"), "privk_short_pqd_hex");
    assert_eq!(PrivateKey::from_short(&short), Ok(private()));
    assert_eq!(private().to_short_bytes()[..], short);
    assert!(PrivateKey::from_short(&[&short[..], &[0]].concat()).is_err());
}

#[test]
fn rsa_pubk() {
    let vectors = at("/rsa");
    assert_eq!(base64::encode(&private().public_key().to_bytes()), text(vectors, "pubk_b64"));
    for (key, payload) in [
        ("pubk_b64", "pubk_sig_payload_hex"),
        ("pubk_4byte_exponent_b64", "pubk_4byte_exponent_sig_payload_hex"),
    ] {
        let public = PublicKey::parse(&b64(vectors, key)).unwrap();
        assert_eq!(public.signature_payload(), hex(vectors, payload), "{key}");
        assert_eq!(public.to_bytes(), b64(vectors, key), "{key}");
    }
    let wide = PublicKey::parse(&b64(vectors, "pubk_4byte_exponent_b64")).unwrap();
    let key = PrivateKey::parse_with_public(&hex(vectors, "privk_plain_hex"), &wide).unwrap();
    let encrypted = wide.encrypt(b"either width").unwrap();
    assert_eq!(key.decrypt(&encrypted, 12).unwrap()[..], *b"either width");
}

#[test]
fn rsa_rejected_blobs() {
    for row in rows("/rsa/rejected_or_accepted_blobs", 4) {
        let refused = PrivateKey::parse(&hex(row, "blob_hex"));
        assert_eq!(refused, Err(CryptoError::InvalidKeyPair), "{}", row["case"]);
        let public = private().public_key();
        let refused = PrivateKey::parse_with_public(&hex(row, "blob_hex"), &public);
        assert_eq!(refused, Err(CryptoError::InvalidKeyPair), "{}", row["case"]);
    }
}

#[test]
fn rsa_plaintext_len() {
    for row in rows("/rsa_plaintext_len", 2) {
        let secret = private().decrypt(&b64(row, "csid_b64"), 43).unwrap();
        assert_eq!(secret[..], hex(row, "sdk_first43_hex"), "{row}");
    }
}

#[test]
fn rsa_ciphertexts_that_are_refused() {
    let key = private();
    let csid = b64(at("/login_v2/us_response"), "csid");
    let user = text(at("/login_v2/us_response"), "u").parse().unwrap();
    let modulus = {
        let payload = key.public_key().signature_payload();
        [&[8, 0], &payload[..256]].concat()
    };
    let mut changed = csid.clone();
    changed[100] ^= 1;
    for bytes in [
        [&csid[..], &[0]].concat(),
        csid[..csid.len() - 1].to_vec(),
        modulus,
        vec![0x08, 0x01, 1],
        Vec::new(),
        vec![0; 40],
        changed,
    ] {
        assert_eq!(key.session_id(&bytes, user), Err(CryptoError::InvalidKeyPair));
    }
}
