"""What the console reads of a survey and of a number that is typed: its own code, run without a browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import under_ci

WEB = Path(__file__).parents[1] / "web"
ROLLDOWN = WEB / "node_modules" / "rolldown" / "dist" / "index.mjs"
RUN = """
const [bundler, entry, asked] = process.argv.slice(1)
const { rolldown } = await import(bundler)
const { output } = await (await rolldown({ input: entry })).generate({ format: 'esm' })
const made = await import('data:text/javascript,' + encodeURIComponent(output[0].code))
const say = (_, value) => (Number.isNaN(value) ? 'none' : value)
console.log(JSON.stringify(JSON.parse(asked).map(([name, ...said]) => made[name](...said)), say))
"""


def ran(module: str, *asked: tuple[Any, ...]) -> list[Any]:
    """What functions of a module of web/lib answer: each the name of one, and what it is given."""
    node = shutil.which("node", path=f"{Path(sys.prefix) / 'node' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if node is None or not ROLLDOWN.exists():
        missing = "node and what the pages are built with are not here: make setup"
        if under_ci():
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    command = [node, "--input-type=module", "-e", RUN, str(ROLLDOWN), str(WEB / "lib" / module), json.dumps(asked)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_a_survey_is_read_as_it_was_written_or_refused() -> None:
    tables = {
        # Quotes as RFC 4180 has them: separators, marks and ends of lines within a cell; and an inch that is none.
        '\ufeffRue;P souscrite (kVA);Puissance lampe (W)\r\n"Rue; ""A""\nfin";36;100\r\nmât 5";36;150\r\n': (125, 2, 0),
        'street,power\n"a, b","112,5"\nb,"1,200"\n': (112.5, 1, 1),
        "rue;puissance;nombre\n;70;3\n\"b\";80;1\n": (72.5, 4, 0),
        # With more or fewer cells than heads nobody knows which is which.
        "rue;puissance\nRue A;1;100\n70\nRue B;70\n": (70, 1, 2),
        # The one that says watts, and of a lamp.
        "Puissance;Puissance lampe (W);Puissance ballast (W)\n9;70;12\n": (70, 1, 0),
        "Puissance (kW)\n70\n": "none",
        "a;b\n1;2\n": "none",
        "Puissance (W);Puissance ballast (W)\n70;12\n": "two",
        "Puissance (W);Nombre de mâts;Nombre de crosses\n70;1;2\n": "two",
        'rue;puissance\n"Rue A;100\nRue B;70\n': "quotes",
    }  # fmt: skip
    found = ran("survey.ts", *(("surveyOf", table) for table in tables))
    assert [each.get("why") or (each["mean"], each["count"], each["left"]) for each in found] == [*tables.values()]
    assert found[0]["columns"] == ["Puissance lampe (W)"]
    assert found[2]["columns"] == ["puissance", "nombre"]
    assert found[7]["columns"] == ["Puissance (W)", "Puissance ballast (W)"]


def test_where_commas_part_thousands_one_before_three_digits_is_no_number() -> None:
    typed = ["1,200", "1,200,000", "0,2068", "0.205", "1 200", "", "abc"]
    assert ran("numbers.ts", *(("numberOf", text, True) for text in typed)) == [
        "none", "none", 0.2068, 0.205, 1200, "none", "none",
    ]  # fmt: skip
    assert ran("numbers.ts", ("numberOf", "1,200", False)) == [1.2]
