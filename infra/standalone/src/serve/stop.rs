//! When the process is told to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Trouble, trouble};

/// SIGINT and SIGTERM. From when this is made on, they don't end the process by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Takes the signals over.
    pub(crate) fn take() -> Result<Self, Trouble> {
        let doing = "signals can't be listened for";
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(trouble(doing))?,
            terminate: signal(SignalKind::terminate()).map_err(trouble(doing))?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
