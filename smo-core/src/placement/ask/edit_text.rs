//! Edits in a few words.

use std::collections::BTreeSet;
use std::fmt;

use super::Edit;
use crate::cluster::Path;
use crate::id::ServiceKey;
use crate::placement::LinkLimit;

impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lose { cluster } => write!(f, "lose {cluster}"),
            Self::Drain { cluster } => write!(f, "drain {cluster}"),
            Self::MakeReady { cluster } => write!(f, "make {cluster} ready"),
            Self::AddCluster { cluster, supply, .. } => write!(f, "add {cluster} with {}", supply.capacity),
            Self::Replicas { service, replicas: 1 } => write!(f, "run 1 replica of {}", service.service),
            Self::Replicas { service, replicas } => {
                write!(f, "run {replicas} replicas of {}", service.service)
            }
            Self::ScaleReplicas { service, percent } => {
                write!(f, "run {percent} % of the replicas of {}", who(service.as_ref()))
            }
            Self::ScaleDemand { service, percent } => {
                write!(f, "replicas of {} take {percent} %", who(service.as_ref()))
            }
            Self::ScaleTraffic { service, percent } => {
                write!(f, "traffic of {} at {percent} %", who(service.as_ref()))
            }
            Self::ScaleLoad { service, percent } => {
                write!(f, "load of {} at {percent} %", who(service.as_ref()))
            }
            Self::Remove { service } => write!(f, "remove {}", service.service),
            Self::Price {
                cluster,
                resource,
                price,
            } => write!(f, "{resource} at {price} on {cluster}"),
            Self::ScalePrices { cluster, percent } => match cluster {
                Some(cluster) => write!(f, "prices of {cluster} at {percent} %"),
                None => write!(f, "all prices at {percent} %"),
            },
            Self::CarbonIntensity { cluster, intensity } => {
                write!(f, "{cluster} at {intensity} gCO2e/kWh")
            }
            Self::Pin { service, clusters } => {
                let names: Vec<&str> = clusters.iter().map(|name| name.as_str()).collect();
                write!(f, "pin {} to {}", service.service, names.join(", "))
            }
            Self::Unpin { service } => write!(f, "drop the pin of {}", service.service),
            Self::Exclude { service, cluster } => write!(f, "keep {} off {cluster}", service.service),
            Self::Allow { service, cluster } => write!(f, "allow {} on {cluster}", service.service),
            Self::AllowRegion { service, region } => match region {
                Some(region) => write!(f, "allow {} in region {region}", service.service),
                None => write!(f, "allow {} in any region", service.service),
            },
            Self::Tolerate { service, taint } => {
                write!(f, "let {} tolerate the taint {}", service.service, taint.key)
            }
            Self::Capacity {
                cluster,
                resource,
                amount,
            } => write!(f, "{} on {cluster}", resource.describe(*amount)),
            Self::AddCapacity {
                cluster,
                resource,
                amount,
            } => write!(f, "+{} on {cluster}", resource.describe(*amount)),
            Self::AcceptPath { from, to, path } => {
                write!(f, "relax {} -> {} to {}", from.service, to.service, far(*path))
            }
            Self::DropLimit { from, to } => {
                write!(f, "drop the limit of {} -> {}", from.service, to.service)
            }
            Self::Bandwidth { between, capacity } => {
                let ([a, b], capacity) = (between, capacity.get());
                write!(f, "{capacity} bytes/s between {a} and {b}")
            }
            Self::Distance { between, path } => {
                let [a, b] = between;
                write!(f, "{} between {a} and {b}", far(*path))
            }
            Self::Weigh { goal, weight } => {
                write!(f, "a weight of {} for {}", weight.points(), goal.name())
            }
            Self::SetBudget { goal, at_most } => {
                let (name, amount) = (goal.name(), goal.describe(*at_most));
                write!(f, "set the budget of {name} to {amount}")
            }
            Self::DropLabels { service } => write!(f, "drop the labels that {} requires", service.service),
            Self::DropSpread { service, key } => {
                write!(f, "drop the spread of {} over {key}s", service.service)
            }
            Self::RelaxSpread {
                service,
                key,
                min_groups,
                max_groups,
                max_skew,
            } => {
                let parts = [
                    min_groups.map(|least| format!("at least {least}")),
                    max_groups.map(|most| format!("at most {most}")),
                    max_skew.map(|skew| format!("a skew of {skew}")),
                ];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                let (service, parts) = (&service.service, parts.join(" and "));
                write!(f, "relax the spread of {service} over {key}s to {parts}")
            }
            Self::LetSplit { service } => write!(f, "let {} be split over clusters", service.service),
            Self::RelaxHighAvailability { service } => {
                write!(
                    f,
                    "let two clusters do for the high availability of {}",
                    service.service
                )
            }
            Self::DropHighAvailability { service } => {
                write!(f, "drop the high availability of {}", service.service)
            }
            Self::Release { service } => write!(f, "let {} move", service.service),
            Self::DropCoLocation { services } => {
                write!(f, "let {} run on different clusters", all(services))
            }
            Self::LetTogether { services } => write!(f, "let {} run together", all(services)),
            Self::DropAntiAffinity { service } => {
                write!(f, "let {} run beside any other", service.service)
            }
            Self::DropRule { rule } => write!(f, "drop the rule {rule}"),
            Self::RaiseBudget { goal, at_most } => {
                write!(
                    f,
                    "raise the budget of {} to {}",
                    goal.name(),
                    goal.describe(*at_most)
                )
            }
        }
    }
}

fn who(service: Option<&ServiceKey>) -> String {
    service.map_or_else(|| "every service".to_owned(), |key| key.service.to_string())
}

fn all(services: &BTreeSet<ServiceKey>) -> String {
    let names: Vec<&str> = services.iter().map(|key| key.service.as_str()).collect();
    names.join(", ")
}

/// `22 ms`, `3 hops`, `1000 bytes/s`, all of them.
fn far(path: Path) -> String {
    let rtt = path.rtt.map(|rtt| rtt.to_string());
    let hops = path.hops.map(count_hops);
    let bandwidth = path.bandwidth.map(|rate| format!("{} bytes/s", rate.get()));
    let parts: Vec<String> = [rtt, hops, bandwidth].into_iter().flatten().collect();
    parts.join(" and ")
}

fn count_hops(hops: u32) -> String {
    if hops == 1 {
        "1 hop".to_owned()
    } else {
        format!("{hops} hops")
    }
}

impl fmt::Display for LinkLimit {
    /// `< 10 ms`, `at most 1 hop`, both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rtt = self.rtt_below.map(|rtt| format!("< {rtt}"));
        let hops = self.max_hops.map(|hops| format!("at most {}", count_hops(hops)));
        let parts: Vec<String> = [rtt, hops].into_iter().flatten().collect();
        f.pad(&parts.join(" and "))
    }
}
