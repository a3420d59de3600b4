//! [`HelmDriver`]: the port to a chart installer, by the `helm` program.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use smo_core::backend::{BackendError, ChartBackend, ErrorKind, InstalledChart, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::id::Project;
use tokio::sync::OnceCell;

use super::arguments::{Arguments, Major};
use super::charts;
use super::config::HelmConfig;
use super::failure::Failure;
use super::mend::Operations;
use super::output::{self, Listed, Past};
use super::process::{Home, run};
use crate::backend::OciArtifacts;

/// Installs charts by running `helm`, version 3 or 4, which is found out once. Clones share everything.
///
/// A chart is a reference that [`OciArtifacts`] understands, or a path that begins with `/`, `./` or `../`. Charts from
/// registries are pulled by this library, checked, and kept by digest in a private folder, so that registry settings and
/// credentials are those of [`RegistryConfig`](crate::RegistryConfig) alone.
///
/// Helm is never told to wait. When an upgrade fails, the revision before is brought back by `helm rollback`; when a
/// first install fails, what it left is taken away by `helm uninstall`. (`--atomic` and `--rollback-on-failure` would do
/// so too, but wait for workloads, which a control plane such as Karmada's does not run.) An operation that was cut off,
/// by a dropped future or an end of the process, is mended the same way by the next one.
///
/// Releases whose name is no DNS label are not listed: they cannot be this library's.
#[derive(Debug, Clone)]
pub struct HelmDriver(Arc<Helm>);

/// The program with what it needs.
#[derive(Debug)]
pub(crate) struct Helm {
    pub(crate) config: HelmConfig,
    pub(crate) operations: Arc<Operations>,
    home: Home,
    registry: OciArtifacts,
    major: OnceCell<Major>,
}

impl HelmDriver {
    /// A driver as `config` says. The program is not run yet.
    ///
    /// # Errors
    /// `Invalid` when certificates of the registry configuration cannot be read, `Unexpected` when no private folder
    /// can be made.
    pub fn new(config: HelmConfig) -> Result<Self, BackendError> {
        let home = Home::new().map_err(|error| {
            BackendError::new(
                ErrorKind::Unexpected,
                "make a private folder for helm",
                error.to_string(),
            )
        })?;
        Ok(Self(Arc::new(Helm {
            registry: OciArtifacts::new(config.registry.clone())?,
            operations: Arc::default(),
            major: OnceCell::new(),
            home,
            config,
        })))
    }

    /// A driver as the environment says; see [`HelmConfig::from_env`].
    ///
    /// # Errors
    /// As [`HelmDriver::new`].
    pub fn from_env() -> Result<Self, BackendError> {
        Self::new(HelmConfig::from_env())
    }

    /// The version of the program, such as `v4.2.4`.
    ///
    /// # Errors
    /// `Unsupported` when it does not start.
    pub async fn version(&self) -> Result<String, BackendError> {
        let printed = self.0.printed_version().await;
        printed.map_err(|failure| failure.into_error("run helm version"))
    }
}

impl Failure {
    fn into_error(self, operation: impl AsRef<str>) -> BackendError {
        BackendError::new(self.kind, operation, self.message)
    }
}

impl Helm {
    async fn printed_version(&self) -> Result<String, Failure> {
        let arguments = ["version", "--template", "{{.Version}}"].map(Into::into).to_vec();
        let printed = run(&self.config, &self.home, arguments, None).await?;
        Ok(printed.trim().to_owned())
    }

