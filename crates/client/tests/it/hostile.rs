//! What a hostile server tries (`protocol-auth.md` 9), one test an attack. A man in the middle changes the
//! answers of an honest server, who is then as hostile as any.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use supermega::{Access, AuthenticationError, Client, Error, Session};
use supermega_crypto::curve::{AgreementKey, SigningSeed};
use supermega_crypto::{SessionId, ShareKey};
use supermega_encoding::{UserHandle, base64};
use supermega_server::ServerHandle;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::world::{
    EMAIL, OTHER, OTHER_PASSWORD, PASSWORD, at, client, contacts, content, put, rsa, server,
    server_of_two, session,
};

/// Changes a ciphertext.
type Change = fn(&mut Vec<u8>);
/// Changes the result of a command.
type Tamper = Box<dyn FnMut(&Value, &mut Value) + Send>;

/// Stands between a client and an honest server.
struct Hostile {
    url: String,
    tamper: Arc<Mutex<Tamper>>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    async fn before(server: &ServerHandle) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let honest = server.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let tamper: Arc<Mutex<Tamper>> = Arc::new(Mutex::new(Box::new(|_, _| {})));
        let commands = Arc::new(Mutex::new(Vec::new()));
        let (shared, log) = (tamper.clone(), commands.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (honest, tamper, log) = (honest.clone(), shared.clone(), log.clone());
                tokio::spawn(async move { relay(stream, &honest, &tamper, &log).await });
            }
        });
        Self { url, tamper, commands }
    }

    /// From now on each result of a command goes through this.
    fn change(&self, tamper: impl FnMut(&Value, &mut Value) + Send + 'static) {
        *self.tamper.lock().unwrap() = Box::new(tamper);
    }

    /// From now on the results of one command do.
    fn change_result(
        &self,
        name: &'static str,
        mut tamper: impl FnMut(&mut Value) + Send + 'static,
    ) {
        self.change(move |command, result| {
            if command["a"] == name {
                tamper(result);
            }
        });
    }

    fn client(&self) -> Client {
        let builder = Client::builder().api_url(&self.url);
        builder.timeout(std::time::Duration::from_millis(300)).build().unwrap()
    }

    async fn login(&self) -> Result<Session, Error> {
        self.client().login(EMAIL, PASSWORD).await
    }

    /// What the client has sent.
    fn sent(&self) -> Vec<String> {
        std::mem::take(&mut self.commands.lock().unwrap())
    }
}

/// One request and its answer, then the connection ends.
async fn relay(
    mut stream: TcpStream,
    honest: &str,
    tamper: &Mutex<Tamper>,
    log: &Mutex<Vec<String>>,
) -> Option<()> {
    let (head, body) = read_message(&mut stream).await?;
    let line = head.lines().next()?;
    let mut server = TcpStream::connect(honest).await.ok()?;
    let request = format!(
        "{line}\r\nHost: {honest}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    server.write_all(request.as_bytes()).await.ok()?;
    server.write_all(&body).await.ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.ok()?;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut results: Value = serde_json::from_slice(&answer[end + 4..]).ok()?;
    let commands: Value = serde_json::from_slice(&body).ok()?;
    if let Value::Array(results) = &mut results {
        for (command, result) in commands.as_array()?.iter().zip(results) {
            log.lock().unwrap().push(command["a"].as_str()?.to_owned());
            (tamper.lock().unwrap())(command, result);
        }
    }
    let body = results.to_string();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await.ok()?;
    stream.write_all(body.as_bytes()).await.ok()
}

async fn read_message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let mut body = bytes.split_off(end + 4);
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
            let missing = length.1.trim().parse::<usize>().ok()?.checked_sub(body.len())?;
            let start = body.len();
            body.resize(start + missing, 0);
            stream.read_exact(&mut body[start..]).await.ok()?;
            return Some((head, body));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Changes base64url text as bytes.
fn change_bytes(text: &mut Value, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = base64::decode(text.as_str().unwrap()).unwrap();
    change(&mut bytes);
    *text = json!(base64::encode(&bytes));
}

fn is_invalid_keys(error: &Error) -> bool {
    matches!(error, Error::Authentication(AuthenticationError::InvalidKeys))
}

/// The nodes of an `f`.
fn nodes(result: &mut Value) -> Vec<&mut Value> {
    result["f"].as_array_mut().unwrap().iter_mut().collect()
}

#[tokio::test]
async fn a_forged_private_key_tells_the_server_nothing() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    let changes: [(&str, Change); 6] = [
        ("u changed", |key| {
            let last = key.len() - 40;
            key[last] ^= 1;
        }),
        ("p changed", |key| key[20] ^= 1),
        ("d changed", |key| key[400] ^= 1),
        ("cut short", |key| key.truncate(320)),
        ("a block of another ciphertext in u", |key| {
            let (from, to) = (32, key.len() - 64);
            key.copy_within(from..from + 16, to);
        }),
        ("longer", |key| key.extend([0; 32])),
    ];
    for (what, change) in changes {
        hostile.change_result("us", move |result| change_bytes(&mut result["privk"], change));
        let error = hostile.login().await.unwrap_err();
        assert!(is_invalid_keys(&error), "{what}: {error}");
        assert_eq!(hostile.sent(), ["us0", "us"], "{what}: nothing follows");
    }
}

