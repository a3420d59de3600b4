//! The writes of one apply or scale, in an order that shows a wrong split no longer than needed.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};
use serde_json::{Value, json};
use smo_core::backend::ChartState;
use smo_core::helm_values::HelmValues;
use smo_core::plan::ReleaseSpec;

use crate::backend::KarmadaFleet;
use crate::client::{Written, is_part_of};
use crate::error::{Failure, KarmadaError};
use crate::objects::ObjectRef;
use crate::record::{Record, Wish, is_image};
use crate::release::{refs, release_name};
use crate::split::{Order, order};
use crate::start::Starting;
use crate::status::has_replicas;

/// Everything that a release is made of.
#[derive(Debug)]
pub(crate) struct Desired {
    /// Objects that we write, or for a chart those that its installer writes.
    pub(crate) objects: Vec<Value>,
    /// Policies of ours.
    pub(crate) policies: Vec<Value>,
    /// Policies that the chart brings.
    pub(crate) own_policies: Vec<ObjectRef>,
    /// What is to be different in the chart's own policy.
    pub(crate) steer: Option<(ObjectRef, Value)>,
    /// The chart's own policy of the workload, steered or not.
    pub(crate) steerable: Option<ObjectRef>,
    /// The object whose replicas are counted.
    pub(crate) workload: Option<ObjectRef>,
    /// What a chart is installed with.
    pub(crate) values: HelmValues,
    /// What does not work as the chart has it, and what is to be different in each.
    pub(crate) repairs: Vec<(ObjectRef, Value)>,
}

impl Desired {
    /// True when somebody has deleted what the chart's installer has written. Hooks and jobs go by themselves, and of
    /// kinds that are not Kubernetes' own nobody here knows whether they have a namespace.
    fn lacks_some(&self, live: &Live) -> bool {
        let stays = |object: &&Value| {
            let hook = object.pointer("/metadata/annotations/helm.sh~1hook");
            let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
            hook.is_none() && !["Job", "Pod"].contains(&kind)
        };
        let known = |object: &ObjectRef| {
            let group = object.api_version.split_once('/').map_or("", |(group, _)| group);
            object.is_policy() || !group.contains('.') || group.ends_with("k8s.io")
        };
        let lasting = self.objects.iter().filter(stays).flat_map(ObjectRef::of);
        let mut lasting = lasting.filter(known);
        lasting.any(|object| !live.contains_key(&object))
    }

    /// The placement of the chart's own policy where it is right as the chart has it, and somebody may have edited it.
    fn own_placement(&self) -> Option<(ObjectRef, Value)> {
        let policy = self.steerable.as_ref().filter(|_| self.steer.is_none())?;
        let is_it = |object: &&Value| ObjectRef::of(object).is_ok_and(|reference| reference == *policy);
        let manifest = self.objects.iter().find(is_it)?;
        let affinity = manifest.pointer("/spec/placement/clusterAffinity")?;
        let placement = json!({"clusterAffinities": null, "clusterAffinity": affinity});
        Some((policy.clone(), json!({"spec": {"placement": placement}})))
    }
}

/// Objects as they are now.
pub(crate) type Live = BTreeMap<ObjectRef, Value>;

/// What is to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step<'a> {
    pub(crate) spec: &'a ReleaseSpec,
    pub(crate) desired: &'a Desired,
    pub(crate) live: &'a Live,
    /// Where replicas were wanted.
    pub(crate) before: Option<&'a Wish>,
    /// Where they are wanted.
    pub(crate) wish: Option<&'a Wish>,
    /// The spec is the one in place, so that only what differs is written.
    pub(crate) same: bool,
    /// Only replicas and clusters change: a chart is not installed again.
    pub(crate) scale: bool,
    /// It is the first install of an image.
    pub(crate) starting: Option<&'a Starting<'a>>,
}

impl KarmadaFleet {
    /// Writes objects and policies; tells whether that changed anything, and the generation of the workload after it.
    pub(crate) async fn write(&self, step: &Step<'_>) -> Result<(bool, i64), Failure> {
        let Step {
            spec,
            desired,
            live,
            before,
            wish,
            same,
            starting,
            ..
        } = *step;
        let chart = !is_image(&spec.chart);
        let workload_first = match (before, wish) {
            (Some(before), Some(wish)) if !chart && !before.zero && !wish.zero => {
                order(&before.assignment, &wish.assignment) == Order::WorkloadFirst
            }
            _ => false,
        };
        let policies = self.write_all(&desired.policies, live, same);
        if chart {
            let changed = policies.await?.iter().any(|written| written.changed);
            let installed = self.install(step).await?;
            let (counted, generation) = self.count_replicas(desired, wish).await?;
            return Ok((changed || installed || counted, generation));
        }
        let (policies, objects) = if let (Some(starting), Some(workload)) = (starting, &desired.workload) {
            let (first, rest) = desired.objects.split_at(1.min(desired.objects.len()));
            let policies = policies.await?;
            let mut objects = self.write_all(first, live, same).await?;
            if !rest.is_empty() {
                self.starts(starting, workload).await;
            }
            objects.extend(self.write_all(rest, live, same).await?);
            (policies, objects)
        } else if workload_first {
            let objects = self.write_all(&desired.objects, live, same).await?;
            (policies.await?, objects)
        } else {
            (
                policies.await?,
                self.write_all(&desired.objects, live, same).await?,
            )
        };
        let changed = policies.iter().chain(&objects).any(|written| written.changed);
        // The workload is the first of the objects.
        Ok((
            changed,
            objects
                .first()
                .map_or(0, |written| generation_of(&written.object)),
        ))
    }

