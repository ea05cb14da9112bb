//! Follows the events of an account, or of a folder link.

use serde_json::{Value, json};

use crate::http::post;
use crate::world::Account;

/// Follows the events of an account, or of a folder link.
pub struct Follower {
    pub account: Account,
    pub sn: String,
}

impl Follower {
    pub async fn of(account: &Account) -> Self {
        let tree = account.v3(json!({ "a": "f", "c": 1 })).await;
        Self { account: account.clone(), sn: tree["sn"].as_str().unwrap().to_owned() }
    }

    pub async fn poll(&self, url: &str) -> String {
        let answer = post(&format!("{url}?sn={}{}", self.sn, self.account.who), b"").await;
        assert_eq!(answer.status, 200);
        answer.text()
    }

    /// What is there now, or an address to wait at.
    pub async fn now(&mut self) -> Value {
        let reply = self.poll(&format!("{}wsc", self.account.url)).await;
        self.take(&reply)
    }

    pub fn take(&mut self, reply: &str) -> Value {
        let sn = reply.rfind("\"sn\":").unwrap_or_else(|| panic!("{reply}"));
        assert!(reply[sn..].ends_with("\"}"), "sn comes last: {reply}");
        let reply: Value = serde_json::from_str(reply).unwrap();
        reply["sn"].as_str().unwrap().clone_into(&mut self.sn);
        reply
    }

    /// The packets that a command made, with its result.
    pub async fn packets_of(&mut self, command: Value) -> (Value, Vec<Value>) {
        let result = self.account.v3(command).await;
        let reply = self.now().await;
        (result, reply["a"].as_array().unwrap_or_else(|| panic!("{reply}")).clone())
    }
}
