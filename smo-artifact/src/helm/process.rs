//! Running the `helm` program, in folders of its own.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use smo_core::backend::ErrorKind;
use smo_core::helm_values::HelmValues;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::config::HelmConfig;
use super::failure::Failure;

/// Folders that no other Helm uses: no repositories, plugins or credentials of the user. Removed when dropped.
#[derive(Debug)]
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> std::io::Result<Self> {
        let home = tempfile::Builder::new().prefix("smo-helm-").tempdir()?;
        for folder in ["cache", "config", "data", "charts"] {
            std::fs::create_dir(home.path().join(folder))?;
        }
        Ok(Self(home))
    }

    pub(crate) fn charts(&self) -> std::path::PathBuf {
        self.path().join("charts")
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// Runs Helm; gives what it printed. The program is killed when this future is dropped, or takes too long.
pub(crate) async fn run(
    config: &HelmConfig,
    home: &Home,
    arguments: Vec<OsString>,
    values: Option<&HelmValues>,
) -> Result<String, Failure> {
    let program = config.program.display();
    let mut command = Command::new(&config.program);
    command.args(&arguments).kill_on_drop(true);
    command.stdin(if values.is_some() {
        Stdio::piped()
    } else {
        Stdio::null()
    });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // Settings of the user would change what Helm does: drivers, namespaces, plugins, API servers.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HELM_") {
            command.env_remove(name);
        }
    }
    for (variable, folder) in [
        ("HELM_CACHE_HOME", "cache"),
        ("HELM_CONFIG_HOME", "config"),
        ("HELM_DATA_HOME", "data"),
    ] {
        command.env(variable, home.path().join(folder));
    }
    let input = values.map(|values| values.to_json().to_string());
    let exchange = async {
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let write = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // When Helm ends before it reads everything, its own words say why.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ((), output) = tokio::join!(write, child.wait_with_output());
        output
    };
    let output = match tokio::time::timeout(config.timeout, exchange).await {
        Err(_) => {
            let message = format!("{program} did not end within {} s", config.timeout.as_secs());
            return Err(Failure::new(ErrorKind::Unavailable, message));
        }
        Ok(Err(error)) => {
            let message = format!("{program} does not start: {error}");
            return Err(Failure::new(ErrorKind::Unsupported, message));
        }
        Ok(Ok(output)) => output,
    };
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(Failure::of_stderr(
            &String::from_utf8_lossy(&output.stderr),
            values,
        ))
    }
}
