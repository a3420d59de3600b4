"""Descriptors: text, files, dicts; every violation with its place."""

import copy
import pickle
from pathlib import Path

import pytest

import smo

SHOP = """\
hdaGraph:
  id: shop
  flavour: new
  services:
    - id: web
      deployment: {intent: {compute: {cpu: small}, connectionPoints: [db, cache]}}
      artifact: {ociImage: oci://registry.example.com/shop/web, valuesOverwrite: {password: hunter2}}
    - id: db
      artifact: {ociImage: oci://registry.example.com/shop/db}
"""


def test_every_violation_is_listed_with_its_place() -> None:
    with pytest.raises(smo.InvalidDescriptor) as caught:
        smo.Descriptor.parse(SHOP.replace("small", "tiny"), name="shop.yaml").validate()
    error = caught.value
    assert [(v.code, v.severity, v.line) for v in error.violations] == [("E021", "error", 6), ("E012", "error", 6)]
    first = error.violations[0]
    assert first.path == "services[0].deployment.intent.compute.cpu"
    assert (first.column, first.hint is not None) == (44, True)
    assert str(first).startswith("E021 services[0]")
    assert repr(first) == "<smo.Violation E021 at 6:44>"
    assert str(error).startswith("shop.yaml has 2 problems\n --> shop.yaml:6:44")
    assert error.hints == [v.hint for v in error.violations if v.hint]
    assert isinstance(error, smo.InvalidInput) and isinstance(error, ValueError)


def test_violations_and_their_errors_survive_pickling() -> None:
    with pytest.raises(smo.InvalidDescriptor) as caught:
        smo.Descriptor.parse("hdaGraph: {}").validate()
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is smo.InvalidDescriptor
    assert (str(again), again.violations) == (str(caught.value), caught.value.violations)
    assert len({*again.violations, *caught.value.violations}) == len(again.violations)


def test_options_are_heard() -> None:
    descriptor = smo.Descriptor.parse(SHOP)
    with pytest.raises(smo.InvalidDescriptor, match="cache"):
        descriptor.validate()
    graph = descriptor.validate(drop_dangling=True)
    assert [link.callee for link in graph.links] == ["db"]
    assert {"note"} == {note.severity for note in graph.notes}
    assert any("flavour" in note.message or "flavour" in note.path for note in graph.notes)
    with pytest.raises(smo.InvalidDescriptor, match="flavour"):
        descriptor.validate(strict=True, drop_dangling=True)
    tiny = smo.Descriptor.parse(SHOP.replace("small", "tiny"))
    catalog = smo.Catalog().with_cpu_class("tiny", "100m")
    assert tiny.validate(drop_dangling=True, catalog=catalog).services["web"].cpu == "tiny"


def test_text_dict_and_yaml_say_the_same() -> None:
    descriptor = smo.Descriptor.parse(SHOP)
    assert descriptor.text == SHOP
    document = descriptor.to_dict()
    assert document["hdaGraph"]["services"][1]["id"] == "db"
    for other in (smo.Descriptor.from_dict(document), smo.Descriptor.parse(descriptor.to_yaml())):
        assert other.validate(drop_dangling=True) == descriptor.validate(drop_dangling=True)
    assert pickle.loads(pickle.dumps(descriptor)) == descriptor
    assert descriptor != smo.Descriptor.parse("hdaGraph: {id: other}")


def test_files(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere.yaml"
    with pytest.raises(FileNotFoundError) as caught:
        smo.Descriptor.read(missing)
    assert caught.value.filename == str(missing)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("hdaGraph:\n  id: café".encode("latin-1"))
    with pytest.raises(smo.InvalidDescriptor, match="UTF-8") as refused:
        smo.Descriptor.read(str(latin))
    assert (refused.value.violations[0].line, refused.value.violations[0].column) == (2, 10)
    with pytest.raises(IsADirectoryError):
        smo.Descriptor.read(tmp_path)
    good = tmp_path / "shop.yaml"
    good.write_text(SHOP, encoding="utf-8")
    assert smo.Descriptor.read(good).name == str(good)


def test_what_is_no_descriptor() -> None:
    with pytest.raises(TypeError, match="expected a dict, not list"):
        smo.Descriptor.from_dict([])  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError):
        smo.Descriptor.from_dict({"hdaGraph": object()})
    with pytest.raises(smo.InvalidDescriptor):
        smo.Descriptor.parse("hdaGraph: [")


def test_values_are_not_shown_unasked() -> None:
    graph = smo.Descriptor.parse(SHOP).validate(drop_dangling=True)
    service = graph.services["web"]
    assert service.values == {"password": "hunter2"}
    shown = [repr(graph), repr(service), str(service), graph._repr_html_(), repr(smo.Descriptor.parse(SHOP))]
    assert not any("hunter2" in text for text in shown)
    assert copy.copy(graph) is graph
