"""The house keeps its order: who may use whom, where `unsafe` may live, how long a file may be."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"
PYTHON = ROOT / "python" / "ferraug"

# room -> rooms it may use; rooms that are not here do not exist
ARROWS = {
    "error": set(), "simd": set(),
    "math": {"simd"},  # its vector forms are one text compiled for every level
    "rng": {"math"}, "geom": {"math", "error"},
    "image": {"error"},
    "kernel": {"image", "simd", "rng", "math", "error"},
    "op": {"geom", "kernel", "image", "rng", "math", "error"},
    "plan": {"op", "geom", "image", "error"},
    "exec": {"plan", "op", "kernel", "geom", "image", "error", "rng", "math"},
    "codec": {"image", "error", "kernel"},
    "py": {"exec", "plan", "op", "image", "rng", "geom", "math", "codec", "error", "simd"},
}  # fmt: skip
UNSAFE = ("simd/", "kernel/x86/", "kernel/neon/", "image/view.rs", "py/buffer.rs", "py/pages.rs", "exec/batch.rs")


def rust() -> list[Path]:
    return sorted(SRC.rglob("*.rs"))


def name(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def code(path: Path) -> str:
    """The file without its comments, strings and unit tests."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r'"(?:\\.|[^"\\])*"', '""', text, flags=re.DOTALL)
    return re.split(r"#\[cfg\(test\)\]\s*mod \w+\s*\{", text)[0]


def is_test(path: Path) -> bool:
    return path.stem.endswith("tests") or path.stem == "tests"


def used_rooms(text: str) -> set[str]:
    rooms: set[str] = set()
    for group in re.findall(r"\bcrate::\{([^;]*?)\};", text, re.DOTALL):
        depth, word, words = 0, "", []
        for char in group + ",":
            depth += (char == "{") - (char == "}")
            if char == "," and depth == 0:
                words.append(word.strip())
                word = ""
            else:
                word += char
        rooms.update(re.split(r"::|\s", word)[0] for word in words if word)
    rooms.update(re.findall(r"\bcrate::(\w+)", text))
    return {room for room in rooms if room in ARROWS}


def test_every_room_is_known() -> None:
    rooms = {path.stem if path.is_file() else path.name for path in SRC.iterdir()} - {"lib"}
    assert rooms <= set(ARROWS), f"no arrow is drawn for {rooms - set(ARROWS)}"
    assert {"kernel", "op", "plan", "exec", "image", "geom", "py"} <= rooms


@pytest.mark.parametrize("path", [path for path in rust() if path.name != "lib.rs" and not is_test(path)], ids=name)
def test_arrows(path: Path) -> None:
    room = path.relative_to(SRC).parts[0].removesuffix(".rs")
    used = used_rooms(code(path)) - {room}
    assert used <= ARROWS[room], f"{name(path)}: {room} uses {sorted(used - ARROWS[room])}"


def test_the_scan_sees_uses() -> None:
    """A test of the test: it would be of no worth if it found nothing."""
    assert used_rooms("use crate::{op::{Op, Role}, image::Shape, error::Result};") == {"op", "image", "error"}
    assert used_rooms("use crate::plan::Plan; fn f() { crate::geom::sin(1.0) }") == {"plan", "geom"}
    everything = set().union(*(used_rooms(code(path)) for path in rust()))
    assert {"image", "kernel", "op", "error", "plan"} <= everything


def test_only_py_speaks_python() -> None:
    for path in rust():
        if not name(path).startswith("py/") and path.name != "lib.rs":
            assert not re.search(r"\b(pyo3|numpy)::", code(path)), f"{name(path)} uses pyo3 or numpy"


def test_unsafe_lives_in_its_rooms() -> None:
    found = 0
    for path in rust():
        if re.search(r"\bunsafe\b", code(path).replace("unsafe_code", "").replace("unsafe_op_in_unsafe_fn", "")):
            found += 1
            assert name(path).startswith(UNSAFE), f"{name(path)} has unsafe code"
    assert found, "the scan finds nothing"


@pytest.mark.parametrize("path", [path for path in rust() if name(path).startswith(UNSAFE)], ids=name)
def test_every_unsafe_block_says_why_it_is_sound(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if line.lstrip().startswith("//") or not re.search(r"\bunsafe\s*(\{|impl\b)", line):
            continue
        above = number
        # the comment stands on the same line, or above the statement that the block is in
        near = [line]
        while above > 0 and number - above < 12:
            above -= 1
            near.append(lines[above])
            if "SAFETY" in lines[above] or lines[above].strip() in ("", "}"):
                break
        assert any(re.search(r"// SAFETY( \(whole body\))?:", text) for text in near), (
            f"{name(path)}:{number + 1}: unsafe without a SAFETY comment"
        )


def test_clippy_forbids_the_c_librarys_mathematics() -> None:
    text = (ROOT / "clippy.toml").read_text(encoding="utf-8")
    for function in ("exp", "ln", "powf", "sin", "cos", "atan2", "mul_add"):
        for width in ("f32", "f64"):
            assert f"{width}::{function}" in text, f"clippy.toml allows {width}::{function}"


def test_no_fused_multiply_add() -> None:
    for path in rust():
        assert not re.search(r"\.mul_add\(|_mm\d*_f(n?m(add|sub))", code(path)), name(path)


@pytest.mark.parametrize(
    "path", rust() + sorted(PYTHON.rglob("*.py")), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_length(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 600, f"{lines} lines; files stay under 600: split it by meaning"


# -- Python ----------------------------------------------------------------------------------------------------------

TRANSFORMS = sorted((PYTHON / "transforms").glob("*.py"))


def imports(path: Path) -> set[str]:
    """The modules that a file imports, whenever it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
            if node.module == "ferraug":
                found.update(f"ferraug.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", TRANSFORMS, ids=lambda path: path.name)
def test_transforms_are_declarations(path: Path) -> None:
    allowed = {
        "__future__",
        "typing",
        "warnings",
        "ferraug.transform",
        "ferraug.params",
        "ferraug.context",
        "collections.abc",
    }
    used = {name for name in imports(path) if not name.startswith("ferraug.transforms")}
    assert used <= allowed, f"{path.name} imports {sorted(used - allowed)}"


@pytest.mark.parametrize("path", TRANSFORMS, ids=lambda path: path.name)
def test_transforms_compute_nothing_that_depends_on_the_c_library(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id not in ("math", "np", "numpy", "random", "cmath", "_core"), (
                f"{path.name}:{node.lineno}"
            )
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            power = node.right
            whole = isinstance(power, ast.Constant) and isinstance(power.value, int)
            assert whole, f"{path.name}:{node.lineno}: a real power; use ctx.pow"


def test_nothing_imports_upwards() -> None:
    for path in sorted(PYTHON.rglob("*.py")):
        if path.is_relative_to(PYTHON / "cli") or path.is_relative_to(PYTHON / "datasets"):
            continue
        for module in imports(path):
            assert not module.startswith(("ferraug.cli", "ferraug.datasets")), f"{path.name} imports {module}"
    for path in sorted((PYTHON / "datasets").rglob("*.py")):
        assert not any(module.startswith("ferraug.cli") for module in imports(path)), path.name


def test_import_brings_numpy_and_nothing_else() -> None:
    import json
    import subprocess
    import sys

    script = "import sys, json; before = set(sys.modules); import ferraug; print(json.dumps(sorted({m.split('.')[0] for m in set(sys.modules) - before})))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    found = set(json.loads(out)) - set(sys.stdlib_module_names)
    assert found <= {"ferraug", "numpy", "_distutils_hack"}, found
    assert not {"cv2", "torch", "PIL", "scipy", "yaml", "pydantic"} & found


def test_import_starts_no_thread() -> None:
    import subprocess
    import sys

    script = "import ferraug, threading, os; print(threading.active_count(), len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 1)"
    environment = {"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"}
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert out.split() == ["1", "1"], "DESIGN 2: nothing starts at import"
