"""Security codes: put in where the list asks for them, changed at the site, and in nothing that is told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.protocols.rsmp.pair import CODES, ENROLMENT, MAIN, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import CannotAsk, Supervisor
from vigie.protocols.rsmp.events import Fate, Ordered, Settled
from vigie.protocols.rsmp.framing import END


def test_a_wrong_security_code_is_refused(rsmp: Standard) -> None:
    pair = Pair(rsmp)
    pair.supervisor = Supervisor([replace(ENROLMENT, codes=("1111", "0000"))], seed="post")
    pair.connect()
    pair.order("M0004", status="True")
    assert [(each.fate, each.why) for each in pair.told(Settled)] == [(Fate.REFUSED, "security code 2 is wrong")]
    assert not [each for each in pair.learnt if isinstance(each, Ordered)]


def test_a_security_code_is_changed_with_the_old_one_and_not_from_the_post(rsmp: Standard) -> None:
    pair = Pair(rsmp)
    pair.connect()
    changed = {"status": "Level2", "newSecurityCode": "3333"}
    for n, old in enumerate(("0000", "2222")):
        with pytest.raises(CannotAsk, match="changed at the site"):
            pair.order("M0103", oldSecurityCode=old, **changed)
        # Another supervisor's, or by hand.
        said = [{"cCI": "M0103", "n": key, "cO": "setSecurityCode", "v": value}
                for key, value in (changed | {"oldSecurityCode": old}).items()]  # fmt: skip
        number = f"{n:08}-0000-4000-8000-000000000000"
        request = {"mType": "rSMsg", "type": "CommandRequest", "mId": number, "cId": MAIN, "arg": said}
        pair.obey(pair.site.receive(json.dumps(request).encode() + END, pair.now))
    pair.order("M0004", status="True")
    pair.supervisor.enrol(replace(ENROLMENT, codes=("1111", "3333")))
    pair.order("M0004", status="True")
    assert [each.fate for each in pair.told(Settled)] == [Fate.REFUSED, Fate.DONE]
    assert [each["rea"] for _, each in pair.passed if each["type"] == "MessageNotAck"] == [
        "the previous security code is wrong", "security code 2 is wrong"
    ]  # fmt: skip


def test_no_security_code_is_in_what_comes_of_an_order() -> None:
    pair = Pair().connect()
    pair.order("M0001", status="NormalControl", timeout="0", intersection="0")
    (settled,) = pair.told(Settled)
    assert settled.values == {("M0001", key): value for key, value in
                              (("status", "NormalControl"), ("timeout", "0"), ("intersection", "0"))}  # fmt: skip
    assert not set(CODES) & set(settled.values.values())
