"""Situations of all sorts, for laws that hold of each."""

from __future__ import annotations

from hypothesis import strategies as st

from vigie.protocols.datex2 import (
    ENUMERATIONS,
    EXTENSIONS,
    FORMS,
    Comment,
    Days,
    Family,
    Hours,
    Period,
    Place,
    Publication,
    Record,
    Situation,
    Source,
    Validity,
)

instants = st.integers(-(10**15), 10**16)
flags = st.none() | st.booleans()
counts = st.none() | st.integers(0, 12)
texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufffe\uffff"), max_size=12
).map(str.strip)
said = texts.filter(lambda each: each != "")
in_one = st.tuples(st.tuples(st.sampled_from(["", "fr", "en"]), said))
all_words = st.just(()) | in_one | st.tuples(st.tuples(st.just("fr"), said), st.tuples(st.just("en"), said))
degrees = st.tuples(st.integers(-(180 * 10**7), 180 * 10**7), st.integers(-(90 * 10**7), 90 * 10**7))
positions = degrees.map(lambda each: (each[0] / 10**7, each[1] / 10**7))
seconds = st.integers(0, 86_399)


def word(element: str) -> st.SearchStrategy[str]:
    """A word that the standard takes in an element: of its enumeration, or beside it."""
    more = st.sampled_from(sorted(EXTENSIONS[element])) if element in EXTENSIONS else st.just("somethingElse")
    return st.sampled_from(sorted(ENUMERATIONS[element])) | more


def some(element: str, most: int = 2, least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """Words that the standard takes in an element."""
    return st.lists(word(element), min_size=least, max_size=most).map(tuple)


def maybe(element: str) -> st.SearchStrategy[str]:
    """A word that the standard takes in an element, or none."""
    return st.just("") | word(element)


days = st.builds(Days, some("applicableDay"), some("applicableMonth"))
periods = st.builds(
    Period,
    st.none() | instants,
    st.none() | instants,
    st.lists(st.builds(Hours, seconds, seconds), max_size=2).map(tuple),
    st.lists(days, max_size=2).map(tuple),
)
some_periods = st.lists(periods, max_size=2).map(tuple)
validities = st.builds(
    Validity, instants, st.none() | instants, some_periods, some_periods, word("validityStatus"), flags
)


@st.composite
def places(draw: st.DrawFn) -> Place:
    """A place of those that are written: without what is only read."""
    lanes = draw(some("laneUsage"))
    carriageway = draw(word("carriageway") if lanes else maybe("carriageway"))
    return Place(
        points=tuple(draw(st.lists(positions, max_size=3))),
        road_name=draw(texts),
        road_number=draw(texts),
        town=draw(texts),
        description=draw(all_words),
        carriageway=carriageway,
        lanes=lanes,
    )


some_places = st.lists(places(), min_size=1, max_size=2).map(tuple)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record with what its class has."""
    name, form = draw(st.sampled_from(sorted(FORMS.items())))
    one = word(form.kinds).map(lambda each: (each,))
    kinds = draw(some(form.kinds, 3, 1) if form.many else one if form.needed else one | st.just(()))
    works, measure = form.family is Family.WORKS, form.family is Family.MEASURE
    rerouting = name == "ReroutingManagement"
    return Record(
        id=draw(texts),
        version=draw(texts),
        form=name,
        created_us=draw(instants),
        changed_us=draw(instants),
        validity=draw(validities),
        places=draw(some_places),
        kinds=kinds,
        observed_us=draw(st.none() | instants),
        probability=draw(word("probabilityOfOccurrence")),
        severity=draw(maybe("severity")),
        source=draw(st.none() | st.builds(Source, st.sampled_from(["", "fr"]), texts, all_words, maybe("sourceType"))),
        cause=draw(maybe("causeType")),
        comments=tuple(draw(st.lists(st.builds(Comment, in_one, maybe("commentType")), max_size=2))),
        constriction="" if works or measure else draw(maybe("trafficConstrictionType")),
        lanes_restricted=draw(counts),
        lanes_open=draw(counts),
        compliance=draw(word("complianceOption")) if measure else "",
        directions=draw(some("applicableForTrafficDirection")) if measure else (),
        vehicles=draw(some("vehicleType")) if measure else (),
        identifier=draw(texts) if works else "",
        urgent=draw(flags) if works else None,
        under_traffic=draw(flags) if works else None,
        route=draw(some_places) if rerouting else (),
        route_words=draw(all_words) if rerouting else (),
    )


situations = st.builds(
    Situation,
    texts,
    st.lists(records(), min_size=1, max_size=2, unique_by=lambda each: each.id).map(tuple),
    maybe("severity"),
    st.none() | instants,
    word("informationStatus"),
)
publications = st.builds(
    Publication,
    instants,
    st.just("fr"),
    said,
    st.sampled_from(["fr", "en"]),
    st.lists(situations, max_size=2, unique_by=lambda each: each.id).map(tuple),
)
