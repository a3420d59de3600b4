//! Rules and goals about everything at once, each alone, in problems too large for exact methods.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use smo_core::random::Random;

use super::Report;
use super::measure::solve;
use super::targets::{Target, short};

/// Services and clusters.
const SIZES: [(usize, usize); 2] = [(60, 8), (500, 20)];
const SECONDS: f64 = 5.0;

/// Services of one to nine cores on clusters of different prices and emissions, 70 % full.
struct Sized {
    services: Vec<Json>,
    clusters: Vec<Json>,
    cores: Vec<u64>,
    room: u64,
}

impl Sized {
    fn new(services: usize, clusters: usize) -> Self {
        let mut random = Random::new(services as u64);
        let cores: Vec<u64> = (0..services).map(|_| random.between(1, 9)).collect();
        let room = cores.iter().sum::<u64>() * 10 / 7 / clusters as u64;
        let service = |(number, cores): (usize, &u64)| json!({"name": name(number), "replicas": 1, "perReplica": {"cpu": cores}});
        let services = cores.iter().enumerate().map(service).collect();
        let mut cluster = |number: usize| {
            json!({
                "name": format!("c{number}"), "capacity": {"cpu": room},
                "price": {"cpu": random.between(20, 90) as f64 / 1000.0},
                "carbon": {"intensity": random.between(20, 500), "pue": 1.2, "wattsPerCore": 10},
            })
        };
        Self {
            services,
            clusters: (0..clusters).map(&mut cluster).collect(),
            cores,
            room,
        }
    }

    /// The problem with what a case adds; money alone counts where it does not say what does.
    fn with(&self, more: Json) -> Json {
        let mut problem = json!({
            "goals": {"money": 1, "carbon": 0, "moves": 0},
            "services": self.services,
            "clusters": self.clusters,
        });
        if let (Some(problem), Json::Object(more)) = (problem.as_object_mut(), more) {
            problem.extend(more);
        }
        json!({ "problem": problem })
    }

    /// Services as they are, changed.
    fn services(&self, change: impl Fn(usize, &mut Map<String, Json>)) -> Json {
        let mut services = self.services.clone();
        for (number, service) in services.iter_mut().enumerate() {
            if let Some(service) = service.as_object_mut() {
                change(number, service);
            }
        }
        Json::Array(services)
    }

    /// Everything somewhere now, so that clusters are about equally full.
    fn current(&self) -> Json {
        let mut held = vec![0; self.clusters.len()];
        let mut current = Map::new();
        for (number, cores) in self.cores.iter().enumerate() {
            let emptiest = (0..held.len()).min_by_key(|cluster| held[*cluster]).unwrap_or(0);
            held[emptiest] += cores;
            current.insert(name(number), json!({format!("c{emptiest}"): 1}));
        }
        Json::Object(current)
    }

