//! Fleet-like placement: services of many graphs on clusters with cpu and memory, a price for every pair and every cut link.
//!
//! JSON lines, in the order of their numbers: one header, then the clusters, the services and the links.
//!
//! ```text
//! {"t":"fleet","link_cost":1000}
//! {"t":"cluster","cpu":millicores,"mem":MiB,"carbon":gCO2 a kWh,"pue":percent,"price_cpu":..,"price_mem":..}
//! {"t":"service","graph":g,"cpu":millicores,"mem":MiB,"power":milliwatts}
//! {"t":"link","a":service,"b":service}
//! ```
//!
//! A pair costs carbon (50 for a gram an hour) and price (an hour of a core and of a GiB), each rounded half up to
//! thousandths; a link between clusters costs `link_cost`.

use std::time::Instant;

use serde::Deserialize;
use serde_json::json;
use smo_core::quadratic::{self, Distance, Limits, Link, QuadraticProblem, Start};

use super::solution::Solution;
use super::{Answer, Effort, Fault, Format, Input};

/// Effort of the kernel that takes about a second.
const PER_SECOND: f64 = 9e8;
/// A table of more pairs than this does not fit a small machine.
const MOST_PAIRS: usize = 100_000_000;

/// The format.
#[derive(Debug)]
pub(super) struct Fleet;

/// A line of a file; keys that are not read may be there.
#[derive(Debug, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Line {
    Fleet { link_cost: u32 },
    Cluster(Cluster),
    Service(Service),
    Link { a: usize, b: usize },
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Cluster {
    cpu: u32,
    mem: u32,
    carbon: u32,
    pue: u32,
    price_cpu: u32,
    price_mem: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Service {
    cpu: u32,
    mem: u32,
    power: u32,
}

/// The numbers of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Instance {
    link_cost: u32,
    clusters: Vec<Cluster>,
    services: Vec<Service>,
    links: Vec<(usize, usize)>,
}

/// Rounded half up; `None` when it does not fit.
fn pair_cost(service: &Service, cluster: &Cluster) -> Option<i64> {
    let wide = |number: u32| i128::from(number);
    let carbon = wide(service.power) * wide(cluster.pue) * wide(cluster.carbon) * 50;
    let price = wide(service.cpu) * wide(cluster.price_cpu) * 1024
        + wide(service.mem) * wide(cluster.price_mem) * 1000;
    let cost = (carbon + 50_000_000) / 100_000_000 + (price + 512_000) / 1_024_000;
    i64::try_from(cost).ok()
}

impl Instance {
    fn read(input: &Input) -> Result<Self, Fault> {
        let mut instance = Self::default();
        let mut headed = false;
        for (number, text) in input.text.lines().enumerate() {
            if text.trim().is_empty() {
                continue;
            }
            let bad = |message: String, hint: &str| Fault::Bad {
                path: input.path.clone(),
                line: number + 1,
                message,
                hint: hint.to_owned(),
            };
            let line: Line = serde_json::from_str(text).map_err(|error| {
                let hint = "one JSON object a line: fleet, cluster, service or link, with whole numbers from 0 up to 2^32 - 1";
                bad(error.to_string(), hint)
            })?;
            match line {
                Line::Fleet { link_cost } if !headed => {
                    headed = true;
                    instance.link_cost = link_cost;
                }
                Line::Fleet { .. } => return Err(bad("a second header".to_owned(), "one problem a file")),
                _ if !headed => {
                    return Err(bad(
                        "the header is missing".to_owned(),
                        r#"{"t":"fleet","link_cost":1000} first"#,
                    ));
                }
                Line::Cluster(cluster) => instance.clusters.push(cluster),
                Line::Service(service) => instance.services.push(service),
                Line::Link { a, b } => {
                    let known = instance.services.len();
                    if let Some(missing) = [a, b].into_iter().find(|end| *end >= known) {
                        let message = format!("service {missing} is not among the {known} before this line");
                        return Err(bad(
                            message,
                            "services are numbered from 0, and come before links",
                        ));
                    }
                    if a == b {
                        return Err(bad(format!("service {a} is linked to itself"), "two services"));
                    }
                    instance.links.push((a, b));
                }
            }
            if instance.clusters.len().saturating_mul(instance.services.len()) > MOST_PAIRS {
                return Err(bad(
                    format!("more than {MOST_PAIRS} pairs of service and cluster"),
                    "a smaller problem",
                ));
            }
        }
        if !headed {
            return Err(Fault::Bad {
                path: input.path.clone(),
                line: 1,
                message: "the file is empty".to_owned(),
                hint: r#"{"t":"fleet","link_cost":1000} first"#.to_owned(),
            });
        }
        Ok(instance)
    }

