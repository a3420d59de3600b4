//! Workloads first: what a first install writes last waits until its workload runs.
//!
//! Karmada's controllers make 40 calls a second (its default), some fifteen for each object, one after the other. When
//! a graph is installed, the objects of its services stand in one queue, and pods start when the queue is done; the news
//! that they run stands in that queue too. A Service, an export or an import is of no use before there are pods, so they
//! are written when the workloads that are being installed now run, or when that takes too long.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize as _;

use crate::backend::{BINDINGS, KarmadaFleet};
use crate::objects::ObjectRef;
use crate::status::Binding;

/// How long the rest of a release is held back at most.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(150);

/// An install that is under way.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    all: &'a AtomicUsize,
    has_arrived: AtomicBool,
}

impl<'a> Starting<'a> {
    pub(crate) fn new(all: &'a AtomicUsize) -> Self {
        all.fetch_add(1, Ordering::SeqCst);
        Self {
            all,
            has_arrived: AtomicBool::new(false),
        }
    }

    fn others(&self) -> usize {
        let own = usize::from(!self.has_arrived.load(Ordering::SeqCst));
        self.all.load(Ordering::SeqCst).saturating_sub(own)
    }

    fn arrive(&self) {
        if !self.has_arrived.swap(true, Ordering::SeqCst) {
            self.all.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Starting<'_> {
    fn drop(&mut self) {
        self.arrive();
    }
}

impl KarmadaFleet {
    /// Returns when the workload runs, and so do those of the other installs, or after a while. At once when there are no
    /// others.
    pub(crate) async fn starts(&self, starting: &Starting<'_>, workload: &ObjectRef) {
        if starting.others() == 0 {
            return;
        }
        let all = async {
            while !self.is_up(workload).await {
                tokio::time::sleep(PAUSE).await;
            }
            starting.arrive();
            while starting.others() > 0 {
                tokio::time::sleep(PAUSE).await;
            }
        };
        // Whether it is well, `observe` says.
        let _late = tokio::time::timeout(PATIENCE, all).await;
    }

    /// True when it runs in every cluster that its binding names, or when nobody can say.
    async fn is_up(&self, workload: &ObjectRef) -> bool {
        let Some(namespace) = &workload.namespace else {
            return true;
        };
        let path = format!("/apis/work.karmada.io/v1alpha2/namespaces/{namespace}/{BINDINGS}");
        match self.client.find(&path, &workload.binding_name()).await {
            Ok(Some(found)) => Binding::deserialize(&found).map_or(true, |binding| binding.is_up()),
            Ok(None) => false,
            Err(_) => true,
        }
    }
}
