"""Fleets, and what runs there."""

import copy
import pickle
from pathlib import Path

import pytest

import smo


def test_a_fleet_is_read(fleet: smo.Inventory) -> None:
    assert list(fleet.clusters) == ["edge-1", "edge-2", "edge-3", "cloud-1"]
    assert len(fleet) == 4
    assert fleet.observed_at == "2026-11-24T10:00:00Z"
    assert repr(fleet) == "<smo.Inventory of 4 clusters, 3 ready>"
    edge = fleet.clusters["edge-1"]
    assert (edge.name, edge.ready, edge.reason, edge.region, edge.provider) == (
        "edge-1",
        True,
        None,
        "be-brussels",
        "city",
    )
    assert edge.labels == {"tier": "edge"}
    assert (edge.allocatable["cpu"], edge.allocated["cpu"], edge.free["cpu"]) == ("8", "500m", "7500m")
    assert edge.price["cpu"] == 0.022
    assert edge.carbon == {"intensity": 165, "pue": 1.4, "wattsPerCore": 8}
    dead = fleet.clusters["edge-3"]
    assert (dead.ready, dead.reason, repr(dead)) == (False, "ClusterNotReachable", "<smo.Cluster edge-3: not ready>")
    assert dead.to_dict()["name"] == "edge-3"


def test_it_goes_there_and_back(fleet: smo.Inventory) -> None:
    assert smo.Inventory.from_dict(fleet.to_dict()) == fleet
    assert pickle.loads(pickle.dumps(fleet)) == fleet
    assert copy.deepcopy(fleet) is fleet
    ready = [{"status": "unknown", "reason": "no report"}, {"status": False, "reason": "down"}, True]
    clusters = [{"name": f"c-{i}", "ready": r, "allocatable": {"cpu": 1, "memory": "1Gi"}} for i, r in enumerate(ready)]
    small = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    assert [cluster.reason for cluster in small.clusters.values()] == ["no report", "down", None]
    assert smo.Inventory.from_dict(small.to_dict()) == small


def test_everything_wrong_is_listed() -> None:
    with pytest.raises(smo.InvalidInventory) as caught:
        smo.Inventory.parse("fleet: {clusters: [{name: Edge_1, allocatable: {cpu: lots, memory: 1Gi}}]}", name="f.yaml")
    assert len(caught.value.violations) == 2
    assert "lots" in str(caught.value) and "f.yaml" in str(caught.value)


def test_files(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        smo.Inventory.read(tmp_path / "nowhere.yaml")
    (tmp_path / "f.yaml").write_bytes(b"\xff")
    with pytest.raises(smo.InvalidInventory, match="UTF-8"):
        smo.Inventory.read(tmp_path / "f.yaml")


def test_html_shows_what_is_free(fleet: smo.Inventory) -> None:
    html = fleet._repr_html_()
    assert "7500m of 8" in html and "no: ClusterNotReachable" in html


def test_observed_states(plan: smo.DeploymentPlan) -> None:
    state = plan.expected_state()
    assert state.releases["default/image-detection-graph/noise-reduction"] == {"edge-1": 1}
    assert smo.ObservedState.from_dict(state.to_dict()) == state
    assert repr(state) == "<smo.ObservedState of 2 releases>"
    with pytest.raises(ValueError, match="not an observed state"):
        smo.ObservedState.from_dict({"releases": 3})


def test_a_headroom_is_kept_free() -> None:
    clusters = [{"name": name, "allocatable": {"cpu": 10, "memory": "10Gi"}} for name in ("a", "b")]
    fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
    assert fleet.kept_free == {"a": {}, "b": {}}
    kept = fleet.with_headroom(20).with_headroom(at_least={"cpu": "500m"}, cluster="b")
    assert kept.kept_free == {"a": {"cpu": "2", "memory": "2Gi"}, "b": {"cpu": "500m"}}
    assert kept != fleet and smo.Inventory.from_dict(kept.to_dict()) == kept
    assert kept.to_dict()["fleet"]["headroom"] == {"percent": 20}
    text = "fleet: {headroom: {percent: 20}, clusters: [{name: a, allocatable: {cpu: 10, memory: 10Gi}}]}"
    assert smo.Inventory.parse(text).kept_free == {"a": {"cpu": "2", "memory": "2Gi"}}
    with pytest.raises(smo.InvalidInventory, match="write 0 to 100"):
        smo.Inventory.parse(text.replace("20", "120"))
    with pytest.raises(ValueError, match="101 % is above 100 %"):
        fleet.with_headroom(101)
    with pytest.raises(ValueError, match="c is no cluster of the fleet"):
        fleet.with_headroom(1, cluster="c")
