"""The chain holds: the wheel installs, imports, converts values both ways, and maps errors."""

import importlib.metadata
from pathlib import Path

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


