"""Plans, pictures, differences."""

import copy
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from typing import Any

import pytest

import smo

SECRET = """\
hdaGraph:
  id: shop
  services:
    - id: web
      artifact: {ociImage: oci://r.io/shop/web, valuesOverwrite: {password: hunter2}}
"""


def test_a_plan_is_complete(plan: smo.DeploymentPlan) -> None:
    assert (plan.graph, plan.project, plan.version) == ("image-detection-graph", "default", "1.0.0")
    detection = plan.services["image-detection"]
    assert detection.values == {"clustersAffinity": ["edge-2"], "serviceImportClusters": ["edge-1"]}
    assert (detection.target, detection.clusters, detection.replicas) == ("edge-2", ["edge-2"], 1)
    assert (detection.start, detection.starts_after) == ("after", ["noise-reduction"])
    assert detection.resources["cpu"] == "4"
    assert detection.chart.endswith("/image-detection")
    assert plan.services["noise-reduction"].start == "at once"
    waiting = plan.services["image-compression-vo"]
    assert plan.alerts is not None
    assert (waiting.start, waiting.alerts) == ("on event", [rule["alert"] for rule in plan.alerts["rules"]])
    assert plan.imports["image-detection"] == ["edge-1"]
    assert plan.exports["image-detection"] == ["edge-2"]
    assert len(plan.dashboards) == 4
    assert plan.waves == [["image-compression-vo", "noise-reduction"], ["image-detection"]]
    assert plan.requirements["noise-reduction"]["cpu"] == "1"
    note = plan.notes[0]
    assert (note.code, note.service) == ("N101", "image-compression-vo")
    assert str(note) == f"N101 image-compression-vo: {note.message}"
    assert plan.placement["noise-reduction"].why


def test_the_same_input_gives_the_same_plan(
    plan: smo.DeploymentPlan, graph: smo.ApplicationGraph, fleet: smo.Inventory
) -> None:
    again = smo.Planner().plan(graph, fleet)
    assert (again, again.to_json(), str(again)) == (plan, plan.to_json(), str(plan))
    other = smo.Planner(project="prod", placer=smo.GreenConsolidation()).plan(graph, fleet)
    assert other.project == "prod" and other != plan and other.fingerprint != plan.fingerprint
    assert copy.deepcopy(plan) is plan
    with pytest.raises(ValueError, match="DNS label"):
        smo.Planner(project="My Project")


def test_its_forms_agree(plan: smo.DeploymentPlan) -> None:
    assert json.loads(plan.to_json()) == plan.to_dict()
    assert plan.to_dict()["fingerprint"] == plan.fingerprint
    assert plan.services["noise-reduction"].to_dict() == plan.to_dict()["services"]["noise-reduction"]
    assert str(plan).startswith("image-detection-graph 1.0.0   3 services")
    assert repr(plan) == f"<smo.DeploymentPlan {plan.fingerprint[:8]} of default/image-detection-graph: 3 services>"


def test_the_picture_is_well_formed(plan: smo.DeploymentPlan, fleet: smo.Inventory) -> None:
    picture = plan.to_svg()
    assert ElementTree.fromstring(picture).tag.endswith("svg")
    assert all(name in picture for name in [*fleet.clusters, *plan.services])
    html = plan._repr_html_()
    assert picture in html and plan.placement["noise-reduction"].why in html


def test_values_are_not_shown_unasked(fleet: smo.Inventory) -> None:
    plan = smo.plan(smo.Descriptor.parse(SECRET).validate(), fleet)
    service = plan.services["web"]
    assert service.values["password"] == "hunter2"
    changes = plan.diff({})
    shown = [repr(plan), repr(service), str(service), plan._repr_html_(), repr(changes), str(changes)]
    shown += [repr(change) + str(change) for change in changes.changes]
    shown += [repr(plan.expected_state()), repr(plan.decision), str(plan.decision), repr(plan.placement["web"])]
    assert not any("hunter2" in text for text in shown)


def test_static_placement_has_no_decision(fleet: smo.Inventory, request: pytest.FixtureRequest) -> None:
    path = request.config.rootpath.parent / "examples/descriptors/static.yaml"
    plan = smo.plan(smo.Descriptor.read(path).validate(), fleet)
    assert plan.decision is None and plan.placement == {}
    assert "static" in plan._repr_html_()


