//! The contract of [`ChartBackend`].

use super::{ConformanceError, Outcome, Port};
use crate::backend::{BackendError, ChartBackend, ChartState, ErrorKind, InstalledChart, ReleaseName};
use crate::helm_values::HelmValues;
use crate::id::{Project, ServiceId};

const PORT: Port = Port("ChartBackend");

/// What the installer can be given.
#[derive(Debug, Clone)]
pub struct ChartFixture {
    /// Two namespaces that nobody else uses; they are left there, empty.
    pub namespaces: [Project; 2],
    /// The name of the releases.
    pub name: ServiceId,
    /// A chart whose releases of one name do not meet in two namespaces.
    pub chart: String,
    /// A reference that stands for no chart.
    pub missing_chart: String,
    /// Two sets of values of which the chart makes different objects. The first has a key that the second has not.
    pub values: [HelmValues; 2],
    /// Values that the chart refuses.
    pub refused: HelmValues,
}

struct Suite<'a> {
    backend: &'a dyn ChartBackend,
    fixture: &'a ChartFixture,
    release: ReleaseName,
    neighbour: ReleaseName,
}

/// Checks that `backend` keeps the contract of [`ChartBackend`]. Installs two releases, and removes them.
///
/// # Errors
/// The first rule that it breaks.
pub async fn charts(backend: &dyn ChartBackend, fixture: &ChartFixture) -> Outcome {
    let [first, second] = fixture.namespaces.clone().map(|namespace| ReleaseName {
        namespace,
        name: fixture.name.clone(),
    });
    let suite = Suite {
        backend,
        fixture,
        release: first,
        neighbour: second,
    };
    suite.nothing_yet().await?;
    suite.rendering().await?;
    suite.failed_install().await?;
    suite.install().await?;
    suite.upgrade().await?;
    suite.failed_upgrade().await?;
    suite.rollback().await?;
    suite.neighbours().await?;
    suite.uninstall().await
}

