"""Replays with known policies and with one of Python."""

import pytest

import smo
from smo.forecast import LoadSeries, generate_load
from smo.replay import ReplayPolicy, ReplayView, Workload, replay


def test_a_policy_of_python_decides() -> None:
    seen: list[tuple[int, float | None, int, int]] = []

    def follow(view: ReplayView) -> int:
        seen.append((view.tick, view.sample, view.asked, view.ready))
        return workload.needed(view.sample or 0.0)

    workload = Workload(LoadSeries([10.0, 30.0, 30.0, 30.0, 30.0], 15), 10, sample_window=15)
    outcome = replay(workload, follow, timeline=True)
    assert seen == [(0, None, 1, 1), (1, 10.0, 1, 1), (2, 30.0, 1, 1), (3, 30.0, 3, 1), (4, 30.0, 3, 3)]
    assert outcome.timeline == [(10.0, 1, 1), (30.0, 1, 1), (30.0, 3, 1), (30.0, 3, 1), (30.0, 3, 3)]
    assert outcome.policy == "follow" and outcome.violation_share == 3 / 5
    assert outcome.actions == 1 and outcome.peak == 3
    assert outcome.to_dict()["replicaHours"] == outcome.replica_hours
    assert str(outcome).startswith("follow: 60.00 %")


def test_what_a_policy_raises_is_raised() -> None:
    def broken(view: ReplayView) -> int:
        raise RuntimeError(f"at {view.tick}")

    workload = Workload(LoadSeries([1.0] * 3, 15), 10)
    with pytest.raises(RuntimeError, match="at 0"):
        replay(workload, broken)
    with pytest.raises(OverflowError):
        replay(workload, lambda view: -1)
    with pytest.raises(TypeError, match="a ReplayPolicy or a callable"):
        replay(workload, 3)  # type: ignore[arg-type]


def test_the_forecast_is_compared_with_others() -> None:
    workload = Workload(generate_load(seed=3, days=6), 10, first=3 * 1440)
    ours = replay(workload, ReplayPolicy.predictive())
    best = replay(workload, ReplayPolicy.foresight())
    assert best.violation_share == 0 and best.replica_hours < ours.replica_hours
    targets = (replay(workload, ReplayPolicy.hpa(target)) for target in range(100, 49, -1))
    rival = next(outcome for outcome in targets if outcome.replica_hours >= ours.replica_hours)
    assert ours.violation_share < rival.violation_share
    for policy in (ReplayPolicy.keda(80), ReplayPolicy.predecessor(), ReplayPolicy.measured()):
        assert replay(workload, policy).policy == policy.name


def test_bad_workloads_are_refused() -> None:
    load = LoadSeries([1.0, 2.0], 15)
    for fault, arguments in [
        ("alpha", {"alpha": 0}),
        ("alpha", {"alpha": float("nan")}),
        ("below the minimum", {"alpha": 1, "min": 3, "max": 2}),
        ("nothing is left", {"alpha": 1, "first": 2}),
        ("tick", {"alpha": 1, "tick": 0}),
    ]:
        with pytest.raises(smo.InvalidSamples, match=fault):
            Workload(load, **arguments)  # type: ignore[arg-type]
    with pytest.raises(smo.InvalidSamples, match="target"):
        ReplayPolicy.hpa(0)
    with pytest.raises(smo.InvalidSamples, match="quantile"):
        ReplayPolicy.predictive(100)
