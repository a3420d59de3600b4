"""What would happen: scenarios on a fleet in memory, and one step of scaling on a fleet."""

import math
import xml.etree.ElementTree
from typing import Any

import pytest

import smo
from smo.scaling import Autoscaler, ScaledService, ScalingPolicy, SimulationResult, Throughput, simulate

FLEET = smo.Inventory.parse("""
fleet:
  clusters:
    - {name: edge, allocatable: {cpu: 3, memory: 64Gi}, price: {cpu: 0.01}}
    - {name: cloud, allocatable: {cpu: 64, memory: 64Gi}, price: {cpu: 0.10}}
""")
GRAPH = smo.Descriptor.parse(
    "hdaGraph: {id: shop, services: [{id: web, deployment: {intent: {compute: {cpu: small}}}, "
    "artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
).validate()


def autoscaler(**more: Any) -> Autoscaler:
    service = ScaledService("web_requests", Throughput(10), max=8, **more)
    return Autoscaler("shop", {"shop/web": service}, [GRAPH], policy=ScalingPolicy(down_window=120))


def run(**more: Any) -> SimulationResult:
    return simulate(FLEET, autoscaler(), {"shop/web": [5, 55]}, step=600, duration=1800, **more)


def test_load_that_does_not_fit_moves_to_where_there_is_room() -> None:
    result = run()
    web = result.services["web"]
    assert web.tick == 15 and len(web.load) == len(web.capacity) == 121
    assert web.clusters[20] == {"edge": 1} and web.clusters[60] == {"cloud": 6}
    assert (web.ready[20], web.ready[60], web.load[60], web.capacity[60]) == (1, 6, 55, 60)
    assert result.moves == 1 and result.scalings >= 1
    assert 0 < web.violations < 0.1 and 0 < web.unserved < 0.1 and web.replica_hours > 1 and 0 < web.spare < 1
    assert "web moved from edge to cloud" in [told for _, told in result.happenings]
    assert "web moved from edge to cloud" in str(result)
    assert result == run() and result.to_dict()["services"]["default/shop/web"]["tick"] == 15


def test_what_if_a_cluster_fails_or_pods_start_slowly() -> None:
    lost = run(outages=[("cloud", 1200, 1500)])
    assert "cloud fails" in [told for _, told in lost.happenings]
    assert lost.services["web"].violations > run().services["web"].violations
    assert run(pod_start=60).services["web"].violations > run().services["web"].violations
    weak = run(throughputs={"shop/web": Throughput(8)})
    assert weak.services["web"].violations > 0.5
    edited = simulate(FLEET, autoscaler(), {"shop/web": [(0, 15)]}, duration=540, edits=[(180, "shop/web", 3)])
    assert edited.services["web"].ready[36] == 3


def test_load_that_is_to_come_is_decided_for() -> None:
    """Ten quiet minutes, ten busy ones, again and again: with a forecast, replicas are there before the load."""
    load = [5.0] * 10 + [28.0] * 10
    without, *ahead = (
        simulate(FLEET, autoscaler(**more), {"shop/web": load * 6}, duration=7200, pod_start=30)
        for more in (
            {},
            {"season": 1200, "history": 3600},
            {"season": 1200, "model": "holt-winters"},
            {"model": "seasonal-naive", "history": 3600},
            {"model": "holt-winters", "history": 3600},
        )
    )
    for result in ahead:
        assert result.services["web"].violations < without.services["web"].violations


def test_forecasts_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="there is no model crystal-ball; there are holt-winters"):
        autoscaler(model="crystal-ball")
    with pytest.raises(smo.InvalidSamples, match="quantile of 100 %"):
        autoscaler(season=1200, percent=100)
    with pytest.raises(smo.InvalidSamples, match="step is zero"):
        autoscaler(season=1200, step=0)


def test_the_picture_is_xml_and_a_notebook_shows_it() -> None:
    result = run()
    root = xml.etree.ElementTree.fromstring(result.to_svg())
    assert root.tag.endswith("svg")
    assert "default/shop/web" in result.to_svg()
    assert result._repr_html_().startswith("<svg")


