//! A chart installer in memory.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Journal, Scripted, lock};
use crate::backend::{BackendError, ChartBackend, ChartState, ErrorKind, InstalledChart, ReleaseName};
use crate::helm_values::HelmValues;
use crate::id::Project;

/// A chart installer in memory, with the charts it was given and one control plane. Clones share everything.
///
/// Two releases cannot make the same object (kind, namespace and name), nor one that
/// [`InMemoryCharts::add_foreign_object`] put there: that is a `Conflict`, found before anything is written.
#[derive(Debug, Clone, Default)]
pub struct InMemoryCharts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    journal: Journal,
    world: Mutex<World>,
}

#[derive(Debug, Default)]
struct World {
    charts: BTreeMap<String, Chart>,
    releases: BTreeMap<ReleaseName, Release>,
    foreign: Vec<ObjectKey>,
}

type Template = dyn Fn(&ReleaseName, &HelmValues) -> Result<Vec<Value>, String> + Send + Sync;

#[derive(Clone)]
struct Chart {
    name: String,
    template: Arc<Template>,
}

impl fmt::Debug for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Chart").field(&self.name).finish()
    }
}

#[derive(Debug)]
struct Release {
    /// Oldest first; revision 1 is the first. Never empty.
    revisions: Vec<Revision>,
    state: ChartState,
}

#[derive(Debug, Clone)]
struct Revision {
    chart: String,
    values: HelmValues,
    objects: Vec<Value>,
}

/// Kind, namespace and name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ObjectKey(String, String, String);

impl ObjectKey {
    fn of(object: &Value, namespace: &str) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let owned = |pointer: &str, default: &str| text(pointer).unwrap_or(default).to_owned();
        Self(
            owned("/kind", ""),
            owned("/metadata/namespace", namespace),
            owned("/metadata/name", ""),
        )
    }
}

impl Release {
    fn installed(&self, name: &ReleaseName) -> InstalledChart {
        InstalledChart {
            release: name.clone(),
            revision: u64::try_from(self.revisions.len()).unwrap_or(u64::MAX),
            chart: self
                .revisions
                .last()
                .map_or_else(String::new, |last| last.chart.clone()),
            state: self.state,
        }
    }
}

impl World {
    fn render(
        &self,
        operation: &str,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Revision, BackendError> {
        let refuse = |kind, why: &str| BackendError::new(kind, format!("{operation} {release}"), why);
        let known = self
            .charts
            .get(chart)
            .ok_or_else(|| refuse(ErrorKind::NotFound, &format!("no chart {chart}")))?;
        let objects = (known.template)(release, values).map_err(|why| refuse(ErrorKind::Invalid, &why))?;
        Ok(Revision {
            chart: known.name.clone(),
            values: values.clone(),
            objects,
        })
    }

    /// Whether somebody else has an object that `revision` makes.
    fn check_ownership(&self, release: &ReleaseName, revision: &Revision) -> Result<(), BackendError> {
        for object in &revision.objects {
            let key = ObjectKey::of(object, release.namespace.as_str());
            let owner = self.releases.iter().find(|(other, theirs)| {
                *other != release
                    && theirs.revisions.last().is_some_and(|last| {
                        let namespace = other.namespace.as_str();
                        last.objects
                            .iter()
                            .any(|object| ObjectKey::of(object, namespace) == key)
                    })
            });
            let owner = owner.map(|(other, _)| format!("release {other}"));
            let owner = owner.or_else(|| self.foreign.contains(&key).then(|| "somebody else".to_owned()));
            if let Some(owner) = owner {
                let ObjectKey(kind, namespace, name) = key;
                let why = format!("{kind} {namespace}/{name} belongs to {owner}");
                return Err(BackendError::new(
                    ErrorKind::Conflict,
                    format!("apply {release}"),
                    why,
                ));
            }
        }
        Ok(())
    }

    /// Puts a new revision in place, unless an operation is under way.
    fn advance(
        &mut self,
        operation: &str,
        release: &ReleaseName,
        revision: Revision,
    ) -> Result<InstalledChart, BackendError> {
        if self
            .releases
            .get(release)
            .is_some_and(|there| there.state == ChartState::Pending)
        {
            let why = "another operation is under way";
            return Err(BackendError::new(
                ErrorKind::Conflict,
                format!("{operation} {release}"),
                why,
            ));
        }
        let entry = self.releases.entry(release.clone()).or_insert_with(|| Release {
            revisions: Vec::new(),
            state: ChartState::Deployed,
        });
        entry.revisions.push(revision);
        entry.state = ChartState::Deployed;
        Ok(entry.installed(release))
    }
}

fn no_release(operation: &str, release: &ReleaseName) -> BackendError {
    BackendError::new(
        ErrorKind::NotFound,
        format!("{operation} {release}"),
        "no such release",
    )
}

impl InMemoryCharts {
    /// An installer without charts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a chart known: its reference, and its name and version such as `web-1.0.0`. It makes one ConfigMap, named
    /// as the release, that holds the values.
    pub fn add_chart(&self, reference: impl Into<String>, name: impl Into<String>) {
        self.add_chart_with(reference, name, |release, values| {
            Ok(vec![json!({
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": release.name.as_str()},
                "data": {"values": values.to_json().to_string()},
            })])
        });
    }

