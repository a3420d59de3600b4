//! How many replicas run, by the predecessor's model. Its bound `replicas <= maximum` was never kept, and is not here.

use smo_core::resources::{ResourceName, Resources};
use smo_core::scaling::{
    ClusterRoom, ExactScaler, ScalingDecision, ScalingGoals, ScalingProblem, ServiceLoad, Throughput, decide,
};
use smo_core::units::Rate;
use smo_core::value::Weight;

use super::fields::{Fields, Misread, count, flag, millicores, number};
use super::{Solved, Status, TOLERANCE, objective_fault};

#[derive(Debug, Clone, PartialEq)]
struct Service {
    rate: f64,
    previous: u32,
    cores: f64,
    millicores: u64,
    accelerated: bool,
    alpha: f64,
    beta: f64,
    maximum: u32,
}

/// The numbers of a case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instance {
    services: Vec<Service>,
    cores: f64,
    millicores: u64,
    accelerated: bool,
    utilisation: f64,
    transition: f64,
}

/// Numbers that a rate can be: micro-requests in 64 bits.
fn rate(path: &str, value: f64) -> Result<f64, Misread> {
    if Rate::from_f64(value).is_some() {
        Ok(value)
    } else {
        Err(Misread::new(
            format!("{path} is {value}"),
            "a rate below 9e12 requests per second",
        ))
    }
}

impl Instance {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Misread> {
        let rates = fields.list("request_rates", |path, value| {
            rate(path, number(path, value, 0.0)?)
        })?;
        let previous = fields.list("previous_replicas", count)?;
        let cores = fields.list("cpu_limits", |path, value| {
            let cores = number(path, value, 0.0)?;
            Ok((cores, millicores(path, cores)?))
        })?;
        let accelerated = fields.list("acceleration", flag)?;
        let alpha = fields.list("alpha", |path, value| {
            let alpha = rate(path, number(path, value, 0.0)?)?;
            match Throughput::new(alpha, 0.0) {
                Ok(_) => Ok(alpha),
                Err(error) => Err(Misread::new(
                    format!("{path}: {error}"),
                    "an alpha of 0.000001 or more",
                )),
            }
        })?;
        let beta = fields.list("beta", |path, value| {
            rate(path, number(path, value, f64::NEG_INFINITY)?)
        })?;
        let maximum = fields.list("maximum_replicas", |path, value| match count(path, value)? {
            0 => Err(Misread::new(
                format!("{path} is 0, by which the model divides"),
                "1 or more",
            )),
            maximum => Ok(maximum),
        })?;
        for (name, length) in [
            ("previous_replicas", previous.len()),
            ("cpu_limits", cores.len()),
            ("acceleration", accelerated.len()),
            ("alpha", alpha.len()),
            ("beta", beta.len()),
            ("maximum_replicas", maximum.len()),
        ] {
            if length != rates.len() {
                let services = rates.len();
                let message = format!(
                    "{} has {length} entries for {services} request rates",
                    fields.path(name)
                );
                return Err(Misread::new(message, "lists of one length"));
            }
        }
        let rest = previous
            .into_iter()
            .zip(cores)
            .zip(accelerated)
            .zip(alpha)
            .zip(beta)
            .zip(maximum);
        let services = rates.into_iter().zip(rest);
        let services = services.map(
            |(rate, (((((previous, cores), accelerated), alpha), beta), maximum))| Service {
                rate,
                previous,
                cores: cores.0,
                millicores: cores.1,
                accelerated,
                alpha,
                beta,
                maximum,
            },
        );
        let weights = fields.object("weights")?;
        let capacity = fields.number("cluster_capacity", 0.0)?;
        Ok(Self {
            services: services.collect(),
            cores: capacity,
            millicores: millicores(&fields.path("cluster_capacity"), capacity)?,
            accelerated: fields.flag("cluster_acceleration")?,
            utilisation: weights.number("util", 0.0)?,
            transition: weights.number("trans", 0.0)?,
        })
    }

    /// The same in the library's words.
    fn problem(&self) -> Result<ScalingProblem, String> {
        let weight =
            |points: f64| Weight::from_points(points).ok_or_else(|| format!("a weight of {points} is none"));
        let mut problem = ScalingProblem {
            goals: ScalingGoals::Smo {
                utilisation: weight(self.utilisation)?,
                transition: weight(self.transition)?,
                bounded: false,
            },
            ..ScalingProblem::default()
        };
        let mut capacity = Resources::new().with(ResourceName::CPU, self.millicores);
        if self.accelerated {
            capacity.set(ResourceName::NVIDIA_GPU, 1);
        }
        let room = ClusterRoom {
            capacity,
            ..ClusterRoom::default()
        };
        let name = || "cluster".parse().map_err(|_| "no name".to_owned());
        problem.clusters.insert(name()?, room);
        for (index, service) in self.services.iter().enumerate() {
            let key = format!("oracle/case/s{index}")
                .parse()
                .map_err(|_| "no name".to_owned())?;
            let mut load = ServiceLoad {
                load: Rate::from_f64(service.rate).unwrap_or_default(),
                throughput: Throughput::new(service.alpha, service.beta)
                    .map_err(|error| error.to_string())?,
                min: 1,
                max: service.maximum,
                per_replica: Resources::new().with(ResourceName::CPU, service.millicores),
                requires: std::collections::BTreeSet::new(),
                clusters: [(name()?, service.previous)].into_iter().collect(),
            };
            if service.accelerated {
                load.requires.insert(ResourceName::new(ResourceName::NVIDIA_GPU));
            }
            problem.services.insert(key, load);
        }
        Ok(problem)
    }

