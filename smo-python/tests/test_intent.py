"""Catalogues, and intents in amounts."""

from pathlib import Path

import pytest

import smo


def test_classes_may_be_added_and_changed() -> None:
    catalog = smo.Catalog().with_cpu_class("small", "2").with_memory_class("huge", "1Ti").with_storage_class("s", "1G")
    assert catalog.classes("cpu")["small"] == "2"
    assert catalog.classes("memory")["huge"] == "1Ti"
    assert catalog.classes("storage")["s"] == "1G"
    assert smo.Catalog().classes("cpu")["small"] == "1"
    assert catalog != smo.Catalog()
    assert smo.Catalog.empty().classes("cpu") == {}
    assert repr(smo.Catalog()) == "<smo.Catalog of 12 classes>"


def test_what_makes_no_sense_is_refused() -> None:
    catalog = smo.Catalog()
    with pytest.raises(ValueError, match="lots"):
        catalog.with_cpu_class("tiny", "lots")
    with pytest.raises(ValueError, match="no cpu class is called tiny"):
        catalog.with_default_class("cpu", "tiny")
    with pytest.raises(ValueError, match="one of cpu, memory, storage"):
        catalog.classes("gpu")
    with pytest.raises(ValueError, match="one of ultralow, low, best-effort"):
        catalog.with_latency("quick")
    with pytest.raises(ValueError, match="positive"):
        catalog.with_latency("low", rtt_below=0)
    with pytest.raises(ValueError, match="extended"):
        catalog.with_accelerator("gpu")


def test_a_catalogue_is_read(tmp_path: Path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("catalog: {cpu: {tiny: 100m}}", encoding="utf-8")
    document = {"catalog": {"cpu": {"tiny": "100m"}}}
    assert smo.Catalog.read(path) == smo.Catalog.from_dict(document)
    assert smo.Catalog.read(path).classes("cpu")["tiny"] == "100m"
    with pytest.raises(smo.InvalidCatalog) as caught:
        smo.Catalog.parse("catalog: {cpu: {tiny: lots}}")
    assert [violation.code for violation in caught.value.violations] == ["C002"]
    with pytest.raises(FileNotFoundError):
        smo.Catalog.read(tmp_path / "nowhere.yaml")


def test_requirements_are_a_mapping(graph: smo.ApplicationGraph) -> None:
    needs = smo.translate(graph)
    assert needs["image-detection"] == {"cpu": "4", "memory": "2Gi", "nvidia.com/gpu": "1", "storage": "20G"}
    assert list(needs) == list(graph.services) == needs.keys()
    assert len(needs) == 3 and "web" not in needs
    assert dict(needs)["noise-reduction"]["cpu"] == "1"
    assert needs.replicas == dict.fromkeys(graph.services, 1)
    assert "under 10 ms (ultralow)" in str(needs)
    assert needs.to_dict()["links"][1]["class"] == "ultralow"
    assert needs == smo.translate(graph) != smo.translate(graph, smo.Catalog().with_cpu_class("small", "2"))
    with pytest.raises(KeyError):
        needs["web"]


def test_latency_and_accelerator_of_a_catalogue_count(graph: smo.ApplicationGraph) -> None:
    catalog = smo.Catalog().with_latency("ultralow", rtt_below=2.5, max_hops=1).with_accelerator("amd.com/gpu", 2)
    needs = smo.translate(graph, catalog)
    assert needs["image-detection"]["amd.com/gpu"] == "2"
    assert "under 2.5 ms and at most 1 hop" in str(needs)


def test_an_unknown_class_has_hints(graph: smo.ApplicationGraph) -> None:
    with pytest.raises(smo.TranslateError, match="unknown class `light`") as caught:
        smo.translate(graph, smo.Catalog.empty().with_cpu_class("small", "1"))
    assert caught.value.hints == ["one of small, or a quantity"]
