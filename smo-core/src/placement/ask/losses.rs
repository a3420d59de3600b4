//! Whether everything can still be placed after losing any one cluster, region or provider.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::asker::{AskWatch, Asker, watched};
use super::{Edit, Relocation, comparison::changes, what_if::verdict};
use crate::id::ClusterName;
use crate::placement::{
    ClusterSupply, Decision, Outcome, Placement, PlacementError, PlacementProblem, Placer, Totals, evaluate,
    verify,
};
use crate::table::Table;

/// What is lost at once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LossOf {
    /// A cluster.
    #[default]
    Cluster,
    /// All clusters of a region.
    Region,
    /// All clusters of a provider.
    Provider,
    /// All clusters with one value of a label.
    Label(String),
}

impl LossOf {
    /// What a cluster is lost with; `None` where nobody knows: such a cluster is lost alone.
    fn of(&self, name: &ClusterName, supply: &ClusterSupply) -> String {
        let shared = match self {
            Self::Cluster => None,
            Self::Region => supply.region.clone(),
            Self::Provider => supply.provider.clone(),
            Self::Label(key) => supply.labels.get(key).cloned(),
        };
        shared.unwrap_or_else(|| name.to_string())
    }

    fn noun(&self) -> &str {
        match self {
            Self::Cluster => "cluster",
            Self::Region => "region",
            Self::Provider => "provider",
            Self::Label(key) => key,
        }
    }
}

/// What a loss does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "survival")]
#[allow(clippy::large_enum_variant)]
pub enum Survival {
    /// Nothing has to move.
    Untouched,
    /// Everything can be placed again.
    Replaced {
        /// The decision.
        decision: Decision,
        /// The services that move.
        relocations: Vec<Relocation>,
        /// What changes by goal.
        change: Totals,
    },
    /// No placement is left, or none was found.
    Broken {
        /// The decision that found none: it says whether that is proved, and why.
        outcome: Outcome,
    },
}

impl Survival {
    /// The services that move; none where nothing has to, or can.
    #[must_use]
    pub fn relocations(&self) -> &[Relocation] {
        match self {
            Self::Replaced { relocations, .. } => relocations,
            Self::Untouched | Self::Broken { .. } => &[],
        }
    }
}

/// One loss.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// What is lost: the name of the cluster, region, provider or value.
    pub name: String,
    /// The clusters that are lost.
    pub clusters: Vec<ClusterName>,
    /// What comes of it.
    pub survival: Survival,
}

/// For every single loss, a placement that keeps every rule, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LossCertificate {
    /// What is lost at once.
    pub of: LossOf,
    /// What is decided without a loss; services run there when something is lost.
    pub baseline: Outcome,
    /// Every loss, in the order of the clusters that take work; none without a baseline.
    pub losses: Vec<Loss>,
    /// The losses that were not decided because the one who watched ended it: they are not in `losses`.
    pub left_out: Vec<String>,
}

/// What a certificate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Redundancy {
    /// Everything can be placed whatever single loss happens.
    Survives,
    /// Some loss leaves no placement: proved.
    Breaks,
    /// The placer found none after some loss, or some loss was left out; whether there is one is open.
    Open,
}

/// Places everything, then everything again after each single loss. Where a loss touches no service, the placement stays.
/// Every placement of the certificate was verified; [`LossCertificate::check`] does it again.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn single_losses(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    of: LossOf,
) -> Result<LossCertificate, PlacementError> {
    single_losses_watched(placer, problem, of, &mut |_| true)
}

/// As [`single_losses`], with `watch` told of every loss. Once it says `false` the losses that would have to be decided are
/// left out.
///
/// # Errors
/// As [`single_losses`].
pub fn single_losses_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    of: LossOf,
    watch: &mut AskWatch<'_>,
) -> Result<LossCertificate, PlacementError> {
    watched("single losses", placer, watch, |asker| {
        certified(asker, problem, of)
    })
}

