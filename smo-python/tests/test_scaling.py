"""How many replicas run: questions, scalers, answers, the controller, and bad input."""

import copy
import json
import math
import pickle
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import smo
from smo.scaling import (
    ClusterRoom,
    ExactScaler,
    ExpectedLoad,
    ObservedService,
    Scaler,
    ScalingController,
    ScalingGoals,
    ScalingObservation,
    ScalingPolicy,
    ScalingProblem,
    ScalingStep,
    ServiceLoad,
    Thresholds,
    ThresholdScaler,
    Throughput,
    decide,
)

MODEL = Throughput(110, -30)
ROOM = {"edge-2": ClusterRoom({"cpu": 8, "memory": "16Gi"})}
START = datetime(2026, 1, 1, 10, tzinfo=timezone.utc)


def web(load: float = 505, *, clusters: dict[str, int] | None = None, min: int = 1, max: int = 10) -> ServiceLoad:
    where = {"edge-2": 2} if clusters is None else clusters
    return ServiceLoad(load, MODEL, min=min, max=max, per_replica={"cpu": 1}, clusters=where)


def test_the_fewest_that_carry_the_load() -> None:
    problem = ScalingProblem({"shop/web": web()}, ROOM)
    decision = decide(problem)
    target = decision.services["web"]
    assert (decision.action, decision.scaler, decision.proved) == ("scale", "exact", True)
    assert decision.value == decision.bound
    assert (target.current, target.replicas, target.needed, target.decided_by) == (2, 5, 5, "load")
    assert (target.clusters, target.before, target.changes) == ({"edge-2": 5}, {"edge-2": 2}, True)
    assert (target.load, target.carries, target.throughput) == (505, 520, MODEL)
    assert "4 would carry 410, 95 req/s short" in str(decision)
    assert decision.to_dict()["scale"]["scaler"] == "exact"
    assert "<pre>" in decision._repr_html_()
    assert decide(problem, ExactScaler(max_nodes=1)) == decision


def test_replicas_are_divided_at_least_cost() -> None:
    rooms = {
        "dear": ClusterRoom({"cpu": 8}, price={"cpu": 0.03}),
        "cheap": ClusterRoom({"cpu": 3}, price={"cpu": 0.02}),
    }
    problem = ScalingProblem({"web": web(clusters={"dear": 0, "cheap": 0})}, rooms)
    assert decide(problem).services["web"].clusters == {"dear": 2, "cheap": 3}
    assert problem.clusters["cheap"].price == {"cpu": 0.02}


def test_memory_and_accelerators_count_and_graphs_share_a_cluster() -> None:
    rooms = {"edge-2": ClusterRoom({"cpu": 64, "memory": "8Gi", "nvidia.com/gpu": 2})}
    big = ServiceLoad(100, Throughput(10), max=20, per_replica={"memory": "1Gi"}, clusters={"edge-2": 1})
    gpu = ServiceLoad(
        30,
        Throughput(10),
        max=9,
        per_replica={"memory": "1Gi", "nvidia.com/gpu": 1},
        requires=["nvidia.com/gpu"],
        clusters={"edge-2": 1},
    )
    decision = decide(ScalingProblem({"one/gpu": gpu, "two/big": big}, rooms))
    assert decision.action == "replace" and decision.proved
    lacks = {lack.service: lack for lack in decision.lacks}
    assert (lacks["gpu"].needed, lacks["gpu"].possible, lacks["gpu"].load, lacks["gpu"].carried) == (3, 2, 30, 20)
    assert [reason["resource"] for reason in lacks["gpu"].reasons] == ["memory", "nvidia.com/gpu"]
    assert [reason["resource"] for reason in lacks["big"].reasons] == ["memory"]
    assert decision.replicas == {"gpu": 2, "big": 6}
    assert (decision.value, decision.bound) == (None, None)


def test_the_predecessors_goals_never_scale_down() -> None:
    large = ServiceLoad(60, MODEL, max=20, per_replica={"cpu": 4}, clusters={"edge-2": 1})
    services = {"web": web(60, clusters={"edge-2": 4}), "large": large}
    assert decide(ScalingProblem(services, ROOM)).replicas == {"web": 1, "large": 1}
    assert decide(ScalingProblem(services, ROOM, ScalingGoals.smo())).replicas == {"web": 4, "large": 1}


def test_thresholds() -> None:
    thresholds = Thresholds(up=500, down=50, up_replicas=4)
    for load, replicas in [(505, 4), (100, 2), (40, 1)]:
        assert decide(ScalingProblem({"web": web(load)}, ROOM), ThresholdScaler(thresholds)).replicas == {"web": replicas}
    by_service = ThresholdScaler(services={"shop/web": thresholds})
    both = ScalingProblem({"shop/web": web(), "other/web": web()}, ROOM)
    assert decide(both, by_service).replicas == {"default/shop/web": 4, "default/other/web": 2}
    assert (thresholds.up, thresholds.down, thresholds.up_replicas, thresholds.down_replicas) == (500, 50, 4, 1)
    assert by_service.replicas(both) == {"default/shop/web": 4, "default/other/web": 2}


