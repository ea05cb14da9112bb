//! One's own account: `ug`, `uq`, `up` (`protocol-api.md` 2.4).

use std::collections::BTreeMap;

use supermega_encoding::{Base64, UserHandle};
use supermega_protocol::account::{
    FetchQuota, FetchUser, Quota, UpdateUser, UpgradeAccount, UserData,
};
use supermega_protocol::tree::NodeType;
use supermega_protocol::user_attribute::{AttributeName, NewVersions};
use supermega_protocol::wire::Done;
use supermega_protocol::{ErrorCode, Timestamp, is_set};

use super::call::{ApiError, Call, Handle};
use super::{password, second_factor, user_attribute};
use crate::store::{attributes, nodes, shares, users};

impl Handle for FetchUser {
    fn handle(self, call: &mut Call<'_>) -> Result<UserData, ApiError> {
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        let mut data = UserData::new(user.handle);
        let confirmed = i64::from(user.email.is_some());
        data.s = Some(confirmed);
        data.c = Some(confirmed);
        data.name = user.name.or_else(|| user.email.clone()).or_else(|| Some(String::new()));
        data.email = Some(user.email.unwrap_or_default());
        data.k = Some(Base64(user.k));
        data.pubk = user.pubk.map(Base64);
        data.privk = user.privk.map(Base64);
        // Two strict readers want text here (`protocol-api.md` 2.4).
        data.ts = Some(user.created.to_string());
        data.since = Some(Timestamp(user.created));
        data.aav = Some(user.version);
        data.aas = user.salt.map(Base64);
        data.flags = Some(BTreeMap::from([("nlfe".into(), 1.into()), ("mfae".into(), 1.into())]));
        for (name, attribute) in attributes::all(call.db, user.handle)? {
            if let Some(name) = AttributeName::new(&name) {
                data.attributes.insert(name, attribute.into_wire(is_set(self.v)));
            }
        }
        Ok(data)
    }
}

impl Handle for FetchQuota {
    fn handle(self, call: &mut Call<'_>) -> Result<Quota, ApiError> {
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        let mut by_root = BTreeMap::new();
        let mut used = 0;
        for kind in [NodeType::Root, NodeType::Vault, NodeType::Trash] {
            let root = nodes::root(call.db, user.handle, kind)?.handle;
            let usage = nodes::usage(call.db, root)?;
            used += usage.bytes + usage.version_bytes;
            by_root.insert(root, usage.counts());
        }
        for shared in shares::incoming(call.db, user.handle)?.into_keys() {
            by_root.insert(shared, nodes::usage(call.db, shared)?.counts());
        }
        let state = match (used, user.quota) {
            (used, quota) if used >= quota => 2,
            (used, quota) if used >= quota / 10 * 9 => 1,
            _ => 0,
        };
        Ok(Quota {
            mstrg: Some(user.quota),
            cstrg: Some(used),
            cstrgn: Some(by_root),
            uslw: Some(9000),
            usl: Some(state),
            mxfer: Some(u64::MAX >> 12),
            caxfer: Some(0),
            csxfer: Some(0),
            bt: Some(0),
            tah: Some(vec![0; 6]),
            srvratio: Some(0.0),
            utype: Some(0),
            balance: Some(serde_json::json!([])),
            subs: Some(Vec::new()),
            plans: Some(Vec::new()),
            features: Some(Vec::new()),
            ..Quota::default()
        })
    }
}

impl Handle for UpdateUser {
    fn handle(self, call: &mut Call<'_>) -> Result<UserHandle, ApiError> {
        if let (Some(k), Some(ts)) = (&self.k, &self.ts) {
            if k.as_bytes().len() != 16 || ts.as_bytes().len() != 32 {
                return Err(ErrorCode::Arguments.into());
            }
            let (k, ts) = (k.as_bytes(), ts.as_bytes());
            return Ok(users::insert_ephemeral(call.db, k, ts, call.state.config.quota)?);
        }
        let user = call.user()?;
        if let (Some(privk), Some(pubk)) = (&self.privk, &self.pubk) {
            supermega_crypto::PublicKey::parse(pubk.as_bytes())
                .map_err(|_| ErrorCode::Arguments)?;
            if !users::set_rsa(call.db, user, privk.as_bytes(), pubk.as_bytes())? {
                return Err(ErrorCode::Exists.into());
            }
        }
        if let (Some(k), Some(proof)) = (&self.k, &self.uh) {
            second_factor::demand(call, user, self.mfa.as_deref())?;
            password::set(call, user, &password::read(k, proof, self.crv.as_ref())?)?;
        }
        if let Some(name) = &self.name {
            users::set_name(call.db, user, name)?;
        }
        let named =
            [("firstname", &self.firstname), ("lastname", &self.lastname), ("name2", &self.name2)];
        let mut versions = NewVersions::new();
        for (name, value) in named {
            if let (Some(value), Some(name)) = (value, AttributeName::new(name)) {
                let version = user_attribute::set(call, user, &name, value)?;
                versions.insert(name, version);
            }
        }
        user_attribute::tell(call, user, &versions)?;
        Ok(user)
    }
}

impl Handle for UpgradeAccount {
    fn handle(self, call: &mut Call<'_>) -> Result<Done, ApiError> {
        let user = users::by_handle(call.db, call.user()?)?.ok_or(ErrorCode::Session)?;
        if user.version != 1 {
            return Err(ErrorCode::Exists.into());
        }
        let new = password::read(&self.emk, &self.hak, Some(&self.crv))?;
        password::set(call, user.handle, &new)?;
        Ok(Done)
    }
}