    fn cases(&self) -> Vec<(&'static str, Json)> {
        let count = self.services.len();
        let all: u64 = self.cores.iter().sum();
        let groups = |size: usize| -> Vec<Json> {
            let group = |first: usize| (first..first + size).map(name).collect::<Vec<_>>();
            let groups = (0..count / size).map(|number| json!({"services": group(number * size)}));
            groups.collect()
        };
        let pairs = |traffic: &str| -> Vec<Json> {
            let pair = |number: usize| json!({"from": name(2 * number), "to": name(2 * number + 1), "traffic": traffic});
            (0..count / 2).map(pair).collect()
        };
        let clusters = self.clusters.len();
        let mut network = Vec::new();
        for one in 0..clusters {
            for other in 0..one {
                let between = [format!("c{other}"), format!("c{one}")];
                network.push(json!({"between": between, "rtt": 1, "bandwidth": "2M"}));
            }
        }
        let split = |number: usize, service: &mut Map<String, Json>| {
            service.insert("mode".to_owned(), "split".into());
            service.insert("replicas".to_owned(), 3.into());
            service.insert(
                "perReplica".to_owned(),
                json!({"cpu": self.cores[number] as f64 / 3.0}),
            );
        };
        vec![
            (
                "a tenth may move",
                self.with(json!({"current": self.current(), "budgets": [{"goal": "moves", "atMost": count / 10}]})),
            ),
            (
                "so much money at most, little carbon",
                self.with(json!({
                    "goals": {"money": 0, "carbon": 1, "moves": 0},
                    "budgets": [{"goal": "money", "atMost": all as f64 * 0.055}],
                })),
            ),
            (
                "carbon, then money",
                self.with(json!({
                    "goals": {"money": 0, "carbon": 1, "moves": 0, "then": [{"money": 1, "carbon": 0, "moves": 0}]},
                })),
            ),
            (
                "money and the fullest cluster",
                self.with(json!({"goals": {"money": 1, "carbon": 0, "moves": 0, "balance": 0.1}})),
            ),
            (
                "money and clusters in use",
                self.with(json!({"goals": {"money": 1, "carbon": 0, "moves": 0, "consolidation": self.room as f64 * 0.02}})),
            ),
            (
                "bandwidth between any two clusters",
                self.with(json!({"links": pairs("1M"), "network": network})),
            ),
            (
                "room is a wish, and there is too little",
                self.with(json!({
                    "soft": {"capacity": 0.0001},
                    "services": self.services(|number, service| {
                        service.insert("perReplica".to_owned(), json!({"cpu": 2 * self.cores[number]}));
                    }),
                })),
            ),
            (
                "services of five keep apart",
                self.with(json!({"antiAffinity": groups(5)})),
            ),
            (
                "split services, two of them together",
                self.with(json!({"services": self.services(split), "coLocation": groups(2)})),
            ),
            (
                "wishes to be near, at a price",
                self.with(json!({
                    "soft": {"latency": 0.1},
                    "links": pairs("1M").into_iter().map(|mut link| {
                        link["rttBelow"] = 1.into();
                        link
                    }).collect::<Vec<_>>(),
                })),
            ),
        ]
    }
}

fn name(service: usize) -> String {
    format!("p/g/s{service}")
}

pub(super) fn report(report: &mut Report<'_>, folder: &Path) -> Result<(), String> {
    let _ = write!(
        report.page,
        "## Rules and goals about everything

What exact methods take below 400 variables, beyond that: each alone, generated, clusters about 70 % full. {SECONDS:.0} s of effort. Prices of limits, the
search of the whole model, and what fills up at least, are decision 12. Values are points.

| services x clusters | | value | bound | gap | seconds | CPU seconds |
| --- | --- | ---: | ---: | ---: | ---: | ---: |
"
    );
    let (mut open, mut unanswered) = (0.0_f64, 0.0);
    for (services, clusters) in SIZES {
        for (number, (what, problem)) in Sized::new(services, clusters).cases().into_iter().enumerate() {
            (report.say)(&format!("{services} x {clusters}, {what} ..."));
            let path = folder.join(format!("whole-{services}-{number}.json"));
            std::fs::write(&path, problem.to_string()).map_err(|error| error.to_string())?;
            let run = solve("problem", &path, SECONDS)?;
            let points = |number: Option<f64>| number.map_or("-".to_owned(), |number| format!("{number:.3}"));
            unanswered += f64::from(u8::from(run.value().is_none()));
            open = open.max(run.gap().unwrap_or(100.0));
            let _ = writeln!(
                report.page,
                "| {services} x {clusters} | {what} | {} | {} | {} | {} | {} |",
                points(run.value()),
                points(run.bound()),
                run.gap().map_or("-".to_owned(), |gap| format!("{gap:.2} %")),
                short(run.seconds),
                run.user.map_or("-".to_owned(), short),
            );
        }
    }
    report.targets.push(Target {
        promise: "rules about everything: problems without an answer".to_owned(),
        measured: Some(unanswered),
        at_most: 0.0,
        unit: "problems",
        limit: "the search of the whole model ends where something is broken",
    });
    report.targets.push(Target {
        promise: "rules about everything: widest gap".to_owned(),
        measured: Some(open),
        at_most: 2.0,
        unit: "%",
        limit: "what looks at everything is bounded by itself, not together with the rest",
    });
    report.page.push('\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use smo_core::placement::PlacementProblem;

    #[test]
    fn what_is_generated_is_read() {
        for (what, problem) in Sized::new(60, 8).cases() {
            let read = PlacementProblem::parse(&problem.to_string());
            assert!(read.is_ok_and(|problem| problem.validate().is_ok()), "{what}");
        }
    }
}