def test_differences(plan: smo.DeploymentPlan, graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    fresh = plan.diff({})
    kinds = [change.kind for change in fresh.changes]
    assert kinds[:4] == ["await", "install", "install", "write-alerts"]
    assert [change.service for change in fresh.waves[1]] == ["image-detection"]
    assert not fresh.is_empty and fresh.plan == plan.fingerprint
    assert plan.diff(plan).is_empty and plan.diff(plan.expected_state()).is_empty
    assert plan.diff(plan.expected_state().to_dict()) == plan.diff(plan) != fresh
    # Lose the cluster of two services.
    document = fleet.to_dict()
    document["fleet"]["clusters"][0]["ready"] = False
    moved = smo.plan(graph, smo.Inventory.from_dict(document), current=plan)
    changes = moved.diff(plan)
    assert {change.service: change.kind for change in changes.changes if change.service}["noise-reduction"] == "move"
    assert "~ release noise-reduction   edge-1 -> edge-2" in str(changes)
    assert changes.to_dict()["plan"] == moved.fingerprint
    assert moved.decision is not None and moved.decision.totals["moves"] == 2
    with pytest.raises(TypeError, match="not int"):
        plan.diff(3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_values_in_the_way_are_an_error(fleet: smo.Inventory) -> None:
    document = smo.Descriptor.parse(SECRET).to_dict()
    artifact = document["hdaGraph"]["services"][0]["artifact"]
    artifact["ociConfig"] = {"type": "VO", "implementer": "WOT"}
    artifact["valuesOverwrite"] = {"voChartOverwrite": 3}
    with pytest.raises(smo.PlanError, match="web"):
        smo.plan(smo.Descriptor.from_dict(document).validate(), fleet)


Refine = Callable[[smo.PlacementProblem], smo.PlacementProblem]


@pytest.fixture
def pair() -> smo.ApplicationGraph:
    listed = [{"id": id, "artifact": {"ociImage": f"oci://r.io/pair/{id}"}} for id in ("one", "two")]
    return smo.Descriptor.from_dict({"hdaGraph": {"id": "pair", "services": listed}}).validate()


@pytest.fixture
def two() -> smo.Inventory:
    size = {"cpu": 4, "memory": "8Gi"}
    prices = {"a": 0.01, "b": 0.02}
    clusters = [{"name": name, "allocatable": size, "price": {"cpu": price}} for name, price in prices.items()]
    return smo.Inventory.from_dict({"fleet": {"clusters": clusters}})


def where(plan: smo.DeploymentPlan) -> list[str]:
    return [cluster for placed in plan.placement.values() for cluster in placed.clusters]


def test_a_question_is_refined(pair: smo.ApplicationGraph, two: smo.Inventory) -> None:
    assert where(smo.plan(pair, two)) == ["a", "a"]
    apart = smo.plan(pair, two, refine=lambda problem: problem.with_anti_affinity(["one", "two"]))
    assert sorted(where(apart)) == ["a", "b"]
    assert apart.decision is not None and apart.decision.totals["money"] == pytest.approx(0.03)
    alone = smo.Planner(refine=lambda problem: problem.with_service("two", excluded=["a"]))
    assert where(alone.plan(pair, two)) == ["a", "b"]


def test_a_replan_has_a_budget_of_moves(pair: smo.ApplicationGraph, two: smo.Inventory) -> None:
    current = {"one": "b", "two": "b"}
    goals = smo.Goals(money=1, carbon=0, moves=0)
    assert where(smo.plan(pair, two, goals=goals, current=current)) == ["a", "a"]
    one = smo.plan(pair, two, goals=goals, current=current, refine=lambda problem: problem.with_budget("moves", 1))
    assert sorted(where(one)) == ["a", "b"]
    none = smo.plan(pair, two, goals=goals, current=current, refine=lambda problem: problem.with_budget("moves", 0))
    assert where(none) == ["b", "b"]


class Nervous(smo.Rule):
    """Raises for one of the clusters only, which would leave the other one."""

    def forbids(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> str | None:
        if cluster == "a":
            raise LookupError("no light")
        return None


class Late(smo.Rule):
    """Raises when it sees a whole placement."""

    def breaches(self, placement: object) -> list[str]:
        raise LookupError("no light")


class Unsure(smo.Goal):
    def of_replica(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> float:
        raise LookupError("no light")


def broken(problem: smo.PlacementProblem) -> smo.PlacementProblem:
    raise LookupError("no light")


def forgets(problem: smo.PlacementProblem) -> Any:
    problem.with_anti_affinity(["one", "two"])


RAISES: list[Refine] = [
    broken,
    lambda problem: problem.with_rule(Nervous()),
    lambda problem: problem.with_rule(Late()),
    lambda problem: problem.with_goal(Unsure()),
]


@pytest.mark.parametrize("refine", RAISES)
def test_what_a_refinement_raises_is_raised(pair: smo.ApplicationGraph, two: smo.Inventory, refine: Refine) -> None:
    for placer in (None, smo.FirstFit(), smo.Exhaustive()):
        with pytest.raises(LookupError, match="no light"):
            smo.plan(pair, two, placer=placer, refine=refine)
    # A question that another graph raised for does not count.
    planner = smo.Planner(refine=lambda problem: refine(problem) if "one" in problem.services else problem)
    with pytest.raises(LookupError, match="no light"):
        planner.plan(pair, two)
    assert planner.plan(smo.Descriptor.parse(SECRET).validate(), two).placement


@pytest.mark.parametrize("refine", RAISES)
def test_nothing_is_deployed_when_a_refinement_raises(
    pair: smo.ApplicationGraph, two: smo.Inventory, refine: Refine
) -> None:
    member = smo.InMemoryFleet(two)
    orchestrator = smo.Orchestrator(member)
    with pytest.raises(LookupError, match="no light"):
        orchestrator.deploy(pair, smo.Planner(refine=refine))
    assert member.releases() == {} and orchestrator.graphs() == []
    planner = smo.Planner(refine=lambda problem: problem.with_anti_affinity(["one", "two"]))
    assert sorted(where(orchestrator.deploy(pair, planner).plan)) == ["a", "b"]
    assert sorted(where(orchestrator.replan(pair, planner).plan)) == ["a", "b"]


def test_a_question_of_its_own_keeps_services_and_replicas(pair: smo.ApplicationGraph, two: smo.Inventory) -> None:
    # A question that the callable poses by itself is as good, with the rules that it has.
    own = smo.PlacementProblem.pose(two, pair)
    assert where(smo.plan(pair, two, refine=lambda _: own.with_service("one", pinned=["b"]))) == ["b", "a"]
    with pytest.raises(LookupError, match="no light"):
        smo.plan(pair, two, refine=lambda _: own.with_rule(Nervous()))
    with pytest.raises(smo.PlanError, match="it changes the replicas of `two` from 1 to 2"):
        smo.plan(pair, two, refine=lambda problem: problem.with_service("two", replicas=2))
    other = smo.PlacementProblem.pose(two, smo.Descriptor.parse(SECRET).validate())
    with pytest.raises(smo.PlanError, match="it removes the service `one`; .*; it adds the service `web`"):
        smo.plan(pair, two, refine=lambda _: other)
    with pytest.raises(TypeError, match="refine returns the PlacementProblem to decide, not NoneType"):
        smo.plan(pair, two, refine=forgets)
    with pytest.raises(TypeError, match="not int"):
        smo.Planner(refine=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_plan_is_watched_and_ends_when_told(pair: smo.ApplicationGraph, two: smo.Inventory) -> None:
    seen: list[smo.Progress] = []
    assert smo.plan(pair, two, watch=seen.append) == smo.plan(pair, two, seconds=60) == smo.plan(pair, two)
    assert seen and seen[-1].value is not None
    assert len(where(smo.Planner().plan(pair, two, watch=lambda _: False))) == 2
    with pytest.raises(smo.Infeasible):  # which has nothing yet when it is asked first
        smo.plan(pair, two, placer=smo.Exhaustive(), seconds=0)
    with pytest.raises(ValueError, match="give a number of seconds, 0 or more"):
        smo.plan(pair, two, seconds=-1)

    def broken(progress: smo.Progress) -> None:
        raise LookupError("no light")

    with pytest.raises(LookupError, match="no light"):
        smo.plan(pair, two, watch=broken)
    with pytest.raises(LookupError, match="no light"):
        smo.Planner().plan(pair, two, current={"one": "b"}, watch=broken)
