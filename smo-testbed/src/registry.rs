//! An OCI registry on loopback, over plain HTTP, empty at its start.

use serde_json::{Value, json};

use crate::error::TestbedError;
use crate::folder::Folder;
use crate::pki::token;
use crate::ports::{Ports, answers};
use crate::process::Processes;
use crate::programs::Servers;

/// bcrypt of [`Registry::PASSWORD`], the only form the registry takes. Weak by intent: it is checked at every request.
const PASSWORD_HASH: &str = "$2b$05$abcdefghijklmnopqrstuuSCCWUWpz7X/mZStCSAO0nqW5.SnQMOG";

/// A running registry; it ends when the value is dropped, or when the process ends.
#[derive(Debug)]
pub struct Registry {
    port: u16,
    processes: Processes,
    _ports: Ports,
    _folder: Folder,
}

impl Registry {
    /// The user of a protected registry.
    pub const USER: &'static str = "smo";
    /// That user's password.
    pub const PASSWORD: &'static str = "smo-testbed-password";

    /// One that lets everybody push and pull.
    ///
    /// # Errors
    ///
    /// When the program is missing or does not start.
    pub fn open() -> Result<Self, TestbedError> {
        Self::start(false)
    }

    /// One that wants user and password (HTTP Basic) for everything.
    ///
    /// # Errors
    ///
    /// As [`Registry::open`].
    pub fn protected() -> Result<Self, TestbedError> {
        Self::start(true)
    }

    fn start(protected: bool) -> Result<Self, TestbedError> {
        let program = Servers::find()?.program("registry");
        let folder = Folder::take("registry")?;
        let mut processes = Processes::new(&folder.path("log"))?;
        let mut ports = Ports::new();
        let port = ports.take()?;
        let mut config = json!({
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": true}},
            "storage": {"filesystem": {"rootdirectory": folder.path("data")}, "delete": {"enabled": true}},
            "http": {"addr": format!("127.0.0.1:{port}"), "secret": token()?},
        });
        if protected {
            let users = folder.write("htpasswd", format!("{}:{PASSWORD_HASH}\n", Self::USER))?;
            config["auth"] = Value::from_iter([("htpasswd", json!({"realm": "smo-testbed", "path": users}))]);
        }
        // YAML reads JSON.
        let file = folder.write("registry.yaml", config.to_string())?;
        ports.release(&[port]);
        processes.start(
            "registry",
            &program,
            vec!["serve".to_owned(), file.display().to_string()],
        )?;
        processes.wait("registry", "the registry listening", || {
            if answers(port) {
                Ok(())
            } else {
                Err("no answer on its port".to_owned())
            }
        })?;
        Ok(Self {
            port,
            processes,
            _ports: ports,
            _folder: folder,
        })
    }

    /// The process group of its server.
    pub fn process_group(&self) -> u32 {
        self.processes.group()
    }

    /// `127.0.0.1:<port>`, as it stands in references.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
