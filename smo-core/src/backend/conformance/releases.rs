//! The contract of [`ReleaseBackend`].

use std::time::Duration;

use serde_json::json;

use super::{ConformanceError, Outcome, Patience, Port};
use crate::backend::{ErrorKind, ReleaseBackend, ReleaseBackendExt, Scope, Timer};
use crate::cluster::{Health, ObservedRelease};
use crate::helm_values::HelmValues;
use crate::id::{ClusterName, GraphId, GraphKey, Project, ServiceId, ServiceKey};
use crate::placement::Assignment;
use crate::plan::{ReleaseSpec, Target};
use crate::resources::{ResourceName, Resources};

pub(super) const PORT: Port = Port("ReleaseBackend");

/// What the suite installs, and where.
#[derive(Debug, Clone)]
pub struct ReleaseFixture {
    /// Two projects that the suite may use for itself.
    pub projects: [Project; 2],
    /// The graph that the suite's releases belong to, and another one.
    pub graphs: [GraphId; 2],
    /// The name of the release.
    pub service: ServiceId,
    /// A chart that can be installed.
    pub chart: String,
    /// Its values, a map that may take one more key called `conformance`.
    pub values: HelmValues,
    /// What one replica requests.
    pub resources: Resources,
    /// Two ready clusters with room for three replicas each.
    pub clusters: [ClusterName; 2],
    /// A cluster that the fleet does not have.
    pub unknown_cluster: ClusterName,
    /// How long a release may take to become healthy, or to go.
    pub patience: Duration,
}

impl ReleaseFixture {
    pub(super) fn key(&self) -> ServiceKey {
        let [project, _] = &self.projects;
        let [graph, _] = &self.graphs;
        GraphKey::new(project.clone(), graph.clone()).service(self.service.clone())
    }

    pub(super) fn spec(&self, service: &ServiceKey, cluster: &ClusterName, replicas: u32) -> ReleaseSpec {
        ReleaseSpec {
            service: service.clone(),
            chart: self.chart.clone(),
            values: self.values.clone(),
            target: Target::Clusters(Assignment::single(cluster.clone(), replicas)),
            resources: self.resources.clone(),
        }
    }
}

/// Checks that `backend` keeps the contract of [`ReleaseBackend`].
///
/// # Errors
/// The first rule that it breaks.
pub async fn releases(backend: &dyn ReleaseBackend, timer: &dyn Timer, fixture: &ReleaseFixture) -> Outcome {
    let suite = Suite {
        backend,
        timer,
        fixture,
    };
    suite.absent().await?;
    suite.apply().await?;
    suite.upgrade_and_scale().await?;
    suite.change_cluster().await?;
    suite.conflicts().await?;
    suite.what_does_not_fit().await?;
    suite.remove().await
}

/// Checks what becomes of replicas that find no room: they are accepted and wait, and start when they ask for less. For a
/// fixture whose pods request what the spec says, as those of plain images do.
///
/// # Errors
/// The first rule that `backend` breaks.
pub async fn room(backend: &dyn ReleaseBackend, timer: &dyn Timer, fixture: &ReleaseFixture) -> Outcome {
    /// More than any node has.
    const TOO_MUCH: u64 = 1 << 40;
    let suite = Suite {
        backend,
        timer,
        fixture,
    };
    let [first, _] = &fixture.clusters;
    let spec = fixture.spec(&fixture.key(), first, 1);
    let mut large = spec.clone();
    large.resources.set(ResourceName::CPU, TOO_MUCH);
    PORT.succeeds("what is too large is accepted", backend.apply(&large).await)?;
    let (long, short) = (
        Patience::new(timer, fixture.patience),
        Patience::new(timer, fixture.patience / 10),
    );
    let mut told = None;
    loop {
        let observed = suite.observed().await?;
        told = told.or_else(|| observed.clusters.values().find_map(|at| at.message.clone()));
        let wrong = observed.clusters.len() != 1
            || observed
                .clusters
                .values()
                .any(|at| (at.desired, at.ready) != (1, 0) || at.health == Health::Healthy);
        PORT.holds(
            "what finds no room is observed where it should be, and is not Healthy",
            !wrong,
            format!("{:?}", observed.clusters),
        )?;
        // Why it waits may be known later than that it does.
        if !short.wait().await && (told.is_some() || !long.wait().await) {
            break;
        }
    }
    PORT.holds(
        "what finds no room says so",
        told.is_some(),
        "there is no message".to_owned(),
    )?;
    PORT.succeeds("it can ask for less", backend.apply(&spec).await)?;
    suite
        .healthy("what asks for less becomes healthy", first, 1)
        .await?;
    PORT.succeeds("a release can be removed", backend.remove(&spec.service).await)?;
    suite.no_leftovers("a removed release goes everywhere").await
}

pub(super) struct Suite<'a> {
    pub(super) backend: &'a dyn ReleaseBackend,
    pub(super) timer: &'a dyn Timer,
    pub(super) fixture: &'a ReleaseFixture,
}