impl Suite<'_> {
    async fn apply(&self, chart: &str, values: &HelmValues) -> Result<InstalledChart, BackendError> {
        self.backend.apply(&self.release, chart, values).await
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, ConformanceError> {
        PORT.succeeds("a status can be asked for", self.backend.status(release).await)
    }

    async fn names(&self, namespace: Option<&Project>) -> Result<Vec<ReleaseName>, ConformanceError> {
        let listed = PORT.succeeds("releases can be listed", self.backend.list(namespace).await)?;
        let names: Vec<_> = listed.into_iter().map(|installed| installed.release).collect();
        PORT.holds(
            "releases are listed in order of namespace and name",
            names.is_sorted(),
            format!("{names:?}"),
        )?;
        Ok(names)
    }

    async fn has_values(&self, rule: &'static str, values: &HelmValues) -> Outcome {
        let found = PORT.succeeds("values can be read", self.backend.values(&self.release).await)?;
        // Not `equal`: an error text must not show values.
        PORT.holds(rule, found == *values, "other values")
    }

    async fn nothing_yet(&self) -> Outcome {
        for release in [&self.release, &self.neighbour] {
            PORT.succeeds(
                "uninstalling what may be there succeeds",
                self.backend.uninstall(release).await,
            )?;
            let existed = PORT.succeeds(
                "uninstalling what is not there succeeds",
                self.backend.uninstall(release).await,
            )?;
            PORT.equal("uninstalling what is not there is false", existed, false)?;
            PORT.equal(
                "what is not there has no status",
                self.status(release).await?,
                None,
            )?;
        }
        let values = self.backend.values(&self.release).await;
        PORT.fails(
            "values of what is not there: NotFound",
            ErrorKind::NotFound,
            values,
        )?;
        let rollback = self.backend.rollback(&self.release, 1).await;
        PORT.fails(
            "rollback of what is not there: NotFound",
            ErrorKind::NotFound,
            rollback,
        )
    }

    async fn rendering(&self) -> Outcome {
        let render =
            async |chart: &str, values: &HelmValues| self.backend.render(&self.release, chart, values).await;
        let [first, second] = &self.fixture.values;
        let chart = self.fixture.chart.as_str();
        let objects = PORT.succeeds("a chart can be rendered", render(chart, first).await)?;
        let complete = objects
            .iter()
            .all(|object| object.get("kind").is_some() && object.get("metadata").is_some());
        PORT.holds(
            "what is rendered are Kubernetes objects",
            complete && !objects.is_empty(),
            format!("{} objects", objects.len()),
        )?;
        let again = PORT.succeeds("a chart can be rendered again", render(chart, first).await)?;
        PORT.holds("the same renders the same", again == objects, "other objects")?;
        let others = PORT.succeeds("a chart can be rendered", render(chart, second).await)?;
        PORT.holds(
            "other values render other objects",
            others != objects,
            "the same objects",
        )?;
        let refused = render(chart, &self.fixture.refused).await;
        PORT.fails(
            "refused values do not render: Invalid",
            ErrorKind::Invalid,
            refused,
        )?;
        let missing = render(&self.fixture.missing_chart, first).await;
        PORT.fails(
            "a missing chart does not render: NotFound",
            ErrorKind::NotFound,
            missing,
        )?;
        PORT.equal(
            "rendering writes nothing",
            self.status(&self.release).await?,
            None,
        )
    }

    async fn failed_install(&self) -> Outcome {
        let [values, _] = &self.fixture.values;
        let missing = self.apply(&self.fixture.missing_chart, values).await;
        PORT.fails("a missing chart is NotFound", ErrorKind::NotFound, missing)?;
        let refused = self.apply(&self.fixture.chart, &self.fixture.refused).await;
        PORT.fails("refused values are Invalid", ErrorKind::Invalid, refused)?;
        PORT.equal(
            "a failed first install leaves nothing behind",
            self.status(&self.release).await?,
            None,
        )
    }

    async fn install(&self) -> Outcome {
        let [values, _] = &self.fixture.values;
        let installed = PORT.succeeds(
            "a chart can be installed",
            self.apply(&self.fixture.chart, values).await,
        )?;
        PORT.equal("the first revision is 1", installed.revision, 1)?;
        PORT.equal(
            "what was installed is Deployed",
            installed.state,
            ChartState::Deployed,
        )?;
        PORT.equal(
            "the release is the one asked for",
            &installed.release,
            &self.release,
        )?;
        PORT.holds("the chart is named", !installed.chart.is_empty(), "an empty name")?;
        PORT.equal(
            "status is what apply gave",
            self.status(&self.release).await?,
            Some(installed),
        )?;
        self.has_values("values are those given", values).await?;
        let [own, other] = &self.fixture.namespaces;
        for (namespace, rule, there) in [
            (Some(own), "a release is listed in its namespace", true),
            (None, "a release is listed with all", true),
            (Some(other), "a release is not listed in another namespace", false),
        ] {
            let listed = self.names(namespace).await?.contains(&self.release);
            PORT.equal(rule, listed, there)?;
        }
        Ok(())
    }

    async fn upgrade(&self) -> Outcome {
        let [_, values] = &self.fixture.values;
        let upgraded = PORT.succeeds(
            "a release can be upgraded",
            self.apply(&self.fixture.chart, values).await,
        )?;
        PORT.holds(
            "an upgrade is a later revision",
            upgraded.revision > 1,
            format!("revision {}", upgraded.revision),
        )?;
        self.has_values("values of an earlier revision are not kept", values)
            .await
    }

    async fn failed_upgrade(&self) -> Outcome {
        let [first, second] = &self.fixture.values;
        let refused = self.apply(&self.fixture.chart, &self.fixture.refused).await;
        PORT.fails("refused values are Invalid", ErrorKind::Invalid, refused)?;
        let missing = self.apply(&self.fixture.missing_chart, first).await;
        PORT.fails("a missing chart is NotFound", ErrorKind::NotFound, missing)?;
        let state = self.status(&self.release).await?.map(|installed| installed.state);
        PORT.equal(
            "a failed upgrade leaves a release Deployed",
            state,
            Some(ChartState::Deployed),
        )?;
        self.has_values("a failed upgrade leaves the values before in force", second)
            .await
    }

    async fn rollback(&self) -> Outcome {
        let [first, _] = &self.fixture.values;
        let before = self
            .status(&self.release)
            .await?
            .map_or(0, |installed| installed.revision);
        let back = PORT.succeeds(
            "an earlier revision can be brought back",
            self.backend.rollback(&self.release, 1).await,
        )?;
        PORT.holds(
            "a rollback is a later revision",
            back.revision > before,
            format!("revision {} after {before}", back.revision),
        )?;
        self.has_values("a rollback brings the values back", first)
            .await?;
        let unknown = self.backend.rollback(&self.release, back.revision + 1000).await;
        PORT.fails("an unknown revision is NotFound", ErrorKind::NotFound, unknown)
    }

    async fn neighbours(&self) -> Outcome {
        let [values, _] = &self.fixture.values;
        let applied = self
            .backend
            .apply(&self.neighbour, &self.fixture.chart, values)
            .await;
        let applied = PORT.succeeds("a namesake in another namespace is a release of its own", applied)?;
        PORT.equal("its first revision is 1", applied.revision, 1)?;
        let all = self.names(None).await?;
        let both = all.contains(&self.release) && all.contains(&self.neighbour);
        PORT.holds("both are listed with all", both, format!("{all:?}"))
    }

    async fn uninstall(&self) -> Outcome {
        for release in [&self.release, &self.neighbour] {
            let existed = PORT.succeeds(
                "a release can be uninstalled",
                self.backend.uninstall(release).await,
            )?;
            PORT.equal("uninstalling what is there is true", existed, true)?;
            PORT.equal(
                "what was uninstalled has no status",
                self.status(release).await?,
                None,
            )?;
            if release == &self.release {
                let neighbour = self.status(&self.neighbour).await?;
                PORT.holds("a namesake elsewhere stays", neighbour.is_some(), "no release")?;
            }
        }
        let [namespace, _] = &self.fixture.namespaces;
        PORT.equal("nothing is left", self.names(Some(namespace)).await?, Vec::new())
    }
}
