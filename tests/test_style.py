"""The house rules that no ready-made checker knows (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import PACKAGES, PROGRAMS, PROJECT

SOURCE = PROJECT / "src" / "vigie"
PURE = ("core", "services", "protocols")

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

# What may be longer, and why: "path" or "path::function" -> the reason.
LONGER: dict[str, str] = {
    "src/vigie/store/migrations/versions/v0001_first.py::upgrade": "one table after another, and no branch",
    "src/vigie/store/migrations/versions/v0002_orders_accounts.py::upgrade": "one table after another, and no branch",
}

# Modules that touch the world, the clock or the dice. Below the engine time and randomness are arguments.
WORLD = frozenset(
    "asyncio aiohttp duckdb fcntl ftplib glob http httpx imaplib io logging multiprocessing os pathlib pickle "
    "platform random requests sched secrets select selectors shutil signal smtplib socket socketserver sqlalchemy "
    "sqlite3 ssl starlette structlog subprocess sys tempfile threading time urllib.request uvicorn websockets".split()
)
# A generator that is handed in is an argument like any other, the module's own is dice; a stream in memory is a value.
HARMLESS = frozenset({("random", "Random"), ("io", "BytesIO"), ("io", "StringIO")})
CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__", "breakpoint"})
CLOCK_AND_DICE = frozenset(
    {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
    | {("uuid", name) for name in ("uuid1", "uuid4", "uuid6", "uuid7", "getnode")}
    | {("random", name) for name in ("rand", "randn", "random", "randint", "choice", "shuffle", "seed", "normal")}
)


def python_files(*folders: str) -> list[Path]:
    """All Python files below these folders of the project."""
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))


def short(path: Path) -> str:
    """The path as people name it, from the project's root."""
    return path.relative_to(PROJECT).as_posix()


@cache
def parsed(path: Path) -> ast.Module:
    """The file as a tree."""
    return ast.parse(path.read_text("utf-8"), filename=short(path))


@cache
def project_files() -> tuple[Path, ...]:
    """Everything that is, or by the next commit may be, part of the project."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        check=True,
        capture_output=True,
    ).stdout
    paths = (PROJECT / name.decode() for name in listing.split(b"\0") if name)
    return tuple(path for path in paths if path.is_file())


def texts_of_project() -> Iterator[tuple[Path, str]]:
    """Each file of the project that is text, with what it says."""
    for path in project_files():
        try:
            yield path, path.read_text("utf-8")
        except UnicodeDecodeError:
            continue


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def definitions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Definition, bool]]:
    """Every class and function with its full name, and whether it can be reached from outside by public names."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            continue  # Nothing is defined within one.
        if isinstance(node, Definition):
            name = f"{prefix}{node.name}"
            yield name, node, not any(part.startswith("_") for part in name.split("."))
            inner = f"{name}." if isinstance(node, ast.ClassDef) else f"{name}._."
            yield from definitions(node, inner)
        else:
            yield from definitions(node, prefix)


def repeats_another(node: Definition) -> bool:
    """Whether its meaning is written elsewhere: an overload, an override, the setter of a property."""
    names = {ast.unparse(decorator).rsplit(".", 1)[-1] for decorator in node.decorator_list}
    return bool(names & {"overload", "override", "setter"})


def touches_world(tree: ast.AST) -> list[str]:
    """What in a pure module reaches for the world, the clock or the dice."""
    found: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno}: import {alias.name}" for alias in names if of_world(alias.name)]
            case ast.ImportFrom(module=str(module), names=names) if of_world(module):
                taken = [alias.name for alias in names if (module, alias.name) not in HARMLESS]
                found += [f"{node.lineno}: from {module} import {name}" for name in taken]
            case ast.Call(func=ast.Name(id=name)) if name in CALLS:
                found.append(f"{node.lineno}: {name}()")
            case ast.Attribute(attr=attr, value=owner) if (last_word(owner), attr) in CLOCK_AND_DICE:
                found.append(f"{node.lineno}: {ast.unparse(node)}")
            case _:
                pass
    return found


def of_world(module: str) -> bool:
    """Whether the module, or one it lies in, is of the world."""
    parts = module.split(".")
    return any(".".join(parts[:n]) in WORLD for n in range(1, len(parts) + 1))


def last_word(node: ast.expr) -> str:
    """`date` of both `date` and `datetime.date`."""
    return ast.unparse(node).rsplit(".", 1)[-1]


