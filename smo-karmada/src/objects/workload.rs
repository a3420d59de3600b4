//! A plain container image as Deployment, Service, export, import and policies.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use serde_json::{Value, json};
use smo_core::cluster::Toleration;
use smo_core::id::ClusterName;
use smo_core::placement::Assignment;
use smo_core::resources::{ResourceName, Resources};

use super::image::{ImageValues, PortRef, Probe};
use super::policy::{
    ClusterAffinity, OverridePolicy, OverridePolicySpec, OverrideRule, Overriders, Placement,
    PlaintextOverrider, PropagationPolicy, PropagationSpec, ResourceSelector, clusters_placement,
    exact_placement,
};
use super::{INSTANCE, ObjectRef, Owner};
use crate::error::KarmadaError;

/// How a scheme says that a reference is a container image and not a chart.
pub(crate) const IMAGE_SCHEME: &str = "docker://";

/// The objects of a service, in two parts that are written one after the other.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rendered {
    /// Policies: where the objects go, and how they differ there.
    pub policies: Vec<Value>,
    /// The objects themselves; the workload, whose replicas are counted, comes first.
    pub objects: Vec<Value>,
}

impl Rendered {
    /// What all of it is, policies first.
    ///
    /// # Errors
    /// When an object has no kind or name.
    pub fn refs(&self) -> Result<Vec<ObjectRef>, KarmadaError> {
        self.policies
            .iter()
            .chain(&self.objects)
            .map(ObjectRef::of)
            .collect()
    }
}

/// Renders a container image.
///
/// `reference` is `docker://host/repository[:tag]`, `assignment` where its replicas go, `replicas` how many there are
/// (0 for one that is scaled to zero and stays where it was).
///
/// # Errors
/// `Refused` when the reference, the values or an empty assignment say nothing that can be run.
pub fn render_image(
    owner: &Owner,
    reference: &str,
    values: &ImageValues,
    resources: &Resources,
    assignment: &Assignment,
    replicas: u32,
    tolerations: &[Toleration],
) -> Result<Rendered, KarmadaError> {
    let refused = |why: String| KarmadaError::Refused(why);
    let image = reference.strip_prefix(IMAGE_SCHEME).unwrap_or_default();
    if image.is_empty() || image.contains(char::is_whitespace) {
        return Err(refused(format!(
            "`{reference}` is no image reference (docker://host/repository:tag)"
        )));
    }
    let placement = exact_placement(assignment, tolerations)
        .ok_or_else(|| refused("it names no cluster, which would mean every cluster".to_owned()))?;
    let name = owner.service.service.as_str();
    let workload = deployment(owner, image, values, resources, replicas);
    let mut objects = vec![manifest(&workload)?];
    if !values.ports.is_empty() {
        objects.push(manifest(&service(owner, values))?);
    }
    let imports = clusters_placement(values.service_import_clusters.iter().cloned(), tolerations);
    let imports = imports.filter(|_| !values.ports.is_empty());
    if imports.is_some() {
        objects.push(json!({
            "apiVersion": "multicluster.x-k8s.io/v1alpha1",
            "kind": "ServiceExport",
            "metadata": owner.metadata(name),
        }));
    }
    // The only thing that a rendered workload refers to.
    let secrets = !values.image_pull_secrets.is_empty();
    let conflicts = values.conflict_resolution.as_deref();
    let mut policies = vec![propagation(owner, "", &objects, placement, conflicts, secrets)?];
    if let Some(placement) = imports {
        let import = service_import(owner, values);
        // Karmada's webhook insists on dependencies where a ServiceImport is selected.
        policies.push(propagation(
            owner,
            "import",
            std::slice::from_ref(&import),
            placement,
            None,
            true,
        )?);
        objects.push(import);
    }
    if let Some(policy) = overrides(owner, values, &workload)? {
        policies.insert(0, policy);
    }
    Ok(Rendered { policies, objects })
}

pub(crate) fn manifest(object: &impl Serialize) -> Result<Value, KarmadaError> {
    serde_json::to_value(object).map_err(|error| KarmadaError::Nonsense(error.to_string()))
}

/// A policy of ours that sends `objects` where `placement` says, and where asked what they refer to (ConfigMaps,
/// Secrets, ...), which costs Karmada a look at each.
pub(crate) fn propagation(
    owner: &Owner,
    role: &str,
    objects: &[Value],
    placement: Placement,
    conflict_resolution: Option<&str>,
    with_dependencies: bool,
) -> Result<Value, KarmadaError> {
    let selector = |object: &Value| {
        ObjectRef::of(object).map(|object| ResourceSelector {
            api_version: object.api_version,
            kind: object.kind,
            name: Some(object.name),
            ..ResourceSelector::default()
        })
    };
    let spec = PropagationSpec {
        resource_selectors: objects.iter().map(selector).collect::<Result<_, _>>()?,
        placement,
        propagate_deps: with_dependencies,
        conflict_resolution: Some(conflict_resolution.unwrap_or("Abort").to_owned()),
        ..PropagationSpec::default()
    };
    let mut policy = PropagationPolicy::new(&owner.policy_name(role), spec);
    policy.metadata = metadata(owner, &owner.policy_name(role));
    manifest(&policy)
}

