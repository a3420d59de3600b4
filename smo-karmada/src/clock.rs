//! The machine's time, for hosts that run on tokio.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use smo_core::backend::{Clock, Timer};

/// The time of the machine; waits in tokio's way.
///
/// ```
/// use smo_core::backend::Clock;
/// assert!(smo_karmada::SystemTime.now() > jiff::Timestamp::UNIX_EPOCH);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SystemTime;

impl Clock for SystemTime {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

#[async_trait]
impl Timer for SystemTime {
    async fn wait(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
