//! Bringing a release about: what is checked first, what is written in which order, and what is undone on failure.

use std::time::Duration;

use futures::future::try_join_all;
use futures::try_join;
use serde_json::Value;
use smo_core::backend::{Applied, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::id::ServiceKey;
use smo_core::placement::Assignment;
use smo_core::plan::{ReleaseSpec, Target};

use crate::backend::KarmadaFleet;
use crate::chart::{ChartPlan, plan_chart, replan};
use crate::chart_import::{for_nobody_else, with_replicas};
use crate::error::{Failure, KarmadaError};
use crate::foreign::{Candidate, foreign_policy};
use crate::objects::{ImageValues, ObjectRef, Owner, is_reserved, namespace, render_image};
use crate::record::{Record, Wish, is_image};
use crate::start::Starting;
use crate::write::{Desired, Live, Step};

/// How often an object that is being deleted is looked at, and the time between two looks.
const LOOKS: usize = 75;
const PAUSE: Duration = Duration::from_millis(200);

pub(crate) fn refs(objects: &[Value]) -> Result<Vec<ObjectRef>, KarmadaError> {
    objects.iter().map(ObjectRef::of).collect()
}

pub(crate) fn release_name(service: &ServiceKey) -> ReleaseName {
    ReleaseName {
        namespace: service.graph.project.clone(),
        name: service.service.clone(),
    }
}

fn conflict(why: String) -> Failure {
    KarmadaError::Conflict(why).into()
}

/// Where replicas are wanted; `None` where the chart chooses.
fn wish_of(spec: &ReleaseSpec) -> Result<Option<Wish>, KarmadaError> {
    let assignment = match &spec.target {
        Target::Clusters(assignment) => assignment.clone(),
        Target::ChosenByChart { .. } if !is_image(&spec.chart) => return Ok(None),
        // An image has no chart that chooses: its values say how many replicas each of the declared clusters gets.
        Target::ChosenByChart { declared } => {
            let values = ImageValues::read(&spec.values).map_err(KarmadaError::Refused)?;
            let each = values.replicas.unwrap_or(1);
            declared.iter().map(|cluster| (cluster.clone(), each)).collect()
        }
    };
    if assignment.is_empty() {
        return Err(KarmadaError::Refused(
            "it names no cluster, which would mean every cluster".to_owned(),
        ));
    }
    Ok(Some(Wish::of(&assignment)))
}

impl KarmadaFleet {
    pub(crate) async fn bring_about(&self, spec: &ReleaseSpec) -> Result<Applied, Failure> {
        if is_reserved(&spec.service.graph.project) {
            let why = format!(
                "Karmada keeps the objects of namespace {} to itself",
                spec.service.graph.project
            );
            return Err(KarmadaError::Refused(why).into());
        }
        let wish = wish_of(spec)?;
        let owner = self.owner(&spec.service);
        let starting = is_image(&spec.chart).then(|| Starting::new(&self.starting));
        let (mut former, removed) = self.known(&owner).await?;
        if let Some(other) = former
            .as_ref()
            .filter(|record| record.spec.service != spec.service)
        {
            return Err(conflict(format!("the name belongs to {}", other.spec.service)));
        }
        let moves = match (&former, &wish) {
            (Some(known), Some(wish)) if known.only_moves(spec, wish) => Some(wish),
            _ => None,
        };
        let moved = moves.is_some();
        if let Some(wish) = moves {
            // Its policy moves it in a moment; the installer then writes the same into the chart's values.
            self.rescale(&spec.service, &wish.assignment).await?;
            (former, _) = self.known(&owner).await?;
        }
        let same = former
            .as_ref()
            .is_some_and(|record| record.is(spec, wish.as_ref()));
        let installed = self.installed_by_others(spec, former.as_ref());
        let (desired, ()) = try_join!(self.desired(&owner, spec, wish.as_ref()), installed)?;
        let turned = former
            .as_ref()
            .filter(|record| record.is_image() != is_image(&spec.chart));
        if let Some(former) = turned {
            // A chart's objects cannot become ours, nor ours a chart's.
            self.tear_down(&owner, former).await?;
        }
        let live = self.live(&desired).await?;
        self.check(
            &owner,
            &desired,
            &live,
            former.as_ref().filter(|_| turned.is_none()),
            spec,
        )
        .await?;
        let mut record = match &former {
            Some(former) => Record {
                spec: spec.clone(),
                wish: wish.clone(),
                revision: if same {
                    former.revision
                } else {
                    former.revision.saturating_add(1)
                },
                ..former.clone()
            },
            None => Record::new(spec, wish.clone()).after(removed),
        };
        if former.is_none() {
            self.ensure_namespace(&owner).await?;
        }
        if !same {
            self.remember(&owner, &mut record, &desired).await?;
        }
        let step = Step {
            spec,
            desired: &desired,
            live: &live,
            before: former.as_ref().and_then(|former| former.wish.as_ref()),
            wish: wish.as_ref(),
            same,
            scale: false,
            starting: starting.as_ref().filter(|_| former.is_none()),
        };
        let written = self.write(&step).await;
        let (changed, generation) = match written {
            Ok(written) => written,
            Err(failure) => {
                if former.is_none() {
                    self.undo(&owner, &record).await;
                }
                return Err(failure);
            }
        };
        if !same {
            self.prune(&record, &desired).await?;
        }
        if !same || changed {
            record.is_made_of(refs(&desired.objects)?);
            record.policies = refs(&desired.policies)?;
            record.steerable = desired.steerable;
            record.workload = desired.workload;
            record.generation = generation;
            record.complete = true;
            self.client.apply_always(&record.secret(&owner)?, None).await?;
        }
        Ok(Applied {
            revision: record.revision,
            changed: changed || moved || !same,
        })
    }

    /// The record of a name: of a release that is there, or of one that was removed.
    async fn known(&self, owner: &Owner) -> Result<(Option<Record>, Option<Record>), Failure> {
        let record = self.record(owner).await?.map(|(record, _)| record);
        Ok(match record {
            Some(record) if record.removed => (None, Some(record)),
            other => (other, None),
        })
    }

    pub(crate) async fn rescale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), Failure> {
        let owner = self.owner(service);
        let record = self.record_if_ours(&owner).await?.map(|(record, _)| record);
        let installed = record.filter(|record| !record.removed && record.spec.service == *service);
        let Some(mut record) = installed else {
            return Err(KarmadaError::NotFound("it is not installed".to_owned()).into());
        };
        let former = record.wish.clone();
        let wish = match (&former, assignment.is_empty()) {
            (_, false) => Wish::of(assignment),
            (Some(former), true) => Wish {
                zero: true,
                ..former.clone()
            },
            (None, true) => {
                let why = "its chart chooses where it runs; scale it to zero by its values".to_owned();
                return Err(KarmadaError::Refused(why).into());
            }
        };
        if former.as_ref() == Some(&wish) && self.is_counted(&record, &wish).await? {
            return Ok(());
        }
        let spec = record.spec.clone();
        let desired = match (&former, record.is_image()) {
            (Some(_), false) => self.desired_again(&owner, &record, &wish).await?,
            _ => self.desired(&owner, &spec, Some(&wish)).await?,
        };
        let live = self.live(&desired).await?;
        record.wish = Some(wish.clone());
        record.complete = false;
        self.remember(&owner, &mut record, &desired).await?;
        let step = Step {
            spec: &spec,
            desired: &desired,
            live: &live,
            before: former.as_ref(),
            wish: Some(&wish),
            same: true,
            scale: true,
            starting: None,
        };
        let (_, generation) = self.write(&step).await?;
        self.prune(&record, &desired).await?;
        record.policies = refs(&desired.policies)?;
        record.generation = generation;
        record.complete = true;
        self.client.apply_always(&record.secret(&owner)?, None).await?;
        Ok(())
    }

    /// Deletes everything of a release but its record; tells whether Karmada may have begun to spread it.
    pub(crate) async fn tear_down(&self, owner: &Owner, record: &Record) -> Result<bool, Failure> {
        let spread = if record.is_image() {
            let deleted =
                try_join_all(record.objects.iter().map(|object| self.client.delete(object))).await?;
            deleted.contains(&true)
        } else {
            // An installer that failed may have taken back by itself what it wrote.
            self.charts.uninstall(&release_name(&owner.service)).await?;
            true
        };
        try_join_all(record.policies.iter().map(|policy| self.client.delete(policy))).await?;
        Ok(spread)
    }

    async fn desired(
        &self,
        owner: &Owner,
        spec: &ReleaseSpec,
        wish: Option<&Wish>,
    ) -> Result<Desired, Failure> {
        if let (true, Some(wish)) = (is_image(&spec.chart), wish) {
            let values = ImageValues::read(&spec.values).map_err(KarmadaError::Refused)?;
            let (assignment, replicas) = (&wish.assignment, wish.replicas());
            let rendered = render_image(
                owner,
                &spec.chart,
                &values,
                &spec.resources,
                assignment,
                replicas,
                &self.tolerations,
            )?;
            return Ok(Desired {
                workload: rendered.objects.first().map(ObjectRef::of).transpose()?,
                objects: rendered.objects,
                policies: rendered.policies,
                own_policies: Vec::new(),
                steer: None,
                steerable: None,
                values: HelmValues::default(),
                repairs: Vec::new(),
            });
        }
        let render = async |values: &HelmValues| -> Result<ChartPlan, Failure> {
            let name = release_name(&spec.service);
            let rendered = self.charts.render(&name, &spec.chart, values).await?;
            Ok(plan_chart(owner, rendered, values, wish, &self.tolerations)?)
        };
        let mut values = for_nobody_else(&spec.values);
        let mut plan = render(&values).await?;
        let replicas = wish.map(Wish::replicas);
        if let Some(replicas) =
            replicas.filter(|replicas| plan.replicas().is_some_and(|own| own != *replicas))
        {
            // A chart that takes the number by its values never shows another one, not even for a moment. One that
            // does not (or refuses the key) is corrected afterwards.
            let counted = with_replicas(&values, replicas);
            if let Some(better) = render(&counted)
                .await
                .ok()
                .filter(|plan| plan.replicas() == Some(replicas))
            {
                (values, plan) = (counted, better);
            }
        }
        Ok(Desired {
            objects: plan.objects,
            policies: plan.policies,
            own_policies: plan.own_policies,
            steer: plan.steer,
            steerable: plan.steerable,
            workload: plan.workload,
            values,
            repairs: plan.repairs,
        })
    }

    /// The policies of an installed chart for another wish; all of it anew when somebody has deleted one.
    async fn desired_again(&self, owner: &Owner, record: &Record, wish: &Wish) -> Result<Desired, Failure> {
        let known = record.policies.iter().chain(&record.steerable);
        let mut found = try_join_all(known.map(|policy| self.client.get(policy))).await?;
        let steerable = record.steerable.as_ref().and_then(|_| found.pop()).flatten();
        let policies: Vec<Value> = found.into_iter().flatten().collect();
        if policies.len() < record.policies.len() || steerable.is_some() != record.steerable.is_some() {
            return self.desired(owner, &record.spec, Some(wish)).await;
        }
        let plan = replan(
            owner,
            &policies,
            record.steerable.as_ref(),
            wish,
            &self.tolerations,
        )?;
        Ok(Desired {
            objects: Vec::new(),
            policies: plan.policies,
            own_policies: Vec::new(),
            steer: plan.steer,
            steerable: record.steerable.clone(),
            workload: record.workload.clone(),
            values: HelmValues::default(),
            repairs: Vec::new(),
        })
    }

    /// The objects of a release as they are now.
    async fn live(&self, desired: &Desired) -> Result<Live, Failure> {
        let wanted = desired.objects.iter().chain(&desired.policies).map(ObjectRef::of);
        let wanted: Vec<ObjectRef> = wanted.collect::<Result<_, _>>()?;
        let found = try_join_all(wanted.iter().map(|object| self.settled(object))).await?;
        Ok(wanted
            .into_iter()
            .zip(found)
            .filter_map(|(object, live)| Some((object, live?)))
            .collect())
    }

    /// An object as it is now. One that is being deleted is waited for: what is written into it would go with it.
    async fn settled(&self, object: &ObjectRef) -> Result<Option<Value>, Failure> {
        for _ in 0..LOOKS {
            let found = self.client.get(object).await?;
            let ending = |found: &Value| found.pointer("/metadata/deletionTimestamp").is_some();
            if !found.as_ref().is_some_and(ending) {
                return Ok(found);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Err(conflict(format!("{object} is still being deleted")))
    }

    /// Refuses what is somebody else's, before anything is written.
    async fn check(
        &self,
        owner: &Owner,
        desired: &Desired,
        live: &Live,
        former: Option<&Record>,
        spec: &ReleaseSpec,
    ) -> Result<(), Failure> {
        let chart = !is_image(&spec.chart);
        let ours = if chart { &[][..] } else { &desired.objects[..] };
        for object in refs(&desired.policies)?.iter().chain(&refs(ours)?) {
            if live.get(object).is_some_and(|found| !owner.owns(found)) {
                return Err(conflict(format!("{object} exists and is not ours")));
            }
        }
        let objects = refs(&desired.objects)?;
        let candidates: Vec<Candidate<'_>> = objects
            .iter()
            .zip(&desired.objects)
            .filter(|(object, _)| !object.is_policy())
            .map(|(object, manifest)| Candidate {
                object,
                manifest,
                live: live.get(object),
            })
            .collect();
        let mut allowed = refs(&desired.policies)?;
        allowed.extend(desired.own_policies.iter().cloned());
        allowed.extend(former.iter().flat_map(|former| former.policies.iter().cloned()));
        let policies = if former.is_some() {
            Vec::new()
        } else {
            self.policies_near(&candidates).await?
        };
        match foreign_policy(&candidates, &allowed, &policies) {
            Some(found) => Err(conflict(found)),
            None => Ok(()),
        }
    }

    /// Refuses the name of a chart release that somebody else has installed.
    async fn installed_by_others(&self, spec: &ReleaseSpec, former: Option<&Record>) -> Result<(), Failure> {
        if former.is_some() || is_image(&spec.chart) {
            return Ok(());
        }
        let name = release_name(&spec.service);
        match self.charts.status(&name).await? {
            Some(_) => Err(conflict(format!("a chart release {name} exists and is not ours"))),
            None => Ok(()),
        }
    }

    /// The policies of every namespace that has a candidate.
    async fn policies_near(&self, candidates: &[Candidate<'_>]) -> Result<Vec<Value>, Failure> {
        const ROOT: &str = "/apis/policy.karmada.io/v1alpha1";
        let path = |candidate: &Candidate<'_>| match &candidate.object.namespace {
            Some(namespace) => format!("{ROOT}/namespaces/{namespace}/propagationpolicies"),
            None => format!("{ROOT}/clusterpropagationpolicies"),
        };
        let mut paths: Vec<String> = candidates.iter().map(path).collect();
        paths.sort();
        paths.dedup();
        let lists = try_join_all(paths.iter().map(|path| self.client.list(path, ""))).await?;
        Ok(lists.into_iter().flatten().collect())
    }

    async fn ensure_namespace(&self, owner: &Owner) -> Result<(), Failure> {
        let reference = ObjectRef::cluster_scoped("v1", "Namespace", owner.namespace());
        if self.client.get(&reference).await?.is_none() {
            let wanted = namespace(&owner.service.graph.project, &owner.manager);
            self.client.apply_always(&wanted, None).await?;
        }
        Ok(())
    }

    /// Writes down what is about to be written, so that nothing of it is ever forgotten.
    async fn remember(&self, owner: &Owner, record: &mut Record, desired: &Desired) -> Result<(), Failure> {
        record.complete = false;
        for (known, new) in [
            (&mut record.objects, &desired.objects),
            (&mut record.policies, &desired.policies),
        ] {
            known.extend(refs(new)?);
            known.sort();
            known.dedup();
        }
        record.workload.clone_from(&desired.workload);
        self.client.apply_always(&record.secret(owner)?, None).await?;
        Ok(())
    }
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
