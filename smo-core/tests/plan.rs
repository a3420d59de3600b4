//! Plans, differences and notes, from descriptors to text.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::{Arc, Mutex};

use smo_core::cluster::{Inventory, ObservedState};
use smo_core::descriptor::Descriptor;
use smo_core::graph::ApplicationGraph;
use smo_core::id::Project;
use smo_core::placement::{
    Alternative, AntiAffinityGroup, Assignment, Budget, ClusterSupply, Exhaustive, FirstFit, Goal, Goals,
    Placement, PlacementProblem, Progress, Weight,
};
use smo_core::plan::{Change, DeploymentPlan, PlanError, Planner, ReleaseAction, lint};
use smo_core::resources::ResourceName;

fn graph(text: &str) -> ApplicationGraph {
    Descriptor::parse(text)
        .and_then(|descriptor| descriptor.validate())
        .unwrap()
}

fn fleet(text: &str) -> Inventory {
    Inventory::parse(text).unwrap()
}

fn plan(descriptor: &str, inventory: &str) -> DeploymentPlan {
    Planner::new()
        .plan(&graph(descriptor), &fleet(inventory))
        .unwrap()
}

const TWO: &str = "fleet: {clusters: [
    {name: a, allocatable: {cpu: 4, memory: 8Gi}, price: {cpu: 0.01}},
    {name: b, allocatable: {cpu: 8, memory: 8Gi}, price: {cpu: 0.02}}]}";

const THREE: &str = "fleet: {clusters: [
    {name: a, allocatable: {cpu: 4, memory: 8Gi}, allocated: {cpu: 0}, price: {cpu: 0.01}},
    {name: b, allocatable: {cpu: 2, memory: 8Gi}, price: {cpu: 0.02}},
    {name: c, allocatable: {cpu: 2, memory: 8Gi}, price: {cpu: 0.03}}]}";

/// `web` calls `db`; `vo` is a Web-of-Things service that waits for an alert and calls `web`.
const SHOP: &str = "
hdaGraph:
  id: shop
  version: 1.0.0
  services:
    - id: vo
      deployment:
        trigger: {event: {condition: ANY, events: [{id: main, condition: {promQuery: up == 0, gracePeriod: 2m}}]}}
        intent: {compute: {cpu: light, ram: light}, connectionPoints: [web]}
      artifact: {ociImage: 'oci://r.example.com/p/vo:1.0.0', ociConfig: {type: VO, implementer: WOT}}
    - id: web
      deployment: {intent: {compute: {cpu: small, ram: small}, connectionPoints: [db]}}
      artifact: {ociImage: 'oci://r.example.com/p/web:1.0.0', valuesOverwrite: {dbPassword: hunter2}}
    - id: db
      deployment: {trigger: {auto: {dependencies: []}}, intent: {compute: {cpu: medium, ram: medium}}}
      artifact: {ociImage: 'oci://r.example.com/p/db:1.0.0'}
";