fn metadata(owner: &Owner, name: &str) -> ObjectMeta {
    let labels = owner.labels();
    let text = |(key, value): (&String, &Value)| (key.clone(), value.as_str().unwrap_or_default().to_owned());
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(owner.namespace().to_owned()),
        labels: Some(labels.iter().map(text).collect()),
        ..ObjectMeta::default()
    }
}

fn pod_labels(owner: &Owner) -> BTreeMap<String, String> {
    BTreeMap::from([(INSTANCE.to_owned(), owner.service.service.to_string())])
}

/// A label with which Karmada leaves the replica count of the member alone.
const RETAIN_REPLICAS: &str = "resourcetemplate.karmada.io/retain-replicas";

fn deployment(
    owner: &Owner,
    image: &str,
    values: &ImageValues,
    resources: &Resources,
    replicas: u32,
) -> Deployment {
    let name = owner.service.service.as_str();
    let mut meta = metadata(owner, name);
    if values.member_autoscaling {
        meta.labels
            .get_or_insert_default()
            .insert(RETAIN_REPLICAS.to_owned(), "true".to_owned());
    }
    let list = |items: &[String]| (!items.is_empty()).then(|| items.to_vec());
    let secret = |name: &String| core::LocalObjectReference { name: name.clone() };
    let container = core::Container {
        name: name.to_owned(),
        image: Some(image.to_owned()),
        command: list(&values.command),
        args: list(&values.args),
        env: environment(values, None),
        ports: (!values.ports.is_empty()).then(|| values.ports.iter().map(container_port).collect()),
        resources: Some(requirements(values, resources)),
        startup_probe: values.probes.startup.as_ref().map(probe),
        readiness_probe: values.probes.readiness.as_ref().map(probe),
        liveness_probe: values.probes.liveness.as_ref().map(probe),
        ..core::Container::default()
    };
    let pull: Vec<_> = values.image_pull_secrets.iter().map(secret).collect();
    let pod = core::PodSpec {
        containers: vec![container],
        image_pull_secrets: (!pull.is_empty()).then_some(pull),
        ..core::PodSpec::default()
    };
    Deployment {
        metadata: meta,
        spec: Some(DeploymentSpec {
            replicas: Some(i32::try_from(replicas).unwrap_or(i32::MAX)),
            selector: LabelSelector {
                match_labels: Some(pod_labels(owner)),
                ..LabelSelector::default()
            },
            template: core::PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: metadata(owner, name).labels,
                    ..ObjectMeta::default()
                }),
                spec: Some(pod),
            },
            ..DeploymentSpec::default()
        }),
        status: None,
    }
}

/// The environment, with what is different in `cluster`.
fn environment(values: &ImageValues, cluster: Option<&ClusterName>) -> Option<Vec<core::EnvVar>> {
    let mut all = values.env.clone();
    let here = cluster.and_then(|cluster| values.clusters.get(cluster));
    all.extend(here.iter().flat_map(|here| here.env.clone()));
    let variable = |(name, value): (String, super::image::Scalar)| core::EnvVar {
        name,
        value: Some(value.to_string()),
        value_from: None,
    };
    (!all.is_empty()).then(|| all.into_iter().map(variable).collect())
}

/// Requests are what the plan counts with. Extended resources are never overcommitted: Kubernetes asks for equal
/// limits.
fn requirements(values: &ImageValues, resources: &Resources) -> core::ResourceRequirements {
    let mut requests = BTreeMap::new();
    let mut limits: BTreeMap<String, Quantity> = BTreeMap::new();
    for (name, amount) in resources
        .iter()
        .filter(|(name, amount)| *amount > 0 && name.as_str() != ResourceName::PODS)
    {
        let key = match name.as_str() {
            ResourceName::STORAGE => "ephemeral-storage",
            other => other,
        };
        let quantity = Quantity(name.quantity(amount));
        if name.is_extended() {
            limits.insert(key.to_owned(), quantity.clone());
        }
        requests.insert(key.to_owned(), quantity);
    }
    limits.extend(
        values
            .limits
            .iter()
            .map(|(name, limit)| (name.clone(), Quantity(limit.to_string()))),
    );
    core::ResourceRequirements {
        requests: (!requests.is_empty()).then_some(requests),
        limits: (!limits.is_empty()).then_some(limits),
        ..core::ResourceRequirements::default()
    }
}

