//! A richer mix of the whole model, generated: GPUs, residency, replicas that split and spread, latency, traffic, moves.

use std::fmt::Write as _;
use std::path::Path;

use smo_core::cluster::{CarbonProfile, Egress, Intensity, Path as NetworkPath, Price};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    Assignment, ClusterSupply, DomainKey, Goal, Goals, HighAvailability, LinkDemand, LinkLimit, Mode,
    PlacementProblem, ServiceDemand, Spread, Weight,
};
use smo_core::random::Random;
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{Bytes, DataRate, Latency, Money};

use super::Report;
use super::measure::solve;
use super::targets::{Target, short};

/// Services and clusters.
const SIZES: [(usize, usize); 3] = [(100, 10), (500, 20), (2000, 50)];
const REGIONS: usize = 4;

fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// The problem of a size: graphs of ten services in a row, clusters of four regions about 70 % full.
fn problem(services: usize, clusters: usize) -> Result<PlacementProblem, String> {
    let mut random = Random::new(services as u64);
    let mut problem = PlacementProblem {
        goals: Goals::default().with(Goal::Latency, Weight::from_millionths(20)),
        ..PlacementProblem::default()
    };
    let names: Vec<ClusterName> = (0..clusters)
        .map(|number| parsed(&format!("c{number}")))
        .collect::<Result<_, _>>()?;
    let mut cores = 0;
    let mut keys: Vec<ServiceKey> = Vec::new();
    for number in 0..services {
        let key: ServiceKey = parsed(&format!("p/g{}/s{number}", number / 10))?;
        let cpu = random.between(1, 8) * 250;
        let mut demand = ServiceDemand {
            replicas: 1,
            per_replica: Resources::new()
                .with(ResourceName::CPU, cpu)
                .with(ResourceName::MEMORY, random.between(1, 8) << 29),
            state: Bytes::new(random.between(0, 4) * 1_000_000_000),
            ..ServiceDemand::default()
        };
        match random.between(0, 9) {
            0 => demand.per_replica.set(ResourceName::NVIDIA_GPU, 1),
            1 => demand.regions = Some([format!("r{}", random.between(0, 3))].into()),
            2 => {
                demand.replicas = 3;
                demand.mode = Mode::Split;
                demand.spread.push(Spread {
                    key: DomainKey::Region,
                    max_skew: Some(1),
                    ..Spread::default()
                });
            }
            3 => {
                demand.replicas = 2;
                demand.mode = Mode::Split;
                demand.high_availability = Some(HighAvailability::default());
            }
            _ => {}
        }
        cores += cpu * u64::from(demand.replicas);
        if random.between(0, 1) == 0 {
            let at = random.between(0, clusters as u64 - 1);
            let at = usize::try_from(at).unwrap_or_default();
            problem.current.set(
                key.clone(),
                Assignment::single(names[at].clone(), demand.replicas),
            );
        }
        keys.push(key.clone());
        problem.services.insert(key, demand);
    }
    let fair = cores * 10 / 7 / clusters as u64;
    for (number, name) in names.iter().enumerate() {
        let cpu = fair * random.between(80, 120) / 100;
        let mut capacity = Resources::new()
            .with(ResourceName::CPU, cpu)
            .with(ResourceName::MEMORY, cpu << 21);
        if number % 3 == 0 {
            capacity.set(ResourceName::NVIDIA_GPU, services as u64 / 10);
        }
        let cents = |cents: u64| Money::from_base(i64::try_from(cents * 1_000_000).unwrap_or_default());
        #[allow(clippy::cast_precision_loss)]
        let supply = ClusterSupply {
            capacity,
            region: Some(format!("r{}", number % REGIONS)),
            price: Price::free()
                .with(ResourceName::CPU, cents(random.between(15, 60)))
                .with(ResourceName::MEMORY, cents(random.between(2, 6)))
                .with(ResourceName::NVIDIA_GPU, cents(random.between(300, 900))),
            carbon: Some(CarbonProfile {
                intensity: Intensity::average(random.between(20, 500) as f64),
                pue: 1.2,
                watts_per_core: 10.0,
            }),
            egress: Egress {
                within_region: cents(1),
                out_of_region: cents(5),
            },
            ..ClusterSupply::default()
        };
        problem.clusters.insert(name.clone(), supply);
        for (other, to) in names[..number].iter().enumerate() {
            let near = number % REGIONS == other % REGIONS;
            let millis = if near {
                random.between(2, 8)
            } else {
                random.between(12, 60)
            };
            let path = NetworkPath {
                rtt: Some(Latency::from_base(
                    i64::try_from(millis * 1000).unwrap_or_default(),
                )),
                hops: Some(if near { 1 } else { 6 }),
                bandwidth: None,
            };
            problem.network.measure(name.clone(), to.clone(), path);
        }
    }
    for pair in keys.windows(2).filter(|pair| pair[0].graph == pair[1].graph) {
        let ends: Vec<&ServiceDemand> = pair.iter().filter_map(|key| problem.services.get(key)).collect();
        // What spreads over regions, or has to be in one, is not asked to be near all others too.
        let free = ends.iter().all(|end| end.replicas == 1 && end.regions.is_none());
        let strict = free && random.between(0, 4) == 0;
        problem.links.push(LinkDemand {
            from: pair[0].clone(),
            to: pair[1].clone(),
            limit: LinkLimit {
                rtt_below: strict.then(|| Latency::from_base(10_000)),
                max_hops: None,
            },
            traffic: DataRate::new(random.between(1, 40) * 100_000),
        });
    }
    Ok(problem)
}

pub(super) fn report(report: &mut Report<'_>, folder: &Path) -> Result<(), String> {
    report.page.push_str(
        "## A richer mix

Problems of the library, generated: a tenth of the services each with a GPU, residency in a region, three replicas with a skew of 1 over regions, and two
replicas in two clusters; a link in five below 10 ms, traffic with egress prices, services that run already; money, carbon, moves and latency count. 10 s
of effort. Values are points.

| services x clusters | value | bound | gap | proved by | seconds | CPU seconds |
| --- | ---: | ---: | ---: | --- | ---: | ---: |
",
    );
    for (services, clusters) in SIZES {
        let name = format!("{services} x {clusters}");
        (report.say)(&format!("rich mix {name} ..."));
        let path = folder.join(format!("rich-{services}.json"));
        let text = problem(services, clusters)?
            .to_json()
            .map_err(|error| error.to_string())?;
        std::fs::write(&path, text.to_string()).map_err(|error| error.to_string())?;
        let run = solve("problem", &path, 10.0)?;
        let points = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.3}"));
        let _ = writeln!(
            report.page,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            points(run.value()),
            points(run.bound()),
            run.gap().map_or("-".to_owned(), |gap| format!("{gap:.2} %")),
            run.said["proof"]["by"].as_str().unwrap_or("-"),
            short(run.seconds),
            run.user.map_or("-".to_owned(), short),
        );
        report.targets.push(Target {
            promise: format!("richer mix, {name}: gap after 10 s of effort"),
            measured: run.gap(),
            at_most: 2.0,
            unit: "%",
            limit: "parts share costs until they agree on each task, not on all tasks together, and few large graphs fill clusters in lumps",
        });
    }
    report.page.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use smo_core::placement::{FirstFit, decide};

    #[test]
    fn what_is_generated_has_an_answer() {
        let problem = problem(100, 10).unwrap();
        problem.validate().unwrap();
        assert_eq!(
            PlacementProblem::parse(&problem.to_json().unwrap().to_string()),
            Ok(problem.clone())
        );
        assert!(decide(&FirstFit::new(), &problem).is_ok());
    }
}
