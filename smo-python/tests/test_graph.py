"""The validated graph."""

import copy
import pickle

import pytest

import smo


def test_it_reads_like_its_descriptor(graph: smo.ApplicationGraph) -> None:
    assert (graph.id, graph.version, graph.im_version) == ("image-detection-graph", "1.0.0", "0.4.0")
    assert graph.designer == "SMO"
    assert graph.description is not None
    assert list(graph.services) == ["image-compression-vo", "noise-reduction", "image-detection"]
    link = graph.links[1]
    assert (link.caller, link.callee, link.latency) == ("noise-reduction", "image-detection", "ultralow")
    assert graph.intent["highAvailability"] is False
    assert graph.notes == []
    assert repr(graph) == "<smo.ApplicationGraph image-detection-graph: 3 services, 2 links>"


def test_a_service_says_what_it_asks_for(graph: smo.ApplicationGraph) -> None:
    detection = graph.services["image-detection"]
    assert (detection.cpu, detection.memory, detection.storage, detection.gpu) == ("medium", "medium", "medium", True)
    assert detection.chart == "oci://registry.example.com/brussels/image-detection"
    assert (detection.starts_after, detection.events) == (["noise-reduction"], [])
    assert graph.services["image-compression-vo"].events == ["main-event"]
    assert detection.to_dict()["id"] == detection.id


def test_quantities_are_printed_as_kubernetes_does() -> None:
    web = {
        "id": "web",
        "deployment": {"intent": {"compute": {"cpu": 1.5, "ram": "512Mi"}}},
        "artifact": {"ociImage": "oci://registry.example.com/shop/web"},
    }
    service = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": [web]}}).validate().services["web"]
    assert (service.cpu, service.memory, service.storage) == ("1500m", "512Mi", None)


def test_order_and_callers(graph: smo.ApplicationGraph) -> None:
    assert graph.start_waves() == [["image-compression-vo", "noise-reduction"], ["image-detection"]]
    assert graph.importers("noise-reduction") == ["image-compression-vo"]
    with pytest.raises(KeyError, match="did you mean noise-reduction"):
        graph.importers("noise-reductoin")


def test_it_goes_there_and_back(graph: smo.ApplicationGraph) -> None:
    assert smo.Descriptor.parse(graph.to_yaml()).validate() == graph
    assert smo.Descriptor.from_dict(graph.to_dict()).validate() == graph
    assert pickle.loads(pickle.dumps(graph)) == graph
    assert copy.deepcopy(graph) is graph


def test_html_is_escaped() -> None:
    web = {
        "id": "web",
        "deployment": {"intent": {"compute": {"cpu": "<b>"}}},
        "artifact": {"ociImage": "oci://r.io/shop/web"},
    }
    catalog = smo.Catalog().with_cpu_class("<b>", "1")
    document = {"hdaGraph": {"id": "shop", "services": [web]}}
    html = smo.Descriptor.from_dict(document).validate(catalog=catalog)._repr_html_()
    assert "&lt;b&gt;" in html and "<b>" not in html
