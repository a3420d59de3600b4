//! A running testbed, in this process or held by another.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::control_plane::{AGGREGATED, KARMADA};
use crate::error::TestbedError;
use crate::kubectl::Kubectl;
use crate::member::Member;
use crate::programs::Servers;
use crate::remote::Remote;
use crate::rig::{Rig, api_server};

/// Left beside the kubeconfigs, so that another process finds the rest.
const STATE: &str = "testbed.json";

/// Servers on loopback and how to reach them.
#[derive(Debug)]
pub struct Testbed {
    servers: Servers,
    kubeconfig: PathBuf,
    state: State,
    hold: Hold,
}

/// What is written into [`STATE`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    group: Option<u32>,
    members: Vec<Member>,
    times: Vec<(String, Duration)>,
}

/// Who may stop and start its servers.
#[derive(Debug)]
enum Hold {
    Own { rig: Box<Mutex<Rig>>, ports: Vec<u16> },
    Held(Remote),
    Foreign,
}

impl Testbed {
    pub(crate) fn own(
        rig: Rig,
        members: Vec<Member>,
        ports: Vec<u16>,
        times: Vec<(String, Duration)>,
    ) -> Result<Self, TestbedError> {
        let state = State {
            group: Some(rig.processes.group()),
            members,
            times,
        };
        let path = rig.folder.path(STATE);
        let text = serde_json::to_string_pretty(&state)
            .map_err(|error| TestbedError::file(&path)(std::io::Error::other(error)))?;
        rig.folder.write(STATE, text)?;
        Ok(Self {
            servers: rig.servers.clone(),
            kubeconfig: rig.kubeconfig(KARMADA),
            state,
            hold: Hold::Own {
                rig: Box::new(Mutex::new(rig)),
                ports,
            },
        })
    }

