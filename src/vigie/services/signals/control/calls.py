"""Calls: trams and buses with signals of their own tell points in the road of themselves, and come as claims.

A way of theirs has up to four points: one far up the road (approach), one where the green is asked for in earnest
(request), one at the stop line (line), and one behind the junction (clear). A point may be missing or dead: each of the
first three is enough for somebody to be known, of the line alone once they stand there, and each of the last two for
them to be forgotten. What is known is the same for the post, for a
simulation and for a roadside controller: it follows from the counts of detectors alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from vigie.services.signals.control.claims import LATE_S, Claim, Sort, weight_of
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, CallPoints, Site
from vigie.services.signals.junction import Colour, Second, Users

FORGOTTEN_S = 240
"""Who should have been at the stop line for so long and was not seen to leave has gone: a point has missed them. It is
the longest red that there is (IISR part 6)."""

GONE_S = 15
"""The same, of who has had their own green for so long since: whoever stands at the line drives off within that."""

CLEARS_S = 60
"""Who has left the stop line and was not seen behind the junction for so long has gone."""

COMING_MAX = 3
"""More than so many do not come behind one another between the first point and the line."""

LATE_AT_REQUEST_S = 3
"""So much slower than usual somebody may drive up to the request without being taken to have stopped."""

OFF_S = 2
"""Nobody comes onto a point who was on it less than so many seconds ago: contact is lost for a second beneath one tram,
and no two follow one another as close."""

CHATTERS, WITHIN_S = 4, 60
"""A point that more than so many come onto in so many seconds chatters, and is not believed until it is over."""

_SORTS = {Users.TRAM: Sort.TRAM, Users.BUS: Sort.BUS}


class Calls:
    """Who comes to some junctions by ways that have points, and who has not left them yet."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._ways = [
            _Way(j, points, site)
            for j, site in enumerate(sites)
            for points in site.calls
            if site.junction.groups[points.group].users in _SORTS
        ]

    def see(self, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> None:
        """One second on: what the detectors of each junction counted in it, and what its groups showed."""
        for way in self._ways:
            way.see(counts[way.junction], shown[way.junction])

    def claims(self) -> list[Claim]:
        """Who comes and has not passed the stop line, as it stands now."""
        return [claim for way in self._ways for claim in way.claims()]

    def called(self, junction: int) -> frozenset[int]:
        """The groups of a junction that somebody comes for (`safety.Kernel.see`)."""
        return frozenset(
            way.points.group
            for way in self._ways
            if way.junction == junction and any(not each.halts for each in way.coming)
        )


@dataclass(slots=True)
class _Coming:
    """Somebody under way. eta_s: until they are at the stop line, if nobody is in their way. asked: whether they have
    passed the request. late_s: for how long they should have been at the next point; green_s: for how long of that
    their group was green. halts: they are late at the request, and claim nothing until they pass it."""

    eta_s: float
    asked: bool
    late_s: int = 0
    green_s: int = 0
    halts: bool = False


@dataclass(slots=True)
class _Point:
    """A point that tells who comes onto it. off_s: for how long nobody has been on it. came: how many seconds ago
    somebody came, each time of late."""

    off_s: int = OFF_S
    came: list[int] = field(default_factory=list[int])

    def see(self, count: int) -> bool:
        """Whether somebody comes onto it in this second."""
        self.came = [ago_s + 1 for ago_s in self.came if ago_s < WITHIN_S]
        if count == UNKNOWN:
            return False
        comes = count != 0 and self.off_s >= OFF_S
        self.off_s = 0 if count else self.off_s + 1
        if comes:
            self.came.append(0)
        return comes and not self.chatters

    @property
    def chatters(self) -> bool:
        """Whether it is not to be believed."""
        return len(self.came) > CHATTERS


@dataclass(slots=True)
class _Line:
    """The point at the stop line. on_s: for how long somebody has stood on it. left_s: how long ago the last left it,
    and who that was."""

    on_s: int = 0
    left_s: int = OFF_S
    last: _Coming | None = None


@dataclass(slots=True)
class _Way:
    """One way with its points. coming: in the order in which they come; nobody overtakes on a track. clearing: for how
    long each of those is behind the stop line who was not seen behind the junction yet."""

    junction: int
    points: CallPoints
    site: Site
    coming: list[_Coming] = field(default_factory=list[_Coming])
    clearing: list[int] = field(default_factory=list[int])
    approach: _Point = field(default_factory=_Point)
    request: _Point = field(default_factory=_Point)
    line: _Line = field(default_factory=_Line)

    def see(self, counts: Sequence[int], second: Second) -> None:
        points = self.points
        asks_s = self._away_s(points.request)
        request_lives = points.request is not None and counts[points.request] != UNKNOWN and not self.request.chatters
        green = points.group < len(second) and second[points.group] is Colour.GREEN
        for each in self.coming:
            least_s = asks_s if request_lives and not each.asked else 0.0
            each.eta_s = max(each.eta_s - 1.0, min(least_s, each.eta_s))
            each.late_s = each.late_s + 1 if each.eta_s <= least_s else 0
            # Nothing stops them on a track of their own but a stop: they ask when they leave it.
            each.halts = least_s > 0 and each.late_s > LATE_AT_REQUEST_S
            each.green_s += green and each.eta_s <= 0
        self.coming = [each for each in self.coming if each.late_s <= FORGOTTEN_S and each.green_s <= GONE_S]
        self.clearing = [age_s + 1 for age_s in self.clearing if age_s < CLEARS_S]
        if points.approach is not None and self.approach.see(counts[points.approach]):
            self._comes(self._away_s(points.approach), asked=False)
        if points.request is not None and self.request.see(counts[points.request]):
            self._asks(asks_s)
        self._look_at_line(counts)
        for _ in range(self._left(points.clear, counts)):
            # Who was not seen at the stop line was there all the same.
            for queue in (self.clearing, self.coming):
                if queue:
                    queue.pop(0)
                    break

    def _look_at_line(self, counts: Sequence[int]) -> None:
        line, place = self.line, self.points.line
        line.left_s += 1
        stands = place is not None and counts[place] == OCCUPIED
        line.on_s = line.on_s + 1 if stands else 0
        # What is on it for longer than any red is no tram.
        if stands and line.on_s <= FORGOTTEN_S:
            if line.on_s == 1 and line.left_s <= OFF_S and line.last is not None:
                # Contact was lost for a moment: they are the same, and have not left.
                self.coming.insert(0, line.last)
                line.last = None
                self.clearing = self.clearing[:-1]
            if not self.coming:
                self._comes(0.0, asked=True)
            first = self.coming[0]
            first.eta_s, first.asked, first.halts, first.green_s = 0.0, True, False, 0
        for _ in range(self._left(place, counts)):
            line.last, line.left_s = (self.coming.pop(0) if self.coming else None), 0
            if self.points.clear is not None:
                self.clearing.append(0)

    def claims(self) -> list[Claim]:
        weight = weight_of(_SORTS[self.site.junction.groups[self.points.group].users], LATE_S)
        return [Claim(self.junction, self.points.group, each.eta_s, weight) for each in self.coming if not each.halts]

    def _asks(self, eta_s: float) -> None:
        for each in self.coming:
            if not each.asked:
                each.asked, each.eta_s, each.late_s, each.halts = True, eta_s, 0, False
                return
        self._comes(eta_s, asked=True)

    def _comes(self, eta_s: float, *, asked: bool) -> None:
        if len(self.coming) < COMING_MAX:
            self.coming.append(_Coming(eta_s, asked))

    @staticmethod
    def _left(place: int | None, counts: Sequence[int]) -> int:
        """How many have left a point; no more than there may be, whatever it says."""
        return min(max(0, counts[place]), COMING_MAX) if place is not None else 0

    def _away_s(self, place: int | None) -> float:
        """How long it takes from a point to the stop line."""
        if place is None:
            return 0.0
        return self.site.junction.detectors[place].from_stop_m / max(self.points.speed_m_s, 1.0)
