"""Reports as everybody may know them, and as whoever made one does.

Everybody is told what was reported, where to ten metres, and how it stands. Words are told when a person has read them
and let them be public; photos, names and what people at work wrote are not told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vigie.api.words import words
from vigie.core.facts import CaseMoved, CaseOpened
from vigie.core.times import nameable_us, rfc3339
from vigie.engine.cases import Case
from vigie.protocols.open311 import Attribute, Definition, OwnRequest, Request, Service, Step, Value
from vigie.services.roads.reports import REPORT, SUBJECTS, Question, Report
from vigie.store.cases import Happened

CLOSED = ("closed", "rejected", "archived")
OPEN = tuple(state for state in REPORT.life.states if state not in CLOSED)
_DECIMALS = 4
"""Of the degrees that everybody is told: ten metres."""
_TOLD_WHY = ("close", "reject")
"""The moves whose reason is written for whoever reported it."""


def services(language: str) -> list[Service]:
    """What may be reported."""
    said = words(language)
    return [
        Service(
            service_code=code,
            service_name=said(f"case.category.{code}"),
            description=said(f"open311.service.{code}"),
            metadata=bool(subject.questions),
            group=said(f"service.{REPORT.categories[code]}"),
        )
        for code, subject in SUBJECTS.items()
    ]


def definition(code: str, language: str) -> Definition:
    """What is asked of whoever reports something of a service."""
    said, subject = words(language), SUBJECTS[code]

    def attribute(order: int, question: Question) -> Attribute:
        values = tuple(Value(each, said(f"open311.answer.{question.code}.{each}")) for each in question.values)
        return Attribute(
            code=question.code, datatype="singlevaluelist" if values else "string", order=order,
            description=said(f"open311.question.{question.code}"), values=values,
        )  # fmt: skip

    return Definition(code, tuple(attribute(n, each) for n, each in enumerate(subject.questions, 1)))


def request_of(case: Case, agency: str, language: str, *, first_no: int = 0) -> Request:
    """A report as everybody may know it. agency: who answers for it where no area says so. first_no: of the report
    whose way it goes."""
    said = words(language)
    notes = f"open311.notes.{case.state}" + (".number" if case.state == "merged" and first_no else "")
    public = isinstance(case.document, Report) and case.document.words_public
    return Request(
        service_request_id=str(case.no),
        status="closed" if case.state in CLOSED else "open",
        status_notes=said(notes, number=first_no),
        service_code=case.category,
        service_name=said(f"case.category.{case.category}"),
        description=case.words or None if public else None,
        agency_responsible=case.area or agency,
        requested_datetime=_said(case.opened_us),
        updated_datetime=_said(case.moved_us),
        expected_datetime=None if case.state in CLOSED else _said(case.due_us),
        address=case.street or None,
        lat=None if math.isnan(case.lat) else round(case.lat, _DECIMALS),
        long=None if math.isnan(case.lon) else round(case.lon, _DECIMALS),
    )


def own_request(told: Request, case: Case, happened: Sequence[Happened], language: str) -> OwnRequest:
    """The same for whoever made it: their words, the place, and each step that it took, the first step first."""
    said = words(language)
    steps: list[Step] = []
    for each in reversed(happened):
        fact = each.fact
        if not isinstance(fact, CaseOpened | CaseMoved):
            continue
        why = next((one.value for one in each.personal if one.field == "reason"), None)
        steps.append(
            Step(
                at=_said(fact.at),
                state=fact.state,
                notes=said(f"open311.notes.{fact.state}"),
                why=why if isinstance(fact, CaseMoved) and fact.event in _TOLD_WHY else None,
            )
        )
    return OwnRequest(
        service_request_id=told.service_request_id,
        status=told.status,
        status_notes=told.status_notes,
        service_code=told.service_code,
        service_name=told.service_name,
        description=case.words or None,
        agency_responsible=told.agency_responsible,
        requested_datetime=told.requested_datetime,
        updated_datetime=told.updated_datetime,
        expected_datetime=told.expected_datetime,
        address=told.address,
        lat=None if math.isnan(case.lat) else case.lat,
        long=None if math.isnan(case.lon) else case.lon,
        steps=tuple(steps),
        photos=case.photos,
    )


def _said(instant_us: int) -> str:
    return rfc3339(nameable_us(instant_us))