class Says(Scaler):
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def replicas(self, problem: ScalingProblem) -> Mapping[str, int]:
        if isinstance(self.answer, BaseException):
            raise self.answer
        answer: Mapping[str, int] = self.answer
        return answer


def test_a_scaler_in_python_is_used_named_and_checked() -> None:
    problem = ScalingProblem({"web": web()}, ROOM)
    decision = decide(problem, Says({"web": 3}))
    assert (decision.scaler, decision.replicas, decision.value) == ("Says", {"web": 3}, None)
    assert decision.services["web"].decided_by == "asked"
    assert decide(problem, Says({"web": 9})).action == "replace"
    for answer, fault in [
        ({}, "it says nothing about default/default/web"),
        ({"wbe": 3}, "did you mean web?"),
        ({"web": -1}, "web: -1 is no number of replicas"),
        ({3: 3}, "a service is of type int"),
        ([3], "of type list"),
    ]:
        with pytest.raises(smo.ScalerError, match="the scaler `Says` gave a wrong answer") as caught:
            decide(problem, Says(answer))
        assert any(fault in told for told in caught.value.faults), caught.value.faults
    with pytest.raises(smo.ScalingFailed) as outside:
        decide(ScalingProblem({"web": web(max=4)}, ROOM), Says({"web": 5}))
    assert isinstance(outside.value, (smo.ScalerError, smo.InvalidScaling))
    boom = RuntimeError("boom")
    with pytest.raises(smo.ScalerError, match="RuntimeError: boom") as raised:
        decide(problem, Says(boom))
    assert raised.value.__cause__ is boom
    with pytest.raises(KeyboardInterrupt):
        decide(problem, Says(KeyboardInterrupt()))
    with pytest.raises(smo.ScalerError, match="does not define replicas"):
        decide(problem, Scaler())


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: Throughput(0), "alpha is 0"),
        (lambda: Throughput(-2), "alpha is -2"),
        (lambda: Throughput(math.nan), "alpha is NaN, which is no rate"),
        (lambda: Throughput(1, math.inf), "beta is inf, which is no rate"),
        (lambda: web(math.nan), "the load is NaN, which is no rate"),
        (lambda: decide(ScalingProblem({"web": web(-5)}, ROOM)), "has a load of -5 req/s; a load is not negative"),
        (lambda: decide(ScalingProblem({"web": web(min=4, max=2)}, ROOM)), "a maximum of 2 below its minimum of 4"),
        (lambda: decide(ScalingProblem({"web": web(clusters={})}, ROOM)), "names no cluster that it may run on"),
        (lambda: decide(ScalingProblem({"web": web(clusters={"c": 1})}, ROOM)), "which is no cluster of the problem"),
        (lambda: ScalingProblem({"web": web(), "default/web": web()}, ROOM), "default/web is given twice"),
        (lambda: ClusterRoom({"cpu": 1}, price={"cpu": -1}), "the price of cpu is -1"),
        (lambda: ScalingGoals(money=-1), "the weight of money is -1"),
        (lambda: ScalingGoals.smo(transition=math.nan), "the weight of transition is NaN"),
        (lambda: Thresholds(up=math.nan, down=1, up_replicas=1), "the threshold up is NaN"),
        (lambda: ScalingPolicy(idle_load=math.inf), "idle_load is inf"),
        (lambda: ScalingController(ScalingPolicy(stale_after=0, up_step=(0, 0))), "samples are stale after 0 s"),
        (lambda: ExpectedLoad(math.nan, percent=90, seconds=60), "the expected load is NaN"),
        (lambda: MODEL.needed(math.nan), "the load is NaN"),
    ],
)
def test_bad_input_is_a_typed_error(make: Any, fault: str) -> None:
    with pytest.raises(smo.InvalidScaling) as caught:
        make()
    assert fault in str(caught.value)
    assert caught.value.faults and isinstance(caught.value, ValueError)
    assert not caught.value.retryable


def test_names_that_make_no_sense() -> None:
    for services in ({"W e b": web()}, {"a/b/c/d": web()}):
        with pytest.raises(ValueError):
            ScalingProblem(services, ROOM)
    with pytest.raises(TypeError):
        ScalingProblem({"web": 3}, ROOM)  # type: ignore[dict-item] # pyright: ignore
    with pytest.raises(ValueError, match="up_cooldown"):
        ScalingPolicy(up_cooldown=-1)


def test_values_compare_and_pickle() -> None:
    for value in (MODEL, ScalingGoals(stops=0.5), ScalingGoals.smo(bounded=True)):
        assert pickle.loads(pickle.dumps(value)) == value
        assert copy.copy(value) == value
    assert ScalingGoals() != ScalingGoals.smo()
    assert ScalingGoals.smo().to_dict()["model"] == "smo"
    problem = ScalingProblem({"web": web()}, ROOM)
    assert problem == ScalingProblem({"web": web()}, ROOM)
    assert problem.services["web"] == web() and problem.goals == ScalingGoals()
    assert problem.services["web"].per_replica == {"cpu": 1000}
    assert problem.to_dict()["services"]["default/default/web"]["max"] == 10


