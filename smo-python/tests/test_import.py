"""The chain holds: the wheel installs, imports, converts values both ways, and maps errors."""

import importlib.metadata
from pathlib import Path

import pytest

import smo


def test_version_is_the_wheels() -> None:
    assert smo.__version__ == importlib.metadata.version("smo")


def test_the_installed_wheel_is_tested_not_the_source_folder() -> None:
    source = Path(__file__).parents[1] / "python"
    assert not Path(smo.__file__).is_relative_to(source)


def test_the_wheel_carries_its_types() -> None:
    package = Path(smo.__file__).parent
    assert (package / "py.typed").exists()
    assert (package / "_smo.pyi").exists()


def test_values_cross_both_ways() -> None:
    assert smo.cpu_millicores("1500m") == 1500


def test_errors_are_python_errors() -> None:
    with pytest.raises(ValueError, match="lots"):
        smo.cpu_millicores("lots")
