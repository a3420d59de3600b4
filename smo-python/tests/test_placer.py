"""Placers written in Python: good, wrong, raising."""

from collections.abc import Mapping
from typing import Any

import pytest

import smo


class Cheapest(smo.Placer):
    """Tries every open cluster for one service after the other, and keeps the best."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.asked = 0

    @property
    def name(self) -> str:
        return f"cheapest in {self.rounds} rounds"

    def place(self, problem: smo.PlacementProblem) -> dict[str, str] | None:
        self.asked += 1
        start = smo.FirstFit().place(problem)
        if start is None:
            return None
        best = {service: next(iter(clusters)) for service, clusters in start.items()}
        for _ in range(self.rounds):
            for service in problem.services:
                options = [{**best, service: cluster} for cluster in problem.open_clusters(service)]
                allowed = [option for option in options if not problem.verify(option)]
                best = min([best, *allowed], key=lambda option: problem.evaluate(option)[0])
        return best


class Says(smo.Placer):
    """Gives the answer it was made with."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def place(self, problem: smo.PlacementProblem) -> Mapping[str, str] | None:
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: Mapping[str, str] | None = self.answer
        return answer


def test_a_good_one_is_used_and_named(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    placer = Cheapest(rounds=2)
    decision = smo.plan(graph, fleet, placer=placer).decision
    assert decision is not None
    assert (decision.placer, decision.status, decision.bound) == ("cheapest in 2 rounds", "feasible", None)
    best = smo.plan(graph, fleet).decision
    assert best is not None and decision.value == best.value
    assert placer.asked == 1
    assert repr(placer) == "<smo.Placer cheapest in 2 rounds>"


class Plain(smo.Placer):
    name = "a plain name"  # type: ignore[assignment,unused-ignore] # pyright: ignore


def test_a_name_may_be_an_attribute(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    with pytest.raises(smo.PlacerError, match="the placer `a plain name` failed") as caught:
        smo.plan(graph, fleet, placer=Plain())
    assert caught.value.placer == "a plain name"


def test_full_keys_and_replicas_are_understood(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    key = "default/image-detection-graph/"
    answer = {key + "image-compression-vo": {"edge-1": 1}, key + "noise-reduction": "edge-1", "image-detection": "edge-2"}
    assert smo.plan(graph, fleet, placer=Says(answer)).placement["noise-reduction"].clusters == ["edge-1"]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({}, "runs 0 of 1 replicas"),
        ({"noise-reductoin": "edge-1"}, "did you mean noise-reduction"),
        ({"noise-reduction": "Edge 1"}, "Edge 1 is no cluster"),
        ({"noise-reduction": "edge-9"}, "no cluster of the fleet"),
        ({"noise-reduction": 3}, "expected the name of a cluster"),
        ({"noise-reduction": {"edge-1": -1}}, "expected the name of a cluster"),
        ({"noise-reduction": {"edge-1": 2}}, "runs 2 of 1 replicas"),
        ({3: "edge-1"}, "a service is of type int"),
        (["edge-1"], "of type list"),
        ({"image-detection": "edge-1"}, "no nvidia.com/gpu"),
    ],
)
def test_a_wrong_one_is_told(
    answer: object, fault: str, graph: smo.ApplicationGraph, fleet: smo.Inventory
) -> None:
    with pytest.raises(smo.PlacerError, match="the placer `Says` gave a wrong answer") as caught:
        smo.plan(graph, fleet, placer=Says(answer))
    assert caught.value.placer == "Says"
    assert any(fault in told for told in caught.value.faults), caught.value.faults
    assert isinstance(caught.value, smo.PlacementFailed)


def test_an_exception_is_the_cause(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    boom = RuntimeError("boom")
    with pytest.raises(smo.PlacerError, match="RuntimeError: boom") as caught:
        smo.place(problem, Says(boom))
    assert caught.value.__cause__ is boom
    with pytest.raises(KeyboardInterrupt):
        smo.place(problem, Says(KeyboardInterrupt()))


def test_none_is_no_placement(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    with pytest.raises(smo.Infeasible, match="Says found no placement") as caught:
        smo.plan(graph, fleet, placer=Says(None))
    assert not caught.value.diagnosis.proved
    # Whether there is one, only this placer has an opinion on.
    assert "whether all fit together is open" in str(caught.value)
    assert caught.value.hints == ["Says gave up: the milp placer may find a placement"]


def test_what_is_no_placer(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    with pytest.raises(smo.PlacerError, match="does not define place"):
        smo.plan(graph, fleet, placer=smo.Placer())
    with pytest.raises(TypeError):
        smo.plan(graph, fleet, placer="milp")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def test_a_bound_can_be_evaluated_again_and_helps_the_next_search() -> None:
    clusters = [
        {"name": f"c{number}", "capacity": {"cpu": 12}, "price": {"cpu": 0.02 + 0.01 * number}}
        for number in range(4)
    ]
    services = [
        {"name": f"default/shop/s{number}", "replicas": 1, "perReplica": {"cpu": 1 + number % 4}}
        for number in range(12)
    ]
    problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
    decision = smo.place(problem, smo.FleetPlacer(effort=20_000_000))
    certificate = decision.certificate
    assert certificate is not None and decision.bound is not None
    bound = problem.bound_by(certificate)
    assert bound is not None and bound <= decision.value
    # a search may try the cases that prices leave open, and prove more
    assert decision.bound >= bound > 0.9 * decision.value
    again = smo.place(problem, smo.AutoPlacer(effort=20_000_000, known=certificate))
    assert again.value == decision.value
    with pytest.raises(ValueError, match="not a certificate"):
        smo.FleetPlacer(known={"prices": []})
    other = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters[1:]}})
    assert other.bound_by(certificate) is None
    # cluster by cluster, prices are of use there all the same
    assert smo.place(other, smo.FleetPlacer(effort=20_000_000, known=certificate)).status in ("optimal", "feasible")


class Claims(smo.Placer):
    """First fit, with something said beside it."""

    def __init__(self, claim: Any, *, placed: bool = True) -> None:
        self.claim, self.placed = claim, placed

    def place(self, problem: smo.PlacementProblem) -> Any:
        return (smo.FirstFit().place(problem) if self.placed else None), self.claim


def test_what_a_placer_claims_is_said_to_be_its_claim(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph)
    plain = smo.place(problem, Claims(None))
    assert (plain.status, plain.bound, plain.proof) == ("feasible", None, None)
    claimed = smo.place(problem, Claims("optimal"))
    assert (claimed.status, claimed.bound, claimed.proof) == ("optimal", claimed.value, "Claims")
    assert "optimal, says Claims" in str(claimed) and claimed.certificate is None
    low = smo.place(problem, Claims(plain.value / 2))
    assert (low.status, low.proof) == ("feasible", "Claims") and low.gap == pytest.approx(1)
    assert "at most 100.00 % from the best, says Claims" in str(low)
    # What went through floating point is not refused for its last digit.
    assert smo.place(problem, Claims(plain.value * (1 + 1e-12))).status == "optimal"


@pytest.mark.parametrize(
    ("claim", "placed", "fault"),
    [
        ("best", True, "beside a placement it says 'best', not a number of points or 'optimal'"),
        (float("nan"), True, "it says nan"),
        ("infeasible", True, "beside a placement it says 'infeasible'"),
        ("optimal", False, "beside none it says 'optimal', not 'infeasible'"),
        (1e6, True, "it claims that nothing is below 1000000"),
        ("infeasible", False, "first fit finds one"),
    ],
)
def test_a_wrong_claim_is_refused(
    graph: smo.ApplicationGraph, fleet: smo.Inventory, claim: Any, placed: bool, fault: str
) -> None:
    with pytest.raises(smo.PlacerError, match=fault):
        smo.place(smo.PlacementProblem.pose(fleet, graph), Claims(claim, placed=placed))


def test_that_there_is_none_is_proved_by_the_library(graph: smo.ApplicationGraph, fleet: smo.Inventory) -> None:
    problem = smo.PlacementProblem.pose(fleet, graph).with_service("noise-reduction", regions=[])
    with pytest.raises(smo.Infeasible) as raised:
        smo.place(problem, Claims("infeasible", placed=False))
    assert raised.value.diagnosis.proved


def test_what_a_placer_says_is_shown_or_it_is_not() -> None:
    clusters = [{"name": f"c{number}", "capacity": {"cpu": 7}, "price": {"cpu": 2 - number}} for number in range(3)]
    services = [{"name": f"p/g/s{number}", "perReplica": {"cpu": 2 + number % 3}} for number in range(6)]
    problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
    exact = smo.place(problem, smo.MilpPlacer())
    assert exact.status == "optimal" and exact.certificate is None
    certified = smo.certify(problem, exact)
    assert certified and certified.bound == exact.value and certified.work > 0
    assert certified.certificate is not None and problem.bound_by(certified.certificate) == exact.value
    solution = smo.solve(problem, smo.MilpPlacer())
    assert isinstance(solution, smo.Solution) and certified == smo.certify(problem, solution)
    assert repr(certified) == f"<smo.Certified: bound {exact.value:g}>"
    # first fit says nothing; its value is no bound
    first = smo.place(problem, smo.FirstFit())
    assert first.value > exact.value
    refuted = smo.certify(problem, first, effort=10_000_000)
    assert not refuted and refuted.bound is not None and refuted.bound <= exact.value
    # the default shows what it says
    default = smo.place(problem)
    assert default.certificate is not None and problem.bound_by(default.certificate) == default.bound == exact.value
    # a claim that is not so is not shown
    claim = smo.place(problem, Claims("optimal"))
    assert claim.status == "optimal" and not smo.certify(problem, claim, effort=10_000_000)


def test_certify_can_be_ended_and_says_what_it_takes() -> None:
    clusters = [{"name": f"c{number}", "capacity": {"cpu": 7}, "price": {"cpu": number}} for number in range(3)]
    services = [{"name": f"p/g/s{number}", "perReplica": {"cpu": 2 + number % 3}} for number in range(6)]
    problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
    decision = smo.place(problem, smo.Exhaustive())
    seen: list[smo.Progress] = []

    def once(at: smo.Progress) -> bool:
        seen.append(at)
        return False

    ended = smo.certify(problem, decision, watch=once)
    assert len(seen) == 1 and ended.bound is not None and ended.bound <= decision.value
    assert smo.certify(problem, decision, seconds=0).bound is not None
    with pytest.raises(TypeError, match="give a Decision or a Solution, not"):
        smo.certify(problem, decision.to_dict())  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    def fails(at: smo.Progress) -> bool:
        raise RuntimeError(f"no more after {at.work}")

    with pytest.raises(RuntimeError, match="no more after"):
        smo.certify(problem, decision, watch=fails)
