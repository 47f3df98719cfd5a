"""The supervisor's end: which sites may speak to the post, and what is known of each beyond one connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from vigie.protocols.rsmp.asking import ANSWER_S
from vigie.protocols.rsmp.cores import BY_VERSION, in_order
from vigie.protocols.rsmp.events import Step
from vigie.protocols.rsmp.limits import SUBSCRIPTIONS_MAX
from vigie.protocols.rsmp.line import ACKNOWLEDGE_S, WATCHDOG_S, NotTaken
from vigie.protocols.rsmp.link import Known, Link, Rate
from vigie.protocols.rsmp.lists import Of
from vigie.protocols.rsmp.times import Moment
from vigie.protocols.rsmp.traffic_lights import SXLS


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A site that may speak to the post. names: its site ids, the first of which it is known by. components: ids and
    types of what it has. codes: its security codes 1 and 2. certificate: the name that its certificate must show, which
    the transport has verified; empty where none is asked for. without: codes of the list that it does not have.
    stage_inputs: the number of the input that asks for the first stage of its junction, those of the others follow; 0
    where it has none."""

    names: tuple[str, ...]
    components: Mapping[str, Of]
    codes: tuple[str, str] = field(default=("", ""), repr=False)
    certificate: str = ""
    without: frozenset[str] = frozenset()
    stage_inputs: int = 0


class Supervisor:
    """The post's end of all conversations. For each connection there is a `Link`.

    waits: whether so much of a site waits to be kept that it may not connect anew yet. certified: whether each
    connection shows a certificate; then a site is let in by its own alone, and one for which none is named is not.
    live: statuses, by code, that are true for their second alone where they are wanted each second or on change: what
    tells nothing else is acknowledged as it comes, and is to be kept by nobody.
    """

    def __init__(
        self,
        enrolments: Iterable[Enrolment],
        *,
        seed: str,
        cores: Iterable[str] = tuple(BY_VERSION),
        sxls: Iterable[str] = tuple(SXLS),
        strict: bool = False,
        watchdog_s: float = WATCHDOG_S,
        acknowledge_s: float = ACKNOWLEDGE_S,
        answer_s: float = ANSWER_S,
        live: frozenset[str] = frozenset(),
    ) -> None:
        """seed: of the numbers of its messages. Raises ValueError for a name that two enrolments have."""
        self.cores = in_order(cores)
        self.sxls = {version: SXLS[version] for version in sxls}
        self.strict, self.watchdog_s, self.acknowledge_s, self.answer_s = strict, watchdog_s, acknowledge_s, answer_s
        self.sites: dict[str, Known] = {}
        self.links: dict[str, Link] = {}
        self.certified = False
        self.live = live
        self.waits: Callable[[str], bool] = lambda site: False
        self._by_name: dict[str, tuple[str, Enrolment]] = {}
        self._seed, self._opened = seed, 0
        for enrolment in enrolments:
            self.enrol(enrolment)

    def enrol(self, enrolment: Enrolment) -> None:
        """Lets a site in from now on. Raises ValueError for a name that another has."""
        site = enrolment.names[0]
        taken = [name for name in enrolment.names if self._by_name.get(name, (site,))[0] != site]
        if taken:
            raise ValueError(f"site id {taken[0]!r} is another site's")
        self._forget(site)
        self._by_name.update(dict.fromkeys(enrolment.names, (site, enrolment)))
        known = self.sites.setdefault(site, Known(site))
        known.components, known.codes, known.without = enrolment.components, enrolment.codes, enrolment.without

    def expel(self, site: str, moment: Moment) -> tuple[Step, ...]:
        """Lets a site in no more; its connection closes with its next tick. What comes of that. Raises KeyError for one
        that is not known."""
        del self.sites[site]
        self._forget(site)
        return self.links[site].dismiss("the site was expelled", moment) if site in self.links else ()

    def _forget(self, site: str) -> None:
        self._by_name = {name: held for name, held in self._by_name.items() if held[0] != site}

    def want(self, site: str, component: str, wishes: Mapping[tuple[str, str], Rate]) -> None:
        """What is to be told of a component, by code and name, and nothing else; it is subscribed to when the site
        attaches, or by `Link.follow`. Raises KeyError for a site that is not known, ValueError over the limit."""
        wanted = self.sites[site].wanted
        wanted[component] = dict(wishes)
        if sum(map(len, wanted.values())) > SUBSCRIPTIONS_MAX:
            del wanted[component]
            raise ValueError(f"more than {SUBSCRIPTIONS_MAX} subscriptions of a site")

    def open(self, certificate: str = "") -> Link:
        """The end of a new connection. certificate: the name that its certificate shows, verified; empty for none."""
        self._opened += 1
        return Link(self, f"{self._seed}/{self._opened}", certificate)

    # What a link asks.

    def admit(self, names: Iterable[str], certificate: str) -> Known:
        """The site that has all of these names. Raises NotTaken."""
        said = list(names)
        found = {self._by_name[name][0] if name in self._by_name else "" for name in said}
        if len(found) != 1 or "" in found:
            raise NotTaken(f"site id {said} is not known here")
        (site,) = found
        wanted = self._by_name[said[0]][1].certificate
        if self.certified and not wanted:
            raise NotTaken(f"no certificate is named for site id {said}")
        if wanted and wanted != certificate:
            raise NotTaken(f"site id {said} is not the certificate's")
        if self.waits(site):
            raise NotTaken("what was told before is not kept yet")
        return self.sites[site]

    def attach(self, known: Known, link: Link, moment: Moment) -> tuple[Step, ...]:
        """The link speaks for the site from now on; what became of the one that did before."""
        before = self.links.get(known.site)
        self.links[known.site] = link
        return before.dismiss("the site has connected anew", moment) if before is not None else ()

    def detach(self, known: Known, link: Link) -> None:
        """The link has ended."""
        if self.links.get(known.site) is link:
            del self.links[known.site]