    fn problem(&self) -> QuadraticProblem {
        let mut problem = QuadraticProblem::new(self.clusters.len(), self.services.len(), 2);
        for (agent, cluster) in self.clusters.iter().enumerate() {
            problem.set_capacity(agent, 0, cluster.cpu.into());
            problem.set_capacity(agent, 1, cluster.mem.into());
        }
        for (task, service) in self.services.iter().enumerate() {
            problem.set_need(task, 0, service.cpu.into());
            problem.set_need(task, 1, service.mem.into());
            for (agent, cluster) in self.clusters.iter().enumerate() {
                if let Some(cost) = pair_cost(service, cluster) {
                    problem.set_cost(task, agent, cost);
                }
            }
        }
        let distance = problem.add_distance(Distance::cut(self.clusters.len()));
        for (from, to) in &self.links {
            problem.add_link(Link {
                from: *from,
                to: *to,
                weight: self.link_cost.into(),
                distance,
            });
        }
        problem
    }

    /// What is wrong with an answer, worked out from the numbers of the file alone.
    fn check(&self, answer: &[usize], value: i64) -> Vec<String> {
        if answer.len() != self.services.len() {
            return vec![format!(
                "it has {} services instead of {}",
                answer.len(),
                self.services.len()
            )];
        }
        let mut faults = Vec::new();
        let mut used = vec![(0_u64, 0_u64); self.clusters.len()];
        let mut sum = 0_i128;
        for (number, (service, at)) in self.services.iter().zip(answer).enumerate() {
            let (Some(cluster), Some(used)) = (self.clusters.get(*at), used.get_mut(*at)) else {
                faults.push(format!("service {number} is on cluster {at}, which there is not"));
                continue;
            };
            used.0 += u64::from(service.cpu);
            used.1 += u64::from(service.mem);
            sum += pair_cost(service, cluster).map_or(0, i128::from);
        }
        for (number, (cluster, used)) in self.clusters.iter().zip(used).enumerate() {
            if used.0 > u64::from(cluster.cpu) || used.1 > u64::from(cluster.mem) {
                faults.push(format!("cluster {number} holds more than it can"));
            }
        }
        let cut = self
            .links
            .iter()
            .filter(|(a, b)| answer[*a] != answer[*b])
            .count();
        sum += cut as i128 * i128::from(self.link_cost);
        if sum != i128::from(value) {
            faults.push(format!("it is said to cost {value} and costs {sum}"));
        }
        faults
    }
}

