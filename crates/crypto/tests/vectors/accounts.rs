//! Passwords, logins and sessions (`protocol-auth.md` 2, 3.1).

use supermega_crypto::{
    AuthKey, ClientRandom, EphemeralToken, HashedAuthKey, MasterKey, PasswordKey, SavedSession,
    SessionId, ShareKey, derive_v2,
};
use supermega_encoding::{UserHandle, base64};

use super::{at, b64, b64_array, hex, hex_array, rows, text};

#[test]
fn kdf_v1() {
    for row in rows("/kdf_v1", 7) {
        let key = PasswordKey::v1(text(row, "password"));
        assert_eq!(key.as_bytes()[..], hex(row, "pwkey_hex"), "{row}");
        let proof = key.user_hash(text(row, "email"));
        assert_eq!(base64::encode(proof.as_bytes()), text(row, "uh_b64"), "{row}");
        let master = MasterKey::from_bytes(hex_array(row, "master_key_hex"));
        assert_eq!(base64::encode(&key.wrap(&master)), text(row, "k_b64"), "{row}");
        assert_eq!(key.unwrap(&b64_array(row, "k_b64")), master, "{row}");
    }
}

#[test]
fn kdf_v1_raw() {
    for row in rows("/kdf_v1_raw", 3) {
        let key = PasswordKey::v1_from_bytes(&hex(row, "password_bytes_hex"));
        assert_eq!(key.as_bytes()[..], hex(row, "pwkey_hex"), "{row}");
    }
}

#[test]
fn kdf_v2() {
    for row in rows("/kdf_v2", 3) {
        let salt = ClientRandom::from_bytes(hex_array(row, "crv_hex")).salt();
        assert_eq!(salt.as_bytes()[..], hex(row, "salt_hex"), "{row}");
        let (key, auth_key) = derive_v2(text(row, "password"), &salt);
        assert_eq!(key.as_bytes()[..], hex(row, "enc_key_hex"), "{row}");
        assert_eq!(auth_key.as_bytes()[..], hex(row, "auth_key_hex"), "{row}");
        let derived = [&key.as_bytes()[..], auth_key.as_bytes()].concat();
        assert_eq!(derived, hex(row, "derived_hex"), "{row}");
        assert_eq!(
            auth_key.hashed(),
            HashedAuthKey::from_bytes(hex_array(row, "hak_hex")),
            "{row}"
        );
        let master = MasterKey::from_bytes(hex_array(row, "master_key_hex"));
        assert_eq!(base64::encode(&key.wrap(&master)), text(row, "k_b64"), "{row}");
    }
}

#[test]
fn stringhash() {
    for row in rows("/stringhash", 3) {
        let key = PasswordKey::from_bytes(hex_array(row, "key_hex"));
        let input = String::from_utf8(hex(row, "input_hex")).unwrap();
        assert_eq!(key.user_hash(&input).as_bytes()[..], hex(row, "hash_hex"), "{row}");
    }
}

#[test]
fn login_v2() {
    let password = text(at("/login_v2"), "password");
    let salt = b64_array(at("/login_v2/us0_response"), "s");
    let response = at("/login_v2/us_response");
    let expected = at("/login_v2/expect");
    let user: UserHandle = text(response, "u").parse().unwrap();

    let (key, auth_key) = derive_v2(password, &supermega_crypto::Salt::from_bytes(salt));
    let proof = AuthKey::from_bytes(b64_array(at("/login_v2/us_request"), "uh"));
    assert_eq!(auth_key, proof);
    let master = key.unwrap(&b64_array(response, "k"));
    assert_eq!(master.as_bytes()[..], hex(expected, "master_key_hex"));
    let private = master.unwrap_private_key(&b64(response, "privk")).unwrap();
    let sid = private.session_id(&b64(response, "csid"), user).unwrap();
    assert_eq!(sid.as_bytes()[..], hex(expected, "sid_bin_hex"));
    assert_eq!(sid.to_text(), text(expected, "sid_b64"));

    let stranger = UserHandle::from_bytes([9; 8]);
    assert!(private.session_id(&b64(response, "csid"), stranger).is_err());
}

