"""The whole model from Python: replicas that split, groups, budgets, wishes, priorities; rules and goals of one's own."""

import pickle

import pytest

import smo
from test_placement import small_fleet, small_graph


def small_problem(*services: str, **cpu: int) -> smo.PlacementProblem:
    """Services of one core each on clusters of that many cores, with nothing to minimise but points."""
    question = smo.PlacementProblem.pose(small_fleet(**cpu), small_graph("shop", *services), goals=smo.Goals.none())
    return question.with_goals(smo.Goals(0, 0, 0, 0))


def where(decision: smo.Decision) -> dict[str, dict[str, int]]:
    return {name: dict(placed.replicas) for name, placed in decision.placement.items()}


def test_replicas_split_and_spread() -> None:
    problem = small_problem("web", a=4, b=4, c=4).with_service("web", replicas=4)
    assert problem.services["web"].replicas == 4 and not problem.services["web"].split
    split = problem.with_service("web", split=True)
    assert split.services["web"].split
    spread = split.with_spread("web", max_skew=1, max_groups=2, min_groups=2)
    assert spread.verify({"web": {"a": 3, "b": 1}}) == ["default/shop/web over clusters: a skew of 3 of at most 1"]
    # Two clusters used and none with two more than another: impossible, as the third one is empty.
    with pytest.raises(smo.Infeasible, match="no placement exists"):
        smo.place(spread)
    decision = smo.place(spread.with_service("web", excluded=["c"]))
    assert where(decision) == {"web": {"a": 2, "b": 2}}
    wish = split.with_spread("web", min_groups=3, price=2.5)
    assert wish.evaluate({"web": {"a": 4}})[0] == 5.0
    assert smo.place(wish).value == 0.0


def test_high_availability() -> None:
    problem = small_problem("web", a=4, b=4).with_service("web", replicas=2, split=True)
    problem = problem.with_high_availability("web")
    assert problem.verify({"web": {"a": 2}}) == ["default/shop/web runs in one cluster only"]
    assert where(smo.place(problem)) == {"web": {"a": 1, "b": 1}}
    assert problem.with_high_availability("web", price=3).evaluate({"web": {"a": 2}})[0] == 3.0


def test_services_together_and_apart() -> None:
    problem = small_problem("web", "db", "cache", a=4, b=4).with_co_location(["web", "db"])
    problem = problem.with_anti_affinity(["db", "cache"])
    placed = where(smo.place(problem))
    assert placed["web"] == placed["db"] != placed["cache"]
    assert len(problem.verify({"web": "a", "db": "b", "cache": "b"})) == 2
    wishes = small_problem("web", "db", a=4).with_anti_affinity(["web", "db"], price=4).with_co_location(["web"], price=1)
    assert smo.place(wishes).value == 4.0
    with pytest.raises(KeyError, match="did you mean cache"):
        problem.with_co_location(["cahce"])