def test_what_is_public_says_what_it_is() -> None:
    bare = [short(path) for path in python_files("src") if not ast.get_docstring(parsed(path))]
    for path in python_files("src"):
        for name, node, public in definitions(parsed(path)):
            if public and not repeats_another(node) and not ast.get_docstring(node):
                bare.append(f"{short(path)}:{node.lineno} {name}")
    assert bare == [], "without a docstring"


def test_files_and_functions_stay_small() -> None:
    long: dict[str, int] = {}
    for path in project_files():
        if path.suffix in {".py", ".ts", ".svelte", ".css"}:
            lines = len(path.read_text("utf-8").splitlines())
            if lines > FILE_LINES_MAX:
                long[short(path)] = lines
    for path in python_files("src", "bench", "scripts", "tests"):
        for name, node, _ in definitions(parsed(path)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX and not isinstance(node, ast.ClassDef):
                long[f"{short(path)}::{name.replace('._', '')}"] = lines
    assert {what: lines for what, lines in long.items() if what not in LONGER} == {}, "too long, and no reason given"
    assert set(LONGER) <= set(long), "has become short: its reason can go"


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b")
    left = [f"{short(path)}: {hit.group()}" for path, text in texts_of_project() for hit in words.finditer(text)]
    assert left == []


def test_no_address_of_a_registry_and_no_path_of_a_machine() -> None:
    registries = "|".join(["py" + r"pi\.org", "python" + r"hosted\.org", r"registry\.(?:npm" + "js|yarn" + "pkg)"])
    folders = "|".join(["work", "root", "home", "Users", "tmp"])
    pattern = re.compile(rf"{registries}|(?<![\w.~:/-])/(?:{folders})/\w|\"resolved\":")
    found = [f"{short(path)}: {hit.group()}" for path, text in texts_of_project() for hit in pattern.finditer(text)]
    assert found == []


def test_nothing_below_the_engine_touches_the_world() -> None:
    files = python_files(*(f"src/vigie/{folder}" for folder in PURE))
    assert files
    found = [f"{short(path)}:{what}" for path in files for what in touches_world(parsed(path))]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import time",
        "import os.path",
        "from random import choice",
        "from urllib.request import urlopen",
        "now = datetime.now(UTC)",
        "today = datetime.date.today()",
        "name = uuid.uuid4()",
        "dice = np.random.normal()",
        "text = open('f').read()",
    ],
)
def test_a_touch_of_the_world_is_seen(line: str) -> None:
    assert touches_world(ast.parse(line))


@pytest.mark.parametrize(
    "line",
    ["from random import Random", "from urllib.parse import quote", "made = datetime.fromtimestamp(s, UTC)"],
)
def test_arithmetic_on_time_and_dice_handed_in_are_no_touch(line: str) -> None:
    assert touches_world(ast.parse(line)) == []


def test_every_folder_of_source_is_a_package() -> None:
    """Without its __init__.py a folder would escape the tool that checks the direction of imports."""
    folders = {path.parent for path in python_files("src")}
    assert [short(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def catalogue(language: str) -> dict[str, str]:
    """All texts of a language, as `language.json` and `language.part.json` hold them together."""
    parts = [json.loads(path.read_text("utf-8")) for path in sorted((SOURCE / "texts").glob(f"{language}.*json"))]
    texts = {key: text for part in parts for key, text in part.items()}
    assert len(texts) == sum(len(part) for part in parts), "a key is in two files"
    return texts


def test_french_and_english_say_the_same_things() -> None:
    """The same keys, no empty text, and the same gaps to fill in."""
    french, english = catalogue("fr"), catalogue("en")
    assert french
    assert french.keys() ^ english.keys() == set()
    assert [key for texts in (french, english) for key, text in texts.items() if not text.strip()] == []
    gaps = re.compile(r"\{(\w+)")
    assert [key for key in french if set(gaps.findall(french[key])) != set(gaps.findall(english[key]))] == []


def test_what_tests_ask_for_is_what_make_installs() -> None:
    installed = (PROJECT / "scripts" / "needs.sh").read_text("utf-8")
    assert [program for program in PROGRAMS if not re.search(rf"\b{program}\b", installed)] == []
    assert [
        package for package in PACKAGES.values() if not re.search(rf"^(?:needs=')?{package} ", installed, re.M)
    ] == []
