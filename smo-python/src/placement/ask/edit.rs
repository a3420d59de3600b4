//! Changes to a question.

use std::collections::{BTreeMap, BTreeSet};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smo_core::cluster::{CarbonProfile, Intensity, Path, Price, Taint, TaintEffect};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::ClusterSupply;
use smo_core::placement::ask as core;
use smo_core::resources::ResourceName;
use smo_core::units::{DataRate, Latency, Money};

use crate::convert::{from_python, parse, resources};
use crate::placement::{Names, goals, rule};

type Make = dyn Fn(&Names) -> PyResult<core::Edit> + Send + Sync;

/// One change to a placement question, made by one of its static methods. Services are called as in the question.
///
/// >>> from smo.ask import Edit
/// >>> Edit.lose("edge-2"), Edit.scale_replicas(200, "web")
/// (<smo.ask.Edit: lose edge-2>, <smo.ask.Edit: run 200 % of the replicas of web>)
#[pyclass(module = "smo.ask", frozen)]
pub(crate) struct Edit {
    words: String,
    make: Box<Make>,
}

impl Edit {
    fn new(words: String, make: impl Fn(&Names) -> PyResult<core::Edit> + Send + Sync + 'static) -> Self {
        Self {
            words,
            make: Box::new(make),
        }
    }

    /// An edit without a service.
    fn plain(edit: core::Edit) -> Self {
        Self::new(edit.to_string(), move |_| Ok(edit.clone()))
    }

    /// An edit of one service.
    fn of_service(
        service: String,
        make: impl Fn(ServiceKey) -> core::Edit + Send + Sync + 'static,
    ) -> PyResult<Self> {
        let words = make(stand_in(&service)?).to_string();
        Ok(Self::new(words, move |names| Ok(make(key(names, &service)?))))
    }

    /// An edit of several services.
    fn of_services(
        services: Vec<String>,
        make: impl Fn(BTreeSet<ServiceKey>) -> core::Edit + Send + Sync + 'static,
    ) -> PyResult<Self> {
        let keys = |find: &dyn Fn(&str) -> PyResult<ServiceKey>| {
            services
                .iter()
                .map(|service| find(service))
                .collect::<PyResult<_>>()
        };
        let words = make(keys(&stand_in)?).to_string();
        Ok(Self::new(words, move |names| {
            let keys = services.iter().map(|service| key(names, service));
            Ok(make(keys.collect::<PyResult<_>>()?))
        }))
    }

    /// An edit of one service, or of all.
    fn of_some(
        service: Option<String>,
        make: impl Fn(Option<ServiceKey>) -> core::Edit + Send + Sync + 'static,
    ) -> PyResult<Self> {
        match service {
            Some(service) => Self::of_service(service, move |key| make(Some(key))),
            None => Ok(Self::plain(make(None))),
        }
    }

    /// Edits with the services of a question.
    pub(super) fn resolve(edits: &[PyRef<'_, Self>], names: &Names) -> PyResult<Vec<core::Edit>> {
        edits.iter().map(|edit| (edit.make)(names)).collect()
    }
}

fn key(names: &Names, service: &str) -> PyResult<ServiceKey> {
    let (key, _) = names.find(service).map_err(PyValueError::new_err)?;
    Ok(key.clone())
}

/// A key for the words of an edit, before there is a question.
fn stand_in(service: &str) -> PyResult<ServiceKey> {
    let id = service.rsplit('/').next().unwrap_or(service);
    parse(&format!("p/g/{id}"))
}

fn euro(price: f64) -> PyResult<Money> {
    Money::from_f64(price).ok_or_else(|| PyValueError::new_err(format!("{price} is no price")))
}

fn amount(resource: &str, quantity: &Bound<'_, PyAny>) -> PyResult<(ResourceName, u64)> {
    let parsed = resources(BTreeMap::from([(resource.to_owned(), quantity.clone())]))?;
    let name = ResourceName::new(resource);
    let amount = parsed.amount(resource);
    Ok((name, amount))
}

fn path(rtt: Option<f64>, hops: Option<u32>) -> PyResult<Path> {
    let milliseconds = |rtt: f64| {
        Latency::from_f64(rtt).ok_or_else(|| PyValueError::new_err(format!("{rtt} is no time in ms")))
    };
    Ok(Path {
        rtt: rtt.map(milliseconds).transpose()?,
        hops,
        bandwidth: None,
    })
}

#[pymethods]
impl Edit {
    /// The cluster is gone: not ready, and what runs there has to move.
    #[staticmethod]
    fn lose(cluster: &str) -> PyResult<Self> {
        let cluster = parse(cluster)?;
        Ok(Self::plain(core::Edit::Lose { cluster }))
    }

