//! `kubectl` on one of the testbed's clusters: an oracle that shares no code with what is tested.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::TestbedError;

/// The program with a kubeconfig.
#[derive(Debug, Clone)]
pub struct Kubectl {
    program: PathBuf,
    kubeconfig: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(program: PathBuf, kubeconfig: PathBuf) -> Self {
        Self { program, kubeconfig }
    }

    /// Where its kubeconfig is.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// Runs it and returns what it wrote to its standard output.
    ///
    /// # Errors
    ///
    /// [`TestbedError::Kubectl`] with what it wrote to its standard error when it failed.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Result<String, TestbedError> {
        self.run_with(arguments, None)
    }

    /// Applies an object or a `List`, server-side and with strict field validation.
    ///
    /// # Errors
    ///
    /// As [`Kubectl::run`].
    pub fn apply(&self, object: &Value) -> Result<String, TestbedError> {
        self.apply_text(&object.to_string())
    }

    /// Applies manifests written in YAML or JSON, as [`Kubectl::apply`] does.
    ///
    /// # Errors
    ///
    /// As [`Kubectl::run`].
    pub fn apply_text(&self, manifests: &str) -> Result<String, TestbedError> {
        let arguments = ["apply", "--server-side", "--validate=strict", "-f", "-"];
        self.run_with(&arguments, Some(manifests))
    }

    /// Reads an object, or a list of them: `get` with these arguments.
    ///
    /// # Errors
    ///
    /// As [`Kubectl::run`].
    pub fn get<S: AsRef<str>>(&self, arguments: &[S]) -> Result<Value, TestbedError> {
        let mut all = vec!["get", "-o", "json"];
        all.extend(arguments.iter().map(AsRef::as_ref));
        let text = self.run(&all)?;
        serde_json::from_str(&text).map_err(|error| TestbedError::Kubectl {
            arguments: all.join(" "),
            message: format!("answered with no JSON: {error}"),
        })
    }

    fn run_with<S: AsRef<str>>(&self, arguments: &[S], input: Option<&str>) -> Result<String, TestbedError> {
        let words: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let spawn = |source| TestbedError::Spawn {
            program: self.program.clone(),
            source,
        };
        // What kubectl remembers of an API server must not outlive the testbed: ports are used again.
        let cache = self.kubeconfig.with_file_name("kubectl-cache");
        let mut child = Command::new(&self.program)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--cache-dir")
            .arg(cache)
            .args(&words)
            .stdin(if input.is_some() {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(spawn)?;
        if let (Some(text), Some(mut pipe)) = (input, child.stdin.take()) {
            // It may refuse before it has read everything; its message says more than the broken pipe.
            let _ = pipe.write_all(text.as_bytes());
        }
        let output = child.wait_with_output().map_err(spawn)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(TestbedError::Kubectl {
            arguments: words.join(" "),
            message: String::from_utf8_lossy(&output.stderr).trim_end().to_owned(),
        })
    }
}
