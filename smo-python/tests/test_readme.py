"""Python blocks of the pages run, in order, page by page; so do the `pip` and `python` commands in their console blocks.

The other half, commands of cargo and Rust blocks, is tested by `tests/readme.rs`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)(?P<mark>```+|~~~+) *(?P<language>\w*)[^`\n]*$")


class Block(NamedTuple):
    """One fenced block: the line of its opening fence, its language, its lines."""

    line: int
    language: str
    lines: list[str]


def blocks(text: str) -> Iterator[Block]:
    lines = iter(enumerate(text.splitlines(), start=1))
    for number, line in lines:
        fence = FENCE.match(line)
        if fence is None:
            continue
        body: list[str] = []
        for _, inner in lines:
            bare = inner.strip()
            if len(bare) >= len(fence["mark"]) and set(bare) == {fence["mark"][0]}:
                break
            body.append(inner.removeprefix(fence["indent"]))
        yield Block(number, fence["language"], body)


def pages() -> list[Path]:
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")]
    return [page for page in [*named, *sorted(ROOT.glob("docs/**/*.md"))] if page.exists()]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run_python(page: str, found: list[Block]) -> int:
    """Runs the Python blocks of one page one after the other in one namespace; returns how many there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    python = [block for block in found if block.language in ("python", "py")]
    for block in python:
        # Empty lines in front make the line numbers of a traceback those of the page.
        source = "\n" * block.line + "\n".join(block.lines)
        exec(compile(source, page, "exec"), namespace)
    return len(python)


def commands(found: list[Block]) -> Iterator[tuple[int, list[str]]]:
    for block in found:
        if block.language in ("console", "sh", "bash", "shell"):
            for offset, line in enumerate(block.lines, start=1):
                words = line.removeprefix("$ ").split()
                if line.startswith("$ ") and words[0] in ("python", "pip"):
                    yield block.line + offset, words


def runnable(words: list[str]) -> list[str]:
    """The command as this environment runs it: `pip install` only looks whether the freshly built wheel would do."""
    match words:
        case ["python", *arguments]:
            return [sys.executable, *arguments]
        case ["pip", "install", *arguments]:
            offline = ["--dry-run", "--no-index", "--no-deps", "--find-links", str(ROOT / "target/wheels")]
            return [sys.executable, "-m", "pip", "install", *offline, *arguments]
        case _:
            raise ValueError(f"`{' '.join(words)}` is not understood; teach test_readme.py, or show it in a `text` block")


@pytest.mark.parametrize("page", pages(), ids=name)
def test_python_blocks_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    run_python(name(page), list(blocks(page.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("page", pages(), ids=name)
def test_python_commands_run(page: Path) -> None:
    for line, words in commands(list(blocks(page.read_text(encoding="utf-8")))):
        result = subprocess.run(runnable(words), cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{name(page)}:{line}: {' '.join(words)}\n{result.stdout}{result.stderr}"


SAMPLE = """\
```python
first = 1
```
- in a list:
  ~~~python
  if first:
      second = first + 1
  ~~~
```console
$ pip install smo
Successfully installed
$ cargo xtask test
$ python -m this
```
```python
assert second == 2
raise KeyError("proof")
```
"""


def test_the_harness_finds_and_runs_blocks() -> None:
    found = list(blocks(SAMPLE))
    assert [(block.line, block.language) for block in found] == [(1, "python"), (5, "python"), (9, "console"), (15, "python")]
    with pytest.raises(KeyError, match="proof") as failure:
        run_python("sample.md", found)
    assert failure.traceback[-1].lineno == 16  # counted from 0: line 17 of the page
    assert run_python("sample.md", found[:2]) == 2


def test_the_harness_finds_commands() -> None:
    assert list(commands(list(blocks(SAMPLE)))) == [(10, ["pip", "install", "smo"]), (13, ["python", "-m", "this"])]
    assert runnable(["python", "-m", "this"]) == [sys.executable, "-m", "this"]
    assert runnable(["pip", "install", "smo"])[-1] == "smo"
    with pytest.raises(ValueError, match="pip uninstall"):
        runnable(["pip", "uninstall", "smo"])
