//! Word that something has changed, so that a host need not ask in a loop.

use futures::{Stream, StreamExt, stream};
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use kube::core::PartialObjectMeta;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Event};

use crate::backend::KarmadaFleet;

/// What may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// A cluster: its readiness or what it offers.
    Clusters,
    /// A binding: where something runs, and how it does.
    Releases,
}

impl KarmadaFleet {
    /// Says when clusters or bindings may have changed; observe then. It never ends.
    ///
    /// The first word of each kind comes at once. A watch that breaks is begun again with growing pauses, and then says
    /// that something may have changed, since nobody saw what happened meanwhile. Changes of other people's bindings
    /// are told too. Needs the verbs `list` and `watch`.
    pub fn changes(&self) -> impl Stream<Item = Change> + Send + use<> {
        let clusters = self.touched("cluster.karmada.io", "v1alpha1", "Cluster", Change::Clusters);
        let releases = self.touched("work.karmada.io", "v1alpha2", "ResourceBinding", Change::Releases);
        stream::select(clusters, releases)
    }

    fn touched(
        &self,
        group: &str,
        version: &str,
        kind: &str,
        change: Change,
    ) -> impl Stream<Item = Change> + Send + use<> {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        let api: Api<PartialObjectMeta<DynamicObject>> = Api::all_with(self.client.kube().clone(), &resource);
        let events = watcher::watcher(api, watcher::Config::default()).default_backoff();
        let told = events.filter_map(move |event| {
            let told = match event {
                Ok(Event::Apply(_) | Event::Delete(_) | Event::InitDone) => Some(change),
                Ok(Event::Init | Event::InitApply(_)) | Err(_) => None,
            };
            std::future::ready(told)
        });
        told.boxed()
    }
}