    pub(super) fn solve(&self) -> Result<Solved, String> {
        let decision = decide(&ExactScaler::new(), &self.problem()?).map_err(|error| error.to_string())?;
        let targets = match &decision {
            ScalingDecision::Scale(targets) => targets,
            ScalingDecision::Replace(replace) if replace.proved => {
                return Ok(Solved::without(Status::Infeasible));
            }
            ScalingDecision::Replace(_) => return Ok(Solved::without(Status::Unknown)),
        };
        let replicas = targets.services.values();
        let replicas = replicas.map(|target| usize::try_from(target.replicas()).unwrap_or(usize::MAX));
        Ok(Solved {
            status: if targets.is_optimal() {
                Status::Optimal
            } else {
                Status::Feasible
            },
            objective: targets.value.map(|value| value.points()),
            list: Some(replicas.collect()),
        })
    }

    /// What is wrong with an answer, by the formulas of the model.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn check(&self, solved: &Solved) -> Vec<String> {
        let Some(replicas) = &solved.list else {
            return Vec::new();
        };
        if replicas.len() != self.services.len() {
            return vec![format!(
                "{} of {} services have a count",
                replicas.len(),
                self.services.len()
            )];
        }
        let mut faults = Vec::new();
        let unit = |service: &Service| service.cores * f64::from(service.maximum);
        let unit = self.services.iter().map(unit).fold(0.0, f64::max);
        let (mut cores, mut found) = (0.0, 0.0);
        for (number, (service, replicas)) in self.services.iter().zip(replicas).enumerate() {
            let count = *replicas as f64;
            cores += count * service.cores;
            let carried = service.alpha * count + service.beta;
            if *replicas == 0 {
                faults.push(format!("service {number} has no replica"));
            }
            if carried + TOLERANCE < service.rate {
                faults.push(format!(
                    "service {number} carries {carried} of {} req/s",
                    service.rate
                ));
            }
            if service.accelerated && !self.accelerated {
                faults.push(format!("service {number} needs acceleration, which there is not"));
            }
            if unit > 0.0 {
                found += self.utilisation * count * service.cores / unit;
            }
            let change = (f64::from(service.previous) - count).abs();
            found += self.transition * change / f64::from(service.maximum);
        }
        if cores > self.cores + TOLERANCE {
            faults.push(format!(
                "the cluster has {} cores, and {cores} are taken",
                self.cores
            ));
        }
        faults.extend(objective_fault(solved.objective, found));
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_finds_every_kind_of_fault() {
        let service = |rate: f64, accelerated| Service {
            rate,
            previous: 1,
            cores: 1.0,
            millicores: 1000,
            accelerated,
            alpha: 10.0,
            beta: 0.0,
            maximum: 4,
        };
        let instance = Instance {
            services: vec![service(15.0, false), service(0.0, false)],
            cores: 4.0,
            millicores: 4000,
            accelerated: false,
            utilisation: 1.0,
            transition: 1.0,
        };
        let check = |instance: &Instance, list: &[usize], objective| {
            instance.check(&Solved {
                status: Status::Optimal,
                objective: Some(objective),
                list: Some(list.to_vec()),
            })
        };
        // (2 + 1) / 4 cores, and one of four replicas more.
        assert_eq!(check(&instance, &[2, 1], 1.0), Vec::<String>::new());
        assert_eq!(
            check(&instance, &[2, 1], 0.9),
            ["its objective is said to be 0.9 and is 1"]
        );
        assert_eq!(
            check(&instance, &[1, 1], 0.5),
            ["service 0 carries 10 of 15 req/s"]
        );
        assert_eq!(check(&instance, &[2, 0], 1.0), ["service 1 has no replica"]);
        assert_eq!(
            check(&instance, &[2, 3], 2.0),
            ["the cluster has 4 cores, and 5 are taken"]
        );
        assert_eq!(check(&instance, &[2], 1.0), ["1 of 2 services have a count"]);
        let accelerated = Instance {
            services: vec![service(5.0, true)],
            ..instance
        };
        assert_eq!(
            check(&accelerated, &[1], 0.25),
            ["service 0 needs acceleration, which there is not"]
        );
    }
}
