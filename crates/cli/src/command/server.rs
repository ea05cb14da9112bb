//! `server`: a local server that speaks MEGA.

use std::time::Duration;

use serde_json::json;
use supermega_server::{KdfVersion, ServerHandle};

use super::server_order;
use crate::arguments::{Kdf, Server};
use crate::context::Context;
use crate::error::{CommandError, Result};
use crate::exit_code::Exit;
use crate::stop::Stop;

/// Serves until it is told to stop.
pub async fn run(arguments: Server, context: &Context) -> Result<Exit> {
    if let Some(order) = arguments.order {
        return server_order::run(order, context).await;
    }
    let mut builder = supermega_server::Server::builder().listen(arguments.listen);
    if let Some(address) = arguments.tls_listen {
        builder = builder.tls_listen(address);
    }
    for name in arguments.tls_names {
        builder = builder.tls_name(name);
    }
    builder = match arguments.data {
        Some(folder) => builder.data_dir(folder),
        None => builder.in_memory(),
    };
    let kdf = version(arguments.kdf);
    for user in &arguments.users {
        let Some((email, password)) = user.split_once(':') else {
            return Err(CommandError::Usage("a user reads EMAIL:PASSWORD".into()));
        };
        builder = builder.user_with(email, password, kdf);
    }
    builder = builder.fault_seed(arguments.fault_seed);
    for fault in arguments.faults.into_iter().flat_map(|faults| faults.0) {
        builder = builder.fault(fault);
    }
    if let Some(quota) = arguments.quota {
        builder = builder.quota(quota);
    }
    if let Some(seconds) = arguments.url_lifetime {
        builder = builder.url_lifetime(Duration::from_secs(seconds));
    }
    builder = builder.cloudraid(arguments.cloudraid);
    // Before others learn that there is a server, so that they can end it.
    let mut stop = Stop::listen()?;
    let server: ServerHandle = builder.spawn().await?;
    for url in [Some(server.url()), server.tls_url()].into_iter().flatten() {
        let event = || json!({ "type": "listening", "url": url });
        context.output.data(&format!("listening {url}"), event)?;
    }
    if let Some(file) = server.ca_file() {
        context.output.note(&format!("clients that use TLS must trust {}", file.display()));
    }
    let token = server.admin_token_file();
    context.output.note(&format!("the token for {}admin/ is in {}", server.url(), token.display()));
    stop.requested().await;
    server.shutdown().await;
    Ok(Exit::Done)
}

/// Key derivation as the server knows it.
pub fn version(kdf: Kdf) -> KdfVersion {
    match kdf {
        Kdf::V1 => KdfVersion::V1,
        Kdf::V2 => KdfVersion::V2,
    }
}
