"""Placement problems as files."""

import json
import pickle
from pathlib import Path

import pytest

import smo

SHOP = Path(__file__).parents[2] / "examples/problems/shop.yaml"


def test_a_problem_is_read_and_decided() -> None:
    problem = smo.PlacementProblem.read(SHOP)
    assert list(problem.clusters) == ["edge-1", "edge-2", "cloud-1"]
    assert problem.services["web"].split and problem.services["db"].current == {"cloud-1": 1}
    decision = smo.place(problem)
    assert decision.status == "optimal" and decision.gap == 0.0
    assert problem.verify(decision) == []


def test_it_goes_there_and_back(fleet: smo.Inventory, graph: smo.ApplicationGraph) -> None:
    for problem in (smo.PlacementProblem.read(SHOP), smo.PlacementProblem.pose(fleet, graph)):
        assert smo.PlacementProblem.from_dict(problem.to_dict()) == problem
        assert smo.PlacementProblem.parse(json.dumps(problem.to_dict())) == problem
        assert smo.PlacementProblem.parse(problem.to_yaml()) == problem
        assert pickle.loads(pickle.dumps(problem)) == problem


def test_everything_wrong_is_listed() -> None:
    text = "problem: {services: [{name: web}, {name: p/g/db, pinned: [b]}], clusters: [{name: a, capacity: {cpu: -1}}]}"
    with pytest.raises(smo.InvalidProblem) as caught:
        smo.PlacementProblem.parse(text, name="p.yaml")
    assert [violation.code for violation in caught.value.violations] == ["P002", "F016", "F010"]
    assert "p.yaml" in str(caught.value) and caught.value.hints


def test_code_has_no_place_in_a_file() -> None:
    class Licensed(smo.Rule):
        """Databases run where there is a licence."""

    problem = smo.PlacementProblem.read(SHOP).with_rule(Licensed())
    with pytest.raises(ValueError, match="is code"):
        problem.to_dict()