#[test]
fn login_v2_leading_zero_variant() {
    let response = at("/login_v2/us_response");
    let variant = at("/login_v2/leading_zero_variant");
    let master = MasterKey::from_bytes(hex_array(at("/login_v2/expect"), "master_key_hex"));
    let private = master.unwrap_private_key(&b64(response, "privk")).unwrap();
    let user = text(response, "u").parse().unwrap();
    let sid = private.session_id(&b64(variant, "csid"), user).unwrap();
    assert_eq!(sid.as_bytes()[..], hex(variant, "sid_bin_hex"));
    assert_eq!(sid.to_text(), text(variant, "sid_b64"));
    assert_ne!(sid.to_text(), text(variant, "naive_strip_zero_result_b64"));
}

#[test]
fn session_v0() {
    let vectors = at("/session");
    let session = SavedSession::Account {
        master: MasterKey::from_bytes(hex_array(vectors, "master_key_hex")),
        sid: SessionId::from_bytes(hex_array(vectors, "sid_hex")),
    };
    assert_eq!(session.to_text().as_str(), text(vectors, "v0_b64"));
    assert_eq!(text(vectors, "v0_b64").parse(), Ok(session));
}

#[test]
fn session_v1() {
    let vectors = at("/session");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let session_key = hex_array(vectors, "sek_hex");
    let wrapped = master.wrap_under(&session_key);
    let sid = SessionId::from_bytes(hex_array(vectors, "sid_hex"));
    let session = SavedSession::AccountUnderSessionKey { wrapped, sid };
    assert_eq!(session.to_text().as_str(), text(vectors, "v1_b64"));
    assert_eq!(text(vectors, "v1_b64").parse(), Ok(session));
    assert_eq!(MasterKey::unwrap_under(&wrapped, &session_key), master);
}

#[test]
fn session_v2() {
    let folder_link = |write_auth: Option<&str>| SavedSession::FolderLink {
        handle: "AAAAAAAG".parse().unwrap(),
        root: "AQIDBAUG".parse().unwrap(),
        key: ShareKey::from_bytes(*b"@ABCDEFGHIJKLMNO").unwrap(),
        write_auth: write_auth.map(str::to_owned),
        account_auth: None,
    };
    for (name, write_auth) in [
        ("v2_folder_readonly_b64", None),
        ("v2_folder_writable_b64", Some("WRITEAUTHWRITEAUTHWRIT")),
    ] {
        let expected = text(at("/session"), name);
        let session = folder_link(write_auth);
        assert_eq!(session.to_text().as_str(), expected, "{name}");
        assert_eq!(expected.parse(), Ok(session), "{name}");
    }
}

#[test]
fn ephemeral() {
    let vectors = at("/ephemeral");
    let request = at("/ephemeral/up_request");
    let master = MasterKey::from_bytes(hex_array(vectors, "master_key_hex"));
    let password = PasswordKey::from_bytes(hex_array(vectors, "pw_hex"));
    let user: UserHandle = text(vectors, "up_response").parse().unwrap();
    assert_eq!(base64::encode(&password.wrap(&master)), text(request, "k"));

    let challenge = hex_array(vectors, "ssc_hex");
    let ts = [&challenge[..], &master.wrap_block(&challenge)].concat();
    assert_eq!(base64::encode(&ts), text(request, "ts"));
    let tsid = SessionId::make_temporary(&ts.try_into().unwrap(), user);
    assert_eq!(tsid.to_text(), text(vectors, "tsid_b64"));

    let token = text(vectors, "resume_token");
    assert_eq!(EphemeralToken { user, password }.to_text().as_str(), token);
    let token: EphemeralToken = token.parse().unwrap();
    let unwrapped = token.password.unwrap(&b64_array(vectors, "us_response_k"));
    let accepted = SessionId::temporary(&b64(vectors, "tsid_b64"), &unwrapped).unwrap();
    assert!(accepted.belongs_to(token.user));
}