fn certified(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    of: LossOf,
) -> Result<LossCertificate, PlacementError> {
    let groups = groups(problem, &of);
    asker.expect(1 + groups.len() as u64);
    let baseline = asker.decide("without a loss", problem)?;
    let (mut losses, mut left_out) = (Vec::new(), Vec::new());
    for (name, clusters) in groups {
        let Outcome::Placed(decision) = &baseline else {
            if asker.is_stopped() {
                left_out.push(name);
            }
            continue;
        };
        let after = after_loss(problem, &decision.placement, &clusters)?;
        match survival(asker, &name, &after, decision)? {
            Some(survival) => losses.push(Loss {
                name,
                clusters,
                survival,
            }),
            None => left_out.push(name),
        }
    }
    Ok(LossCertificate {
        of,
        baseline,
        losses,
        left_out,
    })
}

/// The clusters that take work, by what they are lost with.
fn groups(problem: &PlacementProblem, of: &LossOf) -> IndexMap<String, Vec<ClusterName>> {
    let mut groups: IndexMap<String, Vec<ClusterName>> = IndexMap::new();
    for (name, supply) in &problem.clusters {
        if supply.readiness.is_ready() {
            groups.entry(of.of(name, supply)).or_default().push(name.clone());
        }
    }
    groups
}

/// The question after a loss, with everything running where it was placed.
fn after_loss(
    problem: &PlacementProblem,
    baseline: &Placement,
    clusters: &[ClusterName],
) -> Result<PlacementProblem, PlacementError> {
    let lost: Vec<Edit> = clusters
        .iter()
        .map(|cluster| Edit::Lose {
            cluster: cluster.clone(),
        })
        .collect();
    let mut after = problem.edited(&lost)?;
    after.current = baseline.clone();
    Ok(after)
}

/// What a loss does; `None` where that was not decided to the end.
fn survival(
    asker: &Asker<'_>,
    name: &str,
    after: &PlacementProblem,
    baseline: &Decision,
) -> Result<Option<Survival>, PlacementError> {
    let about = format!("without {name}");
    if verify(after, &baseline.placement).is_empty() {
        asker.skip(&about);
        return Ok(Some(Survival::Untouched));
    }
    if asker.is_stopped() {
        return Ok(None);
    }
    let outcome = asker.decide(&about, after)?;
    Ok(Some(match outcome {
        Outcome::Placed(decision) => {
            // The same question as after the loss, so that moves count from where services run.
            let (here, _) = evaluate(after, &baseline.placement)?;
            Survival::Replaced {
                relocations: Relocation::between(after, &baseline.placement, &decision.placement),
                change: decision.totals.checked_sub(&here).unwrap_or_default(),
                decision,
            }
        }
        Outcome::Infeasible(diagnosis) if asker.is_stopped() && !diagnosis.proved => return Ok(None),
        outcome @ Outcome::Infeasible(_) => Survival::Broken { outcome },
    }))
}

impl LossCertificate {
    /// What it says of all losses together.
    #[must_use]
    pub fn redundancy(&self) -> Redundancy {
        let broken = self.losses.iter().filter_map(|loss| match &loss.survival {
            Survival::Broken { outcome } => Some(outcome),
            _ => None,
        });
        let base = Some(&self.baseline).filter(|outcome| matches!(outcome, Outcome::Infeasible(_)));
        let mut verdict = if self.left_out.is_empty() {
            Redundancy::Survives
        } else {
            Redundancy::Open
        };
        for outcome in broken.chain(base) {
            match outcome {
                Outcome::Infeasible(diagnosis) if diagnosis.proved => return Redundancy::Breaks,
                _ => verdict = Redundancy::Open,
            }
        }
        verdict
    }