fn container_port(port: &super::image::Port) -> core::ContainerPort {
    core::ContainerPort {
        name: Some(port.name()),
        container_port: i32::from(port.port),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        ..core::ContainerPort::default()
    }
}

fn probe(probe: &Probe) -> core::Probe {
    let port = |port: &PortRef| match port {
        PortRef::Number(number) => IntOrString::Int(i32::from(*number)),
        PortRef::Name(name) => IntOrString::String(name.clone()),
    };
    let seconds = |seconds: Option<u32>| seconds.map(|seconds| i32::try_from(seconds).unwrap_or(i32::MAX));
    core::Probe {
        http_get: probe.http.as_ref().map(|asked| core::HTTPGetAction {
            path: Some(asked.path.clone()),
            port: port(&asked.port),
            ..core::HTTPGetAction::default()
        }),
        tcp_socket: probe.tcp.as_ref().map(|asked| core::TCPSocketAction {
            port: port(&asked.port),
            host: None,
        }),
        exec: probe.exec.clone().map(|command| core::ExecAction {
            command: Some(command),
        }),
        initial_delay_seconds: seconds(probe.initial_delay_seconds),
        period_seconds: seconds(probe.period_seconds),
        ..core::Probe::default()
    }
}

fn service(owner: &Owner, values: &ImageValues) -> core::Service {
    let port = |port: &super::image::Port| core::ServicePort {
        name: Some(port.name()),
        port: i32::from(port.port),
        protocol: Some(port.protocol.clone().unwrap_or_else(|| "TCP".to_owned())),
        target_port: Some(IntOrString::String(port.name())),
        ..core::ServicePort::default()
    };
    core::Service {
        metadata: metadata(owner, owner.service.service.as_str()),
        spec: Some(core::ServiceSpec {
            selector: Some(pod_labels(owner)),
            ports: Some(values.ports.iter().map(port).collect()),
            ..core::ServiceSpec::default()
        }),
        status: None,
    }
}

fn service_import(owner: &Owner, values: &ImageValues) -> Value {
    let port = |port: &super::image::Port| {
        json!({
            "name": port.name(),
            "port": port.port,
            "protocol": port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
        })
    };
    json!({
        "apiVersion": "multicluster.x-k8s.io/v1alpha1",
        "kind": "ServiceImport",
        "metadata": owner.metadata(owner.service.service.as_str()),
        "spec": {"type": "ClusterSetIP", "ports": values.ports.iter().map(port).collect::<Vec<_>>()},
    })
}

/// What is different from cluster to cluster; `None` when nothing is.
fn overrides(
    owner: &Owner,
    values: &ImageValues,
    workload: &Deployment,
) -> Result<Option<Value>, KarmadaError> {
    let container = "/spec/template/spec/containers/0";
    let rule = |(cluster, here): (&ClusterName, &super::image::ClusterValues)| {
        let image = here.image.as_ref().map(|image| PlaintextOverrider {
            path: format!("{container}/image"),
            operator: "replace".to_owned(),
            value: image.strip_prefix(IMAGE_SCHEME).unwrap_or(image).into(),
        });
        let environment = environment(values, Some(cluster)).filter(|_| !here.env.is_empty());
        let environment = environment.map(|all| PlaintextOverrider {
            path: format!("{container}/env"),
            operator: if values.env.is_empty() { "add" } else { "replace" }.to_owned(),
            value: json!(all),
        });
        OverrideRule {
            target_cluster: ClusterAffinity {
                cluster_names: vec![cluster.to_string()],
                ..ClusterAffinity::default()
            },
            overriders: Overriders {
                plaintext: image.into_iter().chain(environment).collect(),
            },
        }
    };
    let rules: Vec<_> = values
        .clusters
        .iter()
        .map(rule)
        .filter(|rule| !rule.overriders.plaintext.is_empty())
        .collect();
    if rules.is_empty() {
        return Ok(None);
    }
    let spec = OverridePolicySpec {
        resource_selectors: vec![ResourceSelector {
            api_version: "apps/v1".to_owned(),
            kind: "Deployment".to_owned(),
            name: workload.metadata.name.clone(),
            ..ResourceSelector::default()
        }],
        override_rules: rules,
    };
    let mut policy = OverridePolicy::new("", spec);
    policy.metadata = metadata(owner, &owner.policy_name("override"));
    manifest(&policy).map(Some)
}

#[cfg(test)]
#[path = "workload_tests.rs"]
mod tests;
