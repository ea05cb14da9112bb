//! Orders: users, trees, faults, a new beginning.

use serde::Deserialize;
use serde_json::{Value, json};
use supermega_crypto::KdfVersion;
use supermega_encoding::PublicHandle;
use zeroize::Zeroizing;

use crate::api;
use crate::builder::{NewUser, add_user};
use crate::error::ServerError;
use crate::fault::Fault;
use crate::generate::{GeneratedFile, GeneratedTree, generate, generate_file};
use crate::hold::HoldPoint;
use crate::state::State;
use crate::store::{self, outbox};

/// Why an order was not carried out.
pub(super) struct Problem {
    pub status: u16,
    pub text: String,
}

impl From<serde_json::Error> for Problem {
    fn from(error: serde_json::Error) -> Self {
        Self { status: 400, text: error.to_string() }
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        let status = match error {
            ServerError::UserExists(_) => 409,
            ServerError::WrongPassword(_) => 403,
            _ => 500,
        };
        Self { status, text: error.to_string() }
    }
}

/// `POST users`: makes an account.
pub(super) fn user(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        email: String,
        password: Zeroizing<String>,
        #[serde(default)]
        kdf: Kdf,
        quota: Option<u64>,
        #[serde(default)]
        mfa: bool,
    }
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kdf {
        V1,
        #[default]
        V2,
    }
    let order: Order = serde_json::from_slice(body)?;
    let kdf = match order.kdf {
        Kdf::V1 => KdfVersion::V1,
        Kdf::V2 => KdfVersion::V2,
    };
    let user = NewUser::new(&order.email, order.password, kdf);
    let user = NewUser { quota: order.quota, second_factor: order.mfa, ..user };
    Ok(match add_user(state, &user)? {
        Some(secret) => json!({ "totp": secret.to_text().as_str() }),
        None => json!({}),
    })
}

/// `POST generate`: makes a tree.
pub(super) fn generate_tree(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        email: String,
        password: Zeroizing<String>,
        nodes: u32,
        #[serde(default = "fifty")]
        per_folder: u32,
        #[serde(default)]
        link: bool,
    }
    fn fifty() -> u32 {
        50
    }
    let Order { email, password, nodes, per_folder, link } = serde_json::from_slice(body)?;
    let made = generate(state, &GeneratedTree { email, password, nodes, per_folder, link })?;
    Ok(json!({ "folder": made.folder.to_string(), "link": made.link.as_ref().map(|l| l.as_str()) }))
}

/// `POST generate-file`: makes a file of any size.
pub(super) fn generate_big_file(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        email: String,
        password: Zeroizing<String>,
        name: String,
        size: u64,
        #[serde(default)]
        with_mac: bool,
    }
    let Order { email, password, name, size, with_mac } = serde_json::from_slice(body)?;
    let file = GeneratedFile { email, password, name, size, with_mac };
    Ok(json!({ "node": generate_file(state, &file)?.to_string() }))
}

/// `POST faults`: misbehaves from now on.
pub(super) fn fault(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        fault: String,
    }
    let order: Order = serde_json::from_slice(body)?;
    let fault: Fault =
        order.fault.parse().map_err(|error| Problem { status: 400, text: format!("{error}") })?;
    state.faults.add(fault);
    Ok(json!({}))
}

/// `POST holds`: holds requests at a point.
pub(super) fn hold(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        at: String,
    }
    let order: Order = serde_json::from_slice(body)?;
    let point: HoldPoint =
        order.at.parse().map_err(|error| Problem { status: 400, text: format!("{error}") })?;
    Ok(json!({ "hold": state.holds.add(point).id }))
}

/// `DELETE outbox`: forgets the mails.
pub(super) fn clear_outbox(state: &State) -> Result<Value, Problem> {
    state.store.write(|tx| outbox::clear(tx).map_err(ServerError::from))?;
    Ok(json!({}))
}

/// `POST takedown`: takes a public link down, or lets it up again.
pub(super) fn take_down(state: &State, body: &[u8]) -> Result<Value, Problem> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        link: PublicHandle,
        #[serde(default = "yes")]
        down: bool,
    }
    fn yes() -> bool {
        true
    }
    let Order { link, down } = serde_json::from_slice(body)?;
    if api::take_down(state, link, down)? {
        return Ok(json!({}));
    }
    Err(Problem { status: 404, text: "there is no such link".into() })
}

/// `POST reset`: ends sessions and removes what users stored; their accounts stay, and their roots.
pub(super) fn reset(state: &State) -> Result<Value, Problem> {
    let unused = state.store.write(|tx| store::reset(tx).map_err(ServerError::from))?;
    state.uploads.forget_all();
    state.remove_blobs(&unused);
    state.faults.clear();
    state.holds.release_all();
    state.log.clear();
    state.announce();
    Ok(json!({}))
}
