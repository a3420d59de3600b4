"""Questions about decisions, from Python."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

import smo
from smo.ask import (
    AskProgress,
    Edit,
    explain_in_full,
    move_curve,
    order_of_moves,
    pareto,
    repairs,
    single_losses,
    what_if,
    with_few_moves,
)


@pytest.fixture
def problem(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> smo.PlacementProblem:
    return smo.PlacementProblem.pose(fleet, graph)


def towns(**price: float) -> smo.Inventory:
    """A cluster of 2 cores for each argument, at that price."""
    clusters = [
        {"name": name, "allocatable": {"cpu": 2, "memory": "8Gi"}, "price": {"cpu": cost}} for name, cost in price.items()
    ]
    return smo.Inventory.from_dict({"fleet": {"clusters": clusters}})


def shop(*services: str) -> smo.ApplicationGraph:
    """Services of one core."""
    listed = [{"id": id, "artifact": {"ociImage": f"oci://r.io/shop/{id}"}} for id in services]
    return smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": listed}}).validate()


def test_what_if(problem: smo.PlacementProblem) -> None:
    answer = what_if(problem, Edit.lose("edge-2"), carried_out=True)
    assert answer.edits == ["lose edge-2"]
    assert isinstance(answer.before, smo.Decision) and isinstance(answer.after, smo.Decision)
    assert any(fate == "moves" for _, before, _, fate in answer.relocations if before == "edge-2")
    assert answer.difference == pytest.approx(answer.after.value - answer.before.value)
    assert answer.by_goal["moves"] == len(answer.relocations)
    assert answer.to_dict()["edits"] == [{"edit": "lose", "cluster": "edge-2"}]
    assert str(answer).startswith("what if: lose edge-2") and "<pre>" in answer._repr_html_()
    assert answer.to_svg().count('class="moved"') == len(answer.relocations)
    nothing = what_if(problem, *(Edit.drain(name) for name in problem.clusters))
    assert isinstance(nothing.after, smo.Diagnosis)
    assert nothing.after.work.keys() == answer.before.work.keys()
    assert nothing.after.to_svg().count('class="closed"') == sum(len(reasons) for reasons in nothing.after.services.values())
    assert (nothing.relocations, nothing.difference, nothing.by_goal) == ([], None, {})


def test_every_edit_can_be_made(problem: smo.PlacementProblem) -> None:
    service, link = "noise-reduction", ("noise-reduction", "image-detection")
    edits = [
        Edit.make_ready("edge-3"),
        Edit.add_cluster(
            "edge-4",
            {"cpu": "16", "memory": "64Gi"},
            price={"cpu": 0.01},
            carbon_intensity=20,
            region="be-ghent",
            rtt={"edge-1": 5.0},
        ),
        Edit.replicas(service, 2),
        Edit.scale_replicas(150),
        Edit.scale_demand(50, service),
        Edit.scale_traffic(50),
        Edit.scale_load(100, service),
        Edit.price("edge-1", "cpu", 0.5),
        Edit.scale_prices(120),
        Edit.carbon_intensity("edge-1", 1.5),
        Edit.pin(service, ["edge-1", "edge-2"]),
        Edit.exclude(service, "edge-1"),
        Edit.allow(service, "edge-1"),
        Edit.unpin(service),
        Edit.allow_region(service),
        Edit.tolerate(service, "gpu", effect="NoExecute"),
        Edit.capacity("edge-1", "cpu", "6"),
        Edit.add_capacity("edge-1", "nvidia.com/gpu", 1),
        Edit.bandwidth("edge-1", "edge-2", 10**9),
        Edit.distance("edge-1", "edge-2", rtt=3.5, hops=1),
        Edit.weigh("carbon", 0.0002),
        Edit.set_budget("moves", 2),
        Edit.drop_labels(service),
        Edit.drop_spread(service, "zone"),
        Edit.let_split(service),
        Edit.drop_high_availability(service),
        Edit.drop_anti_affinity(service),
        Edit.release(service),
        Edit.let_together(list(link)),
        Edit.raise_budget("moves", 3),
        Edit.accept_path(*link, rtt=50),
        Edit.drop_limit(*link),
    ]
    answer = what_if(problem, *edits)
    assert isinstance(answer.after, smo.Decision)
    assert answer.edits == [str(edit) for edit in edits]
    assert answer.edits[-2] == "relax noise-reduction -> image-detection to 50 ms"
    assert repr(edits[0]) == "<smo.ask.Edit: make edge-3 ready>"


def test_high_availability_asks_for_less() -> None:
    clusters = [
        {"name": name, "region": "eu", "allocatable": {"cpu": 1, "memory": "8Gi"}} for name in ("paris", "milan")
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    problem = smo.PlacementProblem.pose(fleet, shop("web")).with_service("web", replicas=2, split=True)
    problem = problem.with_high_availability("web", key="region")
    assert repairs(problem).ways_out[0]["changes"] == ["let two clusters do for the high availability of web"]
    assert isinstance(what_if(problem, Edit.relax_high_availability("web")).after, smo.Decision)


def test_a_service_is_removed_and_goals_change(problem: smo.PlacementProblem) -> None:
    answer = what_if(problem, Edit.remove("noise-reduction"), Edit.weigh("money", 0), Edit.set_budget("money", 1))
    assert answer.edits == ["remove noise-reduction", "a weight of 0 for money", "set the budget of money to 1.000 EUR/h"]
    assert isinstance(answer.after, smo.Decision)
    assert "noise-reduction" not in answer.after.placement
    with pytest.raises(ValueError, match="the weight of money is -1"):
        Edit.weigh("money", -1)
    with pytest.raises(smo.PlacementFailed, match="name two clusters"):
        what_if(problem, Edit.distance("edge-1", "edge-1", rtt=1))


def test_edits_that_make_no_sense(problem: smo.PlacementProblem) -> None:
    with pytest.raises(ValueError, match="did you mean noise-reduction"):
        what_if(problem, Edit.unpin("noise-reductoin"))
    with pytest.raises(smo.PlacementFailed, match="did you mean edge-1"):
        what_if(problem, Edit.lose("edge-11"))
    with pytest.raises(smo.PlacementFailed, match="no group of co-location"):
        what_if(problem, Edit.drop_co_location(["noise-reduction", "image-detection"]))
    with pytest.raises(ValueError, match="beauty is no goal"):
        Edit.raise_budget("beauty", 1)
    with pytest.raises(ValueError, match="none of NoSchedule"):
        Edit.tolerate("web", "key", effect="Sometimes")
    with pytest.raises(ValueError, match="is no price"):
        Edit.price("edge-1", "cpu", float("nan"))


def test_a_budget_that_is_too_small(problem: smo.PlacementProblem) -> None:
    found = repairs(problem.with_budget("money", 0.0001), costs={"budget": 0.001})
    assert "at most 0.000100 EUR/h" in found.conflict
    assert found.ways_out[0]["changes"][0].startswith("raise the budget of money to ")
    assert found.ways_out[0]["cost"] <= 1


def test_repairs_that_relax() -> None:
    class Quiet(smo.Rule):
        def forbids(
            self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply
        ) -> str | None:
            return "it is loud there" if cluster == "a" else None

    problem = smo.PlacementProblem.pose(towns(a=1), shop("web")).with_rule(Quiet())
    found = repairs(problem, costs={"rule": 2, "domain": 1, "split": 1})
    assert [way["changes"] for way in found.ways_out] == [["drop the rule Quiet"]]
    assert isinstance(what_if(problem, Edit.drop_rule("Quiet")).after, smo.Decision)
    with pytest.raises(smo.PlacementFailed, match="did you mean Quiet"):
        what_if(problem, Edit.drop_rule("Quit"))
    relaxed = Edit.relax_spread("web", "cluster", min_groups=2, max_skew=3)
    assert str(relaxed) == "relax the spread of web over clusters to at least 2 and a skew of 3"
    with pytest.raises(smo.PlacementFailed, match="does not spread over clusters"):
        what_if(problem, relaxed)
    wide = smo.PlacementProblem.pose(towns(a=1), shop("web")).with_spread("web", min_groups=2)
    assert isinstance(what_if(wide, relaxed).before, smo.Diagnosis)
    assert isinstance(what_if(wide, Edit.relax_spread("web", min_groups=1)).after, smo.Decision)


def test_losses(problem: smo.PlacementProblem) -> None:
    certificate = single_losses(problem)
    assert certificate.verdict == "survives"
    assert certificate.check(problem) == [] and certificate.breaking == {}
    assert set(certificate.relocations) == {"edge-1", "edge-2", "cloud-1"}
    assert certificate == single_losses(problem) and certificate != single_losses(problem, of="region")
    alone = smo.PlacementProblem.pose(towns(paris=1), shop("web"))
    broken = single_losses(alone)
    assert broken.verdict == "breaks" and isinstance(broken.breaking["paris"], smo.Diagnosis)
    json.dumps(broken.to_dict())
    assert 'class="broken"' in broken.to_svg() and 'class="broken"' not in certificate.to_svg()


def test_trade_offs(problem: smo.PlacementProblem) -> None:
    front = pareto(problem, "money", "carbon")
    assert front.complete and len(front.points) > 1
    amounts = [(point["totals"]["money"], point["totals"]["carbon"]) for point in front.points]
    assert amounts == sorted(amounts) and amounts == sorted(amounts, key=lambda pair: -pair[1])
    for point in front.points:
        assert point["proved"] and problem.verify(point["placement"]) == []
    assert front.to_svg().count("<circle") == len(front.points)
    assert front._repr_html_() == front.to_svg()
    with pytest.raises(ValueError, match="beauty is no goal; one of money, carbon"):
        pareto(problem, "money", "beauty")
    with pytest.raises(smo.PlacementFailed, match="both are money"):
        pareto(problem, "money", "money")
    assert not pareto(problem, "money", "carbon", placer=smo.FirstFit()).complete


def test_moves() -> None:
    now = {"web": "dear", "cart": "dear"}
    problem = smo.PlacementProblem.pose(towns(dear=1, middle=0.5, cheap=0.1), shop("web", "cart"), current=now)
    curve = move_curve(problem)
    assert curve.complete
    assert [(point["moves"], point["value"]) for point in curve.points] == [(0, 2.0), (1, 1.1), (2, 0.2)]
    one = with_few_moves(problem, 1)
    assert one.proved and one.value == pytest.approx(1.11) and len(one.relocations) == 1
    assert one.placement is not None and problem.verify(one.placement) == []
    gone = smo.PlacementProblem.pose(towns(middle=0.5, cheap=0.1), shop("web", "cart"), current=now)
    stuck = with_few_moves(gone, 1)
    assert (stuck.placement, stuck.value, stuck.relocations, stuck.proved, stuck.needed) == (None, None, [], True, 2)


def test_units_of_moves() -> None:
    now = {"web": "dear", "cart": "dear"}
    problem = smo.PlacementProblem.pose(towns(dear=1, cheap=0.1), shop("web", "cart"), current=now)
    problem = problem.with_service("web", state=3_000_000_000).with_service("cart", state=1_000_000_000)
    assert problem.services["web"].state == 3_000_000_000
    curve = move_curve(problem, unit="state")
    assert (curve.unit, curve.complete) == ("state", True)
    moved = [(point["moves"], round(point["value"], 6)) for point in curve.points]
    assert moved == [(0, 2.0), (1_000_000_000, 1.1), (4_000_000_000, 0.2)]
    few = with_few_moves(problem, 2_000_000_000, unit="state")
    assert [moved[0] for moved in few.relocations] == ["cart"] and few.proved
    assert [point["moves"] for point in move_curve(problem, unit="replicas").points] == [0, 1, 2]
    with pytest.raises(ValueError, match="tons is no unit of moves; one of services, replicas, state"):
        with_few_moves(problem, 1, unit="tons")


def test_storage_moves_along() -> None:
    intent = {"intent": {"compute": {"storage": "7G"}}}
    listed = [
        {"id": "db", "artifact": {"ociImage": "oci://r.io/shop/db"}, "deployment": intent},
        {"id": "web", "artifact": {"ociImage": "oci://r.io/shop/web"}},
    ]
    graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": listed}}).validate()
    problem = smo.PlacementProblem.pose(towns(a=1), graph)
    assert {name: demand.state for name, demand in problem.services.items()} == {"db": 7_000_000_000, "web": 0}


def test_parts_go_one_after_the_other() -> None:
    now, then = {"web": {"a": 2}, "api": {"b": 2}}, {"web": {"b": 2}, "api": {"a": 2}}
    clusters = [{"name": name, "allocatable": {"cpu": 3, "memory": "8Gi"}} for name in ("a", "b")]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    problem = smo.PlacementProblem.pose(fleet, shop("web", "api"))
    problem = problem.with_service("web", replicas=2).with_service("api", replicas=2)
    order = order_of_moves(problem, then, current=now)
    assert order.feasible and order.proved
    assert [step["replicas"] for step in order.steps] == [1, 2, 1]


def test_orders() -> None:
    now = {"web": "a", "cart": "a", "search": "b", "ledger": "b"}
    then = {"web": "b", "cart": "b", "search": "a", "ledger": "a"}
    graph = shop(*now)
    full = smo.PlacementProblem.pose(towns(a=1, b=1), graph, current=now)
    order = order_of_moves(full, then)
    assert not order.feasible and order.proved and len(order) == 4
    # Whoever goes first from a full cluster to a full one needs a core more, each time.
    assert [step["needs"] for step in order.steps] == [{"cpu": "1"}, {}, {"cpu": "1"}, {}]
    roomy = smo.PlacementProblem.pose(towns(a=1, b=1, c=1), graph, current=now)
    order = order_of_moves(roomy, then)
    assert order.feasible and {step["kind"] for step in order.steps} == {"move", "stopOver"}
    assert order_of_moves(roomy, now).steps == []
    back = order_of_moves(roomy, now, current=then)
    assert len(back) == len(order)
    with pytest.raises(ValueError, match="did you mean web"):
        order_of_moves(roomy, {"wep": "a"})


def test_repairs() -> None:
    problem = smo.PlacementProblem.pose(towns(a=1, b=1), shop("s1", "s2", "s3", "s4", "s5"))
    found = repairs(problem)
    assert found.cheapest and len(found.conflict) == 6
    first = found.ways_out[0]
    assert first["changes"] == ["+1 core on a"] and first["cost"] == 1.0
    assert isinstance(first["decision"], smo.Decision)
    dear = repairs(problem, costs={"core": 100, "replica": 1}, most=1)
    assert dear.ways_out[0]["cost"] == 100
    with pytest.raises(ValueError, match="colour is no kind of repair"):
        repairs(problem, costs={"colour": 1})
    with pytest.raises(ValueError, match="the cost of core is -1"):
        repairs(problem, costs={"core": -1})
    assert repairs(smo.PlacementProblem.pose(towns(a=1), shop("web"))).ways_out == []


def test_full_explanations(problem: smo.PlacementProblem) -> None:
    decision = smo.place(problem)
    explained = explain_in_full(problem, decision)
    assert explained.complete
    for service, choice in explained.services.items():
        assert set(choice["others"]) == set(problem.clusters) - {choice["chosen"]}
        prices = explained.prices[service]
        assert all(price >= 0 for price in prices.values())
        assert choice["runner_up"] == (min(prices, key=prices.__getitem__) if prices else None)
    assert explained.services["noise-reduction"]["others"]["edge-3"] == "not ready (ClusterNotReachable)"
    assert all(entry["gain"] > 0 and entry["text"] for entry in explained.binding)
    assert explained.totals["money"] == (None, decision.totals["money"])
    assert explained._repr_html_() == explained.to_svg()
    few = explain_in_full(problem, decision, questions=1)
    assert not few.complete and few != explained


def test_a_placer_of_ones_own_is_asked_and_named() -> None:
    class Stubborn(smo.Placer):
        asked = 0

        def place(self, problem: smo.PlacementProblem) -> dict[str, str]:
            Stubborn.asked += 1
            return {service: "a" for service in problem.services}

    problem = smo.PlacementProblem.pose(towns(a=1, b=1), shop("web"))
    with pytest.raises(smo.PlacerError, match="Stubborn"):
        what_if(problem, Edit.lose("a"), placer=Stubborn())
    assert Stubborn.asked == 2


QUESTIONS: list[Callable[..., Any]] = [
    what_if,
    single_losses,
    partial(pareto, first="money", second="carbon"),
    partial(with_few_moves, at_most=0),
    move_curve,
    repairs,
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_are_watched_and_end_when_told(question: Callable[..., Any], problem: smo.PlacementProblem) -> None:
    seen: list[AskProgress] = []
    whole = question(problem, watch=seen.append)
    assert whole == question(problem) == question(problem, seconds=60)
    assert seen[0].step == 1 and seen[-1].step == len({at.step for at in seen})
    assert all(at.question == seen[0].question and str(at).startswith(at.question) for at in seen)

    def stop(_: object) -> bool:
        return False

    part = question(problem, watch=stop)
    assert part != whole and part == question(problem, seconds=0)

    def broken(_: object) -> None:
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        question(problem, watch=broken)
    with pytest.raises(ValueError, match="seconds: give a number"):
        question(problem, seconds=-1)


def test_what_is_stopped_says_so(problem: smo.PlacementProblem) -> None:
    def no(_: object) -> bool:
        return False

    assert what_if(problem, watch=no).stopped and not what_if(problem).stopped
    assert repairs(problem, watch=no).stopped
    certificate = single_losses(problem, watch=lambda at: at.step < 2)
    assert certificate.verdict == "open" and certificate.left_out and "stopped early" in str(certificate)
    decision = smo.place(problem)
    seen: list[AskProgress] = []
    explained = explain_in_full(problem, decision, watch=seen.append)
    assert explained.complete and not explained.stopped
    assert seen[-1].step == seen[-1].steps
    what_if(problem, placer=smo.FleetPlacer(), watch=seen.append)
    assert any(at.search and at.search.work for at in seen)
    explained = explain_in_full(problem, decision, watch=no)
    assert explained.stopped and not explained.complete


def test_a_cluster_is_added_with_labels_and_taints() -> None:
    problem = smo.PlacementProblem.pose(towns(dear=1), shop("web"))
    size: dict[str, str | int] = {"cpu": 4, "memory": "8Gi"}
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    tainted = what_if(problem, Edit.add_cluster("cheap", size, taints=taints))
    assert tainted.difference == 0
    tolerant = problem.with_service("web", tolerations=[{"key": "gpu"}])
    assert (what_if(tolerant, Edit.add_cluster("cheap", size, taints=taints)).difference or 0) < 0
    edge = problem.with_service("web", labels=[{"key": "tier", "operator": "In", "values": ["edge"]}])
    here = what_if(edge, Edit.add_cluster("cheap", size, labels={"tier": "edge"}))
    assert isinstance(here.before, smo.Diagnosis) and isinstance(here.after, smo.Decision)
    with pytest.raises(ValueError, match="a list of taints"):
        Edit.add_cluster("cheap", size, taints=[{"key": "gpu", "effect": "Never"}])


def test_a_replica_elsewhere_has_a_price_of_its_own() -> None:
    problem = smo.PlacementProblem.pose(towns(cheap=1, fair=2, dear=5), shop("web"))
    problem = problem.with_service("web", replicas=3, split=True)
    web = explain_in_full(problem, smo.place(problem)).services["web"]
    assert web["others"] == {"dear": "+3.000 EUR/h"}
    assert web["whole"] == {"dear": "no room for the rest (1 core short)"}
