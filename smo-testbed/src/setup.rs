//! From nothing to a running testbed.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::audit;
use crate::control_plane::{self, KARMADA};
use crate::error::TestbedError;
use crate::kubeconfig::User;
use crate::kubectl::Kubectl;
use crate::member::Member;
use crate::programs::{KarmadaFiles, KarmadaPrograms};
use crate::rig::{Rig, condition};
use crate::testbed::Testbed;

/// What to start.
#[derive(Debug, Clone)]
pub struct Setup {
    name: String,
    members: Vec<Member>,
    manifests: Vec<String>,
    karmada: bool,
    limits: Limits,
    progress: Option<Progress>,
}

/// How many requests Karmada's controllers and scheduler make of an API server in a second, and in a burst. What is beyond
/// waits: a binding costs several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Limits {
    /// Karmada's own defaults, 40 and 60.
    #[default]
    Default,
    /// 500 and 1000: what an operator of a large fleet sets.
    Raised,
}

impl Limits {
    /// The flags of the controller manager; those that the scheduler has too come first.
    pub(crate) fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Default => &[],
            Self::Raised => &[
                "--kube-api-qps=500",
                "--kube-api-burst=1000",
                "--cluster-api-qps=500",
                "--cluster-api-burst=1000",
            ],
        }
    }
}

/// Told the testbed's name, each step of its start when it was reached, and the time since the beginning.
pub type Progress = fn(&str, &str, Duration);

impl Setup {
    /// The API suite's servers: Karmada's API server with its CRDs, none of Karmada's programs, and one member `m1`.
    ///
    /// Every object is checked by the real schemas, and a test may play the scheduler. `cluster.karmada.io` is no CRD and
    /// so is absent; [`Setup::with_manifest`] can install one. Without the files of a Karmada release there are no CRDs
    /// but those given: a suite that needs some brings them (that of `smo-karmada` makes them from its types).
    pub fn api() -> Self {
        Self {
            name: "api".to_owned(),
            members: vec![Member::new("m1")],
            manifests: Vec::new(),
            karmada: false,
            limits: Limits::Default,
            progress: None,
        }
    }

    /// A whole Karmada with the members `m1`, `m2` (two GPUs on each of its three nodes) and `m3`.
    pub fn karmada() -> Self {
        Self {
            name: KARMADA.to_owned(),
            members: vec![
                Member::new("m1"),
                Member::new("m2").with_gpus(2),
                Member::new("m3"),
            ],
            manifests: Vec::new(),
            karmada: true,
            limits: Limits::Default,
            progress: None,
        }
    }

    /// Another name of its folder below `target/live`.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Other members.
    #[must_use]
    pub fn with_members(mut self, members: Vec<Member>) -> Self {
        self.members = members;
        self
    }

    /// Other limits of Karmada's programs.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Manifests to apply to Karmada's API server after its CRDs, in YAML or JSON.
    #[must_use]
    pub fn with_manifest(mut self, text: impl Into<String>) -> Self {
        self.manifests.push(text.into());
        self
    }

