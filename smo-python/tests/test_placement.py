"""Questions, decisions, diagnoses, and the placers that ship."""

import copy
import pickle
from collections.abc import Callable

import pytest

import smo

PLACERS: list[Callable[[], smo.Placer]] = [
    smo.FirstFit,
    smo.FirstFit.smo,
    smo.GreenConsolidation,
    smo.MilpPlacer,
    lambda: smo.FleetPlacer(effort=2_000_000),
    smo.AutoPlacer,
]


def small_fleet(**cpu: int) -> smo.Inventory:
    """A cluster for each argument, with that many cores."""
    clusters = [
        {"name": name.replace("_", "-"), "allocatable": {"cpu": cores, "memory": "64Gi"}} for name, cores in cpu.items()
    ]
    return smo.Inventory.from_dict({"fleet": {"clusters": clusters}})


def small_graph(name: str = "shop", *services: str) -> smo.ApplicationGraph:
    """A graph of services that ask for the default, one core."""
    listed = [{"id": id, "artifact": {"ociImage": f"oci://r.io/{name}/{id}"}} for id in services or ("web",)]
    return smo.Descriptor.from_dict({"hdaGraph": {"id": name, "services": listed}}).validate()


def test_goals() -> None:
    goals = smo.Goals(money=2, carbon=0.5, moves=0, placements=1)
    assert (goals.money, goals.carbon, goals.moves, goals.placements) == (2, 0.5, 0, 1)
    assert smo.Goals() == smo.Goals(1.0, 0.0001, 0.01, 0.0) != smo.Goals.none()
    assert smo.Goals.smo() == smo.Goals(0, 0, 1, 1, preference=0)
    assert smo.Goals.smo_carbon() == smo.Goals(0, 5, 1, 0, preference=0)
    assert pickle.loads(pickle.dumps(goals)) == copy.deepcopy(goals) == goals
    assert eval(repr(goals)) == goals
    for wrong in (-1.0, float("nan"), float("inf"), 2e6):
        with pytest.raises(ValueError, match="the weight of carbon is"):
            smo.Goals(carbon=wrong)


def test_a_question_can_be_read(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph, current={"noise-reduction": "edge-2"})
    need = problem.services["noise-reduction"]
    assert (need.replicas, need.per_replica["cpu"], need.total["memory"]) == (1, 1000, 1 << 30)
    assert need.current == {"edge-2": 1}
    assert (need.pinned, need.excluded, need.regions, need.requires) == (None, [], None, [])
    assert problem.services["image-detection"].requires == ["nvidia.com/gpu"]
    # 8 cores less 1 that is allocated, and what the service holds there is free for it.
    assert problem.clusters["edge-2"].capacity["cpu"] == 8000
    assert problem.clusters["edge-1"].capacity["cpu"] == 7500
    assert not problem.clusters["edge-3"].ready
    assert problem.clusters["cloud-1"].region == "se-stockholm"
    assert problem.clusters["edge-1"].carbon_per_core == pytest.approx(8 / 1000 * 1.4 * 165)
    assert problem.open_clusters("image-detection") == ["edge-2", "cloud-1"]
    assert problem.path("edge-1", "cloud-1") == (18.0, 9)
    assert problem.goals == smo.Goals()
    assert repr(problem) == "<smo.PlacementProblem of 3 services on 4 clusters>"
    assert problem == smo.PlacementProblem.pose(fleet, [graph], current={"noise-reduction": {"edge-2": 1}})
    with pytest.raises(KeyError, match="did you mean image-detection"):
        problem.open_clusters("image-detektion")