impl Format for Fleet {
    fn name(&self) -> &'static str {
        "fleet"
    }

    fn about(&self) -> &'static str {
        "services of many graphs on clusters, as JSON lines"
    }

    fn solve(
        &self,
        input: &Input,
        effort: Effort,
        take: &mut dyn FnMut(&Answer) -> bool,
    ) -> Result<(), Fault> {
        let instance = Instance::read(input)?;
        let about = input.path.display().to_string();
        let began = Instant::now();
        let problem = instance.problem();
        let limits = Limits {
            effort: effort.steps(PER_SECOND),
            ..Limits::default()
        };
        let mut first = None;
        let solved = quadratic::solve(&problem, &Start::default(), &limits, &mut |progress| {
            if first.is_none() && progress.value.is_some() {
                first = Some(began.elapsed().as_secs_f64());
            }
            true
        });
        let seconds = began.elapsed().as_secs_f64();
        let proved = solved.certificate.bound(&problem);
        let solution = Solution {
            complete: solved.complete(),
            best: solved.best,
            bound: solved.bound,
            seconds,
        };
        let mut faults = Vec::new();
        if let Some((answer, value)) = &solution.best {
            faults = instance.check(answer, *value);
            if proved.is_none_or(|proved| proved > solution.bound) {
                faults.push(format!(
                    "its prices prove {proved:?}, and {} is said",
                    solution.bound
                ));
            }
        }
        let more = [
            ("firstAnswerSeconds", json!(first)),
            ("peakMebibytes", json!(peak_mebibytes())),
            ("work", json!({"steps": solved.work})),
        ];
        let printed = solution.printed(about, faults, &more)?;
        take(&printed);
        Ok(())
    }
}

/// The most memory that this process held so far; `None` where the system does not tell
/// ([proc_pid_status(5)](https://man7.org/linux/man-pages/man5/proc_pid_status.5.html)).
fn peak_mebibytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = peak.trim().strip_suffix(" kB")?.parse().ok()?;
    Some((kibibytes / 102.4).round() / 10.0)
}

/// What became of a fleet that lost a cluster.
#[derive(Debug)]
pub(crate) struct Loss {
    /// The services that ran there.
    pub(crate) services: usize,
    /// One answer an effort.
    pub(crate) turns: Vec<Turn>,
}

/// One answer after the loss.
#[derive(Debug)]
pub(crate) struct Turn {
    /// In seconds, as asked for.
    pub(crate) effort: f64,
    /// What it took.
    pub(crate) seconds: f64,
    pub(crate) value: i64,
    pub(crate) bound: i64,
    /// Services that are elsewhere now.
    pub(crate) moves: usize,
}

impl Turn {
    /// In percent of the bound.
    pub(crate) fn gap(&self) -> Option<f64> {
        super::answer::gap(self.value, self.bound).map(|gap| gap * 100.0)
    }
}

