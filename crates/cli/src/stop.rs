//! How the command is told to stop: from the keyboard, or by whoever manages processes.

/// Listens for requests to stop, from when it is made.
#[derive(Debug)]
pub struct Stop(Signals);

#[cfg(unix)]
type Signals = [tokio::signal::unix::Signal; 2];

#[cfg(windows)]
type Signals = tokio::signal::windows::CtrlC;

#[cfg(unix)]
impl Stop {
    /// Begins to listen.
    pub fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]))
    }

    /// Returns at the next request.
    pub async fn requested(&mut self) {
        let [interrupt, terminate] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
impl Stop {
    /// Begins to listen.
    pub fn listen() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    /// Returns at the next request.
    pub async fn requested(&mut self) {
        self.0.recv().await;
    }
}