    /// Calls this whenever a step of the start was reached.
    #[must_use]
    pub fn with_progress(mut self, progress: Progress) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Starts it and waits until all of it is ready. Everything ends when the value is dropped, or when the process ends.
    ///
    /// # Errors
    ///
    /// What is missing, or what did not become ready, with the end of the log of the server in question. Nothing is left
    /// running.
    pub fn start(self) -> Result<Testbed, TestbedError> {
        let mut times = Times::new(&self.name, self.progress);
        let files = match KarmadaFiles::find() {
            Ok(files) => Some(files),
            Err(missing) if self.karmada => return Err(missing),
            Err(_) => None,
        };
        let programs = self.karmada.then(KarmadaPrograms::find).transpose()?;
        let mut rig = Rig::start(&self.name)?;

        let port = rig.ports.take()?;
        rig.api = port;
        let audit = audit::flags(&rig.folder)?;
        let audit = audit.each_ref().map(String::as_str);
        let admission = "--disable-admission-plugins=StorageObjectInUseProtection,ServiceAccount";
        rig.serve_api(
            KARMADA,
            port,
            "10.96.0.0/16",
            &[&audit[..], &[admission]].concat(),
        )?;
        rig.write_kubeconfig("restricted", KARMADA, port, User::Restricted)?;
        rig.write_kubeconfig("unknown-token", KARMADA, port, User::Unknown)?;
        rig.await_api(KARMADA, port)?;
        times.note("Karmada's API server is ready");

        // They start while the CRDs are applied.
        let mut members = Vec::new();
        for (member, number) in self.members.iter().zip(97_u8..) {
            let port = rig.ports.take()?;
            rig.serve_api(&member.name, port, &format!("10.{number}.0.0/16"), &[])?;
            members.push((member, port));
        }
        let kubectl = rig.kubectl(KARMADA);
        if let Some(files) = &files {
            apply_crds(&kubectl, &files.crds(), files)?;
        }
        let namespace =
            |name: &str| json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let namespaces = ["karmada-system", "karmada-cluster"].map(namespace);
        kubectl.apply(&json!({"apiVersion": "v1", "kind": "List", "items": namespaces}))?;
        for manifest in &self.manifests {
            kubectl.apply_text(manifest)?;
        }
        times.note("CRDs are applied");

        if let (Some(programs), Some(files)) = (&programs, &files) {
            control_plane::serve(&mut rig, programs, files, self.limits)?;
            times.note("Karmada's programs are started");
        }
        // Not before: the garbage collector looks for new kinds of objects only every 30 s.
        rig.serve_controllers(
            KARMADA,
            "namespace,garbagecollector,serviceaccount-token,clusterrole-aggregation",
        )?;
        for (member, port) in &members {
            rig.await_api(&member.name, *port)?;
        }
        if let Some(files) = &files {
            for_each(&members, |member, _| {
                apply_crds(&rig.kubectl(&member.name), &files.member_crds(), files)
            })?;
        }
        for (member, _) in &members {
            member.serve_workers(&mut rig)?;
        }
        for_each(&members, |member, port| {
            rig.kubectl(&member.name).apply(&member.node_objects())?;
            if self.karmada {
                rig.kubectl(KARMADA).apply(&member.registration(port, &rig.pki))?;
            }
            Ok(())
        })?;
        times.note("members are filled");
        await_nodes(&mut rig, &members)?;
        if self.karmada {
            await_members(&mut rig, &members)?;
        }
        times.note("all of it is ready");
        let ports = members.into_iter().map(|(_, port)| port).collect();
        Testbed::own(rig, self.members, ports, times.steps)
    }
}

/// Steps and when each was reached, counted from the start.
struct Times {
    began: Instant,
    name: String,
    progress: Option<Progress>,
    steps: Vec<(String, Duration)>,
}

impl Times {
    fn new(name: &str, progress: Option<Progress>) -> Self {
        Self {
            began: Instant::now(),
            name: name.to_owned(),
            progress,
            steps: Vec::new(),
        }
    }

    fn note(&mut self, step: &str) {
        let time = self.began.elapsed();
        if let Some(progress) = self.progress {
            progress(&self.name, step, time);
        }
        self.steps.push((step.to_owned(), time));
    }
}

/// Applies a folder of CRDs, and those of the Prometheus operator where they are kept.
fn apply_crds(kubectl: &Kubectl, folder: &Path, files: &KarmadaFiles) -> Result<(), TestbedError> {
    let mut arguments = vec![
        "apply".to_owned(),
        "--server-side".to_owned(),
        "--recursive".to_owned(),
    ];
    for folder in std::iter::once(folder).chain(files.monitoring_crds().as_deref()) {
        arguments.extend(["--filename".to_owned(), folder.display().to_string()]);
    }
    kubectl.run(&arguments).map(drop)
}

/// Does the same for all members, at once.
fn for_each(
    members: &[(&Member, u16)],
    act: impl Fn(&Member, u16) -> Result<(), TestbedError> + Sync,
) -> Result<(), TestbedError> {
    let act = &act;
    std::thread::scope(|scope| {
        let started: Vec<_> = members
            .iter()
            .map(|(member, port)| scope.spawn(move || act(member, *port)))
            .collect();
        started.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

fn await_nodes(rig: &mut Rig, members: &[(&Member, u16)]) -> Result<(), TestbedError> {
    for (member, _) in members {
        let kubectl = rig.kubectl(&member.name);
        rig.processes.wait(
            &format!("{}-kwok", member.name),
            &format!("the nodes of {} becoming ready", member.name),
            || all_ready(&kubectl, "nodes", member.nodes as usize),
        )?;
    }
    Ok(())
}

fn await_members(rig: &mut Rig, members: &[(&Member, u16)]) -> Result<(), TestbedError> {
    let kubectl = rig.kubectl(KARMADA);
    rig.processes.wait(
        "karmada-controller-manager",
        "every member becoming ready",
        || all_ready(&kubectl, "clusters.cluster.karmada.io", members.len()),
    )
}

fn all_ready(kubectl: &Kubectl, resource: &str, expected: usize) -> Result<(), String> {
    let list = kubectl.get(&[resource]).map_err(|error| error.to_string())?;
    let items = list.get("items").and_then(Value::as_array);
    let ready = items.map_or(0, |items| {
        let ready = items
            .iter()
            .filter(|item| condition(item, "Ready") == Some("True"));
        ready.count()
    });
    if ready == expected {
        Ok(())
    } else {
        Err(format!("{ready} of {expected} are ready"))
    }
}
