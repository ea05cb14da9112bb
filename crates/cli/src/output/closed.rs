//! Notices that nobody reads standard output any more, without writing to it.

use super::Output;

impl Output {
    /// Returns when whoever read standard output from a pipe has closed it; never where that cannot be told.
    #[cfg(unix)]
    pub async fn closed() {
        use std::os::fd::AsFd;

        use tokio::io::Interest;
        use tokio::net::unix::pipe::Sender;

        // A checked pipe would not block any more, for whoever else writes to it.
        let out = std::io::stdout().as_fd().try_clone_to_owned();
        // Files cannot be waited for.
        let Ok(out) = out.and_then(Sender::from_owned_fd_unchecked) else {
            return std::future::pending().await;
        };
        if out.ready(Interest::ERROR).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Returns when whoever read standard output from a pipe has closed it; never where that cannot be told.
    #[cfg(not(unix))]
    pub async fn closed() {
        std::future::pending().await
    }
}