    /// Makes a chart known by what it makes of a release and its values: objects, or the words of its refusal.
    pub fn add_chart_with(
        &self,
        reference: impl Into<String>,
        name: impl Into<String>,
        template: impl Fn(&ReleaseName, &HelmValues) -> Result<Vec<Value>, String> + Send + Sync + 'static,
    ) {
        let chart = Chart {
            name: name.into(),
            template: Arc::new(template),
        };
        lock(&self.0.world).charts.insert(reference.into(), chart);
    }

    /// Puts an object of somebody else into the control plane; one without a namespace is in `default`.
    pub fn add_foreign_object(&self, object: &Value) {
        lock(&self.0.world).foreign.push(ObjectKey::of(object, "default"));
    }

    /// The objects of a release that are in force; none when there is no such release.
    #[must_use]
    pub fn objects(&self, release: &ReleaseName) -> Vec<Value> {
        let world = lock(&self.0.world);
        let last = world
            .releases
            .get(release)
            .and_then(|found| found.revisions.last());
        last.map(|revision| revision.objects.clone()).unwrap_or_default()
    }

    /// Sets the state of a release, as if an operation had been cut off or were under way; false when there is none.
    pub fn set_state(&self, release: &ReleaseName, state: ChartState) -> bool {
        let mut world = lock(&self.0.world);
        let found = world.releases.get_mut(release);
        found.map(|release| release.state = state).is_some()
    }
}

impl Scripted for InMemoryCharts {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}

#[async_trait]
impl ChartBackend for InMemoryCharts {
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError> {
        self.0.journal.enter("apply", release.to_string())?;
        let installed = {
            let mut world = lock(&self.0.world);
            let revision = world.render("apply", release, chart, values)?;
            world.check_ownership(release, &revision)?;
            world.advance("apply", release, revision)?
        };
        self.0.journal.leave("apply", &release.to_string())?;
        Ok(installed)
    }