#[tokio::test]
async fn a_chosen_session_id_is_not_handed_over() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    let stranger = SessionId::generate(UserHandle::from_bytes([7; 8])).unwrap();
    let public = rsa().public_key();
    let foreign = public.encrypt(stranger.as_bytes()).unwrap();
    let random = public.encrypt(&[0x55; 43]).unwrap();
    let with_tail = [&foreign[..], &[0; 4]].concat();
    let large = [&[8, 0][..], &[0xff; 256]].concat();
    for (what, csid) in [
        ("another user's", foreign),
        ("no session id", random),
        ("more than one number", with_tail),
        ("larger than the modulus", large),
        ("zero", vec![0, 0]),
        ("nothing", Vec::new()),
    ] {
        let text = base64::encode(&csid);
        hostile.change_result("us", move |result| result["csid"] = json!(text));
        let error = hostile.login().await.unwrap_err();
        assert!(is_invalid_keys(&error), "{what}: {error}");
        assert_eq!(hostile.sent(), ["us0", "us"], "{what}: nothing follows");
    }
}

#[tokio::test]
async fn another_public_key_or_user_is_noticed() {
    let server = server().await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("ug", |result| change_bytes(&mut result["pubk"], |key| key[100] ^= 1));
    assert!(is_invalid_keys(&hostile.login().await.unwrap_err()));
    hostile.change_result("ug", |result| result["u"] = json!("AAAAAAAAAAA"));
    assert!(is_invalid_keys(&hostile.login().await.unwrap_err()));
}

#[tokio::test]
async fn share_keys_of_the_server_count_for_nothing_beside_the_container() {
    let server = server().await;
    let owner = session(&server).await;
    let folder = owner.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    let link = owner.make_link(&folder).await.unwrap();
    let hostile = Hostile::before(&server).await;
    let mine = json!([{
        "h": folder.handle().to_string(), "ha": base64::encode(&[1; 16]), "k": base64::encode(&[2; 16]),
    }]);
    hostile.change_result("f", move |result| {
        result["ok0"] = mine.clone();
        result["ok"] = mine.clone();
    });
    let victim = hostile.login().await.unwrap();
    put(&victim, &at(&victim, "/shared").await, "file", 100).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(crate::world::read(&reader, "/file").await, content(100));
    // Nor does a key that comes back with a new share.
    hostile.change_result("s2", |result| {
        let reply = if result.is_array() { &mut result[1] } else { result };
        reply["ok"] = json!(base64::encode(&[3; 16]));
    });
    let other = victim.make_folder(&"/other".parse().unwrap()).await.unwrap();
    let error = victim.make_link(&other).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
}