    /// The cluster takes no services and those there leave, although it is ready.
    #[staticmethod]
    fn drain(cluster: &str) -> PyResult<Self> {
        let cluster = parse(cluster)?;
        Ok(Self::plain(core::Edit::Drain { cluster }))
    }

    /// The cluster is ready again.
    #[staticmethod]
    fn make_ready(cluster: &str) -> PyResult<Self> {
        let cluster = parse(cluster)?;
        Ok(Self::plain(core::Edit::MakeReady { cluster }))
    }

    /// One cluster more, with this capacity (quantities), prices in EUR/h by resource, the average carbon intensity of its
    /// electricity in gCO2e/kWh, round trips to others in milliseconds, labels, and taints as in Kubernetes:
    /// `{"key": "gpu", "effect": "NoSchedule"}`, with a `value` where there is one.
    ///
    /// Raises `ValueError` for what is no taint.
    #[staticmethod]
    #[pyo3(signature = (cluster, capacity, *, price = None, carbon_intensity = None, region = None, rtt = None, labels = None, taints = None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn add_cluster(
        cluster: &str,
        capacity: BTreeMap<String, Bound<'_, PyAny>>,
        price: Option<BTreeMap<String, f64>>,
        carbon_intensity: Option<f64>,
        region: Option<String>,
        rtt: Option<BTreeMap<String, f64>>,
        labels: Option<BTreeMap<String, String>>,
        taints: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut prices = Price::free();
        for (resource, price) in price.into_iter().flatten() {
            prices = prices.with(resource.as_str(), euro(price)?);
        }
        let carbon = carbon_intensity.map(|intensity| CarbonProfile {
            intensity: Intensity::average(intensity),
            pue: 1.0,
            watts_per_core: CarbonProfile::DEFAULT_WATTS_PER_CORE,
        });
        let supply = ClusterSupply {
            capacity: resources(capacity)?,
            price: prices,
            carbon,
            region,
            labels: labels.unwrap_or_default(),
            taints: match taints {
                Some(taints) => from_python(taints, "a list of taints")?,
                None => Vec::new(),
            },
            ..ClusterSupply::default()
        };
        let rtts = rtt.into_iter().flatten();
        let paths = rtts.map(|(other, rtt)| Ok((parse(&other)?, path(Some(rtt), None)?)));
        Ok(Self::plain(core::Edit::AddCluster {
            cluster: parse(cluster)?,
            supply: Box::new(supply),
            paths: paths.collect::<PyResult<_>>()?,
        }))
    }

    /// The service runs so many replicas.
    #[staticmethod]
    fn replicas(service: String, replicas: u32) -> PyResult<Self> {
        Self::of_service(service, move |service| core::Edit::Replicas { service, replicas })
    }

    /// A service, or every one, runs this share of its replicas, rounded up: 200 doubles them.
    #[staticmethod]
    #[pyo3(signature = (percent, service = None))]
    fn scale_replicas(percent: u32, service: Option<String>) -> PyResult<Self> {
        Self::of_some(service, move |service| core::Edit::ScaleReplicas {
            service,
            percent,
        })
    }

    /// Every replica of a service, or of all, takes this share of what it takes, rounded up.
    #[staticmethod]
    #[pyo3(signature = (percent, service = None))]
    fn scale_demand(percent: u32, service: Option<String>) -> PyResult<Self> {
        Self::of_some(service, move |service| core::Edit::ScaleDemand {
            service,
            percent,
        })
    }

    /// The links of a service, or all, carry this share of their traffic, rounded up.
    #[staticmethod]
    #[pyo3(signature = (percent, service = None))]
    fn scale_traffic(percent: u32, service: Option<String>) -> PyResult<Self> {
        Self::of_some(service, move |service| core::Edit::ScaleTraffic {
            service,
            percent,
        })
    }

    /// A service, or every one, has this share of its load: so many of its replicas, and so much traffic on its links. A link
    /// of two services whose load changes one by one changes twice.
    #[staticmethod]
    #[pyo3(signature = (percent, service = None))]
    fn scale_load(percent: u32, service: Option<String>) -> PyResult<Self> {
        Self::of_some(service, move |service| core::Edit::ScaleLoad { service, percent })
    }