    /// Writes some objects at once. A refusal is told when all are answered: a write given up on its way could still
    /// arrive after what was written is taken back.
    async fn write_all(
        &self,
        wanted: &[Value],
        live: &Live,
        only_where_different: bool,
    ) -> Result<Vec<Written>, Failure> {
        let one = async |object: &Value| -> Result<Written, KarmadaError> {
            let found = live.get(&ObjectRef::of(object)?);
            if only_where_different {
                self.client.apply(object, found).await
            } else {
                self.client.apply_always(object, found).await
            }
        };
        let answers = join_all(wanted.iter().map(one)).await;
        Ok(answers.into_iter().collect::<Result<_, _>>()?)
    }

    /// Has the chart installed, unless it is in place, its own policy steered, and what does not work mended.
    async fn install(&self, step: &Step<'_>) -> Result<bool, Failure> {
        let Step { spec, desired, .. } = *step;
        let name = release_name(&spec.service);
        let is_deployed = async || -> Result<bool, Failure> {
            let chart = self.charts.status(&name).await?;
            Ok(chart.is_some_and(|chart| chart.state == ChartState::Deployed))
        };
        let whole = !desired.lacks_some(step.live);
        let in_place = whole && (step.scale || step.same && is_deployed().await?);
        if !in_place {
            self.charts.apply(&name, &spec.chart, &desired.values).await?;
        }
        let own = desired.own_placement().filter(|_| in_place);
        let steered = desired.steer.iter().chain(&own).chain(&desired.repairs);
        let changed = try_join_all(steered.map(|(object, part)| self.amend(object, part))).await?;
        Ok(!in_place || changed.contains(&true))
    }

    /// Brings `part` into an object that is there; false when it is in it already.
    pub(crate) async fn amend(&self, object: &ObjectRef, part: &Value) -> Result<bool, KarmadaError> {
        let found = self.client.get(object).await?.unwrap_or_default();
        let mut without_nulls = part.clone();
        if let Some(placement) = without_nulls
            .pointer_mut("/spec/placement")
            .and_then(Value::as_object_mut)
        {
            placement.retain(|_, value| !value.is_null());
        }
        if is_part_of(&without_nulls, &found) {
            return Ok(false);
        }
        self.client.merge(object, part).await.map(|_| true)
    }

    /// Gives a chart's workload the replicas that were decided.
    async fn count_replicas(&self, desired: &Desired, wish: Option<&Wish>) -> Result<(bool, i64), Failure> {
        let Some(workload) = &desired.workload else {
            return Ok((false, 0));
        };
        let found = self.client.get(workload).await?.unwrap_or_default();
        let replicas = found.pointer("/spec/replicas").and_then(Value::as_u64);
        let wanted = wish
            .filter(|_| has_replicas(&workload.kind))
            .map(|wish| u64::from(wish.replicas()));
        if wanted.is_none() || wanted == replicas || found.is_null() {
            return Ok((false, generation_of(&found)));
        }
        let written = self
            .client
            .merge(workload, &json!({"spec": {"replicas": wanted}}))
            .await?;
        Ok((true, generation_of(&written)))
    }

    /// True unless somebody else has changed the count of a workload since it was written.
    pub(crate) async fn is_counted(&self, record: &Record, wish: &Wish) -> Result<bool, Failure> {
        let Some(workload) = record
            .workload
            .as_ref()
            .filter(|object| has_replicas(&object.kind))
        else {
            return Ok(true);
        };
        let found = self.client.get(workload).await?.unwrap_or_default();
        let replicas = found.pointer("/spec/replicas").and_then(Value::as_u64);
        Ok(replicas.is_none_or(|replicas| replicas == u64::from(wish.replicas())))
    }

    /// Deletes what an earlier revision wrote and this one does not have.
    pub(crate) async fn prune(&self, record: &Record, desired: &Desired) -> Result<(), Failure> {
        let kept: Vec<ObjectRef> = [refs(&desired.objects)?, refs(&desired.policies)?].concat();
        // The objects of a chart are its installer's.
        let objects = record.objects.iter().filter(|_| record.is_image());
        let gone = objects
            .chain(&record.policies)
            .filter(|object| !kept.contains(object));
        try_join_all(gone.map(|object| self.client.delete(object))).await?;
        Ok(())
    }
}

fn generation_of(object: &Value) -> i64 {
    object
        .pointer("/metadata/generation")
        .and_then(Value::as_i64)
        .unwrap_or(0)
}