def observed(sample: float | None, replicas: int, at: datetime, **more: Any) -> ScalingObservation:
    service = ObservedService(
        sample, MODEL, at=at, max=10, per_replica={"cpu": 1}, clusters={"edge-2": replicas}, **more
    )
    return ScalingObservation({"shop/web": service}, ROOM)


def limits(step: ScalingStep) -> list[str]:
    return step.services["web"].limits


def test_the_controller_is_a_state_machine() -> None:
    controller = ScalingController(ScalingPolicy(down_window=120))
    up = controller.step(observed(505, 2, START), START)
    assert (up.action, up.changes["web"].replicas, up.services["web"].load_from) == ("scale", 5, "measured")
    assert up.at == "2026-01-01T10:00:00Z"
    soon = START + timedelta(seconds=60)
    down = controller.step(observed(60, 5, soon), soon)
    assert down.action == "hold" and "5 within the last 2 min" in limits(down)[0]
    later = START + timedelta(seconds=240)
    assert controller.step(observed(60, 5, later), later).changes["web"].replicas == 1
    with pytest.raises(smo.InvalidScaling, match="time does not run backwards"):
        controller.step(observed(60, 1, soon), soon)
    assert down.to_dict()["at"] == "2026-01-01T10:01:00Z"
    assert "hold" in str(down) and "<pre>" in down._repr_html_()


def test_missing_samples_hold_and_a_restart_forgets_nothing() -> None:
    first = ScalingController()
    first.step(observed(505, 2, START), START)
    stored = json.loads(json.dumps(first.memory()))
    second = ScalingController(memory=stored)
    soon = START + timedelta(seconds=20)
    step = second.step(observed(None, 5, soon), soon)
    assert step.action == "hold" and "which does not mean no load" in limits(step)[0]
    nan = second.step(observed(math.nan, 5, soon), soon)
    assert nan.action == "hold"
    with pytest.raises(ValueError, match="not a memory of a controller"):
        ScalingController(memory={"services": 3})


def test_one_owner_of_replicas() -> None:
    controller = ScalingController()
    owned = controller.step(observed(505, 2, START, owners=["HorizontalPodAutoscaler/web"]), START)
    assert owned.action == "hold"
    assert limits(owned) == ["held: HorizontalPodAutoscaler/web sets this count; remove one of the two"]
    controller = ScalingController()
    controller.step(observed(505, 5, START), START)
    soon = START + timedelta(seconds=30)
    changed = controller.step(observed(505, 7, soon), soon)
    assert changed.action == "hold" and limits(changed)[0].startswith("somebody else changed 5 to 7")
    assert changed.next == "2026-01-01T10:10:30Z"


def test_a_forecast_decides_and_too_little_room_asks_for_another_place() -> None:
    controller = ScalingController(policies={"shop/web": ScalingPolicy(up_step=None)})
    expected = ExpectedLoad(800, percent=90, seconds=60)
    step = controller.step(observed(300, 2, START, expected=expected), START)
    assert step.services["web"].load_from == "expected" and step.changes["web"].replicas == 8
    full = controller.step(observed(1000, 2, START + timedelta(minutes=5)), START + timedelta(minutes=5))
    assert full.action == "replace" and full.lacks[0].possible == 8
    assert (expected.rate, expected.percent, expected.seconds) == (800, 90, 60)


def test_scale_to_zero_and_back() -> None:
    controller = ScalingController(ScalingPolicy(idle_after=60))
    assert controller.step(observed(0, 1, START), START).action == "hold"
    later = START + timedelta(seconds=90)
    assert controller.step(observed(0, 1, later), later).changes["web"].replicas == 0
    awake = START + timedelta(seconds=120)
    assert controller.step(observed(5, 0, awake), awake).changes["web"].replicas == 1


def test_a_scaler_in_python_decides_for_the_controller() -> None:
    controller = ScalingController(ScalingPolicy(up_step=None), scaler=Says({"web": 4}))
    assert controller.step(observed(505, 2, START), START).changes["web"].replicas == 4
    failing = ScalingController(scaler=Says(RuntimeError("boom")))
    with pytest.raises(smo.ScalerError, match="boom") as caught:
        failing.step(observed(505, 2, START), START)
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_moments_and_samples_that_make_no_sense() -> None:
    with pytest.raises(TypeError, match="needs `at`"):
        ObservedService(5, MODEL, max=3, clusters={"edge-2": 1})
    with pytest.raises(ValueError, match="no moment in time"):
        ScalingController().step(observed(505, 2, START), "yesterday")
    with pytest.raises(ValueError, match="no moment in time"):
        ScalingController().step(observed(505, 2, START), START.replace(tzinfo=None))
    with pytest.raises(smo.InvalidScaling, match="has a load of -5"):
        ScalingController().step(observed(-5, 2, START), START)