#[test]
fn values_follow_the_contract_of_each_chart() {
    let plan = plan(SHOP, TWO);
    let values = |service: &str| plan.services[service].release.values.to_json();
    insta::assert_snapshot!(values("vo"), @r#"{"voChartOverwrite":{"clustersAffinity":["b"],"serviceImportClusters":["b"]}}"#);
    insta::assert_snapshot!(values("db"), @r#"{"clustersAffinity":["a"],"serviceImportClusters":["b"]}"#);
    assert_eq!(values("web")["dbPassword"], "hunter2");
}

#[test]
fn an_import_list_is_never_empty_and_never_has_a_cluster_twice() {
    let text = SHOP.replace("connectionPoints: [web]", "connectionPoints: [web, db]");
    let plan = plan(&text, TWO);
    for import in &plan.imports {
        assert!(!import.into.is_empty(), "{import:?}");
        let unique: std::collections::BTreeSet<_> = import.into.iter().collect();
        assert_eq!(unique.len(), import.into.len(), "{import:?}");
    }
}

#[test]
fn nothing_changes_when_everything_runs_as_planned() {
    let plan = plan(SHOP, TWO);
    let changes = plan.diff(&plan.expected_state());
    assert!(changes.is_empty(), "{changes}");
    insta::assert_snapshot!(changes.waves.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @"
    . release vo   waits for its alert
    = release web
    = release db
    ");
}

#[test]
fn a_first_deployment_installs_in_waves_and_awaits_alerts() {
    let text = SHOP.replace(
        "deployment: {intent: {compute: {cpu: small",
        "deployment: {trigger: {auto: {dependencies: [db]}}, intent: {compute: {cpu: small",
    );
    let plan = plan(&text, TWO);
    insta::assert_snapshot!(plan.diff(&ObservedState::default()), @"
    wave 1
      . release vo   waits for its alert
      + release db   a
    wave 2
      + release web   b
    wave 3
      + alert rules smo.default.shop (1)
      + dashboard default/shop
      + dashboard default/shop/vo
      + dashboard default/shop/web
      + dashboard default/shop/db
    plan 44abae96, from state 6de855be
    ");
}

#[test]
fn a_provider_whose_callers_moved_is_upgraded() {
    let graph = graph(SHOP);
    let planner = Planner::new();
    let before = planner.plan(&graph, &fleet(THREE)).unwrap().expected_state();
    // db stays on a; web leaves b, so the Service of db has to be imported elsewhere.
    let lost = THREE.replace("{name: b,", "{name: b, ready: false,");
    let after = planner
        .replan(&graph, &fleet(&lost), &Placement::from(&before))
        .unwrap();
    insta::assert_snapshot!(after.diff(&before), @"
    wave 1
      . release vo   waits for its alert
      ~ release web   b -> c
      ~ service import web   b -> c
      ~ release db   values.serviceImportClusters
      ~ service import db   b -> c
    plan 1e4c32a6, from state 8ced22d4
    ");
}

#[test]
fn a_service_started_by_its_alert_is_kept_and_one_without_a_plan_is_removed() {
    let plan = plan(SHOP, TWO);
    let mut state = plan.expected_state();
    let db = state.releases["default/shop/db".parse().as_ref().unwrap()].clone();
    let vo = plan.services["vo"].release.clone();
    let mut running = db.clone();
    running.chart = vo.chart.clone();
    running.values = vo.values.clone();
    running.clusters = plan.services["vo"]
        .release
        .target
        .clusters()
        .into_iter()
        .map(|name| (name, db.clusters.values().next().unwrap().clone()))
        .collect();
    state.releases.insert("default/shop/vo".parse().unwrap(), running);
    state
        .releases
        .insert("default/shop/old".parse().unwrap(), db.clone());
    state.releases.insert("other/shop/db".parse().unwrap(), db);
    let changes = plan.diff(&state);
    let vo_kept = changes.waves.iter().flatten().any(
        |change| matches!(change, Change::Release { service, action: ReleaseAction::Keep, .. } if service.as_str() == "vo"),
    );
    assert!(vo_kept, "{changes}");
    let text = changes.to_string();
    assert!(text.contains("- release old"), "{text}");
    assert_eq!(
        text.matches("- release").count(),
        1,
        "another project is none of our business: {text}"
    );
}

#[test]
fn differences_are_paths_and_never_values() {
    let before = plan(SHOP, TWO).expected_state();
    let changed = SHOP
        .replace("hunter2", "correct horse")
        .replace("p/web:1.0.0", "p/web:1.1.0");
    let plan = plan(&changed, TWO);
    let changes = plan.diff(&before);
    let text = changes.to_string();
    assert!(
        text.contains("~ release web   chart, values.dbPassword"),
        "{text}"
    );
    for secret in ["hunter2", "correct horse"] {
        assert!(
            !text.contains(secret)
                && !format!("{changes:?}").contains(secret)
                && !format!("{plan:?}").contains(secret)
        );
        assert!(!plan.to_string().contains(secret), "{plan}");
    }
}

#[test]
fn alert_rules_that_changed_are_written_and_those_without_a_plan_removed() {
    let before = plan(SHOP, TWO).expected_state();
    let louder = plan(&SHOP.replace("up == 0", "up == 1"), TWO);
    assert!(
        louder
            .diff(&before)
            .to_string()
            .contains("+ alert rules smo.default.shop (1)")
    );
    let at_once = SHOP.replace(
        "{event: {condition: ANY, events: [{id: main, condition: {promQuery: up == 0, gracePeriod: 2m}}]}}",
        "{auto: {}}",
    );
    let text = plan(&at_once, TWO).diff(&before).to_string();
    assert!(text.contains("- alert rules smo.default.shop"), "{text}");
}

#[test]
fn projects_keep_equal_graphs_apart() {
    let in_project = |project: &str| {
        let planner = Planner::new().with_project(Project::parse(project).unwrap());
        planner.plan(&graph(SHOP), &fleet(TWO)).unwrap()
    };
    let (one, two) = (in_project("one"), in_project("two"));
    assert_ne!(one.fingerprint, two.fingerprint);
    assert_ne!(
        one.alerts.as_ref().unwrap().name,
        two.alerts.as_ref().unwrap().name
    );
    assert!(
        one.dashboards
            .iter()
            .all(|a| two.dashboards.iter().all(|b| a.uid != b.uid))
    );
    assert_eq!(
        two.diff(&one.expected_state())
            .waves
            .iter()
            .flatten()
            .filter(|change| matches!(change, Change::RemoveRelease { .. }))
            .count(),
        0
    );
}

#[test]
fn the_fingerprint_names_what_is_written_and_not_how_it_was_decided() {
    let by_milp = plan(SHOP, TWO);
    let by_first_fit = Planner::new()
        .with_placer(Box::new(FirstFit::new()))
        .plan(&graph(SHOP), &fleet(TWO))
        .unwrap();
    let same_place = by_milp.placement() == by_first_fit.placement();
    assert_eq!(same_place, by_milp.fingerprint == by_first_fit.fingerprint);
    assert_eq!(by_milp.fingerprint, plan(SHOP, TWO).fingerprint);
}

#[test]
fn every_kind_of_note_is_given_by_some_plan() {
    let everything = "
hdaGraph:
  id: notes
  hdaGraphIntent: {security: {enabled: true}, highAvailability: {enabled: true}, energyEfficiency: {enabled: true}}
  services:
    - id: one
      deployment:
        trigger: {event: {condition: ANY, events: [{id: e, condition: {promQuery: up, gracePeriod: 1m}}]}}
        intent: {network: {deviceProximity: {enabled: true}}, coLocation: [{id: other}]}
      artifact: {ociImage: 'https://r.example.com/p/chart'}
    - {id: two, artifact: {ociImage: 'https://r.example.com/p/chart'}}
";
    let with_static = "
hdaGraph:
  id: static
  hdaGraphIntent: {useStaticPlacement: true}
  services:
    - id: web
      artifact: {ociImage: 'oci://r/p/web:1', valuesOverwrite: {clustersAffinity: [cluster1-master], serviceImportClusters: []}}
    - {id: db, artifact: {ociImage: 'oci://r/p/db:1'}}
";
    let down = TWO.replace(
        "{name: b,",
        "{name: b, ready: {status: false, reason: ClusterNotReachable},",
    );
    let plans = [plan(everything, &down), plan(with_static, TWO)];
    let notes: Vec<_> = plans.iter().flat_map(|plan| &plan.notes).collect();
    for (code, meaning) in lint::ALL {
        assert!(notes.iter().any(|note| note.code == code), "{code}: {meaning}");
    }
    insta::assert_snapshot!(notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @"
    N101 one: https://r.example.com/p/chart names no version; the newest is installed
    N101 two: https://r.example.com/p/chart names no version; the newest is installed
    N102 one: Helm takes https://r.example.com/p/chart for a chart archive; write oci:// for a registry
    N102 two: Helm takes https://r.example.com/p/chart for a chart archive; write oci:// for a registry
    N103 one: the chart is called `chart`: objects that it names after itself are not found under the service id
    N103 two: the chart is called `chart`: objects that it names after itself are not found under the service id
    N104 one and two install https://r.example.com/p/chart into one namespace: objects that it names after itself collide
    N114 one: no service calls it, and Karmada reads an empty import list as every cluster: imported only where it runs
    N114 two: no service calls it, and Karmada reads an empty import list as every cluster: imported only where it runs
    N121 b is left out: not ready (ClusterNotReachable)
    N131 security is asked for; no placement rule follows from it yet
    N131 high availability is asked for with one replica per service: the placement is final, nothing is spread
    N131 one: device proximity is asked for; the catalogue names no label of clusters near devices, so pin the service to be sure
    N131 one: shares the clusters of other only where that service is known to run, or is decided together with this one
    N132 energy efficiency is asked for, and no cluster says what it emits
    N133 one: waits for its alert; its capacity is held until then
    N111 web: static placement: the descriptor says cluster1-master; nothing is checked against capacity
    N111 db: static placement: the defaults of the chart decide where it runs
    N112 web: the fleet has no cluster `cluster1-master`: it will not be scheduled
    N113 web: its import list is empty, which Karmada reads as every cluster
    ");
}

#[test]
fn every_reason_for_no_plan_reads_well() {
    let refuse = |descriptor: &str, inventory: &str| match Planner::new()
        .plan(&graph(descriptor), &fleet(inventory))
    {
        Ok(plan) => panic!("{plan}"),
        Err(PlanError::Infeasible { diagnosis, graph }) => format!("no placement for `{graph}`\n{diagnosis}"),
        Err(error) => error.to_string(),
    };
    let broken = SHOP.replace(
        "ociConfig: {type: VO, implementer: WOT}",
        "ociConfig: {type: VO, implementer: WOT}, valuesOverwrite: {voChartOverwrite: [x]}",
    );
    insta::assert_snapshot!(refuse(&broken, TWO), @"service `vo`: `valuesOverwrite.voChartOverwrite` holds a list; a map is expected");
    let huge = SHOP.replace("cpu: medium", "cpu: 100");
    insta::assert_snapshot!(refuse(&huge, TWO), @"
    no placement for `default/shop`
    no placement exists (proved)
      0/2 clusters can take db: 2 insufficient cpu (92 cores short at best)
    try
      1. free 92 cores on b for db
      2. free 96 cores on a for db
    ");
}

#[test]
fn energy_efficiency_moves_work_to_the_greener_cluster() {
    let inventory = "fleet: {clusters: [
        {name: cheap, allocatable: {cpu: 8, memory: 8Gi}, price: {cpu: 0.010}, carbon: {intensity: 600, pue: 1.5}},
        {name: green, allocatable: {cpu: 8, memory: 8Gi}, price: {cpu: 0.014}, carbon: {intensity: 30, pue: 1.1}}]}";
    let text = "hdaGraph: {id: g, services: [{id: s, artifact: {ociImage: 'oci://r/p/s:1'}}]}";
    assert_eq!(
        plan(text, inventory).services["s"].release.target.to_string(),
        "cheap"
    );
    let efficient = text.replace(
        "id: g,",
        "id: g, hdaGraphIntent: {energyEfficiency: {enabled: true}},",
    );
    assert_eq!(
        plan(&efficient, inventory).services["s"]
            .release
            .target
            .to_string(),
        "green"
    );
}

const PAIR: &str = "hdaGraph: {id: g, services: [
    {id: one, artifact: {ociImage: 'oci://r/p/one:1'}}, {id: two, artifact: {ociImage: 'oci://r/p/two:1'}}]}";

/// The clusters of the services of a plan, in order.
fn targets(plan: &DeploymentPlan) -> Vec<String> {
    let services = plan.services.values();
    services
        .map(|service| service.release.target.to_string())
        .collect()
}

/// No two services of a question share a cluster.
fn apart(problem: &mut PlacementProblem) -> Result<(), Box<dyn Error + Send + Sync>> {
    let services = problem.services.keys().cloned().collect();
    problem.anti_affinity.push(AntiAffinityGroup {
        services,
        ..AntiAffinityGroup::default()
    });
    Ok(())
}

fn budget_of_moves(problem: &mut PlacementProblem, at_most: i64) {
    problem.budgets.push(Budget {
        goal: Goal::Moves,
        at_most,
        price: None,
    });
}

#[test]
fn a_refined_question_is_the_one_that_is_decided_and_explained() {
    let (graph, fleet) = (graph(PAIR), fleet(TWO));
    let together = Planner::new().plan(&graph, &fleet).unwrap();
    assert_eq!(targets(&together), ["a", "a"]);
    let plan = Planner::new()
        .with_refinement(apart)
        .plan(&graph, &fleet)
        .unwrap();
    assert_eq!(targets(&plan).iter().collect::<BTreeSet<_>>().len(), 2, "{plan}");
    let decision = plan.decision.as_ref().unwrap();
    // A core each: one on the cluster that costs 0.01 an hour, one on that of 0.02.
    insta::assert_snapshot!(Goal::Money.describe(decision.totals.of(Goal::Money)), @"0.030 EUR/h");
    let other = &decision.explanation.services[0].alternatives[0];
    let Alternative::Forbidden(reason) = other else {
        panic!("{other:?}")
    };
    insta::assert_snapshot!(reason, @"default/g/one, default/g/two keep apart, and run on b together");
    // Without room apart there is no plan, and the diagnosis knows why.
    let alone =
        Inventory::parse("fleet: {clusters: [{name: a, allocatable: {cpu: 4, memory: 8Gi}}]}").unwrap();
    assert!(Planner::new().plan(&graph, &alone).is_ok());
    let refused = Planner::new().with_refinement(apart).plan(&graph, &alone);
    let Err(PlanError::Infeasible { diagnosis, .. }) = refused else {
        panic!("{refused:?}")
    };
    insta::assert_snapshot!(diagnosis, @"
    no placement exists (proved)
      one, two do not fit together, though they would with any of them left out
    try
      1. make room for one of one, two on another cluster, or add one
    ");
}

#[test]
fn a_budget_of_moves_holds_in_a_replan() {
    let graph = graph(PAIR);
    let on = |cluster: &str| {
        ["one", "two"].map(|service| {
            let key = format!("default/g/{service}").parse().unwrap();
            (key, Assignment::single(cluster.parse().unwrap(), 1))
        })
    };
    let current = Placement::from_iter(on("b"));
    // A move costs nothing here, and `a` is cheaper.
    let planner =
        || Planner::new().with_goals(Goals::none().with(Goal::Money, Weight::from_millionths(1_000_000)));
    let moved = |at_most: Option<i64>| {
        let mut planner = planner();
        if let Some(at_most) = at_most {
            planner = planner.with_refinement(move |problem| {
                budget_of_moves(problem, at_most);
                Ok(())
            });
        }
        let plan = planner.replan(&graph, &fleet(TWO), &current).unwrap();
        targets(&plan).iter().filter(|cluster| *cluster == "a").count()
    };
    assert_eq!((moved(None), moved(Some(1)), moved(Some(0))), (2, 1, 0));
}

#[test]
fn refinements_follow_one_another_and_know_the_replicas_that_were_asked_for() {
    let asked = BTreeMap::from([("one".parse().unwrap(), 3)]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let planner = Planner::new()
        .with_refinement(apart)
        .with_refinement(move |problem| {
            let replicas = problem.services.values().map(|demand| demand.replicas);
            let replicas: Vec<u32> = replicas.collect();
            told.lock().unwrap().push((replicas, problem.anti_affinity.len()));
            Ok(())
        });
    let plan = planner
        .replan_with_replicas(&graph(PAIR), &fleet(TWO), &Placement::new(), &asked)
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), [(vec![3, 1], 1)]);
    assert_eq!(plan.services["one"].replicas, 3);
    // There is no question about a graph with static placement.
    let fixed = PAIR.replace("id: g,", "id: g, hdaGraphIntent: {useStaticPlacement: true},");
    assert!(
        planner
            .plan(&graph(&fixed), &fleet(TWO))
            .unwrap()
            .decision
            .is_none()
    );
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[test]
fn what_no_plan_could_keep_is_refused() {
    let refuse = |refine: fn(&mut PlacementProblem) -> Result<(), Box<dyn Error + Send + Sync>>| {
        let refused = Planner::new()
            .with_refinement(refine)
            .plan(&graph(PAIR), &fleet(TWO));
        refused.unwrap_err().to_string()
    };
    insta::assert_snapshot!(refuse(|problem| {
        problem.services.pop();
        Ok(())
    }), @"the question about `default/g` was refined into another one: it removes the service `two`");
    insta::assert_snapshot!(refuse(|problem| {
        let (_, mut demand) = problem.services.pop().ok_or("nothing to place")?;
        problem.services.insert("default/g/three".parse()?, demand.clone());
        demand.replicas = 4;
        demand.per_replica.set(ResourceName::CPU, 1);
        demand.per_replica.set(ResourceName::MEMORY, u64::MAX / 8);
        problem.services.insert("default/g/two".parse()?, demand);
        problem.clusters.insert("moon".parse()?, ClusterSupply::default());
        problem.current.set("default/g/one".parse()?, Assignment::single("a".parse()?, 1));
        Ok(())
    }), @"the question about `default/g` was refined into another one: it changes the replicas of `two` from 1 to 4; it lowers what a replica of `two` takes from 1 core to 0.001 cores; it adds the service `three`; it adds the cluster `moon`, which the fleet does not have; it changes where services run now");
    insta::assert_snapshot!(refuse(|_| Err("the list of friends is not there".into())), @"the question about `default/g` was not refined: the list of friends is not there");
    insta::assert_snapshot!(refuse(|problem| {
        problem.soft.insert("capasity".to_owned(), Weight::from_millionths(1_000_000));
        Ok(())
    }), @"the placement problem is inconsistent: no rule is called capasity; did you mean capacity?");
    // Less is allowed of clusters, and more of a replica.
    let planner = Planner::new().with_refinement(|problem| {
        problem.clusters.shift_remove("a");
        problem
            .services
            .values_mut()
            .for_each(|demand| demand.per_replica.set(ResourceName::CPU, 3000));
        Ok(())
    });
    assert_eq!(
        targets(&planner.plan(&graph(PAIR), &fleet(TWO)).unwrap()),
        ["b", "b"]
    );
}

#[test]
fn a_plan_is_watched_and_ends_when_told() {
    let (graph, fleet) = (graph(PAIR), fleet(TWO));
    let planner = Planner::new().with_refinement(apart);
    let mut seen = Vec::new();
    let watched = planner.plan_watched(&graph, &fleet, &mut |progress| {
        seen.push(progress.value);
        true
    });
    assert_eq!(watched, planner.plan(&graph, &fleet));
    assert!(seen.iter().any(Option::is_some), "{seen:?}");
    let mut asked = 0;
    let mut stop = |_: &Progress| {
        asked += 1;
        false
    };
    let ended = planner.plan_watched(&graph, &fleet, &mut stop).unwrap();
    assert_ne!(targets(&ended)[0], targets(&ended)[1]);
    // Where it was stopped before it had anything, nothing is proved.
    let replicas = BTreeMap::from([("one".parse().unwrap(), 2)]);
    let none = Planner::new()
        .with_placer(Box::new(Exhaustive::default()))
        .replan_watched(&graph, &fleet, &Placement::new(), &replicas, &mut stop);
    assert!(
        matches!(&none, Err(PlanError::Infeasible { diagnosis, .. }) if !diagnosis.proved),
        "{none:?}"
    );
    assert_eq!(asked, 2, "it is not asked again once it said to stop");
    let whole = Planner::new().replan_watched(&graph, &fleet, &Placement::new(), &replicas, &mut |_| true);
    assert_eq!(whole.unwrap().services["one"].replicas, 2);
}
