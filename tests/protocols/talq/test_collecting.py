"""What every gateway is to log: all that is bound, in words that the standard knows."""

from __future__ import annotations

from tests.protocols.talq.link import CMS, Link, statuses
from tests.protocols.talq.standard import Standard
from vigie.protocols.talq import wanted_loggers
from vigie.protocols.talq.bindings import MEASURES, NOTICES, SIGNS, TELLERS
from vigie.protocols.talq.messages import EventRecordingMode, VendorRecordingMode


def test_the_loggers_are_taken_by_a_gateway_and_leave_nothing_out(talq: Standard) -> None:
    link = Link(talq)
    link.attach()
    wanted = wanted_loggers(CMS)
    answers = link.down([link.peer.caller.ask("addLoggerConfig", body=each) for each in wanted])
    assert statuses(answers) == [201, 201]
    values, events = (each.recording_mode for each in wanted)
    assert isinstance(values, VendorRecordingMode)
    assert isinstance(events, EventRecordingMode)
    logged = {
        (each.function.function_type, attribute.name)
        for each in values.content or ()
        for attribute in each.function.attributes
    }
    assert logged == {(each.function, each.attribute) for each in MEASURES}
    stands = {each.function.function_type for each in values.content or () if each.attribute_scope == "event"}
    assert stands == set(TELLERS)
    assert set(events.source_events.white_list or ()) == {each.event for each in SIGNS} | NOTICES
    assert wanted_loggers(CMS) == wanted