    async fn say(&self) -> Result<Arguments<'_>, Failure> {
        let find_out = async || {
            let printed = self.printed_version().await?;
            output::major(&printed).map_err(|why| Failure::new(ErrorKind::Unsupported, why))
        };
        let major = *self.major.get_or_try_init(find_out).await?;
        Ok(Arguments {
            config: &self.config,
            major,
        })
    }

    async fn run(
        &self,
        arguments: Vec<std::ffi::OsString>,
        values: Option<&HelmValues>,
    ) -> Result<String, Failure> {
        run(&self.config, &self.home, arguments, values).await
    }

    async fn list(&self, namespace: Option<&Project>, name: Option<&str>) -> Result<Vec<Listed>, Failure> {
        let mut all = Vec::new();
        let mut offset = 0;
        loop {
            let arguments = self.say().await?.list(namespace, name, offset);
            let (count, page) = read(output::list(&self.run(arguments, None).await?))?;
            all.extend(page);
            offset += count;
            if count < 256 {
                return Ok(all);
            }
        }
    }

    pub(crate) async fn find(&self, release: &ReleaseName) -> Result<Option<Listed>, Failure> {
        let listed = self
            .list(Some(&release.namespace), Some(release.name.as_str()))
            .await?;
        Ok(listed
            .into_iter()
            .find(|listed| listed.installed.release == *release))
    }

    pub(crate) async fn history(&self, release: &ReleaseName) -> Result<Vec<Past>, Failure> {
        let arguments = self.say().await?.history(release);
        read(output::history(&self.run(arguments, None).await?))
    }

    pub(crate) async fn uninstall(&self, release: &ReleaseName) -> Result<(), Failure> {
        let arguments = self.say().await?.uninstall(release);
        self.run(arguments, None).await.map(|_| ())
    }

    pub(crate) async fn rollback(&self, release: &ReleaseName, revision: u64) -> Result<(), Failure> {
        let arguments = self.say().await?.rollback(release, revision);
        self.run(arguments, None).await.map(|_| ())
    }

    /// The release, which an operation has just left there.
    async fn installed(&self, release: &ReleaseName) -> Result<InstalledChart, Failure> {
        let found = self.find(release).await?;
        let missing = || {
            Failure::new(
                ErrorKind::Unexpected,
                "helm succeeded, and the release is not there",
            )
        };
        found.map(|listed| listed.installed).ok_or_else(missing)
    }

    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &std::path::Path,
        values: &HelmValues,
    ) -> Result<InstalledChart, Failure> {
        let before = self.settle(release).await?;
        let arguments = self.say().await?.apply(release, chart);
        match self.run(arguments, Some(values)).await {
            // Where its words cannot be read, it is asked again.
            Ok(text) => match output::upgraded(&text, release) {
                Ok(installed) => Ok(installed),
                Err(_) => self.installed(release).await,
            },
            Err(failure) => Err(self.clean_up(release, before.as_ref(), failure).await),
        }
    }

    async fn go_back(&self, release: &ReleaseName, revision: u64) -> Result<InstalledChart, Failure> {
        let not_found = |what: String| Failure::new(ErrorKind::NotFound, what);
        let before = self.settle(release).await?;
        let before = before.ok_or_else(|| not_found("no such release".to_owned()))?;
        let past = self.history(release).await?;
        if !past.iter().any(|past| past.revision == revision) {
            return Err(not_found(format!("no revision {revision}")));
        }
        match self.rollback(release, revision).await {
            Ok(()) => self.installed(release).await,
            Err(failure) => Err(self.clean_up(release, Some(&before), failure).await),
        }
    }
}

fn read<T>(answer: Result<T, output::Unreadable>) -> Result<T, Failure> {
    answer.map_err(|why| Failure::new(ErrorKind::Unexpected, why))
}

#[async_trait]
impl ChartBackend for HelmDriver {
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError> {
        let file = charts::file(&self.0.registry, &self.0.home.charts(), chart).await?;
        let fail = |failure: Failure| failure.into_error(format!("apply {release}"));
        let operation = self.0.operations.begin(release).map_err(fail)?;
        let result = self.0.apply(release, &file, values).await;
        operation.end(&result);
        result.map_err(fail)
    }

    async fn rollback(&self, release: &ReleaseName, revision: u64) -> Result<InstalledChart, BackendError> {
        let fail = |failure: Failure| failure.into_error(format!("rollback {release}"));
        let operation = self.0.operations.begin(release).map_err(fail)?;
        let result = self.0.go_back(release, revision).await;
        operation.end(&result);
        result.map_err(fail)
    }

    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError> {
        let fail = |failure: Failure| failure.into_error(format!("uninstall {release}"));
        let operation = self.0.operations.begin(release).map_err(fail)?;
        let result = async {
            match self.0.find(release).await? {
                Some(_) => self.0.uninstall(release).await.map(|()| true),
                None => Ok(false),
            }
        }
        .await;
        operation.end(&result);
        result.map_err(fail)
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError> {
        let found = self.0.find(release).await;
        found
            .map(|found| found.map(|listed| listed.installed))
            .map_err(|failure| failure.into_error(format!("status {release}")))
    }

    async fn list(&self, namespace: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError> {
        let listed = self.0.list(namespace, None).await;
        let listed = listed.map_err(|failure| failure.into_error("list releases"))?;
        let mut installed: Vec<_> = listed.into_iter().map(|listed| listed.installed).collect();
        installed.sort_by(|a, b| a.release.cmp(&b.release));
        Ok(installed)
    }

    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError> {
        let values = async {
            let arguments = self.0.say().await?.values(release);
            read(output::values(&self.0.run(arguments, None).await?))
        };
        values
            .await
            .map_err(|failure: Failure| failure.into_error(format!("values {release}")))
    }

    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<Value>, BackendError> {
        let file = charts::file(&self.0.registry, &self.0.home.charts(), chart).await?;
        let rendered = async {
            let arguments = self.0.say().await?.render(release, &file);
            read(output::objects(&self.0.run(arguments, Some(values)).await?))
        };
        rendered
            .await
            .map_err(|failure: Failure| failure.into_error(format!("render {release}")))
    }
}