    /// The service is gone, with its links, and leaves its groups.
    #[staticmethod]
    fn remove(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::Remove { service })
    }

    /// An hour of a core, a GiB or a piece of a resource costs this many EUR on a cluster.
    #[staticmethod]
    fn price(cluster: &str, resource: &str, price: f64) -> PyResult<Self> {
        Ok(Self::plain(core::Edit::Price {
            cluster: parse(cluster)?,
            resource: ResourceName::new(resource),
            price: euro(price)?,
        }))
    }

    /// Everything on a cluster, or on all, costs this share of its price.
    #[staticmethod]
    #[pyo3(signature = (percent, cluster = None))]
    fn scale_prices(percent: u32, cluster: Option<&str>) -> PyResult<Self> {
        let cluster = cluster.map(parse).transpose()?;
        Ok(Self::plain(core::Edit::ScalePrices { cluster, percent }))
    }

    /// The electricity of a cluster has this carbon intensity, in gCO2e/kWh.
    #[staticmethod]
    fn carbon_intensity(cluster: &str, intensity: f64) -> PyResult<Self> {
        let cluster = parse(cluster)?;
        Ok(Self::plain(core::Edit::CarbonIntensity { cluster, intensity }))
    }

    /// The service may run on these clusters only.
    #[staticmethod]
    fn pin(service: String, clusters: Vec<String>) -> PyResult<Self> {
        let clusters: BTreeSet<ClusterName> =
            clusters.iter().map(|name| parse(name)).collect::<PyResult<_>>()?;
        Self::of_service(service, move |service| core::Edit::Pin {
            service,
            clusters: clusters.clone(),
        })
    }

    /// The service is no longer pinned.
    #[staticmethod]
    fn unpin(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::Unpin { service })
    }

    /// The service may not run on the cluster.
    #[staticmethod]
    fn exclude(service: String, cluster: &str) -> PyResult<Self> {
        let cluster: ClusterName = parse(cluster)?;
        Self::of_service(service, move |service| core::Edit::Exclude {
            service,
            cluster: cluster.clone(),
        })
    }

    /// The service may run on a cluster that a pin or an exclusion keeps it off.
    #[staticmethod]
    fn allow(service: String, cluster: &str) -> PyResult<Self> {
        let cluster: ClusterName = parse(cluster)?;
        Self::of_service(service, move |service| core::Edit::Allow {
            service,
            cluster: cluster.clone(),
        })
    }

    /// The service may run in one more region; in any for `None`.
    #[staticmethod]
    #[pyo3(signature = (service, region = None))]
    fn allow_region(service: String, region: Option<String>) -> PyResult<Self> {
        Self::of_service(service, move |service| core::Edit::AllowRegion {
            service,
            region: region.clone(),
        })
    }

    /// The service ignores a taint.
    #[staticmethod]
    #[pyo3(signature = (service, key, value = None, effect = "NoSchedule"))]
    fn tolerate(service: String, key: String, value: Option<String>, effect: &str) -> PyResult<Self> {
        let effect = match effect {
            "NoSchedule" => TaintEffect::NoSchedule,
            "PreferNoSchedule" => TaintEffect::PreferNoSchedule,
            "NoExecute" => TaintEffect::NoExecute,
            other => {
                let message = format!("{other} is none of NoSchedule, PreferNoSchedule and NoExecute");
                return Err(PyValueError::new_err(message));
            }
        };
        let taint = Taint { key, value, effect };
        Self::of_service(service, move |service| core::Edit::Tolerate {
            service,
            taint: taint.clone(),
        })
    }

    /// The cluster has so much of a resource (a quantity) for the services being decided.
    #[staticmethod]
    fn capacity(cluster: &str, resource: &str, quantity: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (resource, amount) = amount(resource, quantity)?;
        Ok(Self::plain(core::Edit::Capacity {
            cluster: parse(cluster)?,
            resource,
            amount,
        }))
    }

    /// The cluster has so much more of a resource (a quantity).
    #[staticmethod]
    fn add_capacity(cluster: &str, resource: &str, quantity: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (resource, amount) = amount(resource, quantity)?;
        Ok(Self::plain(core::Edit::AddCapacity {
            cluster: parse(cluster)?,
            resource,
            amount,
        }))
    }

    /// The ends of a link may be this far from one another, in milliseconds and hops; what is `None` keeps its limit.
    #[staticmethod]
    #[pyo3(signature = (caller, callee, *, rtt = None, hops = None))]
    fn accept_path(caller: String, callee: String, rtt: Option<f64>, hops: Option<u32>) -> PyResult<Self> {
        let path = path(rtt, hops)?;
        let make = move |from: ServiceKey, to: ServiceKey| core::Edit::AcceptPath { from, to, path };
        let words = make(stand_in(&caller)?, stand_in(&callee)?).to_string();
        Ok(Self::new(words, move |names| {
            Ok(make(key(names, &caller)?, key(names, &callee)?))
        }))
    }

    /// The network between two clusters carries so many bytes per second.
    #[staticmethod]
    fn bandwidth(cluster: &str, other: &str, bytes_per_second: u64) -> PyResult<Self> {
        Ok(Self::plain(core::Edit::Bandwidth {
            between: [parse(cluster)?, parse(other)?],
            capacity: DataRate::new(bytes_per_second),
        }))
    }

    /// Two clusters are this far from one another, in milliseconds and hops; what is `None` stays as it was measured.
    #[staticmethod]
    #[pyo3(signature = (cluster, other, *, rtt = None, hops = None))]
    fn distance(cluster: &str, other: &str, rtt: Option<f64>, hops: Option<u32>) -> PyResult<Self> {
        Ok(Self::plain(core::Edit::Distance {
            between: [parse(cluster)?, parse(other)?],
            path: path(rtt, hops)?,
        }))
    }

    /// A goal of the highest priority counts so many points for one unit of it.
    #[staticmethod]
    fn weigh(goal: &str, weight: f64) -> PyResult<Self> {
        let goal = goals::goal(goal)?;
        let weight = goals::weight(goal, weight)?;
        Ok(Self::plain(core::Edit::Weigh { goal, weight }))
    }

    /// So much of a goal may be spent, emitted or moved, in the unit that the goal is shown in, whatever budgets of it there
    /// are.
    #[staticmethod]
    fn set_budget(goal: &str, at_most: f64) -> PyResult<Self> {
        let budget = goals::budget(goal, at_most, None)?;
        Ok(Self::plain(core::Edit::SetBudget {
            goal: budget.goal,
            at_most: budget.at_most,
        }))
    }

    /// The labels of its clusters do not matter to the service.
    #[staticmethod]
    fn drop_labels(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::DropLabels { service })
    }

    /// The service need not spread over `cluster`, `region`, `zone`, `provider` or the values of a label.
    #[staticmethod]
    #[pyo3(signature = (service, key = "cluster"))]
    fn drop_spread(service: String, key: &str) -> PyResult<Self> {
        let key = rule::domain(key);
        Self::of_service(service, move |service| core::Edit::DropSpread {
            service,
            key: key.clone(),
        })
    }

    /// The service need spread over fewer domains at least, may use more at most, or may be less even; what is `None` keeps
    /// its limit.
    #[staticmethod]
    #[pyo3(signature = (service, key = "cluster", *, min_groups = None, max_groups = None, max_skew = None))]
    fn relax_spread(
        service: String,
        key: &str,
        min_groups: Option<u32>,
        max_groups: Option<u32>,
        max_skew: Option<u32>,
    ) -> PyResult<Self> {
        let key = rule::domain(key);
        Self::of_service(service, move |service| core::Edit::RelaxSpread {
            service,
            key: key.clone(),
            min_groups,
            max_groups,
            max_skew,
        })
    }

    /// The replicas of the service may run on several clusters.
    #[staticmethod]
    fn let_split(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::LetSplit { service })
    }

    /// The service has to survive the loss of a cluster only, not of a whole domain of several.
    #[staticmethod]
    fn relax_high_availability(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::RelaxHighAvailability { service })
    }

    /// The service need not survive the loss of a domain.
    #[staticmethod]
    fn drop_high_availability(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::DropHighAvailability { service })
    }

    /// The service may move although its placement is final.
    #[staticmethod]
    fn release(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::Release { service })
    }

    /// All services of a group that share their clusters need not.
    #[staticmethod]
    fn drop_co_location(services: Vec<String>) -> PyResult<Self> {
        Self::of_services(services, |services| core::Edit::DropCoLocation { services })
    }

    /// Services that keep apart may share a domain with one another.
    #[staticmethod]
    fn let_together(services: Vec<String>) -> PyResult<Self> {
        Self::of_services(services, |services| core::Edit::LetTogether { services })
    }

    /// The service need not keep apart from any other, and may run in no domain.
    #[staticmethod]
    fn drop_anti_affinity(service: String) -> PyResult<Self> {
        Self::of_service(service, |service| core::Edit::DropAntiAffinity { service })
    }

    /// A rule of yours is not asked.
    #[staticmethod]
    fn drop_rule(rule: String) -> Self {
        Self::plain(core::Edit::DropRule { rule })
    }

    /// So much of a goal may be spent, emitted or moved, in the unit that the goal is shown in.
    #[staticmethod]
    fn raise_budget(goal: &str, at_most: f64) -> PyResult<Self> {
        let budget = goals::budget(goal, at_most, None)?;
        Ok(Self::plain(core::Edit::RaiseBudget {
            goal: budget.goal,
            at_most: budget.at_most,
        }))
    }

    /// The ends of a link may be anywhere.
    #[staticmethod]
    fn drop_limit(caller: String, callee: String) -> PyResult<Self> {
        let make = |from: ServiceKey, to: ServiceKey| core::Edit::DropLimit { from, to };
        let words = make(stand_in(&caller)?, stand_in(&callee)?).to_string();
        Ok(Self::new(words, move |names| {
            Ok(make(key(names, &caller)?, key(names, &callee)?))
        }))
    }

    fn __str__(&self) -> &str {
        &self.words
    }

    fn __repr__(&self) -> String {
        format!("<smo.ask.Edit: {}>", self.words)
    }
}