def test_labels_regions_and_finality() -> None:
    size = {"cpu": 4, "memory": "8Gi"}
    clusters = [
        {"name": "a", "region": "eu", "labels": {"tier": "edge"}, "allocatable": size},
        {"name": "b", "region": "us", "allocatable": size},
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    problem = smo.PlacementProblem.pose(fleet, small_graph(), current={"web": "b"})
    edge = [{"key": "tier", "operator": "In", "values": ["edge"]}]
    assert problem.with_service("web", labels=edge).open_clusters("web") == ["a"]
    assert problem.with_service("web", labels=[{"key": "tier", "operator": "DoesNotExist"}]).open_clusters("web") == ["b"]
    assert problem.with_service("web", regions=["eu"]).open_clusters("web") == ["a"]
    assert problem.with_service("web", final=True).open_clusters("web") == ["b"]
    assert problem.with_service("web", pinned=["a"]).open_clusters("web") == ["a"]
    with pytest.raises(ValueError, match="not a list of label requirements"):
        problem.with_service("web", labels=[{"key": "tier", "operator": "Like"}])
    soft = problem.with_service("web", regions=["eu"], excluded=["a"]).with_soft("region", 7)
    assert where(smo.place(soft)) == {"web": {"b": 1}}
    assert soft.evaluate({"web": "b"})[1]["preference"] == 7.0
    with pytest.raises(smo.PlacementFailed, match="no rule is called regoin; did you mean region"):
        smo.place(problem.with_soft("regoin", 1))
    with pytest.raises(ValueError, match="a price is 0 to 1000000 points"):
        problem.with_soft("region", -1)
    assert set(smo.rules()) > {"capacity", "spread", "co-location", "anti-affinity", "bandwidth", "budget", "labels"}


def test_budgets_moves_and_scores() -> None:
    graph = small_graph("shop", "web", "db")
    problem = smo.PlacementProblem.pose(
        small_fleet(a=4, b=4), graph, current={"web": "a", "db": "a"}, goals=smo.Goals.none()
    ).with_goals(smo.Goals(0, 0, 0))
    scored = problem.with_scores("web", {"a": 1.0}).with_scores("db", {"a": 2.0, "b": 0.5})
    assert smo.place(scored).value == 0.5
    limited = scored.with_budget("moved_replicas", 1)
    assert where(smo.place(limited)) == {"web": {"a": 1}, "db": {"b": 1}}
    wish = scored.with_budget("moves", 0, price=0.1)
    assert smo.place(wish).value == pytest.approx(0.7)
    state = problem.with_service("web", state=2_000_000_000)
    assert state.evaluate({"web": "b", "db": "a"})[1]["moved_state"] == 2.0
    with pytest.raises(ValueError, match="did you mean moves"):
        problem.with_budget("movse", 1)
    with pytest.raises(ValueError, match="points are a number"):
        problem.with_scores("web", {"a": float("nan")})


def test_links_that_cost() -> None:
    network = [{"between": ["a", "b"], "rtt": 10, "hops": 1, "bandwidth": "1M"}]
    size = {"cpu": 4, "memory": "8Gi"}
    clusters = [{"name": name, "allocatable": size, "egress": {"outOfRegion": 0.05}} for name in "ab"]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters, "network": network}})
    problem = smo.PlacementProblem.pose(fleet, small_graph("shop", "web", "db"), goals=smo.Goals(0, 0, 0, latency=1))
    problem = problem.with_link("web", "db", traffic=500_000)
    apart = {"web": "a", "db": "b"}
    value, totals = problem.evaluate(apart)
    assert (value, totals["latency"]) == (5.0, 5.0)
    assert totals["money"] == pytest.approx(500_000 * 3600 / 2**30 * 0.05)
    assert problem.verify(apart) == []
    assert "carry 1500000 bytes/s" in problem.with_link("web", "db", traffic=1_000_000).verify(apart)[0]
    assert "needs < 5 ms" in problem.with_link("db", "web", rtt_below=5).verify(apart)[0]
    placed = where(smo.place(problem))
    assert placed["web"] == placed["db"]
    with pytest.raises(ValueError, match="no positive number of milliseconds"):
        problem.with_link("web", "db", rtt_below=0)


