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


def test_the_wheel_carries_the_licences_of_what_is_in_it() -> None:
    files = importlib.metadata.files("smo") or []
    notices = [file for file in files if file.name == "THIRD-PARTY-NOTICES.txt"]
    assert len(notices) == 1, files
    text = notices[0].read_text(encoding="utf-8")
    assert text == (Path(__file__).parents[1] / "THIRD-PARTY-NOTICES.txt").read_text(encoding="utf-8")
    assert text.startswith("MIT License")
    for crate in ("serde", "tokio", "kube", "rustls", "pyo3", "microlp"):
        assert f"\n{crate} " in text, crate
