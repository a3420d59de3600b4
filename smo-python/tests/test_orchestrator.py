"""Plans carried out on the in-memory fleet."""

import pickle
from collections.abc import Mapping

import pytest

import smo


@pytest.fixture
def member(fleet: smo.Inventory) -> smo.InMemoryFleet:
    return smo.InMemoryFleet(fleet)


@pytest.fixture
def orchestrator(member: smo.InMemoryFleet) -> smo.Orchestrator:
    return smo.Orchestrator(member)


def alert(plan: smo.DeploymentPlan) -> dict[str, str]:
    """The labels of the first alert of a plan, as a webhook brings them."""
    assert plan.alerts is not None
    rule = plan.alerts["rules"][0]
    return {**rule["labels"], "alertname": rule["alert"]}


def test_a_fleet_keeps_its_own_time(member: smo.InMemoryFleet) -> None:
    assert member.now == "2026-11-24T10:00:00Z"
    member.kill("edge-1")
    assert member.inventory().clusters["edge-1"].ready
    member.advance(10)
    assert not member.inventory().clusters["edge-1"].ready
    member.restore("edge-1")
    member.advance(10.5)
    assert member.inventory().clusters["edge-1"].ready
    assert member.now == "2026-11-24T10:00:20.5Z"
    with pytest.raises(KeyError, match="did you mean edge-1"):
        member.kill("edge1")
    for seconds in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="seconds"):
            member.advance(seconds)
    assert repr(member) == "<smo.InMemoryFleet of 4 clusters at 2026-11-24T10:00:20.5Z>"


def test_an_instant_fleet_takes_no_time(fleet: smo.Inventory) -> None:
    member = smo.InMemoryFleet(fleet, instant=True)
    member.kill("edge-1")
    assert not member.inventory().clusters["edge-1"].ready


def test_a_fleet_takes_as_long_as_it_is_told(fleet: smo.Inventory) -> None:
    slow = smo.InMemoryFleet(fleet, delays=smo.Delays(not_ready=40))
    slow.kill("edge-1")
    slow.advance(39)
    assert slow.inventory().clusters["edge-1"].ready
    slow.advance(2)
    assert not slow.inventory().clusters["edge-1"].ready
    delays = smo.Delays(bind=1, healthy=2)
    assert pickle.loads(pickle.dumps(delays)) == delays != smo.Delays()
    assert repr(smo.Delays.none()).startswith("Delays(bind=0.0, rebind=0.0, ")
    for wrong in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="removed"):
            smo.Delays(removed=wrong)
    with pytest.raises(ValueError, match="either"):
        smo.InMemoryFleet(fleet, instant=True, delays=delays)


def test_releases_are_written_one_at_a_time_where_that_is_asked_for(
    graph: smo.ApplicationGraph, member: smo.InMemoryFleet
) -> None:
    one = smo.Orchestrator(member, releases_at_once=1)
    assert one.deploy(graph).report.succeeded
    with pytest.raises(ValueError, match="1 or more"):
        smo.Orchestrator(member, releases_at_once=0)


def test_a_headroom_is_kept_free(graph: smo.ApplicationGraph, member: smo.InMemoryFleet) -> None:
    # Nothing fits beside all that there is.
    with pytest.raises(smo.Infeasible):
        smo.Orchestrator(member, headroom_percent=100).deploy(graph)
    with pytest.raises(ValueError, match="101 % is above 100 %"):
        smo.Orchestrator(member, headroom_percent=101)
    # So many cores no cluster has, and an amount that is none is refused.
    with pytest.raises(smo.Infeasible):
        smo.Orchestrator(member, headroom_at_least={"cpu": 1000}).deploy(graph)
    with pytest.raises(ValueError, match="cpu: "):
        smo.Orchestrator(member, headroom_at_least={"cpu": "much"})
    kept = smo.Orchestrator(member, headroom_percent=10, headroom_at_least={"cpu": "100m"})
    assert kept.deploy(graph).report.succeeded


def test_a_drained_cluster_takes_no_new_work(graph: smo.ApplicationGraph, member: smo.InMemoryFleet) -> None:
    member.drain("edge-1")
    plan = smo.plan(graph, member.inventory())
    assert plan.placement["noise-reduction"].clusters == ["edge-2"]
    member.undrain("edge-1")
    assert smo.plan(graph, member.inventory()).placement["noise-reduction"].clusters == ["edge-1"]


def test_the_life_of_a_graph(
    graph: smo.ApplicationGraph, member: smo.InMemoryFleet, orchestrator: smo.Orchestrator
) -> None:
    deployment = orchestrator.deploy(graph)
    report = deployment.report
    assert report.succeeded and report.graph == "default/image-detection-graph"
    assert report.plan == deployment.plan.fingerprint
    first = report.steps[0]
    assert (first.wave, first.subject, first.failed) == (1, "image-compression-vo", False)
    assert str(first) == "image-compression-vo: waits for its alert"
    assert orchestrator.graphs() == ["default/image-detection-graph"]
    key = "default/image-detection-graph/"
    assert member.releases() == {key + "image-detection": {"edge-2": 1}, key + "noise-reduction": {"edge-1": 1}}

    status = orchestrator.status(graph)
    assert (status.state, status.plan, status.leftovers) == ("running", deployment.plan.fingerprint, [])
    assert status.services["noise-reduction"].clusters == {"edge-1": (1, 1)}
    assert status.services["image-compression-vo"].state.startswith("waits for")
    assert status == orchestrator.status("image-detection-graph") == orchestrator.status(deployment.plan)

    labels = alert(deployment.plan)
    outcome = orchestrator.on_alert(labels)
    assert (outcome.kind, outcome.service) == ("started", key + "image-compression-vo")
    assert orchestrator.on_alert(labels).kind == "repeated"
    assert orchestrator.on_alert(labels, firing=False).kind == "resolved"
    assert orchestrator.on_alert({"alertname": "another"}).kind == "not ours"
    member.advance(5)
    assert key + "image-compression-vo" in member.releases()
    assert orchestrator.diff(deployment.plan).is_empty

    assert orchestrator.stop(graph).succeeded
    assert orchestrator.status(graph).state in ("stopping", "stopped")
    assert orchestrator.start("default/image-detection-graph").succeeded
    assert orchestrator.status(graph).state == "running"
    assert orchestrator.remove(deployment.plan).succeeded
    assert orchestrator.graphs() == []


