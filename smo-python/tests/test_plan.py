"""Plans, pictures, differences."""

import copy
import json
import xml.etree.ElementTree as ElementTree

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
