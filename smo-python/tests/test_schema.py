"""The JSON Schemas, by a validator that knows nothing of the library."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest

import smo

ROOT = Path(__file__).parents[2]
# Descriptors that were in use before the library; only where they are at hand.
ELSEWHERE = ROOT.parent / "shared/reference/descriptors"
FOUND = [*sorted(ROOT.glob("examples/descriptors/*.yaml")), *sorted(ELSEWHERE.glob("*.yaml"))]
DESCRIPTORS = [path for path in FOUND if path.name != "wrong.yaml"]


def faults(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    jsonschema.Draft202012Validator.check_schema(schema)
    validator: Any = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(document)]


@pytest.mark.parametrize("path", DESCRIPTORS, ids=lambda path: path.name)
def test_descriptors_fit_their_schema(path: Path) -> None:
    assert faults(smo.Descriptor.read(path).to_dict(), smo.json_schema()) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/fleets/*.yaml")), ids=lambda path: path.name)
def test_fleets_fit_their_schema(path: Path) -> None:
    assert faults(smo.Inventory.read(path).to_dict(), smo.fleet_json_schema()) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("examples/problems/*.yaml")), ids=lambda path: path.name)
def test_problems_fit_their_schema(path: Path) -> None:
    assert faults(smo.PlacementProblem.read(path).to_dict(), smo.problem_json_schema()) == []


def test_nonsense_does_not_fit() -> None:
    assert faults({"hdaGraph": {"id": 3, "services": {}}}, smo.json_schema()) != []
    assert faults({"fleet": {"clusters": [{"name": 3}]}}, smo.fleet_json_schema()) != []
    assert faults({"problem": {"services": [{"name": "a/b/c", "repliacs": 1}]}}, smo.problem_json_schema()) != []


def test_the_examples_were_found() -> None:
    assert len(DESCRIPTORS) >= 5