    /// Uses a testbed that another process holds, or any running Karmada, by its kubeconfig.
    ///
    /// # Errors
    ///
    /// When the once-per-machine programs are missing, the kubeconfig cannot be read, or the server does not answer.
    pub fn attach(kubeconfig: &Path) -> Result<Self, TestbedError> {
        let servers = Servers::find()?;
        std::fs::metadata(kubeconfig).map_err(TestbedError::file(kubeconfig))?;
        let state = std::fs::read_to_string(kubeconfig.with_file_name(STATE))
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok());
        let hold = match (&state, Remote::find(kubeconfig)) {
            (Some(_), Some(remote)) => Hold::Held(remote),
            _ => Hold::Foreign,
        };
        let testbed = Self {
            servers,
            kubeconfig: kubeconfig.to_owned(),
            state: state.unwrap_or_default(),
            hold,
        };
        testbed.kubectl().run(&["get", "--raw", "/readyz"])?;
        Ok(testbed)
    }

    /// The kubeconfig of Karmada's API server, as its administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The kubeconfig of Karmada's API server of a user who may do nothing; a role can be bound to `testbed-restricted`.
    pub fn restricted_kubeconfig(&self) -> PathBuf {
        self.kubeconfig.with_file_name("restricted.kubeconfig")
    }

    /// A kubeconfig of Karmada's API server with a token it does not accept, as one that has expired.
    pub fn unknown_token_kubeconfig(&self) -> PathBuf {
        self.kubeconfig.with_file_name("unknown-token.kubeconfig")
    }

    /// `kubectl` on Karmada's API server.
    pub fn kubectl(&self) -> Kubectl {
        Kubectl::new(self.servers.program("kubectl"), self.kubeconfig.clone())
    }

    /// The members it was started with. None are known of a Karmada that was not started here.
    pub fn members(&self) -> &[Member] {
        &self.state.members
    }

    /// `kubectl` on a member's API server; its kubeconfig is [`Kubectl::kubeconfig`].
    ///
    /// # Errors
    ///
    /// [`TestbedError::UnknownMember`].
    pub fn member_kubectl(&self, name: &str) -> Result<Kubectl, TestbedError> {
        let member = self.member(name)?;
        let path = self
            .kubeconfig
            .with_file_name(format!("{}.kubeconfig", member.name));
        Ok(Kubectl::new(self.servers.program("kubectl"), path))
    }

    fn member(&self, name: &str) -> Result<&Member, TestbedError> {
        let found = self.state.members.iter().find(|member| member.name == name);
        found.ok_or_else(|| TestbedError::UnknownMember {
            name: name.to_owned(),
            known: self
                .state
                .members
                .iter()
                .map(|member| member.name.clone())
                .collect(),
        })
    }

    /// Kills a member's API server, as a crash would. Karmada notices after about 6 s.
    ///
    /// # Errors
    ///
    /// [`TestbedError::UnknownMember`], or [`TestbedError::NotOurs`].
    pub fn stop_member(&self, name: &str) -> Result<(), TestbedError> {
        match &self.hold {
            Hold::Own { rig, .. } => {
                let [api, ..] = self.member(name)?.server_names();
                rig.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .processes
                    .kill(&api);
                Ok(())
            }
            Hold::Held(remote) => remote.ask(&format!("stop {name}")),
            Hold::Foreign => Err(self.not_ours()),
        }
    }

    /// Starts a member's API server again where it was, with the objects it had, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// As [`Testbed::stop_member`], and when it does not become ready.
    pub fn start_member(&self, name: &str) -> Result<(), TestbedError> {
        match &self.hold {
            Hold::Own { rig, ports } => {
                let member = self.member(name)?;
                let port = self.state.members.iter().position(|other| other == member);
                let port = port
                    .and_then(|index| ports.get(index))
                    .copied()
                    .unwrap_or_default();
                let mut rig = rig.lock().unwrap_or_else(PoisonError::into_inner);
                let [api, workers @ ..] = member.server_names();
                rig.processes.start_again(&api)?;
                rig.await_api(name, port)?;
                // Some give up when they lose their API server.
                workers
                    .iter()
                    .try_for_each(|worker| rig.processes.start_again(worker))
            }
            Hold::Held(remote) => remote.ask(&format!("start {name}")),
            Hold::Foreign => Err(self.not_ours()),
        }
    }

    /// Kills Karmada's API server, as a crash would.
    ///
    /// # Errors
    ///
    /// [`TestbedError::NotOurs`].
    pub fn stop_api(&self) -> Result<(), TestbedError> {
        self.with_rig("stop-api", |rig| {
            rig.processes.kill(&api_server(KARMADA));
            Ok(())
        })
    }

    /// Starts Karmada's API server again where it was, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// As [`Testbed::stop_api`], and when it does not become ready.
    pub fn start_api(&self) -> Result<(), TestbedError> {
        self.with_rig("start-api", |rig| {
            rig.processes.start_again(&api_server(KARMADA))?;
            rig.await_api(KARMADA, rig.api)?;
            // They give up when they lose their API server.
            rig.processes.start_again(&format!("{KARMADA}-controllers"))
        })
    }

    /// Kills Karmada's aggregated API server, which serves `clusters`. Nothing happens on a testbed without one.
    ///
    /// # Errors
    ///
    /// [`TestbedError::NotOurs`].
    pub fn stop_aggregated(&self) -> Result<(), TestbedError> {
        self.with_rig("stop-aggregated", |rig| {
            rig.processes.kill(AGGREGATED);
            Ok(())
        })
    }

    /// Starts it again. It serves some moments later.
    ///
    /// # Errors
    ///
    /// As [`Testbed::stop_aggregated`], and when it does not start.
    pub fn start_aggregated(&self) -> Result<(), TestbedError> {
        self.with_rig("start-aggregated", |rig| rig.processes.start_again(AGGREGATED))
    }

    /// Acts here, or asks the process that holds the testbed to do what `request` names.
    fn with_rig(
        &self,
        request: &str,
        act: impl FnOnce(&mut Rig) -> Result<(), TestbedError>,
    ) -> Result<(), TestbedError> {
        match &self.hold {
            Hold::Own { rig, .. } => act(&mut rig.lock().unwrap_or_else(PoisonError::into_inner)),
            Hold::Held(remote) => remote.ask(request),
            Hold::Foreign => Err(self.not_ours()),
        }
    }

    fn not_ours(&self) -> TestbedError {
        TestbedError::NotOurs {
            kubeconfig: self.kubeconfig.clone(),
        }
    }

    /// The process group of all its servers, by which one can see whether any still runs.
    pub fn process_group(&self) -> Option<u32> {
        self.state.group
    }

    /// The steps of its start, each with the time since the beginning.
    pub fn times(&self) -> &[(String, Duration)] {
        &self.state.times
    }

    /// The once-per-machine programs.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Begins to count the requests to Karmada's API server.
    ///
    /// # Errors
    ///
    /// When it was not started by a testbed: then there is no log of them.
    pub fn audit(&self) -> Result<Audit, TestbedError> {
        Audit::begin(&self.logs())
    }

    /// Where the logs of its servers are, one file each.
    pub fn logs(&self) -> PathBuf {
        self.kubeconfig.with_file_name("log")
    }
}