    /// Re-checks every placement of the certificate against every rule of the question after its loss, without a placer:
    /// one sentence for each fault.
    ///
    /// # Errors
    /// [`PlacementError::InvalidProblem`] when the certificate is of another fleet.
    pub fn check(&self, problem: &PlacementProblem) -> Result<Vec<String>, PlacementError> {
        let Outcome::Placed(baseline) = &self.baseline else {
            return Ok(Vec::new());
        };
        let mut faults: Vec<String> = verify(problem, &baseline.placement)
            .iter()
            .map(|breach| format!("without a loss: {breach}"))
            .collect();
        for loss in &self.losses {
            let after = after_loss(problem, &baseline.placement, &loss.clusters)?;
            let placement = match &loss.survival {
                Survival::Untouched => &baseline.placement,
                Survival::Replaced { decision, .. } => &decision.placement,
                Survival::Broken { .. } => continue,
            };
            let breaches = verify(&after, placement);
            faults.extend(
                breaches
                    .iter()
                    .map(|breach| format!("without {}: {breach}", loss.name)),
            );
        }
        let expected: Vec<String> = groups(problem, &self.of).into_keys().collect();
        let covered: Vec<&String> = self.losses.iter().map(|loss| &loss.name).collect();
        let missing = expected.iter().filter(|name| !covered.contains(name));
        faults.extend(missing.map(|name| format!("the loss of {name} is not in it")));
        Ok(faults)
    }

    /// Which losses were left out, in a line.
    pub(super) fn stopped_early(&self) -> Option<String> {
        let left_out = self.left_out.join(", ");
        (!left_out.is_empty()).then(|| format!("stopped early, without looking at: {left_out}"))
    }

    /// The losses, a row each.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.losses.iter().map(|loss| {
            let (what, cost) = match &loss.survival {
                Survival::Untouched => ("nothing runs there".to_owned(), String::new()),
                Survival::Replaced {
                    relocations, change, ..
                } => (moves(relocations), changes(change)),
                Survival::Broken { outcome } => (verdict(outcome), String::new()),
            };
            [loss.name.clone(), what, cost]
        });
        let titles = [&*format!("loss of {}", self.of.noun()), "what happens", "change"];
        rows.fold(Table::new(&titles), Table::row).without_empty_columns()
    }
}

/// `web edge-1 -> edge-2, 3 more move`.
fn moves(relocations: &[Relocation]) -> String {
    const SPELLED_OUT: usize = 2;
    let mut parts: Vec<String> = relocations
        .iter()
        .take(SPELLED_OUT)
        .map(|moved| format!("{} {} -> {}", moved.service.service, moved.from, moved.to))
        .collect();
    if relocations.len() > SPELLED_OUT {
        parts.push(format!("{} more move", relocations.len() - SPELLED_OUT));
    }
    parts.join(", ")
}

impl fmt::Display for LossCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = self.of.noun();
        let broken = self
            .losses
            .iter()
            .filter(|loss| matches!(loss.survival, Survival::Broken { .. }));
        let broken: Vec<&Loss> = broken.collect();
        match self.redundancy() {
            Redundancy::Survives => writeln!(f, "survives the loss of any one {noun}")?,
            Redundancy::Open if self.losses.is_empty() => writeln!(f, "nothing was placed to begin with")?,
            _ if matches!(self.baseline, Outcome::Infeasible(_)) => {
                writeln!(f, "nothing is placed to begin with")?;
            }
            Redundancy::Open if broken.is_empty() => writeln!(f, "none of the losses looked at breaks it")?,
            Redundancy::Breaks | Redundancy::Open => {
                let names: Vec<&str> = broken.iter().map(|loss| loss.name.as_str()).collect();
                let (count, all) = (broken.len(), self.losses.len());
                writeln!(f, "{count} of {all} losses break it: {}", names.join(", "))?;
            }
        }
        if let Some(stopped) = self.stopped_early() {
            writeln!(f, "{stopped}")?;
        }
        if let Outcome::Infeasible(diagnosis) = &self.baseline {
            // What was not looked for to the end has no cause.
            if !diagnosis.proved && !self.left_out.is_empty() {
                return Ok(());
            }
            return write!(f, "\n{diagnosis}");
        }
        write!(f, "\n{}", self.table())?;
        for loss in broken {
            if let Survival::Broken {
                outcome: Outcome::Infeasible(diagnosis),
            } = &loss.survival
            {
                write!(f, "\nwithout {}: {diagnosis}", loss.name)?;
            }
        }
        Ok(())
    }
}
