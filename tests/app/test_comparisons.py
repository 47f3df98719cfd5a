"""Comparisons told to a folder in which no post runs: again for junctions that came since, as many as there is room
for; and what was foretold by then is found, whatever was told later."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.api.signals.test_changes import JUNCTION, SILENT, drafts
from tests.post import NO_RESERVE
from tests.services.signals.control.sites import crossroads
from tests.services.signals.whatif.tried import tried
from vigie.api.signals import comparisons
from vigie.app import installation
from vigie.app.comparisons import tell
from vigie.core.facts import COMMAND_LINE
from vigie.core.scope import Scope
from vigie.services.signals.whatif.sealed import sealed
from vigie.settings import Settings
from vigie.transports.control import Wrong

AT_US = 1_700_000_000_000_000
FILE = sealed(tried([crossroads(JUNCTION), crossroads(SILENT)], AT_US))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = Settings(data=tmp_path, city="Essai", **NO_RESERVE)
    with installation(own) as opened:
        assert not opened.take_assets("town", [each for each in drafts() if each.key != SILENT]).refused
    return own


def test_the_same_file_again_is_taken_for_junctions_that_came_since(settings: Settings) -> None:
    first = tell(settings, FILE)
    assert (first.junctions, first.unknown) == ([JUNCTION], [SILENT])
    with installation(settings) as opened:
        opened.take_assets("town", [*drafts()])
    for _ in range(2):
        assert tell(settings, FILE).junctions == [JUNCTION, SILENT]
    with installation(settings) as opened:
        numbers = {row[1]: row[0] for row in opened.facts.registry_rows()}
        kept = opened.facts.comparisons
        assert kept.assets(first.id) == [numbers[JUNCTION], numbers[SILENT]]
        assert [each.comparison for each in kept.of_junction(numbers[SILENT], 9)] == [first.id]
        told = opened.facts.chronicle.page(Scope.everything(), types=["ComparisonTaken"])
        assert [getattr(each.fact, "junctions", 0) for each in told] == [1, 1]


def test_of_what_was_told_by_then_the_newest_of_each_shape_is_found_whatever_came_later(settings: Settings) -> None:
    first = tell(settings, FILE)
    with installation(settings) as opened:
        (no,) = opened.facts.comparisons.assets(first.id)
        told_us = opened.facts.comparisons.at_junction(first.id, no).told_us
    longer = crossroads(JUNCTION)
    longer = replace(longer, junction=replace(longer.junction, stages=longer.junction.stages[:1]))
    later = [tell(settings, sealed(tried([site], AT_US + n))).id for n, site in
             enumerate((crossroads(JUNCTION), longer, crossroads(JUNCTION)), 1)]  # fmt: skip
    with installation(settings) as opened:
        kept = opened.facts.comparisons
        assert [each.comparison for each in kept.newest("adaptive", [no], told_us)] == [first.id]
        assert [each.comparison for each in kept.newest("adaptive", [no])] == [later[2], later[1]]
        assert kept.newest("plan 4", [no]) == []


def test_what_is_kept_is_bounded_in_bytes_and_for_each_teller(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(settings, FILE)
    more = sealed(tried([crossroads(JUNCTION)], AT_US + 1))
    with installation(settings) as opened:
        held = opened.facts.comparisons.held(COMMAND_LINE)
        assert (held.count, held.of_teller_bytes) == (1, held.size_bytes)
        assert opened.facts.comparisons.held("somebody").of_teller_bytes == 0
    for name in ("BYTES_MAX", "TELLER_BYTES_MAX"):
        monkeypatch.setattr(comparisons, name, held.size_bytes + len(more))
        with pytest.raises(Wrong, match="no more are kept"):
            tell(settings, more)
        monkeypatch.setattr(comparisons, name, held.size_bytes + 2 * len(more))
    assert tell(settings, more).junctions == [JUNCTION]
