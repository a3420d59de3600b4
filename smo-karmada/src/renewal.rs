//! Copies that lag behind for good, and what makes Karmada write them anew.
//!
//! Two of Karmada's controllers write a workload into its member, and each holds what it wrote last for current. When
//! two changes come within moments, the content of the first may so be written last, and stays: no event follows that
//! would tell. A change of the template's metadata makes Karmada write the copies again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::backend::KarmadaFleet;
use crate::error::{Failure, KarmadaError};
use crate::inventory::FleetReport;
use crate::record::Record;
use crate::status::{Binding, Bindings, binding_of};

/// How long Karmada may take to bring a change into a member before it is reminded of it.
const PATIENCE: Duration = Duration::from_secs(6);

/// Says for which write of the release the copies of its workload were written again: once is enough.
const RENEWED: &str = "smo/renewed";

/// When a record was written last, by the API server's own clock; `None` while Karmada may still be on its way.
fn written_long_ago(secret: &Value, now: Timestamp) -> Option<Timestamp> {
    let managed = secret.pointer("/metadata/managedFields")?.as_array()?;
    let times = managed.iter().filter_map(|entry| entry.get("time")?.as_str());
    let written: Timestamp = times.filter_map(|time| time.parse().ok()).max()?;
    let due = written.checked_add(PATIENCE).ok()?;
    (due <= now).then_some(written)
}

/// True when a ready member that has accepted the workload does not hold what its binding says, or holds an earlier
/// content: another number of pods than its share, or the template of a generation before our last write.
fn lags(record: &Record, binding: &Binding, fleet: &FleetReport) -> bool {
    record.is_divided()
        && binding.spec.clusters.iter().any(|target| {
            let ready = fleet
                .inventory
                .cluster(&target.name)
                .is_some_and(|cluster| cluster.readiness.is_ready());
            let item = binding.item(&target.name).filter(|item| ready && item.applied);
            item.is_some_and(|item| {
                let number = |key: &str| item.status.get(key).and_then(Value::as_i64);
                let older = number("resourceTemplateGeneration").is_some_and(|seen| seen < record.generation);
                let count = number("replicas").unwrap_or(0);
                older || count != i64::from(target.replicas)
            })
        })
}

impl KarmadaFleet {
    /// Has Karmada write the workload of a release into its members again where one lags behind for long; once for each
    /// write of the release.
    pub(crate) async fn renew(
        &self,
        (record, secret): (&Record, &Value),
        bindings: &Bindings,
        fleet: &FleetReport,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let (Some(workload), Some(written)) = (&record.workload, written_long_ago(secret, now)) else {
            return Ok(());
        };
        let lagging = record.complete
            && !record.removed
            && binding_of(bindings, workload).is_some_and(|binding| lags(record, binding, fleet));
        if !lagging {
            return Ok(());
        }
        let mark = json!({"metadata": {"annotations": {RENEWED: written.to_string()}}});
        match self.amend(workload, &mark).await {
            // It went away, or changes right now, which renews it as well.
            Ok(_) | Err(KarmadaError::NotFound(_) | KarmadaError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::ObjectRef;
    use crate::status::read_bindings;
    use crate::status::tests::{fleet, record};
    use rstest::rstest;

    #[rstest]
    #[case::done(2, 2, true, false)]
    #[case::earlier_content(2, 1, true, true)]
    #[case::earlier_template_of_the_same_count(1, 2, true, true)]
    #[case::not_taken(1, 1, false, false)]
    fn a_member_with_an_earlier_content_lags(
        #[case] generation: i64,
        #[case] replicas: u32,
        #[case] applied: bool,
        #[case] expected: bool,
    ) {
        let mut record = record(&[("m1", 2)]);
        let binding = json!({"metadata": {"name": "web-deployment", "namespace": "proj"},
            "spec": {"replicas": 2, "clusters": [{"name": "m1", "replicas": 2}]},
            "status": {"aggregatedStatus": [{"clusterName": "m1", "applied": applied,
                "status": {"resourceTemplateGeneration": generation, "replicas": replicas}}]}});
        let bindings = read_bindings(&[binding]);
        let binding = bindings.values().next().unwrap();
        assert_eq!(lags(&record, binding, &fleet(&[("m1", "True")])), expected);
        let dead = fleet(&[("m1", "False")]);
        assert!(!lags(&record, binding, &dead), "what it reports is old");
        record.workload = Some(ObjectRef::namespaced("apps/v1", "DaemonSet", "proj", "web"));
        let alive = fleet(&[("m1", "True")]);
        assert!(!lags(&record, binding, &alive), "nobody counts its replicas");
    }

    #[test]
    fn patience_is_counted_from_the_last_write() {
        let at = |second: &str| format!("2026-11-29T10:00:{second}Z");
        let written = |times: &[&str], now: &str| {
            let entry = |time: &&str| json!({"manager": "smo", "time": at(time)});
            let entries: Vec<Value> = times.iter().map(entry).collect();
            let secret = json!({"metadata": {"managedFields": entries}});
            written_long_ago(&secret, at(now).parse().unwrap())
        };
        assert_eq!(written(&["03", "01"], "08"), None);
        assert_eq!(written(&["03", "01"], "09"), at("03").parse().ok());
        assert_eq!(written(&[], "09"), None);
        let nobody = json!({"metadata": {}});
        assert_eq!(written_long_ago(&nobody, Timestamp::MAX), None);
    }
}
