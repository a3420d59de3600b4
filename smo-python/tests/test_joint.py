"""Replicas and placement in one decision, from Python."""

import pytest

import smo
from smo.ask import AskProgress
from smo.joint import ElasticService, decide_jointly, scale_then_place
from smo.scaling import Throughput

SLOW = Throughput(50)


@pytest.fixture
def problem() -> smo.PlacementProblem:
    """A shop at the edge, where a core costs less and carries half."""
    listed = [{"id": id, "artifact": {"ociImage": f"oci://r.io/shop/{id}"}} for id in ("web", "ledger")]
    graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": listed}}).validate()
    clusters = [
        {"name": name, "allocatable": {"cpu": cores, "memory": "256Gi"}, "price": {"cpu": price}}
        for name, cores, price in (("edge", 20, 0.010), ("cloud", 64, 0.014))
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    return smo.PlacementProblem.pose(fleet, graph, current={"web": "edge", "ledger": "edge"})


def test_counts_follow_from_clusters(problem: smo.PlacementProblem) -> None:
    loads = {"web": ElasticService(800, Throughput(100), on={"edge": SLOW}, max=20)}
    joint = decide_jointly(problem, loads)
    assert joint.replicas == {"web": 8}
    assert joint.capacity == {"web": 800.0}
    assert joint.decision.placement["web"].clusters == ["cloud"]
    assert joint.decision.placement["ledger"].clusters == ["edge"]
    assert (joint.decision.status, joint.overloaded) == ("optimal", [])
    assert joint.questions >= 2
    assert joint.to_dict()["questions"] == joint.questions
    assert "cloud x8" in str(joint)
    assert "<td" in joint._repr_html_()

    apart = scale_then_place(problem, loads)
    assert apart.replicas == {"web": 16}
    assert apart.decision.value > joint.decision.value
    assert joint == decide_jointly(problem, loads)
    assert decide_jointly(problem, loads, smo.Exhaustive()).decision.value == joint.decision.value


def test_it_is_watched_and_ends(problem: smo.PlacementProblem) -> None:
    loads = {"web": ElasticService(800, Throughput(100), on={"edge": SLOW}, max=20)}
    whole = decide_jointly(problem, loads)
    seen: list[str] = []

    def up_to_the_last(at: AskProgress) -> bool:
        seen.append(str(at))
        return at.step < whole.questions

    ended = decide_jointly(problem, loads, watch=up_to_the_last)
    assert ended.stopped and not whole.stopped and ended.decision.value >= whole.decision.value
    assert seen[0].startswith("replicas and placement: 1, ")
    with pytest.raises(smo.Infeasible) as none:
        decide_jointly(problem, loads, watch=lambda at: False)
    assert not none.value.diagnosis.proved
    with pytest.raises(ValueError, match="seconds"):
        decide_jointly(problem, loads, seconds=-1)


def test_services_read_back() -> None:
    web = ElasticService(500, Throughput(100, -10), on={"edge": SLOW}, max=20, min=2)
    assert (web.load, web.throughput, web.on, web.min, web.max) == (500.0, Throughput(100, -10), {"edge": SLOW}, 2, 20)
    assert (web.needed_on("edge"), web.needed_on("cloud")) == (10, 6)
    assert repr(web) == "<smo.joint.ElasticService of 500 req/s, 2 to 20 replicas>"


def test_what_is_wrong(problem: smo.PlacementProblem) -> None:
    with pytest.raises(smo.Overloaded) as overloaded:
        decide_jointly(problem, {"web": ElasticService(800, SLOW, max=3)})
    assert overloaded.value.services == {"web": (800.0, 150.0)}
    assert overloaded.value.hints
    with pytest.raises(smo.InvalidScaling, match="did you mean web"):
        decide_jointly(problem, {"wep": ElasticService(1, SLOW, max=1)})
    with pytest.raises(smo.InvalidScaling, match="maximum of 1 below its minimum of 2"):
        decide_jointly(problem, {"web": ElasticService(1, SLOW, max=1, min=2)})
    with pytest.raises(smo.InvalidScaling, match="no rate"):
        ElasticService(float("nan"), SLOW, max=1)
    with pytest.raises(smo.Infeasible):
        decide_jointly(problem, {"web": ElasticService(8000, Throughput(100), max=1000)})


def test_a_placer_in_python_answers(problem: smo.PlacementProblem) -> None:
    class Cloud(smo.Placer):
        def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
            return dict.fromkeys(problem.services, "cloud")

    joint = decide_jointly(problem, {"web": ElasticService(800, Throughput(100), on={"edge": SLOW}, max=20)}, Cloud())
    assert joint.replicas == {"web": 8}
    assert (joint.decision.placer, joint.decision.status) == ("Cloud", "feasible")