def test_placements_can_be_judged(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    decision = smo.place(problem)
    placement = {service: placed.clusters[0] for service, placed in decision.placement.items()}
    assert problem.verify(placement) == []
    assert problem.evaluate(placement) == (decision.value, decision.totals)
    broken = problem.verify({**placement, "image-detection": "edge-1"})
    assert any("no nvidia.com/gpu" in fault for fault in broken)
    with pytest.raises(ValueError, match="did you mean"):
        problem.verify({"image-detektion": "edge-1"})


def test_the_best_placement_explains_itself(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    decision = smo.place(smo.PlacementProblem.pose(fleet, graph))
    assert (decision.placer, decision.status, decision.gap) == ("auto", "optimal", 0.0)
    assert decision.bound == decision.value and decision.proof is not None
    # Worked by hand: cpu, memory and storage of each service at its cluster's price, and the GPU.
    gib = 10e9 / (1 << 30)
    edge_1 = 1.5 * 0.022 + (1 + 500 / 1024) * 0.003 + 2 * gib * 0.0001
    edge_2 = 4 * 0.031 + 2 * 0.004 + 2 * gib * 0.0001 + 0.45
    assert decision.totals["money"] == pytest.approx(edge_1 + edge_2, abs=1e-8)
    assert decision.totals["moves"] == 0 and decision.totals["placements"] == 3
    assert {"pairs", "variables", "constraints"} <= set(decision.work)
    placed = decision.placement["noise-reduction"]
    assert (placed.clusters, placed.replicas, placed.runner_up) == (["edge-1"], {"edge-1": 1}, "edge-2")
    assert placed.why.startswith("cheapest and greenest; next best edge-2")
    assert (str(placed), repr(placed)) == ("edge-1", "<smo.Placed noise-reduction on edge-1>")
    better, dead = placed.alternatives["edge-2"], placed.alternatives["edge-3"]
    assert better.allowed and better.reason is None
    assert better.difference is not None and better.difference > 0 and better.by_goal["money"] > 0
    assert not dead.allowed and dead.difference is None and dead.by_goal == {}
    assert str(dead) == dead.reason == "not ready (ClusterNotReachable)"
    assert "EUR/h" in str(better) and "edge-1" in decision._repr_html_()
    assert str(decision).startswith("placement by auto: optimal")
    assert decision.to_dict()["status"] == "optimal"


@pytest.mark.parametrize("make", PLACERS)
def test_every_placer_keeps_the_rules(
    make: Callable[[], smo.Placer], graph: smo.ApplicationGraph, fleet: smo.Inventory
) -> None:
    placer = make()
    problem = smo.PlacementProblem.pose(fleet, graph)
    decision = smo.place(problem, placer)
    assert decision.placer == placer.name
    assert problem.verify({name: placed.replicas for name, placed in decision.placement.items()}) == []
    assert decision.value >= smo.place(problem).value
    asked = placer.place(problem)
    assert asked is not None and list(asked) == list(graph.services)


def test_goals_decide() -> None:
    fleet = smo.Inventory.parse("""
fleet:
  clusters:
    - {name: cheap, allocatable: {cpu: 8, memory: 8Gi}, price: {cpu: 0.01}, carbon: {intensity: 500}}
    - {name: green, allocatable: {cpu: 8, memory: 8Gi}, price: {cpu: 0.02}, carbon: {intensity: 20}}
""")
    graph = small_graph()

    def cluster(goals: smo.Goals, current: str | None = None) -> list[str]:
        now = None if current is None else {"web": current}
        problem = smo.PlacementProblem.pose(fleet, graph, goals=goals, current=now)
        return smo.place(problem).placement["web"].clusters

    assert cluster(smo.Goals(money=1, carbon=0)) == ["cheap"]
    assert cluster(smo.Goals(money=0, carbon=1)) == ["green"]
    assert cluster(smo.Goals(money=1, carbon=0, moves=1), current="green") == ["green"]
    assert cluster(smo.Goals.smo(), current="green") == ["green"]


def test_several_graphs_are_decided_together() -> None:
    graphs = [small_graph("shop", "web", "db"), small_graph("blog", "web")]
    problem = smo.PlacementProblem.pose(small_fleet(a=2, b=1), graphs, project="prod")
    assert list(problem.services) == ["prod/shop/web", "db", "prod/blog/web"]
    placement = smo.place(problem).placement
    used = sorted(cluster for placed in placement.values() for cluster in placed.clusters)
    assert used == ["a", "a", "b"]
    with pytest.raises(ValueError, match="web is a service of several graphs"):
        problem.verify({"web": "a"})
    with pytest.raises(smo.PlacementFailed, match="given twice"):
        smo.PlacementProblem.pose(small_fleet(a=2), [graphs[0], graphs[0]])


def test_infeasible_is_explained() -> None:
    with pytest.raises(smo.Infeasible) as caught:
        smo.place(smo.PlacementProblem.pose(small_fleet(a=1, b=1), small_graph("shop", "web", "db", "cache")))
    diagnosis = caught.value.diagnosis
    assert diagnosis.proved and diagnosis.placer == "auto"
    assert str(caught.value) == str(diagnosis)
    assert caught.value.hints == diagnosis.hints != []
    assert diagnosis.services == {} and diagnosis.shortages != []
    assert diagnosis.to_dict()["proved"] is True
    assert "no placement exists" in diagnosis._repr_html_()
    assert repr(diagnosis) == "<smo.Diagnosis by auto: proved>"


def test_each_cluster_gives_its_reason() -> None:
    document = small_fleet(a=1, b=4, c=8).to_dict()
    document["fleet"]["clusters"][2]["ready"] = {"status": False, "reason": "down"}
    web = {
        "id": "web",
        "deployment": {"intent": {"compute": {"cpu": "5", "gpu": {"enabled": True}}}},
        "artifact": {"ociImage": "oci://r.io/shop/web"},
    }
    graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": [web]}}).validate()
    with pytest.raises(smo.Infeasible, match="0/3 clusters can take web") as caught:
        smo.plan(graph, smo.Inventory.from_dict(document))
    reasons = caught.value.diagnosis.services["web"]
    assert reasons == {"a": "no nvidia.com/gpu", "b": "no nvidia.com/gpu", "c": "not ready (down)"}


def test_current_may_be_many_things(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    plan = smo.plan(graph, fleet)
    assert plan.decision is not None
    key = "default/image-detection-graph/noise-reduction"
    for current in (plan, plan.decision, plan.expected_state(), {key: "edge-1"}, {"noise-reduction": {"edge-1": 1}}):
        problem = smo.PlacementProblem.pose(fleet, graph, current=current)
        assert problem.services["noise-reduction"].current == {"edge-1": 1}
    with pytest.raises(ValueError, match="current: web is no service"):
        smo.plan(graph, fleet, current={"web": "edge-1"})
    with pytest.raises(ValueError, match="Edge 1"):
        smo.plan(graph, fleet, current={"noise-reduction": "Edge 1"})
    with pytest.raises(TypeError, match="not int"):
        smo.plan(graph, fleet, current=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_search_is_watched_and_ends_when_told(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    placer = smo.FleetPlacer(effort=50_000_000)
    seen: list[smo.Progress] = []
    whole = smo.place(problem, placer, watch=seen.append)
    assert len(seen) > 2 and [each.work for each in seen] == sorted(each.work for each in seen)
    assert seen[0].value is not None and repr(seen[0]).startswith("<smo.Progress: work ")
    calls = 0

    def no(progress: smo.Progress) -> bool:
        nonlocal calls
        calls += 1
        return False

    assert smo.place(problem, placer, watch=no).value >= whole.value
    assert calls == 1
    assert smo.place(problem, placer, seconds=0).value >= whole.value
    with pytest.raises(ValueError, match="give a number of seconds, 0 or more"):
        smo.place(problem, placer, seconds=-1)

    def broken(progress: smo.Progress) -> None:
        raise LookupError("no light")

    with pytest.raises(LookupError, match="no light"):
        smo.place(problem, placer, watch=broken)


@pytest.mark.parametrize("placer", [smo.MilpPlacer(), smo.AutoPlacer(), smo.Exhaustive()])
def test_exact_searches_are_watched_too(graph: smo.ApplicationGraph, fleet: smo.Inventory, placer: smo.Placer) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    seen: list[smo.Progress] = []
    whole = smo.place(problem, placer, watch=seen.append)
    assert whole.status == "optimal" and whole.value == smo.place(problem, placer).value
    assert seen[-1].value == seen[-1].bound == whole.value

    def broken(progress: smo.Progress) -> None:
        raise LookupError("no light")

    with pytest.raises(LookupError, match="no light"):
        smo.place(problem, placer, watch=broken)
    if not isinstance(placer, smo.Exhaustive):  # which has nothing yet when it is asked first
        assert smo.place(problem, placer, seconds=0).value >= whole.value


def test_a_question_is_solved_without_reasons(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    decision, solution = smo.place(problem), smo.solve(problem)
    assert isinstance(solution, smo.Solution) and solution
    assert solution.placement == {service: placed.replicas for service, placed in decision.placement.items()}
    for part in ("status", "value", "bound", "gap", "proof", "certificate", "totals", "work"):
        assert getattr(solution, part) == getattr(decision, part), part
    assert solution == smo.solve(problem, seconds=60) != smo.solve(problem, smo.FirstFit())
    assert "explanation" not in solution.to_dict() and solution.to_dict()["placement"]
    assert repr(solution) == repr(decision).replace("Decision by auto", "Solution")


def test_what_cannot_be_solved_is_false() -> None:
    problem = smo.PlacementProblem.pose(small_fleet(edge=1), small_graph("shop", "web", "db"))
    nothing = smo.solve(problem)
    assert isinstance(nothing, smo.NoSolution) and not nothing
    assert nothing.proved and "pairs" in nothing.work
    assert repr(nothing) == "<smo.NoSolution, proved>"
    heuristic = smo.solve(problem, smo.FirstFit())
    assert isinstance(heuristic, smo.NoSolution) and not heuristic.proved
    assert nothing != heuristic == smo.solve(problem, smo.FirstFit())


def test_solving_believes_no_placer_and_is_watched() -> None:
    problem = smo.PlacementProblem.pose(small_fleet(edge=1, cloud=8), small_graph("shop", "web", "db"))

    class Crowded(smo.Placer):
        def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
            return dict.fromkeys(problem.services, "edge")

    with pytest.raises(smo.PlacerError, match="edge has 1 core for services that take 2 cores"):
        smo.solve(problem, Crowded())

    def broken(_: smo.Progress) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        smo.solve(problem, watch=broken)
    with pytest.raises(ValueError, match="seconds"):
        smo.solve(problem, seconds=-1)
