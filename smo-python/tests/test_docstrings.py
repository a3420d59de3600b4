"""Examples in docstrings are run, those of the compiled module too (pytest's own collector only reads `.py` files)."""

import doctest
import inspect
from collections.abc import Iterator

import pytest

import smo
import smo.aio

MODULES = {
    "smo": smo,
    "smo.aio": smo.aio,
    "smo.artifact": smo.artifact,
    "smo.ask": smo.ask,
    "smo.forecast": smo.forecast,
    "smo.karmada": smo.karmada,
    "smo.profile": smo.profile,
    "smo.replay": smo.replay,
    "smo.scaling": smo.scaling,
}


def public() -> list[tuple[str, object]]:
    """Every public name of the package."""
    return [(f"{name}.{part}", getattr(module, part)) for name, module in MODULES.items() for part in module.__all__]


def documented() -> Iterator[tuple[str, str]]:
    """Every public name of the package and of its classes that has a docstring with examples."""
    seen: list[tuple[str, object]] = [*MODULES.items(), *public()]
    for name, value in list(seen):
        if inspect.isclass(value) and value.__module__.split(".")[0] == "smo":
            seen += [(f"{name}.{member}", part) for member, part in vars(value).items()]
    # `smo.artifact` is a module, and a name of `smo`.
    for name, value in dict(seen).items():
        if isinstance(value, str):
            continue
        text = inspect.getdoc(value)
        if text and ">>>" in text:
            yield name, text


@pytest.mark.parametrize(("name", "text"), [pytest.param(*case, id=case[0]) for case in documented()])
def test_examples_hold(name: str, text: str) -> None:
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, None)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


def test_everything_is_documented() -> None:
    bare: list[str] = []
    for name, value in public():
        if isinstance(value, str):
            continue
        parts = {name: value}
        if inspect.isclass(value):
            members = ((member, part) for member, part in vars(value).items() if not member.startswith("_"))
            parts |= {f"{name}.{member}": part for member, part in members}
        bare += [part for part, thing in parts.items() if not inspect.getdoc(thing)]
    assert bare == []