/// Solves a fleet, lets the cluster with the most services die, and decides again with each effort, from the answer and the prices
/// before.
///
/// # Errors
/// As [`Format::solve`]; [`Fault::Failed`] when there is no answer.
pub(crate) fn lose_a_cluster(input: &Input, seconds: f64, efforts: &[f64]) -> Result<Loss, Fault> {
    let instance = Instance::read(input)?;
    let none = || Fault::Failed {
        what: input.path.display().to_string(),
        why: "no answer was found".to_owned(),
    };
    let limits = |seconds: f64| {
        let effort = Effort { seconds, threads: 1 };
        Limits {
            effort: effort.steps(PER_SECOND),
            ..Limits::default()
        }
    };
    let mut problem = instance.problem();
    let before = quadratic::solve(&problem, &Start::default(), &limits(seconds), &mut |_| true);
    let (answer, _) = before.best.ok_or_else(none)?;
    let on = |cluster: usize| answer.iter().filter(|at| **at == cluster).count();
    let dead = (0..instance.clusters.len())
        .max_by_key(|cluster| on(*cluster))
        .ok_or_else(none)?;
    for service in 0..instance.services.len() {
        problem.set_cost(service, dead, quadratic::FORBIDDEN);
    }
    let start = Start {
        answer: Some(&answer),
        prices: Some(&before.certificate),
    };
    let mut turns = Vec::new();
    for effort in efforts {
        let began = Instant::now();
        let solved = quadratic::solve(&problem, &start, &limits(*effort), &mut |_| true);
        let seconds = began.elapsed().as_secs_f64();
        let (now, value) = solved.best.ok_or_else(none)?;
        let mut faults = instance.check(&now, value);
        if now.contains(&dead) {
            faults.push("the dead cluster is in use".to_owned());
        }
        if !faults.is_empty() {
            return Err(Fault::Wrong {
                what: input.path.display().to_string(),
                faults,
            });
        }
        turns.push(Turn {
            effort: *effort,
            seconds,
            value,
            bound: solved.bound,
            moves: now.iter().zip(&answer).filter(|(now, then)| now != then).count(),
        });
    }
    Ok(Loss {
        services: on(dead),
        turns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input {
            path: "small.jsonl".into(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn what_ran_on_a_dead_cluster_runs_elsewhere() {
        let text = include_str!("../../tests/data/small.jsonl");
        let loss = lose_a_cluster(&input(text), 0.1, &[0.1]).unwrap();
        let turn = &loss.turns[0];
        assert!(loss.services > 0 && turn.moves >= loss.services && turn.bound <= turn.value);
    }

    fn fault(text: &str) -> String {
        Instance::read(&input(text)).unwrap_err().to_string()
    }

    const HEAD: &str = r#"{"t":"fleet","services":2,"clusters":1,"link_cost":1000}"#;
    const SERVICE: &str = r#"{"t":"service","graph":0,"cpu":1000,"mem":1024,"power":10000}"#;
    const CLUSTER: &str =
        r#"{"t":"cluster","cpu":1500,"mem":4096,"carbon":100,"pue":120,"price_cpu":100,"price_mem":10}"#;

    #[test]
    fn bad_files_are_refused_with_the_line() {
        insta::assert_snapshot!(fault(""), @"small.jsonl:1: the file is empty");
        insta::assert_snapshot!(fault(SERVICE), @"small.jsonl:1: the header is missing");
        insta::assert_snapshot!(fault(&format!("{HEAD}\n{HEAD}")), @"small.jsonl:2: a second header");
        insta::assert_snapshot!(fault(&format!("{HEAD}\n\n{{\"t\":\"link\",\"a\":0,\"b\":1}}")), @"small.jsonl:3: service 0 is not among the 0 before this line");
        insta::assert_snapshot!(fault(&format!("{HEAD}\n{SERVICE}\n{{\"t\":\"link\",\"a\":0,\"b\":0}}")), @"small.jsonl:3: service 0 is linked to itself");
        assert!(
            fault(&format!("{HEAD}\n{{\"t\":\"service\",\"cpu\":-1}}"))
                .starts_with("small.jsonl:2: invalid value: integer `-1`")
        );
        assert!(
            fault(&format!("{HEAD}\n{{\"t\":\"pod\"}}")).starts_with("small.jsonl:2: unknown variant `pod`")
        );
    }

    #[test]
    fn the_checker_finds_every_kind_of_fault() {
        let text = [
            HEAD,
            CLUSTER,
            CLUSTER,
            SERVICE,
            SERVICE,
            r#"{"t":"link","a":0,"b":1}"#,
        ]
        .join("\n");
        let instance = Instance::read(&input(&text)).unwrap();
        // 10 W at PUE 1.2 and 100 g/kWh are 1.2 g/h, 50 each; a core 100, a GiB 10
        let pair = 60 + 110;
        assert_eq!(
            pair_cost(&instance.services[0], &instance.clusters[0]),
            Some(pair)
        );
        assert_eq!(instance.check(&[0, 1], 2 * pair + 1000), Vec::<String>::new());
        assert_eq!(
            instance.check(&[0, 1], 2 * pair),
            ["it is said to cost 340 and costs 1340"]
        );
        assert_eq!(
            instance.check(&[1, 1], 2 * pair),
            ["cluster 1 holds more than it can"]
        );
        assert_eq!(instance.check(&[0], pair), ["it has 1 services instead of 2"]);
        assert_eq!(
            instance.check(&[0, 2], pair + 1000),
            ["service 1 is on cluster 2, which there is not"]
        );
    }
}