def test_priorities() -> None:
    goals = smo.Goals.by_priority(["moves", "money"])
    assert [level.moves for level in goals.levels] == [1.0, 0.0]
    assert goals == smo.Goals(0, 0, 1, preference=0).then(smo.Goals(1, 0, 0, preference=0))
    assert pickle.loads(pickle.dumps(goals)) == goals
    assert eval(repr(goals)) == goals
    with pytest.raises(ValueError, match="did you mean money"):
        smo.Goals.by_priority(["mony"])
    clusters = [
        {"name": name, "price": {"cpu": price}, "allocatable": {"cpu": 4, "memory": "8Gi"}}
        for name, price in [("a", 3), ("b", 1)]
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    graph = small_graph("shop", "web", "db")
    question = smo.PlacementProblem.pose(fleet, graph, current={"web": "a"}, goals=goals)
    assert where(smo.place(question)) == {"web": {"a": 1}, "db": {"b": 1}}
    other = smo.PlacementProblem.pose(fleet, graph, current={"web": "a"}, goals=smo.Goals.by_priority(["money", "moves"]))
    decision = smo.place(other)
    assert where(decision) == {"web": {"b": 1}, "db": {"b": 1}}
    assert (decision.status, len(decision.to_dict()["levels"])) == ("optimal", 2)


class OnlyOn(smo.Rule):
    """A service may only run on clusters whose name begins with a letter."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def forbids(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> str | None:
        assert service == "web" and demand.replicas == 1 and supply.ready
        return None if cluster.startswith(self.letter) else f"{cluster} is no {self.letter}"


class NotAlone(smo.Rule):
    """No cluster runs exactly one service."""

    name = "not alone"  # type: ignore[assignment,unused-ignore] # pyright: ignore

    def breaches(self, placement: dict[str, dict[str, int]]) -> list[tuple[str, int]]:
        used = [cluster for clusters in placement.values() for cluster in clusters]
        return [(f"one service alone on {cluster}", 1) for cluster in sorted(set(used)) if used.count(cluster) == 1]


def test_a_rule_of_ones_own() -> None:
    problem = small_problem("web", a=4, b=4).with_rule(OnlyOn("b"))
    for placer in (smo.MilpPlacer(), smo.FirstFit(), smo.GreenConsolidation(), smo.Exhaustive()):
        assert where(smo.place(problem, placer)) == {"web": {"b": 1}}
    assert problem.open_clusters("web") == ["b"]
    assert problem.verify({"web": "a"}) == ["default/shop/web may not run on a: OnlyOn: a is no b"]
    with pytest.raises(smo.Infeasible, match="2 OnlyOn"):
        smo.place(small_problem("web", a=4, b=4).with_rule(OnlyOn("c")))
    soft = small_problem("web", a=4).with_rule(OnlyOn("b")).with_soft("OnlyOn", 2)
    assert smo.place(soft).value == 2.0
    assert repr(OnlyOn("b")) == "<smo.Rule OnlyOn>"


def test_a_rule_about_whole_placements() -> None:
    problem = small_problem("web", "db", "api", a=2, b=2).with_rule(NotAlone())
    # Two clusters of two cores for three services: one of them is always alone.
    with pytest.raises(smo.Infeasible, match="proved"):
        smo.place(problem, smo.Exhaustive())
    bigger = small_problem("web", "db", "api", "log", a=2, b=2).with_rule(NotAlone())
    assert bigger.verify(smo.Exhaustive().place(bigger) or {}) == []
    with pytest.raises(smo.PlacementFailed, match="the placer `milp` cannot express the rule not alone; say it by"):
        smo.place(bigger, smo.MilpPlacer())
    assert smo.place(bigger).value == smo.place(bigger, smo.Exhaustive()).value
    assert problem.with_soft("not alone", 3).evaluate({"web": "a", "db": "a", "api": "b"})[0] == 3.0


class Tidy(smo.Goal):
    """Points for every letter of a cluster's name, and for every service that is not on the cluster of the first."""

    def of_replica(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> float:
        return len(cluster) / 10


class Scattered(smo.Goal):
    def of_placement(self, placement: dict[str, dict[str, int]]) -> float:
        return float(len({cluster for clusters in placement.values() for cluster in clusters}))


def test_a_goal_of_ones_own() -> None:
    problem = small_problem("web", "db", long_name=4, b=1).with_goal(Tidy())
    decision = smo.place(problem)
    assert decision.value == pytest.approx(0.1 + 0.9)
    assert decision.totals["preference"] == pytest.approx(1.0) and decision.status == "optimal"
    both = problem.with_goal(Scattered())
    assert smo.place(both, smo.Exhaustive()).value == pytest.approx(2.8)
    with pytest.raises(smo.PlacementFailed, match="cannot express the goal Scattered"):
        smo.place(both, smo.MilpPlacer())
    assert smo.place(both).value == pytest.approx(2.8)


class Broken(smo.Rule):
    def forbids(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> str | None:
        raise RuntimeError("boom")


class Nothing(smo.Goal):
    def of_replica(self, service: str, demand: smo.ServiceDemand, cluster: str, supply: smo.ClusterSupply) -> float:
        return float("inf")


def test_what_a_rule_or_goal_raises_comes_back() -> None:
    problem = small_problem("web", a=4).with_rule(Broken())
    with pytest.raises(RuntimeError, match="boom"):
        smo.place(problem)
    with pytest.raises(RuntimeError, match="boom"):
        problem.verify({"web": "a"})
    with pytest.raises(RuntimeError, match="boom"):
        problem.open_clusters("web")
    with pytest.raises(ValueError, match="points are a number"):
        smo.place(small_problem("web", a=4).with_goal(Nothing()))


class Cheapest(smo.Placer):
    """A whole placer: every replica on the cluster with the best points, one after the other."""

    def place(self, problem: smo.PlacementProblem) -> dict[str, dict[str, int]] | None:
        placement: dict[str, dict[str, int]] = {}
        for service, demand in problem.services.items():
            options = [{**placement, service: {cluster: demand.replicas}} for cluster in problem.open_clusters(service)]
            placement = min(options, key=lambda option: problem.evaluate(option)[0])
        return placement


def test_a_placer_of_ones_own_sees_the_whole_model() -> None:
    problem = small_problem("web", "db", long_name=4, b=4).with_goal(Tidy()).with_rule(NotAlone())
    decision = smo.place(problem, Cheapest())
    assert where(decision) == {"web": {"b": 1}, "db": {"b": 1}}
    assert decision.placer == "Cheapest"
    with pytest.raises(smo.PlacerError, match="keep apart"):
        smo.place(problem.with_anti_affinity(["web", "db"]), Cheapest())


def test_too_many_placements_are_refused() -> None:
    with pytest.raises(smo.PlacementFailed, match="cannot express a problem of more than 3 placements"):
        smo.place(small_problem("web", "db", a=4, b=4), smo.Exhaustive(most=3))


def test_intents_that_ask_for_domains_and_devices() -> None:
    graph = smo.Descriptor.from_dict(
        {
            "hdaGraph": {
                "id": "shop",
                "hdaGraphIntent": {"highAvailability": {"enabled": True, "minReplicasOverall": 2}},
                "services": [
                    {
                        "id": "web",
                        "deployment": {"intent": {"network": {"deviceProximity": {"enabled": True}}}},
                        "artifact": {"ociImage": "oci://r.io/shop/web"},
                    }
                ],
            }
        }
    ).validate()
    size = {"cpu": 4, "memory": "8Gi"}
    clusters = [
        {"name": name, "region": region, "labels": labels, "allocatable": size}
        for name, region, labels in [("a", "eu", {"near": "yes"}), ("b", "eu", {"near": "yes"}), ("c", "us", {"near": "yes"}), ("d", "us", {})]
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    catalog = smo.Catalog().with_failure_domain("region").with_device_label("near")
    problem = smo.PlacementProblem.pose(fleet, graph, catalog=catalog)
    assert problem.services["web"].split and problem.open_clusters("web") == ["a", "b", "c"]
    assert problem.verify({"web": {"a": 1, "b": 1}}) == ["default/shop/web runs in one region only"]
    assert sorted(where(smo.place(problem))["web"].values()) == [1, 1]


def test_demands_requirements_and_tolerations_of_a_service() -> None:
    clusters = [
        {"name": "plain", "allocatable": {"cpu": 8, "memory": "8Gi"}},
        {"name": "gpu", "allocatable": {"cpu": 8, "memory": "8Gi", "nvidia.com/gpu": 1}, "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
    ]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    graph = {"id": "shop", "services": [{"id": "web", "artifact": {"ociImage": "oci://r.io/shop/web"}}]}
    problem = smo.PlacementProblem.pose(fleet, smo.Descriptor.from_dict({"hdaGraph": graph}).validate())
    assert problem.open_clusters("web") == ["plain"]
    tolerant = problem.with_service("web", tolerations=[{"key": "gpu", "effect": "NoSchedule"}])
    assert tolerant.open_clusters("web") == ["plain", "gpu"]
    needs = tolerant.with_service("web", requires=["nvidia.com/gpu"])
    assert needs.open_clusters("web") == ["gpu"] and needs.services["web"].requires == ["nvidia.com/gpu"]
    large = tolerant.with_service("web", per_replica={"cpu": "2500m", "nvidia.com/gpu": 1})
    before = problem.services["web"].per_replica
    assert large.services["web"].per_replica == {**before, "cpu": 2500, "nvidia.com/gpu": 1}
    assert large.open_clusters("web") == ["gpu"]
    with pytest.raises(ValueError):
        problem.with_service("web", tolerations=[{"effect": "Never"}])
    with pytest.raises(ValueError):
        problem.with_service("web", per_replica={"cpu": "much"})
