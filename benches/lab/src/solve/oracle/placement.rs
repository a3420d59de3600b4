//! Where services run, by the predecessor's two placement models.

use smo_core::cluster::{CarbonProfile, Intensity};
use smo_core::id::{ClusterName, GraphKey, ServiceKey};
use smo_core::placement::{
    Assignment, ClusterSupply, Goal, Goals, MilpPlacer, Outcome, Placement, PlacementProblem, ServiceDemand,
    Solved as Answered, Status as Proved, Weight, decide, solve,
};
use smo_core::resources::{ResourceName, Resources};

use super::fields::{Fields, Misread, index, millicores};
use super::{Effort, Solved, Status, TOLERANCE, objective_fault};

/// Effort of the placer that takes about a second.
const PER_SECOND: f64 = 5e8;

#[derive(Debug, Clone, PartialEq)]
struct Cluster {
    cores: f64,
    millicores: u64,
    gpu: bool,
    carbon: f64,
}

#[derive(Debug, Clone, PartialEq)]
struct Service {
    cores: f64,
    millicores: u64,
    replicas: u32,
    gpu: bool,
    current: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Weights {
    placed: f64,
    moved: f64,
    carbon: f64,
}

/// The numbers of a case.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Instance {
    clusters: Vec<Cluster>,
    services: Vec<Service>,
    weights: Weights,
}

fn weight(fields: &Fields<'_>, name: &str) -> Result<f64, Misread> {
    let value = fields.number(name, 0.0)?;
    match Weight::from_points(value) {
        Some(weight) if (weight.points() - value).abs() < 1e-12 * value.max(1.0) => Ok(value),
        _ => {
            let message = format!("{} is {value}", fields.path(name));
            Err(Misread::new(message, "a multiple of 0.000001 from 0 to 1000000"))
        }
    }
}

impl Instance {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, Misread> {
        let cluster = |cluster: Fields<'_>| {
            let cores = cluster.number("cpu", 0.0)?;
            Ok(Cluster {
                cores,
                millicores: millicores(&cluster.path("cpu"), cores)?,
                gpu: cluster.flag("gpu")?,
                carbon: cluster.number("carbon", 0.0)?,
            })
        };
        let clusters: Vec<Cluster> = fields
            .objects("clusters")?
            .into_iter()
            .map(cluster)
            .collect::<Result<_, _>>()?;
        let current = fields.list("current", |path, value| index(path, value, clusters.len()))?;
        let services = fields.objects("services")?;
        if current.len() != services.len() {
            let message = format!(
                "{} has {} entries for {} services",
                fields.path("current"),
                current.len(),
                services.len()
            );
            return Err(Misread::new(message, "one cluster index or null a service"));
        }
        let service = |(service, current): (Fields<'_>, Option<usize>)| {
            let cores = service.number("cpu", 0.0)?;
            Ok(Service {
                cores,
                millicores: millicores(&service.path("cpu"), cores)?,
                replicas: service.count("replicas")?,
                gpu: service.flag("gpu")?,
                current,
            })
        };
        let services = services
            .into_iter()
            .zip(current)
            .map(service)
            .collect::<Result<_, _>>()?;
        let weights = fields.object("weights")?;
        Ok(Self {
            clusters,
            services,
            weights: Weights {
                placed: weight(&weights, "dep")?,
                moved: weight(&weights, "re")?,
                carbon: weight(&weights, "carbon")?,
            },
        })
    }

    /// The same in the library's words. Names play no role in the models, so clusters and services are numbered.
    fn problem(&self) -> Result<PlacementProblem, String> {
        let mut problem = PlacementProblem::default();
        let mut names: Vec<ClusterName> = Vec::new();
        for (index, cluster) in self.clusters.iter().enumerate() {
            let name: ClusterName = parsed(&format!("c{index}"))?;
            names.push(name.clone());
            let mut capacity = Resources::new().with(ResourceName::CPU, cluster.millicores);
            if cluster.gpu {
                capacity.set(ResourceName::NVIDIA_GPU, 1);
            }
            // One core draws a kilowatt, so an intensity per kWh is one per core.
            let carbon = CarbonProfile {
                intensity: Intensity::average(cluster.carbon),
                pue: 1.0,
                watts_per_core: 1000.0,
            };
            let supply = ClusterSupply {
                capacity,
                carbon: Some(carbon),
                ..ClusterSupply::default()
            };
            problem.clusters.insert(name, supply);
        }
        let graph = GraphKey::new(parsed("oracle")?, parsed("case")?);
        for (index, service) in self.services.iter().enumerate() {
            let key: ServiceKey = graph.service(parsed(&format!("s{index}"))?);
            let mut demand = ServiceDemand {
                replicas: service.replicas,
                per_replica: Resources::new().with(ResourceName::CPU, service.millicores),
                ..ServiceDemand::default()
            };
            if service.gpu {
                demand
                    .requires
                    .insert(ResourceName::new(ResourceName::NVIDIA_GPU));
            }
            if let Some(cluster) = service.current.and_then(|current| names.get(current)) {
                let there = Assignment::single(cluster.clone(), service.replicas);
                problem.current.set(key.clone(), there);
            }
            problem.services.insert(key, demand);
        }
        let weight = |points: f64| Weight::from_points(points).unwrap_or_default();
        problem.goals = Goals::none()
            .with(Goal::Placements, weight(self.weights.placed))
            .with(Goal::Moves, weight(self.weights.moved))
            .with(Goal::Carbon, weight(self.weights.carbon));
        Ok(problem)
    }

    /// Poses the question and answers it, with proof.
    pub(super) fn solve(&self, effort: Effort) -> Result<Solved, String> {
        let problem = self.problem()?;
        match solve(&placer(effort), &problem).map_err(|error| error.to_string())? {
            Answered::Found(solution) => Ok(Solved {
                status: match solution.status() {
                    Proved::Optimal => Status::Optimal,
                    Proved::Feasible => Status::Feasible,
                },
                objective: Some(solution.value.points()),
                list: Some(indices(&problem, &solution.placement)?),
            }),
            Answered::NotFound { proved: true, .. } => Ok(Solved::without(Status::Infeasible)),
            Answered::NotFound { .. } => Ok(Solved::without(Status::Unknown)),
        }
    }

    /// The same with reasons or a diagnosis, written as JSON.
    pub(super) fn explained(&self, effort: Effort) -> Result<String, String> {
        let outcome = decide(&placer(effort), &self.problem()?).map_err(|error| error.to_string())?;
        let written = match &outcome {
            Outcome::Placed(decision) => serde_json::to_string(decision),
            Outcome::Infeasible(diagnosis) => serde_json::to_string(diagnosis),
        };
        written.map_err(|error| error.to_string())
    }

    /// What is wrong with an answer, by the formulas of the model.
    pub(super) fn check(&self, solved: &Solved) -> Vec<String> {
        let Some(assignment) = &solved.list else {
            return Vec::new();
        };
        if assignment.len() != self.services.len() {
            return vec![format!(
                "{} of {} services are placed",
                assignment.len(),
                self.services.len()
            )];
        }
        let mut faults = Vec::new();
        let mut taken = vec![0.0; self.clusters.len()];
        let (mut moved, mut carbon) = (0.0, 0.0);
        for (number, (service, at)) in self.services.iter().zip(assignment).enumerate() {
            let (Some(cluster), Some(taken)) = (self.clusters.get(*at), taken.get_mut(*at)) else {
                faults.push(format!("service {number} is on cluster {at}, which there is not"));
                continue;
            };
            let cores = service.cores * f64::from(service.replicas);
            *taken += cores;
            carbon += cluster.carbon * cores;
            moved += f64::from(u8::from(service.current.is_some_and(|current| current != *at)));
            if service.gpu && !cluster.gpu {
                faults.push(format!(
                    "service {number} needs a GPU and is on cluster {at}, which has none"
                ));
            }
        }
        for (number, (cluster, taken)) in self.clusters.iter().zip(taken).enumerate() {
            if taken > cluster.cores + TOLERANCE {
                faults.push(format!(
                    "cluster {number} has {} cores, and {taken} are taken",
                    cluster.cores
                ));
            }
        }
        #[allow(clippy::cast_precision_loss)]
        let placed = self.services.len() as f64;
        let Weights {
            placed: per_placed,
            moved: per_moved,
            carbon: per_gram,
        } = self.weights;
        let found = per_placed * placed + per_moved * moved + per_gram * carbon;
        faults.extend(objective_fault(solved.objective, found));
        faults
    }
}