    async fn rollback(&self, release: &ReleaseName, revision: u64) -> Result<InstalledChart, BackendError> {
        self.0.journal.enter("rollback", release.to_string())?;
        let installed = {
            let mut world = lock(&self.0.world);
            let there = world
                .releases
                .get(release)
                .ok_or_else(|| no_release("rollback", release))?;
            let index = usize::try_from(revision)
                .ok()
                .and_then(|number| number.checked_sub(1));
            let earlier = index.and_then(|index| there.revisions.get(index)).cloned();
            let earlier = earlier.ok_or_else(|| {
                let why = format!("no revision {revision}");
                BackendError::new(ErrorKind::NotFound, format!("rollback {release}"), why)
            })?;
            world.advance("rollback", release, earlier)?
        };
        self.0.journal.leave("rollback", &release.to_string())?;
        Ok(installed)
    }

    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError> {
        self.0.journal.enter("uninstall", release.to_string())?;
        let existed = lock(&self.0.world).releases.remove(release).is_some();
        self.0.journal.leave("uninstall", &release.to_string())?;
        Ok(existed)
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError> {
        self.0.journal.enter("status", release.to_string())?;
        let world = lock(&self.0.world);
        Ok(world.releases.get(release).map(|found| found.installed(release)))
    }

    async fn list(&self, namespace: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError> {
        let subject = namespace.map_or_else(String::new, ToString::to_string);
        self.0.journal.enter("list", subject)?;
        let world = lock(&self.0.world);
        let meant = world
            .releases
            .iter()
            .filter(|(name, _)| namespace.is_none_or(|namespace| name.namespace == *namespace));
        Ok(meant.map(|(name, release)| release.installed(name)).collect())
    }

    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError> {
        self.0.journal.enter("values", release.to_string())?;
        let world = lock(&self.0.world);
        let last = world
            .releases
            .get(release)
            .and_then(|found| found.revisions.last());
        last.map(|revision| revision.values.clone())
            .ok_or_else(|| no_release("values", release))
    }

    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<Value>, BackendError> {
        self.0.journal.enter("render", release.to_string())?;
        let world = lock(&self.0.world);
        world
            .render("render", release, chart, values)
            .map(|revision| revision.objects)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(namespace: &str, name: &str) -> ReleaseName {
        ReleaseName {
            namespace: namespace.parse().unwrap(),
            name: name.parse().unwrap(),
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn every_refusal_says_what_is_wrong() {
        let charts = InMemoryCharts::new();
        charts.add_chart("oci://h/web:1.0.0", "web-1.0.0");
        charts.add_chart_with("oci://h/picky:1.0.0", "picky-1.0.0", |_, _| {
            Err("values: port is required".to_owned())
        });
        charts
            .add_foreign_object(&json!({"kind": "ConfigMap", "metadata": {"name": "db", "namespace": "p"}}));
        let none = HelmValues::default();
        let web = name("p", "web");
        charts.apply(&web, "oci://h/web:1.0.0", &none).await.unwrap();
        charts.set_state(&web, ChartState::Pending);
        let errors = [
            charts.apply(&web, "oci://h/web:2.0.0", &none).await.unwrap_err(),
            charts
                .apply(&web, "oci://h/picky:1.0.0", &none)
                .await
                .unwrap_err(),
            charts.apply(&web, "oci://h/web:1.0.0", &none).await.unwrap_err(),
            charts
                .apply(&name("p", "db"), "oci://h/web:1.0.0", &none)
                .await
                .unwrap_err(),
            charts.rollback(&web, 7).await.unwrap_err(),
            charts.rollback(&name("q", "web"), 1).await.unwrap_err(),
            charts.values(&name("q", "web")).await.unwrap_err(),
        ];
        let shown: Vec<String> = errors
            .iter()
            .map(|error| format!("{}: {error}", error.kind()))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @"
        not found: apply p/web: no chart oci://h/web:2.0.0
        invalid: apply p/web: values: port is required
        conflict: apply p/web: another operation is under way
        conflict: apply p/db: ConfigMap p/db belongs to somebody else
        not found: rollback p/web: no revision 7
        not found: rollback q/web: no such release
        not found: values q/web: no such release
        ");
        assert_eq!(charts.objects(&name("p", "db")), Vec::<Value>::new());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn releases_of_one_object_exclude_each_other() {
        let charts = InMemoryCharts::new();
        charts.add_chart_with("oci://h/fixed:1.0.0", "fixed-1.0.0", |_, _| {
            Ok(vec![json!({"kind": "Service", "metadata": {"name": "fixed"}})])
        });
        let none = HelmValues::default();
        let apply = async |release: ReleaseName| charts.apply(&release, "oci://h/fixed:1.0.0", &none).await;
        apply(name("p", "a")).await.unwrap();
        apply(name("q", "a")).await.unwrap();
        let error = apply(name("p", "b")).await.unwrap_err();
        insta::assert_snapshot!(error, @"apply p/b: Service p/fixed belongs to release p/a");
        assert!(charts.uninstall(&name("p", "a")).await.unwrap());
        apply(name("p", "b")).await.unwrap();
        assert_eq!(charts.calls_of("apply"), ["p/a", "q/a", "p/b", "p/b"]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_lost_answer_has_its_effect() {
        let charts = InMemoryCharts::new();
        charts.add_chart("oci://h/web:1.0.0", "web-1.0.0");
        let web = name("p", "web");
        charts.lose_next_answer(
            "apply",
            BackendError::new(ErrorKind::Unavailable, "apply", "scripted"),
        );
        let lost = charts
            .apply(&web, "oci://h/web:1.0.0", &HelmValues::default())
            .await;
        assert!(lost.is_err());
        assert_eq!(
            charts.status(&web).await.unwrap().map(|found| found.revision),
            Some(1)
        );
    }
}