#[tokio::test]
async fn substituted_node_keys_open_nothing() {
    let server = server().await;
    let owner = session(&server).await;
    let root = owner.tree().await.unwrap().root().unwrap();
    put(&owner, &root, "one", 100).await;
    put(&owner, &root, "two", 100).await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("f", |result| {
        let mut files: Vec<_> = nodes(result).into_iter().filter(|node| node["t"] == 0).collect();
        let (one, two) = files.split_at_mut(1);
        std::mem::swap(&mut one[0]["k"], &mut two[0]["k"]);
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let files = tree.children(&tree.root().unwrap());
    assert_eq!(files.len(), 2);
    for file in files {
        assert!(file.problem().is_some() && file.name().is_none());
        assert!(victim.download(&file).is_err());
    }
}

#[tokio::test]
async fn keys_of_equal_halves_are_refused() {
    let server = server().await;
    let owner = session(&server).await;
    put(&owner, &owner.tree().await.unwrap().root().unwrap(), "one", 100).await;
    let hostile = Hostile::before(&server).await;
    hostile.change_result("f", |result| {
        for node in nodes(result).into_iter().filter(|node| node["t"] == 0) {
            let text = node["k"].as_str().unwrap().to_owned();
            let (user, key) = text.split_once(':').unwrap();
            let key = base64::decode(key).unwrap();
            let same = base64::encode(&[&key[..16], &key[..16]].concat());
            node["k"] = json!(format!("{user}:{same}"));
        }
    });
    let victim = hostile.login().await.unwrap();
    let tree = victim.tree().await.unwrap();
    let file = &tree.children(&tree.root().unwrap())[0];
    assert_eq!(file.problem(), Some(supermega::tree::Problem::BadKey));
}

#[tokio::test]
async fn changed_attributes_give_no_other_name() {
    let server = server().await;
    let owner = session(&server).await;
    owner.make_folder(&"/named".parse().unwrap()).await.unwrap();
    let hostile = Hostile::before(&server).await;
    for place in [0, 5, 15, 16, 20] {
        hostile.change_result("f", move |result| {
            for node in nodes(result).into_iter().filter(|node| node["t"] == 1) {
                change_bytes(&mut node["a"], |a| a[place] ^= 4);
            }
        });
        let tree = hostile.login().await.unwrap().tree().await.unwrap();
        let folder = &tree.children(&tree.root().unwrap())[0];
        assert!(folder.problem().is_some(), "{place}: {:?}", folder.name());
    }
}

#[tokio::test]
async fn an_older_container_in_answer_to_a_clash_stops_all_writing() {
    let server = server().await;
    let owner = session(&server).await;
    let first = owner.make_folder(&"/first".parse().unwrap()).await.unwrap();
    let old = Arc::new(Mutex::new(Value::Null));
    owner.make_link(&first).await.unwrap();
    let hostile = Hostile::before(&server).await;
    let kept = old.clone();
    hostile.change_result("ug", move |result| *kept.lock().unwrap() = result["^!keys"].clone());
    hostile.login().await.unwrap();
    let second = owner.make_folder(&"/second".parse().unwrap()).await.unwrap();
    owner.make_link(&second).await.unwrap();
    hostile.change(|_, _| {});
    let victim = hostile.login().await.unwrap();
    let third = victim.make_folder(&"/third".parse().unwrap()).await.unwrap();
    hostile.change(move |command, result| match command["a"].as_str() {
        Some("upv") => *result = json!(-8),
        Some("uga") if command["ua"] == "^!keys" => *result = old.lock().unwrap().clone(),
        _ => {}
    });
    let error = victim.make_link(&third).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    hostile.sent();
    hostile.change(|_, _| {});
    let error = victim.make_link(&third).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"upv".to_owned()), "it writes no more");
}