def test_a_lost_cluster_is_advised_and_replanned(
    graph: smo.ApplicationGraph, member: smo.InMemoryFleet, orchestrator: smo.Orchestrator
) -> None:
    before = orchestrator.deploy(graph).plan
    member.kill("edge-1")
    member.advance(10)
    assert orchestrator.status(graph).state == "unknown"
    report = orchestrator.reconcile()
    assert report.advice == {"default/image-detection-graph": ["edge-1"]}
    assert report.problems == [] and report.next != member.now
    after = orchestrator.replan(graph).plan
    assert after.placement["noise-reduction"].clusters == ["edge-2"]
    assert "edge-1 -> edge-2" in str(after.diff(before))
    assert orchestrator.status(graph).state == "running"
    assert after.to_svg().startswith("<svg")


def test_apply_what_was_looked_at(
    graph: smo.ApplicationGraph, fleet: smo.Inventory, orchestrator: smo.Orchestrator
) -> None:
    plan = smo.plan(graph, fleet)
    changes = orchestrator.diff(plan)
    assert orchestrator.apply(plan, changes).succeeded
    with pytest.raises(smo.OrchestratorError, match="nothing was done") as caught:
        orchestrator.apply(plan, changes)
    assert caught.value.kind == "Changed"
    assert orchestrator.apply(plan).succeeded
    assert plan.diff(orchestrator.observe(plan)).is_empty


def test_errors_say_what_is_wrong(graph: smo.ApplicationGraph, orchestrator: smo.Orchestrator) -> None:
    with pytest.raises(smo.OrchestratorError, match="no graph") as caught:
        orchestrator.status("image-detection-graph")
    assert (caught.value.kind, caught.value.report) == ("UnknownGraph", None)
    orchestrator.deploy(graph)
    for attempt, kind in ((lambda: orchestrator.deploy(graph), "Exists"), (lambda: orchestrator.start(graph), "NotStopped")):
        with pytest.raises(smo.OrchestratorError) as caught:
            attempt()
        assert caught.value.kind == kind
        assert isinstance(pickle.loads(pickle.dumps(caught.value)), smo.OrchestratorError)
    with pytest.raises(ValueError, match="DNS label"):
        orchestrator.status("My Graph")
    with pytest.raises(TypeError, match="not int"):
        orchestrator.status(3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="moment in time"):
        orchestrator.on_alert({}, starts_at="yesterday")


def test_a_step_that_fails_is_in_the_report(
    graph: smo.ApplicationGraph, member: smo.InMemoryFleet, orchestrator: smo.Orchestrator
) -> None:
    plan = smo.plan(graph, member.inventory())
    member.drain("edge-1")
    with pytest.raises(smo.OrchestratorError) as caught:
        orchestrator.apply(plan)
    report = caught.value.report
    assert caught.value.kind == "Failed" and report is not None and not report.succeeded
    failed = [step for step in report.steps if step.failed]
    assert [step.subject for step in failed] == ["noise-reduction"]
    assert "noise-reduction" in str(caught.value)
    assert member.releases() == {}


class Asks(smo.Placer):
    """Looks at the fleet and the graphs itself while a deployment waits for its answer."""

    def __init__(self, member: smo.InMemoryFleet, orchestrator: smo.Orchestrator) -> None:
        self.member = member
        self.orchestrator = orchestrator

    def place(self, problem: smo.PlacementProblem) -> Mapping[str, str | Mapping[str, int]] | None:
        assert self.orchestrator.graphs() == []
        assert list(self.member.inventory().clusters) == list(problem.clusters)
        return smo.MilpPlacer().place(problem)


def test_a_placer_may_ask_the_fleet(
    graph: smo.ApplicationGraph, member: smo.InMemoryFleet, orchestrator: smo.Orchestrator
) -> None:
    deployment = orchestrator.deploy(graph, smo.Planner(placer=Asks(member, orchestrator)))
    assert deployment.report.succeeded


class Broken(smo.Placer):
    def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
        return {"nobody": str(1 // 0)}


def test_the_planner_is_used(graph: smo.ApplicationGraph, orchestrator: smo.Orchestrator) -> None:
    with pytest.raises(smo.PlacerError) as caught:
        orchestrator.deploy(graph, smo.Planner(placer=Broken()))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    green = orchestrator.deploy(graph, smo.Planner(project="prod", placer=smo.GreenConsolidation()))
    assert green.plan.placement["noise-reduction"].clusters == ["cloud-1"]
    assert orchestrator.status("prod/image-detection-graph").state == "running"