fn parsed<T: std::str::FromStr>(name: &str) -> Result<T, String> {
    name.parse().map_err(|_| format!("`{name}` is no name"))
}

fn placer(effort: Effort) -> MilpPlacer {
    MilpPlacer::default().with_assign_effort(effort.steps(PER_SECOND))
}

/// The index of the cluster of each service.
fn indices(problem: &PlacementProblem, placement: &Placement) -> Result<Vec<usize>, String> {
    let index = |service: &ServiceKey| {
        let cluster = placement.get(service)?.clusters().next()?;
        problem.clusters.get_index_of(cluster)
    };
    let nowhere = |service: &ServiceKey| format!("{service} is placed nowhere");
    problem
        .services
        .keys()
        .map(|service| index(service).ok_or_else(|| nowhere(service)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checker_finds_every_kind_of_fault() {
        let cluster = |cores: f64, gpu| Cluster {
            cores,
            millicores: 0,
            gpu,
            carbon: 2.0,
        };
        let service = |gpu, current| Service {
            cores: 1.0,
            millicores: 1000,
            replicas: 2,
            gpu,
            current,
        };
        let instance = Instance {
            clusters: vec![cluster(2.0, false), cluster(3.0, true)],
            services: vec![service(false, Some(1)), service(true, None)],
            weights: Weights {
                placed: 1.0,
                moved: 10.0,
                carbon: 1.0,
            },
        };
        let faults = |list: &[usize], objective| {
            instance.check(&Solved {
                status: Status::Optimal,
                objective: Some(objective),
                list: Some(list.to_vec()),
            })
        };
        assert_eq!(faults(&[0, 1], 20.0), Vec::<String>::new());
        assert_eq!(
            faults(&[0, 1], 20.1),
            ["its objective is said to be 20.1 and is 20"]
        );
        assert_eq!(faults(&[1, 1], 10.0), ["cluster 1 has 3 cores, and 4 are taken"]);
        assert_eq!(
            faults(&[1, 0], 10.0),
            ["service 1 needs a GPU and is on cluster 0, which has none"]
        );
        assert_eq!(faults(&[1], 10.0), ["1 of 2 services are placed"]);
        assert_eq!(
            faults(&[0, 7], 16.0),
            ["service 1 is on cluster 7, which there is not"]
        );
    }
}