impl Suite<'_> {
    async fn absent(&self) -> Outcome {
        let key = self.fixture.key();
        let removed = PORT.succeeds(
            "removing what is not there succeeds",
            self.backend.remove(&key).await,
        )?;
        PORT.equal("removing what is not there says so", removed.existed, false)?;
        let [first, _] = &self.fixture.clusters;
        let scaled = self
            .backend
            .scale(&key, &Assignment::single(first.clone(), 1))
            .await;
        PORT.fails(
            "scaling what is not installed is NotFound",
            ErrorKind::NotFound,
            scaled,
        )?;
        let observed = self.backend.observe(&Scope::Graph(key.graph)).await;
        let observed = PORT.succeeds("an empty graph can be observed", observed)?;
        PORT.holds(
            "nothing is installed yet",
            observed.releases.is_empty(),
            format!("{:?}", observed.releases),
        )
    }

    async fn apply(&self) -> Outcome {
        let [first, _] = &self.fixture.clusters;
        let spec = self.fixture.spec(&self.fixture.key(), first, 1);
        let applied = PORT.succeeds("a good release is accepted", self.backend.apply(&spec).await)?;
        PORT.equal("the first apply changes something", applied.changed, true)?;
        let observed = self.observed().await?;
        PORT.equal(
            "an applied release is observed at once, with its chart",
            &observed.chart,
            &spec.chart,
        )?;
        PORT.equal("values are kept as given", &observed.values, &spec.values)?;
        PORT.equal(
            "the observed revision is the applied one",
            observed.revision,
            applied.revision,
        )?;
        let again = PORT.succeeds("a release can be applied again", self.backend.apply(&spec).await)?;
        PORT.equal("applying the same again changes nothing", again.changed, false)?;
        PORT.equal(
            "applying the same again keeps the revision",
            again.revision,
            applied.revision,
        )?;
        self.healthy("a release that fits becomes healthy", first, 1)
            .await
    }

    async fn upgrade_and_scale(&self) -> Outcome {
        let [first, _] = &self.fixture.clusters;
        let before = self.observed().await?.revision;
        let mut spec = self.fixture.spec(&self.fixture.key(), first, 1);
        spec.values.insert("conformance".to_owned(), json!("changed"));
        let applied = PORT.succeeds("values can be changed", self.backend.apply(&spec).await)?;
        PORT.equal("applying other values changes something", applied.changed, true)?;
        PORT.holds(
            "a change counts the revision up",
            applied.revision > before,
            applied.revision.to_string(),
        )?;
        let values = spec.values.clone();
        PORT.equal(
            "changed values are observed at once",
            &self.observed().await?.values,
            &values,
        )?;
        for replicas in [2, 0, 3] {
            let wanted = Assignment::from_iter([(first.clone(), replicas)]);
            let scaled = self.backend.scale(&spec.service, &wanted).await;
            PORT.succeeds("an installed release can be scaled", scaled)?;
            self.healthy(
                "a scaled release becomes healthy with that many replicas",
                first,
                replicas,
            )
            .await?;
            let observed = self.observed().await?;
            PORT.equal("scaling keeps the values", &observed.values, &values)?;
            PORT.equal("scaling keeps the revision", observed.revision, applied.revision)?;
            if replicas == 0 {
                self.no_leftovers("what is scaled to zero is in no cluster")
                    .await?;
            }
        }
        let back = PORT.succeeds("a scaled release can be applied", self.backend.apply(&spec).await)?;
        PORT.equal("applying after scaling changes something", back.changed, true)?;
        self.healthy("applying after scaling brings the replicas of the spec", first, 1)
            .await
    }

    async fn change_cluster(&self) -> Outcome {
        let [first, second] = &self.fixture.clusters;
        let spec = self.fixture.spec(&self.fixture.key(), second, 2);
        let applied = PORT.succeeds("a release can be moved", self.backend.apply(&spec).await)?;
        PORT.equal("moving changes something", applied.changed, true)?;
        self.healthy("a moved release becomes healthy", second, 2).await?;
        let observed = self.observed().await?;
        let elsewhere = observed.clusters.contains_key(first);
        PORT.equal("a moved release is not observed where it was", elsewhere, false)?;
        self.no_leftovers("a copy that moved away goes").await
    }

    async fn conflicts(&self) -> Outcome {
        let key = self.fixture.key();
        let [_, other_project] = &self.fixture.projects;
        let [_, other_graph] = &self.fixture.graphs;
        let [first, _] = &self.fixture.clusters;
        let before = self.observed().await?;
        let rival =
            GraphKey::new(key.graph.project.clone(), other_graph.clone()).service(key.service.clone());
        let refused = self.backend.apply(&self.fixture.spec(&rival, first, 1)).await;
        PORT.fails(
            "a name of another graph of the project is a Conflict",
            ErrorKind::Conflict,
            refused,
        )?;
        PORT.equal(
            "a refused apply changes nothing",
            self.observed().await?.revision,
            before.revision,
        )?;
        let removed = PORT.succeeds(
            "removing what is not there succeeds",
            self.backend.remove(&rival).await,
        )?;
        PORT.equal(
            "a release of another graph is not removed",
            removed.existed,
            false,
        )?;
        let after = self.observed().await?;
        PORT.equal(
            "a release of another graph is not touched",
            after.revision,
            before.revision,
        )?;
        let twin = GraphKey::new(other_project.clone(), key.graph.graph.clone()).service(key.service.clone());
        let applied = self.backend.apply(&self.fixture.spec(&twin, first, 1)).await;
        PORT.succeeds("two projects may use the same names", applied)?;
        let scopes = [
            (Scope::Graph(key.graph.clone()), [true, false]),
            (Scope::Project(other_project.clone()), [false, true]),
            (Scope::All, [true, true]),
        ];
        for (scope, wanted) in scopes {
            let observed =
                PORT.succeeds("every scope can be observed", self.backend.observe(&scope).await)?;
            let seen = [&key, &twin].map(|service| observed.releases.contains_key(service));
            PORT.equal("a scope holds its releases and no others", seen, wanted)?;
        }
        PORT.succeeds("a release can be removed", self.backend.remove(&twin).await)?;
        let left = PORT.succeeds("all can be observed", self.backend.observe(&Scope::All).await)?;
        let seen = [&key, &twin].map(|service| left.releases.contains_key(service));
        PORT.equal(
            "removing a release leaves its namesake in another project",
            seen,
            [true, false],
        )
    }

    async fn what_does_not_fit(&self) -> Outcome {
        let key = self.fixture.key();
        let other = key.graph.service(self.other_name());
        let mut nowhere = self.fixture.spec(&other, &self.fixture.unknown_cluster, 1);
        nowhere.target = Target::Clusters(Assignment::default());
        let refused = self.backend.apply(&nowhere).await;
        PORT.fails(
            "a decided target without clusters is Invalid",
            ErrorKind::Invalid,
            refused,
        )?;
        let missing = self.backend.release(&other).await;
        PORT.fails("a refused apply installs nothing", ErrorKind::NotFound, missing)?;
        let unknown = self.fixture.spec(&other, &self.fixture.unknown_cluster, 1);
        PORT.succeeds(
            "an unknown cluster is accepted, and observed",
            self.backend.apply(&unknown).await,
        )?;
        let patience = Patience::new(self.timer, self.fixture.patience);
        loop {
            let observed = self.backend.release(&other).await;
            let observed = PORT.succeeds("an applied release is observed", observed)?;
            let told =
                observed.message.is_some() || observed.clusters.values().any(|at| at.message.is_some());
            let degraded = observed.clusters.values().any(|at| at.health == Health::Degraded);
            if told && degraded {
                break;
            }
            if !patience.wait().await {
                let rule = "a release that no cluster can take is Degraded with a message";
                return Err(PORT.broken(rule, format!("{observed:?}")));
            }
        }
        PORT.succeeds(
            "a degraded release can be removed",
            self.backend.remove(&other).await,
        )
        .map(|_| ())
    }

    async fn remove(&self) -> Outcome {
        let key = self.fixture.key();
        let removed = PORT.succeeds("a release can be removed", self.backend.remove(&key).await)?;
        PORT.equal("removing says that there was something", removed.existed, true)?;
        let gone = self.backend.release(&key).await;
        PORT.fails("a removed release is not observed", ErrorKind::NotFound, gone)?;
        let again = PORT.succeeds("removing twice succeeds", self.backend.remove(&key).await)?;
        PORT.equal("removing twice says that there was nothing", again.existed, false)?;
        self.no_leftovers("a removed release goes everywhere").await
    }

    /// A name that no release of the suite has.
    fn other_name(&self) -> ServiceId {
        let short: String = self.fixture.service.as_str().chars().take(50).collect();
        format!("{short}-x")
            .parse()
            .unwrap_or_else(|_| self.fixture.service.clone())
    }

    pub(super) async fn observed(&self) -> Result<ObservedRelease, ConformanceError> {
        PORT.succeeds(
            "an applied release is observed",
            self.backend.release(&self.fixture.key()).await,
        )
    }

    async fn healthy(&self, rule: &'static str, cluster: &ClusterName, replicas: u32) -> Outcome {
        let patience = Patience::new(self.timer, self.fixture.patience);
        loop {
            let observed = self.observed().await?;
            let at = observed
                .clusters
                .get(cluster)
                .map(|at| (at.desired, at.ready, at.health));
            if at == Some((replicas, replicas, Health::Healthy)) && observed.clusters.len() == 1 {
                return Ok(());
            }
            if !patience.wait().await {
                return Err(PORT.broken(rule, format!("{:?}", observed.clusters)));
            }
        }
    }

    pub(super) async fn no_leftovers(&self, rule: &'static str) -> Outcome {
        let scope = Scope::Graph(self.fixture.key().graph);
        let patience = Patience::new(self.timer, self.fixture.patience);
        loop {
            let observed = PORT.succeeds("a graph can be observed", self.backend.observe(&scope).await)?;
            if observed.leftovers.is_empty() {
                return Ok(());
            }
            if !patience.wait().await {
                return Err(PORT.broken(rule, format!("{:?}", observed.leftovers)));
            }
        }
    }
}
