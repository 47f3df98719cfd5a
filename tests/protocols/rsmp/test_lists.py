"""The traffic-light list as data, against the list itself and its schemas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import SXLS, Of, Way, acts_by
from vigie.protocols.rsmp.lists import ITEMS_MAX, Form, Signal, Sxl
from vigie.protocols.rsmp.traffic_lights import ACTS

FORMS = {
    "string": Form.TEXT, "integer": Form.INTEGER, "long": Form.INTEGER, "boolean": Form.BOOLEAN,
    "timestamp": Form.TIMESTAMP, "base64": Form.BASE64, "string_list": Form.TEXTS, "integer_list": Form.INTEGERS,
    "boolean_list": Form.BOOLEANS, "array": Form.RECORDS,
}  # fmt: skip

EXCEPTIONS = {("1.0.15", "M0001", "securityCode")}
"""One security code is called a list there, and is one text in its schema."""


@pytest.mark.parametrize("sxl", SXLS.values(), ids=SXLS)
def test_it_is_the_list(rsmp: Standard, shared: Path, sxl: Sxl) -> None:
    said = yaml.safe_load((shared / "standards" / "rsmp" / "tlc" / sxl.version / "sxl.yaml").read_text("utf-8"))
    found = {
        code: (of, each)
        for of, kinds in said["objects"].items()
        for kind in ("alarms", "statuses", "commands")
        for code, each in (kinds.get(kind) or {}).items()
    }
    assert found.keys() == sxl.signals.keys()
    for code, (of, each) in found.items():
        signal = sxl.signals[code]
        assert signal.of.value == of
        assert (each.get("command", ""), each.get("priority", 0)) == (signal.verb, signal.priority)
        assert each.get("category", "D") == signal.category
        assert f"ecurity code {signal.security}" in each["description"] or not signal.security
        assert signal.reserved is ("It is reserved in the SXL" in each["description"])
        arguments: dict[str, Any] = each.get("arguments") or {}
        assert [one.name for one in signal.arguments if one.name not in arguments] == []
        for name, its in arguments.items():
            argument = signal.argument(name)
            assert argument is not None, (code, name)
            if (sxl.version, code, name) not in EXCEPTIONS:
                assert argument.form is FORMS[its["type"]], (code, name)
            if "min" in its:
                assert (argument.least, argument.most) == (its["min"], its["max"]), (code, name)
            assert argument.words == {str(word) for word in its.get("values", ())}, (code, name)
            assert argument.optional is bool(its.get("optional")), (code, name)
            fields = {key: bool(one.get("optional")) for key, one in its.get("items", {}).items()}
            assert {one.name: one.optional for one in argument.fields} == fields, (code, name)


WORDS = (
    "", "0", "1", "-1", "3", "1,2", "True", "False", "true", "True,False", "other", "loop", "on", "red", "Dark", "1-2",
    "1-200", "1-2-3", "new", "AA", "01", "control", "local,off", "2026-11-24T03:00:00.000Z", "QUJD", "é",
)  # fmt: skip


@settings(max_examples=100)
@given(sxl=st.sampled_from([*SXLS.values()]), data=st.data(), word=st.sampled_from(WORDS))
def test_what_we_take_for_right_the_schemas_do_too(rsmp: Standard, sxl: Sxl, data: st.DataObject, word: str) -> None:
    signal = data.draw(st.sampled_from([each for each in sxl.signals.values() if each.arguments]))
    argument = data.draw(st.sampled_from(signal.arguments))
    if not argument.problem(word):
        assert rsmp.accepts(word, sxl.version, signal.code, argument.name), (signal.code, argument.name, word)
    elif argument.form in (Form.BOOLEAN, Form.BOOLEANS) or argument.pattern or argument.form is Form.RECORDS:
        assert not rsmp.accepts(word, sxl.version, signal.code, argument.name), (signal.code, argument.name, word)


@pytest.mark.parametrize(
    ("code", "name", "right", "wrong"),
    [
        ("S0001", "signalgroupstatus", "A01b", "Z"),
        ("S0001", "cyclecounter", "999", "1000"),
        ("S0007", "status", "True,False", "True,"),
        ("S0013", "status", "0,3", "4"),
        ("S0025", "minToGEstimate", "2026-11-24T03:00:00.000Z", "soon"),
        ("S0098", "config", "QUJD", "Q!"),
        ("S0205", "vehicles", "3,-1,0", "3,x"),
        ("S0014", "source", "forced", "Forced"),
    ],
)
def test_a_value_is_right_or_the_reason_is_said(code: str, name: str, right: str, wrong: str) -> None:
    argument = SXLS["1.2.1"].signals[code].argument(name)
    assert argument is not None
    assert argument.problem(right) == ""
    assert name in argument.problem(wrong)
    assert "no text" in argument.problem(None)


def test_records_are_checked_field_by_field() -> None:
    argument = SXLS["1.2.1"].signals["S0033"].argument("status")
    assert argument is not None
    whole = {"r": "7", "t": "2026-11-24T03:00:00.000Z", "s": "queued"}
    assert argument.problem([whole]) == ""
    assert "lacks 's'" in argument.problem([{"r": "7", "t": whole["t"]}])
    assert "has no 'x'" in argument.problem([whole | {"x": ""}])
    assert "none of" in argument.problem([whole | {"s": "lost"}])
    assert "no list" in argument.problem("7")


def test_by_which_orders_control_acts_on_each_version() -> None:
    ways = {version: acts_by(sxl) for version, sxl in SXLS.items()}
    all_but_priority = set(Way) - {Way.PRIORITY}
    assert ways["1.0.15"].keys() == all_but_priority
    assert ways["1.1.0"].keys() == ways["1.2.1"].keys() == set(Way)
    assert {act.command for act in ACTS} & {"M0010", "M0011", "M0012"} == set()
    assert ways["1.1.0"][Way.CORRIDOR].proof == (("S0006", "emergencystage"),)
    assert ways["1.2.1"][Way.CORRIDOR].proof[0] == ("S0035", "emergencyroutes")
    few = acts_by(SXLS["1.2.1"], {"M0014", "S0024"})
    assert few.keys() == set(Way) - {Way.BANDS}
    assert few[Way.OFFSET].proof == ()


def test_every_order_and_its_proof_is_in_the_list() -> None:
    newest = SXLS["1.2.1"]
    for act in ACTS:
        assert newest.signals[act.command].verb
        assert all(newest.signals[code].argument(name) is not None for code, name in act.proof)


def test_a_signal_is_found_of_its_own_type_alone() -> None:
    sxl = SXLS["1.0.15"]
    assert isinstance(sxl.find("S0001", Of.CONTROLLER), Signal)
    for code, of in (("S0001", Of.GROUP), ("S0035", Of.CONTROLLER), ("", Of.CONTROLLER)):
        with pytest.raises(ValueError, match=r"of a|not in SXL"):
            sxl.find(code, of)


def test_a_list_is_not_read_to_its_end_whatever_its_length() -> None:
    counts = SXLS["1.2.1"].signals["S0205"].argument("vehicles")
    assert counts is not None
    assert counts.problem(",".join("0" * ITEMS_MAX)) == ""
    assert counts.problem("0," * ITEMS_MAX + "x") == "vehicles has more than 1,000 items"
