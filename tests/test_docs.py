"""Every example of the README and of docs/ runs, prints what it says, and every link leads somewhere.

In a `python` block, `# → text` after a statement is what that statement prints; a `text` block right after a `python`
block is all that the block prints. The blocks of a page share their names. In an `sh` block every line that begins with
`ferraug` is run, and must exit with 0 or with the code after `# exit`.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.M | re.S)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """(line, language, text) of every fenced block."""
    text = page.read_text(encoding="utf-8")
    return [(text[: m.start()].count("\n") + 2, m[2], dedent(m[3])) for m in BLOCK.finditer(text)]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with a copy of the samples in it."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_examples(page: Path, place: Path) -> None:
    """Python and shell examples, in the order of the page."""
    names: dict[str, Any] = {"__name__": "example"}
    found = blocks(page)
    for i, (line, language, text) in enumerate(found):
        where = f"{named(page)}:{line}"
        if language == "python":
            printed = run_python(text, where, line, page, names)
            if i + 1 < len(found) and found[i + 1][1] == "text":
                assert printed.strip() == found[i + 1][2].strip(), where
        elif language == "sh":
            run_shell(text, where)


def run_python(text: str, where: str, line: int, page: Path, names: dict[str, Any]) -> str:
    """Runs one block; what it prints, which must be what its comments say."""
    code = compile("\n" * (line - 1) + text, str(page), "exec")
    output = io.StringIO()
    with contextlib.redirect_stdout(output), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        exec(code, names)
    said = [m[1].rstrip() for m in re.finditer(r"#\s+→ (.*)$", text, re.M)]
    if said:
        assert output.getvalue().rstrip("\n").split("\n") == said, where
    return output.getvalue()


def run_shell(text: str, where: str) -> None:
    """Runs the lines of one block that call `ferraug`."""
    for command in text.replace("\\\n", " ").splitlines():
        command, _, note = command.partition("#")
        words = shlex.split(command)
        if not words or words[0] != "ferraug":
            continue
        wanted = int(note.split()[1]) if note.split()[:1] == ["exit"] else 0
        done = subprocess.run([sys.executable, "-m", "ferraug.cli", *words[1:]], capture_output=True, text=True, timeout=120)
        assert done.returncode == wanted, f"{where}: {command}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links(page: Path) -> None:
    """Relative links lead to files, and fragments to headings."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{named(page)}: {link}"
        if fragment and target.suffix == ".md":
            assert fragment in headings(target), f"{named(page)}: {link}"


def headings(page: Path) -> set[str]:
    """The fragments of a page's headings, as the usual viewers make them."""
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}


def test_state_of_the_work() -> None:
    """The README's table names every transform and composition that exists, and no other."""
    import ferraug as A

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("## State of the work")[1].split("\n## ")[0]
    named_there = {name for row in re.findall(r"^\| .*$", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    exist = {
        name
        for name in A.__all__
        if isinstance(getattr(A, name), type) and issubclass(getattr(A, name), (A.Transform, A.BasicTransform, A.BaseCompose))
    } - {"Transform", "BaseCompose"}
    assert named_there == exist