@pytest.mark.parametrize(
    ("loads", "more", "fault"),
    [
        ({"shop/web": []}, {}, "at least one rate"),
        ({"shop/web": [1, -2]}, {}, "rate 1 of a trace of load is -2"),
        ({"shop/web": [math.nan]}, {}, "is NaN"),
        ({"shop/web": [(0, 1), (20, 1), (10, 1)]}, {}, "sort them by time"),
        ({"shop/web": [1]}, {"step": 0}, "step of a trace of load is above zero"),
        ({}, {}, "has no trace of load"),
        ({"shop/web": [1], "shop/db": [1]}, {}, "no service of the autoscaler"),
        ({"shop/web": [1]}, {"outages": [("moon", 1, 2)]}, "the fleet has no cluster moon"),
        ({"shop/web": [1]}, {"outages": [("edge", 2, 1)]}, "edge returns before it fails"),
        ({"shop/web": [1]}, {"tick": 0}, "the tick of a simulation is above zero"),
    ],
)
def test_scenarios_that_make_no_sense_are_typed_errors(loads: Any, more: dict[str, Any], fault: str) -> None:
    with pytest.raises(smo.InvalidScaling, match=fault):
        simulate(FLEET, autoscaler(), loads, duration=60, **more)


def test_what_cannot_be_deployed_is_told() -> None:
    tiny = smo.Inventory.parse("fleet: {clusters: [{name: tiny, allocatable: {cpu: 100m, memory: 64Gi}}]}")
    with pytest.raises(smo.Infeasible):
        simulate(tiny, autoscaler(), {"shop/web": [1]}, duration=60)


def test_one_step_on_a_fleet() -> None:
    fleet = smo.InMemoryFleet(FLEET)
    metrics = smo.InMemoryMetrics()
    orchestrator = smo.Orchestrator(fleet, metrics=metrics)
    orchestrator.deploy(GRAPH)
    report = orchestrator.autoscale(autoscaler())
    assert report.step.action == "hold" and report.scaled == {}
    metrics.record("web_requests", 25, fleet.now)
    report = orchestrator.autoscale(autoscaler())
    assert report.scaled == {"default/shop/web": None} and report.replaced == {}
    assert orchestrator.observe("shop").releases["default/shop/web"] == {"edge": 3}
    assert (report.absent, report.troubles) == ([], [])
    assert "web 1 -> 3 replicas on edge" in str(report) and report.next > fleet.now
    assert "<pre>" in report._repr_html_()
    fleet.advance(60)
    metrics.record("web_requests", 55, fleet.now)
    report = orchestrator.autoscale(autoscaler())
    assert report.step.action == "replace" and report.replaced == {"default/shop": None}
    assert orchestrator.observe("shop").releases["default/shop/web"] == {"cloud": 3}


def test_other_owners_are_seen_and_left_alone() -> None:
    fleet = smo.InMemoryFleet(FLEET)
    metrics = smo.InMemoryMetrics()
    orchestrator = smo.Orchestrator(fleet, metrics=metrics)
    orchestrator.deploy(GRAPH)
    metrics.record("web_requests", 25, fleet.now)
    fleet.add_autoscaler("default/shop/web", "HorizontalPodAutoscaler/web")
    assert fleet.release("default/shop/web").owners == ["HorizontalPodAutoscaler/web"]
    report = orchestrator.autoscale(autoscaler())
    assert report.step.action == "hold"
    assert "HorizontalPodAutoscaler/web sets this count" in report.step.services["web"].limits[0]
    fleet.remove_autoscaler("default/shop/web", "HorizontalPodAutoscaler/web")
    fleet.edit_replicas("default/shop/web", 2)
    assert fleet.release("default/shop/web").owners == []
    assert orchestrator.observe("shop").releases["default/shop/web"] == {"edge": 2}
