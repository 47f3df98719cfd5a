"""Works that no form can say are left out, keep the others from nothing, and are an alarm."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.api.city.desk import Desk, desk
from tests.api.datex2.test_telling import PHASE, SAID, WORKS
from tests.city import SeededDice
from vigie.api.datex2.door import Datex2Door
from vigie.api.datex2.forms import Forms
from vigie.api.roads import Streets
from vigie.engine.acts import Acts
from vigie.engine.cases import Draft
from vigie.protocols.datex2 import read
from vigie.services.roads.works.permits import ROADWORKS, Act, Phase, Roadworks, Stretch
from vigie.services.roads.works.untold import ROADWORKS_UNTOLD

FORMS = Forms("fr", "dijon", SAID)
NEVER_US = -(10**18)
"""Before the first instant that a calendar has a name for."""


def test_works_that_no_form_can_say_keep_the_others_from_nothing() -> None:
    odd = replace(WORKS, id="0200", number=13, phases=(replace(PHASE, begins_us=NEVER_US),))
    bodies, left_out = FORMS.written([odd, WORKS], 10**15)
    assert left_out.keys() == {13}
    assert "OverflowError" in left_out[13]
    assert [each.id for each in read(bodies["xml"]).publication.situations] == [WORKS.id]
    assert [each["id"] for each in json.loads(bodies["geojson"])["features"]] == ["0190-2"]
    assert bodies == FORMS.written([WORKS], 10**15)[0]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as made:
        yield made


def test_what_is_left_out_is_an_alarm_until_it_is_withdrawn(town: Desk) -> None:
    engine = town.engine
    acts = Acts(engine, town.facts, town.clock, SeededDice())
    post = engine.registry.numbers["street-0"]
    door = Datex2Door(town.sources, Streets(town.sources), country="fr", creator="dijon", post=post)

    def document(begins: str) -> Roadworks:
        phase = Phase(begins, "2030-01-01T00:00", (Stretch("street-1"),), "pavement")
        return Roadworks(phases=(phase,), acts=(Act("permis_de_stationnement", "granted"),))

    def opened(title: str) -> str:
        lies = (engine.registry.numbers["street-1"],)
        draft = Draft(ROADWORKS, "roadworks", 3, title, "", assets=lies, document=document("2026-01-01T00:00"))
        case = acts.open_case(draft, actor="user-1")
        acts.move_case(case.id, "grant", actor="user-1")
        return case.id

    def told() -> list[str]:
        made = asyncio.run(door._newest())
        return [each.id for each in read(gzip.decompress(made.packed["xml"])).publication.situations]

    def is_told() -> bool:
        return bool(engine.is_open(ROADWORKS_UNTOLD, np.array([post]))[0])

    good = opened("good")
    assert (told(), is_told()) == ([good], False)
    odd = opened("odd")
    case = engine.cases.find(odd)
    assert case is not None
    # Put there: the door takes no document of such a year.
    engine.cases._all[odd] = replace(case, document=document("0001-01-01T00:05"))
    assert (told(), is_told()) == ([good], True)
    assert [each.evidence["number"] for each in engine.conditions if each.kind is ROADWORKS_UNTOLD] == [case.no]
    acts.move_case(odd, "withdraw", actor="user-1", reason="Odd.")
    assert (told(), is_told()) == ([good], False)
