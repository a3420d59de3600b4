//! Dashboards in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Journal, Scripted, lock};
use crate::backend::{BackendError, DashboardBackend, ErrorKind};
use crate::plan::Dashboard;

/// Dashboards in memory. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct InMemoryDashboards(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    dashboards: Mutex<BTreeMap<String, Dashboard>>,
}

impl InMemoryDashboards {
    /// No dashboards.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The dashboard of a uid, as it was written.
    #[must_use]
    pub fn dashboard(&self, uid: &str) -> Option<Dashboard> {
        lock(&self.0.dashboards).get(uid).cloned()
    }
}

impl Scripted for InMemoryDashboards {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl DashboardBackend for InMemoryDashboards {
    async fn write(&self, dashboard: &Dashboard) -> Result<(), BackendError> {
        let uid = &dashboard.uid;
        self.0.journal.enter("write", uid)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=40).contains(&uid.len()) || !uid.bytes().all(allowed) {
            let why = "a uid is 1 to 40 letters, digits, `-` and `_`";
            return Err(BackendError::new(
                ErrorKind::Invalid,
                format!("write dashboard {uid}"),
                why,
            ));
        }
        lock(&self.0.dashboards).insert(uid.clone(), dashboard.clone());
        self.0.journal.leave("write", uid)
    }

    async fn remove(&self, uid: &str) -> Result<(), BackendError> {
        self.0.journal.enter("remove", uid)?;
        lock(&self.0.dashboards).remove(uid);
        self.0.journal.leave("remove", uid)
    }

    async fn list(&self) -> Result<BTreeMap<String, String>, BackendError> {
        self.0.journal.enter("list", "")?;
        let dashboards = lock(&self.0.dashboards);
        Ok(dashboards
            .iter()
            .map(|(uid, dashboard)| (uid.clone(), dashboard.fingerprint()))
            .collect())
    }
}