#[tokio::test]
async fn swapped_public_keys_get_no_share_key() {
    let server = server_of_two().await;
    let (me, _you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    me.make_link(&folder).await.unwrap();
    let hostile = Hostile::before(&server).await;
    // A key of the server's own, under the honest signature.
    let own = AgreementKey::generate().unwrap().public().0;
    hostile.change(move |command, result| {
        if command["a"] == "uga" && command["ua"] == "+puCu255" {
            result["av"] = json!(base64::encode(&own));
        }
    });
    let victim = hostile.login().await.unwrap();
    let folder = at(&victim, "/shared").await;
    let error = victim.share(&folder, OTHER, Access::Read).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"pk".to_owned()), "no key was handed over");
    // A sound set of keys of the server's own, after the honest one was seen.
    hostile.change(|_, _| {});
    victim.share(&folder, OTHER, Access::Read).await.unwrap();
    let (seed, agreement) = (SigningSeed::generate().unwrap(), AgreementKey::generate().unwrap());
    hostile.change(move |command, result| {
        let public = agreement.public().0;
        let value = match command["ua"].as_str() {
            Some("+puEd255") => base64::encode(&seed.public().0),
            Some("+puCu255") => base64::encode(&public),
            Some("+sigCu255") => base64::encode(&seed.sign(1, &public)),
            _ => return,
        };
        result["av"] = json!(value);
    });
    hostile.sent();
    let error = victim.share(&folder, OTHER, Access::Full).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!hostile.sent().contains(&"pk".to_owned()));
}

#[tokio::test]
async fn a_share_key_from_nowhere_replaces_none() {
    let server = server_of_two().await;
    let (me, you) = contacts(&server).await;
    let folder = me.make_folder(&"/shared".parse().unwrap()).await.unwrap();
    put(&me, &folder, "one", 100).await;
    me.share(&folder, OTHER, Access::Write).await.unwrap();
    let own = you.make_folder(&"/own".parse().unwrap()).await.unwrap();
    let link = you.make_link(&own).await.unwrap();
    you.refresh().await.unwrap();
    assert!(you.complete_shares().await.unwrap());

    let hostile = Hostile::before(&server).await;
    let victim = hostile.client().login(OTHER, OTHER_PASSWORD).await.unwrap();
    let sharer = me.account().unwrap().user.to_string();
    let forged = base64::encode(ShareKey::generate().unwrap().as_bytes());
    let folders = [folder.handle().to_string(), own.handle().to_string()];
    hostile.change(move |command, result| {
        if command["a"] == "pk" && command.get("d").is_none() && command.get("u").is_none() {
            let keys: serde_json::Map<_, _> =
                folders.iter().map(|folder| (folder.clone(), json!(forged))).collect();
            *result = json!({ (sharer.clone()): keys, "d": "1" });
        } else if command["a"] == "pk" {
            *result = json!(0);
        }
    });
    assert!(!victim.complete_shares().await.unwrap());
    victim.refresh().await.unwrap();
    assert_eq!(crate::world::read(&victim, "//in/me@example.org/shared/one").await, content(100));
    put(&victim, &at(&victim, "/own").await, "two", 200).await;
    let reader = client(&server).open_folder(&link).await.unwrap();
    assert_eq!(crate::world::read(&reader, "/two").await, content(200));
}

#[tokio::test]
async fn content_that_was_changed_on_the_way_is_not_kept() {
    let server = server().await;
    let owner = session(&server).await;
    put(&owner, &owner.tree().await.unwrap().root().unwrap(), "one", 100_000).await;
    server.add_fault("download:flip@77777".parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let target = dir.path().join("copy");
    let download = owner.download(&at(&owner, "/one").await).unwrap();
    let error = download.to_path(&target).await.unwrap_err();
    assert!(matches!(error, Error::Integrity { .. }), "{error}");
    assert!(!target.exists());
}
