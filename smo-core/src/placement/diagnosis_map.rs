//! A diagnosis as a picture: what keeps each service off each cluster.

use super::diagnosis::Diagnosis;
use super::explanation::Reason;
use super::map::{Cell, Map, Shade};
use crate::id::ClusterName;

impl Diagnosis {
    /// A map of the services that fit nowhere and the clusters, with the rule in the way; shortages, conflicts and what to try are below it.
    /// Self-contained, without scripts.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let mut clusters: Vec<&ClusterName> = Vec::new();
        for cluster in self.services.values().flat_map(|service| service.reasons.keys()) {
            if !clusters.contains(&cluster) {
                clusters.push(cluster);
            }
        }
        let closed = |reason: &Reason| Cell::new(Shade::Closed, reason.to_string());
        let rows = self.services.iter().map(|(service, diagnosis)| {
            let reasons = clusters.iter().map(|cluster| diagnosis.reasons.get(*cluster));
            let cells = reasons.map(|reason| reason.map(closed)).collect();
            (service.service.to_string(), cells)
        });
        let text = self.to_string();
        let mut lines = text.lines();
        let title = lines.next().unwrap_or_default().to_owned();
        // the map has what the first lines say of single services
        let notes = lines.skip(self.services.len()).map(|line| line.trim().to_owned());
        Map {
            title,
            columns: clusters.iter().map(ToString::to_string).collect(),
            rows: rows.collect(),
            notes: notes.collect(),
        }
        .to_svg()
    }
}
