"""Python blocks of the pages run, in order, page by page; so do the `pip` and `python` commands in their console blocks.
Blocks marked `python live` need real servers: they are compiled and their types checked here, and run by `test_live.py`.

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
FENCE = re.compile(r"^(?P<indent> *)(?P<mark>```+|~~~+) *(?P<language>\w*)(?P<rest>[^`\n]*)$")


class Block(NamedTuple):
    """One fenced block: the line of its opening fence, its language, its lines, whether it needs real servers."""

    line: int
    language: str
    lines: list[str]
    live: bool = False

    @property
    def source(self) -> str:
        """Its text, below empty lines that make the line numbers of a traceback those of the page."""
        return "\n" * self.line + "\n".join(self.lines)


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
        yield Block(number, fence["language"], body, "live" in fence["rest"].split())


def pages() -> list[Path]:
    named = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md")]
    return [page for page in [*named, *sorted(ROOT.glob("docs/**/*.md"))] if page.exists()]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run_python(page: str, found: list[Block], *, live: bool = False) -> int:
    """Runs the Python blocks of one page, live ones or the others, one after the other in one namespace; returns how many
    there were."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    python = [block for block in found if block.language in ("python", "py") and block.live == live]
    for block in python:
        exec(compile(block.source, page, "exec"), namespace)
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


def test_live_python_blocks_have_right_types(tmp_path: Path) -> None:
    checked = 0
    for page in pages():
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.live:
                script = tmp_path / f"{page.stem}_{block.line}.py"
                script.write_text(block.source, encoding="utf-8")
                checked += 1
    assert checked > 0
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)]
    result = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


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
```python live
second = first + 2
```
"""


def test_the_harness_finds_and_runs_blocks() -> None:
    found = list(blocks(SAMPLE))
    places = [(block.line, block.language) for block in found]
    assert places == [(1, "python"), (5, "python"), (9, "console"), (15, "python"), (19, "python")]
    assert [block.live for block in found] == [False, False, False, False, True]
    with pytest.raises(KeyError, match="proof") as failure:
        run_python("sample.md", found)
    assert failure.traceback[-1].lineno == 16  # counted from 0: line 17 of the page
    assert run_python("sample.md", found[:2]) == 2
    with pytest.raises(NameError):
        run_python("sample.md", found, live=True)


def test_the_harness_finds_commands() -> None:
    assert list(commands(list(blocks(SAMPLE)))) == [(10, ["pip", "install", "smo"]), (13, ["python", "-m", "this"])]
    assert runnable(["python", "-m", "this"]) == [sys.executable, "-m", "this"]
    assert runnable(["pip", "install", "smo"])[-1] == "smo"
    with pytest.raises(ValueError, match="pip uninstall"):
        runnable(["pip", "uninstall", "smo"])
