"""The JSON schemas of RSMP as a judge: whether bytes are a message of a version, and nothing besides.

The files are read as they are. Which part applies to a message is looked up by its type and codes, where the files try
one `if` after another; and what no text of the core names fails, since a misspelt optional attribute would pass.
Three things are put right. The files refer to versions 3.1.2 and 3.1.3 of themselves, which are not there: what these
define is said here, by the text of the core. A pattern that only Ruby understands is rewritten. A value of a command's
answer may be null where its age says so, which the list's schemas look for under another name (`q`).
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from posixpath import normpath
from typing import Any

from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from vigie.protocols.rsmp.framing import END

BASE = "http://rsmp.invalid"
FOLDERS = {"3.1.5": "3.1.5", "3.2.0": "3.2.0", "3.2.1": "3.2.0", "3.2.2": "3.2.2"}
"""3.2.1 changed nothing on the wire."""

_DEFINITIONS: dict[str, Any] = {
    "message_id": {
        "type": "string",
        "pattern": "^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-4[a-fA-F0-9]{3}-[89abAB][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$",
    },
    "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "integer": {"type": "string", "pattern": r"^-?\d+$"},
    "version": {"type": "string", "pattern": r"^\d{1,2}(\.\d{1,2}){1,2}$"},
    "command_code": {"type": "string", "pattern": "^M"},
    "status_code": {"type": "string", "pattern": "^S"},
    "alarm_code": {"type": "string", "pattern": "^A"},
    "component_id": {"type": "string"},
    "boolean": {"enum": ["True", "False"]},
    "integer_list": {"type": "string", "pattern": r"^-?\d+(,-?\d+)*$"},
    "boolean_list": {"type": "string", "pattern": "^(True|False)(,(True|False))*$"},
    "string_list": {"type": "string"},
}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"{BASE}/core/3.1.2/definitions.json#/{name}"}


def _closed(required: str, optional: str = "", **properties: Any) -> dict[str, Any]:
    """An object with these keys, text where nothing else is said."""
    names = [*required.split(), *optional.split()]
    return {
        "type": "object",
        "required": required.split(),
        "additionalProperties": False,
        "properties": {name: properties.get(name, {"type": "string"}) for name in names},
    }


def _listed(item: dict[str, Any], least: int = 1) -> dict[str, Any]:
    return {"type": "array", "minItems": least, "items": item}


def _about(required: str, **properties: Any) -> dict[str, Any]:
    return {"required": required.split(), "properties": properties}


_NUMBER, _STAMP = _ref("message_id"), _ref("timestamp")
_QUALITY = {"enum": ["recent", "old", "undefined", "unknown"]}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_NAMES = _closed("sCI n", sCI=_ref("status_code"))
_ALARM = _about(
    "mId cId aCId xACId aSp ack aS aTs sS cat pri rvs",
    mId=_NUMBER, aTs=_STAMP, cat={"enum": ["T", "D"]}, pri={"enum": ["1", "2", "3"]},
    ack={"enum": ["Acknowledged", "notAcknowledged"]}, aS={"enum": ["Active", "inActive"]},
    sS={"enum": ["Suspended", "suspended", "notSuspended"]}, rvs=_listed(_closed("n v"), 0),
)  # fmt: skip


def _status_told(value: dict[str, Any]) -> dict[str, Any]:
    item = _closed("sCI n s q", sCI=_ref("status_code"), s={}, q=_QUALITY)
    item |= {
        "if": {"properties": {"q": {"enum": ["unknown", "undefined"]}}},
        "then": {"properties": {"s": {"type": "null"}}},
        "else": {"properties": {"s": value}},
    }
    return _about("mId cId sTs sS", mId=_NUMBER, sTs=_STAMP, sS=_listed(item))


OWN: dict[str, Any] = {
    "3.1.2/definitions.json": _DEFINITIONS,
    "3.1.2/message_ack.json": _about("oMId", oMId=_NUMBER),
    "3.1.2/message_not_ack.json": _about("oMId", oMId=_NUMBER, rea={"type": "string"}),
    "3.1.2/version.json": _about(
        "mId RSMP SXL siteId", mId=_NUMBER, SXL=_ref("version"),
        RSMP=_listed(_closed("vers", vers=_ref("version"))) | {"uniqueItems": True},
        siteId=_listed(_closed("sId", sId={"type": "string", "minLength": 1})) | {"uniqueItems": True},
    ),
    "3.1.2/watchdog.json": _about("mId wTs", mId=_NUMBER, wTs=_STAMP),
    "3.1.2/status_request.json": _about("mId cId sS", mId=_NUMBER, sS=_listed(_NAMES)),
    "3.1.2/status_unsubscribe.json": _about("mId cId sS", mId=_NUMBER, sS=_listed(_NAMES)),
    "3.1.2/command_request.json": _about(
        "mId cId arg", mId=_NUMBER, arg=_listed(_closed("cCI n cO v", cCI=_ref("command_code"), v={}))
    ),
    "3.1.2/command_response.json": _about(
        "mId cId cTS rvs", mId=_NUMBER, cTS=_STAMP,
        rvs=_listed(_closed("cCI n v age", cCI=_ref("command_code"), v={}, age=_QUALITY), 0),
    ),
    "3.1.2/alarm_issue.json": _ALARM,
    "3.1.2/alarm_suspended_resumed.json": _ALARM,
    "3.1.2/alarm_suspend_resume.json": _about("mId cId aCId xACId aSp"),
    "3.1.2/alarm_acknowledge.json": _about("mId cId aCId xACId aSp aTs", aTs=_STAMP),
    "3.1.3/aggregated_status.json": _about(
        "mId aSTS fP fS se", mId=_NUMBER, aSTS=_STAMP, fP=_TEXT_OR_NULL, fS=_TEXT_OR_NULL,
        se=_listed({"type": "boolean"}, 8) | {"maxItems": 8},
    ),
    "3.1.3/status_response.json": _status_told({"type": "string"}),
    "3.1.3/status_update.json": _status_told({"type": "string"}),
}  # fmt: skip

_ADDRESSED = "mId cId ntsOId xNId"
ATTRIBUTES = {
    "MessageAck": "oMId", "MessageNotAck": "oMId rea", "Version": "mId RSMP SXL siteId", "Watchdog": "mId wTs",
    "AggregatedStatus": f"{_ADDRESSED} aSTS fP fS se", "AggregatedStatusRequest": _ADDRESSED,
    "Alarm": f"{_ADDRESSED} aCId xACId xNACId aSp ack aS sS aTs cat pri rvs",
    **dict.fromkeys(("StatusRequest", "StatusSubscribe", "StatusUnsubscribe"), f"{_ADDRESSED} sS"),
    **dict.fromkeys(("StatusResponse", "StatusUpdate"), f"{_ADDRESSED} sTs sS"),
    "CommandRequest": f"{_ADDRESSED} arg", "CommandResponse": f"{_ADDRESSED} cTS rvs",
}  # fmt: skip
"""What the text of the core names, by type of message."""


def _in_python(pattern: str) -> str:
    r"""A group that Ruby names and calls again (`(?<item>...)`, `\g<item>`) is written out."""
    named = re.search(r"\(\?<(\w+)>", pattern)
    if named is None:
        return pattern
    depth, end = 1, named.end()
    while depth:
        depth += {"(": 1, ")": -1}.get(pattern[end], 0)
        end += 1
    group = f"(?:{pattern[named.end() : end - 1]})"
    return (pattern[: named.start()] + group + pattern[end:]).replace(rf"\g<{named[1]}>", group)


def _rewritten(said: Any) -> Any:
    if isinstance(said, list):
        return [_rewritten(each) for each in said]
    if not isinstance(said, dict):
        return said
    return {
        key: _in_python(value) if key == "pattern" and isinstance(value, str) else _rewritten(value)
        for key, value in said.items()
    }


def _branches(schema: dict[str, Any]) -> dict[str, str]:
    """Where each `if` on a constant leads: constant -> reference."""
    found: dict[str, str] = {}
    for each in schema["allOf"]:
        if "if" in each:
            ((condition),) = each["if"]["properties"].values()
            for value in condition.get("enum", [condition.get("const")]):
                found[value] = each["then"]["$ref"]
    return found


class Standard:
    """All files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registry: Registry[Any] = Registry(retrieve=self._retrieve)  # type: ignore[call-arg]
        self._validators: dict[str, Draft7Validator] = {}
        self._types = {core: _branches(self._load(f"core/{at}/rsmp.json")) for core, at in FOLDERS.items()}
        self._passed: set[str] = set()

    def _load(self, path: str) -> Any:
        own = OWN.get(path.removeprefix("core/"))
        return own if own is not None else _rewritten(json.loads((self._folder / path).read_text("utf-8")))

    def _retrieve(self, uri: str) -> Resource[Any]:
        return Resource(self._load(uri.removeprefix(f"{BASE}/")), DRAFT7)

    def check(self, frame: bytes, core: str, sxl: str) -> None:
        """Fails where a frame, with its form feed, is not a message of these versions."""
        assert frame.endswith(END)
        said = json.loads(frame[:-1])
        kind = said["type"]
        assert said.pop("mType") == "rSMsg"
        assert set(said) - {"type"} <= set(ATTRIBUTES[kind].split()), (kind, sorted(said))
        self._valid(said, f"core/{FOLDERS[core]}/{self._types[core][kind]}")
        if kind == "Alarm":
            codes = self._load_cached(f"tlc/{sxl}/alarms/alarms.json")["properties"]["aCId"]["enum"]
            assert said["aCId"] in codes
            for each in said.get("rvs", ()):
                self._valid(each, f"tlc/{sxl}/alarms/{said['aCId']}.json")
        for each in said.get("sS", ()) if kind.startswith("Status") else ():
            self._coded(each, "sCI", sxl, "statuses")
        for each in said.get("arg" if kind == "CommandRequest" else "rvs", ()) if kind.startswith("Command") else ():
            if each.get("age") in ("undefined", "unknown"):
                assert each.pop("v") is None
            self._coded(each, "cCI", sxl, "commands")

    def _coded(self, item: dict[str, Any], key: str, sxl: str, folder: str) -> None:
        listing = self._load_cached(f"tlc/{sxl}/{folder}/{folder}.json")
        branches = _branches(listing["items"] if folder == "commands" else listing["properties"]["sS"]["items"])
        self._valid(item, f"tlc/{sxl}/{folder}/{branches[item[key]]}")

    @cache  # noqa: B019 - one judge lives as long as the run
    def _load_cached(self, path: str) -> Any:
        return self._load(path)

    def _valid(self, value: Any, path: str) -> None:
        path = normpath(path)
        key = f"{path} {json.dumps(value, sort_keys=True)}"
        if key in self._passed:
            return
        if path not in self._validators:
            self._validators[path] = Draft7Validator({"$ref": f"{BASE}/{path}"}, registry=self._registry)
        problems = [f"{error.json_path}: {error.message[:300]}" for error in self._validators[path].iter_errors(value)]
        assert not problems, (path, problems[:3], value)
        if len(self._passed) < 50_000:
            self._passed.add(key)

    def accepts(self, value: Any, sxl: str, code: str, name: str) -> bool:
        """Whether the list's schema of a code lets a value of that name be."""
        folder, slot = {"S": ("statuses", "s"), "M": ("commands", "v"), "A": ("alarms", "v")}[code[0]]
        try:
            self._valid({"n": name, slot: value}, f"tlc/{sxl}/{folder}/{code}.json")
        except AssertionError:
            return False
        return True


@cache
def standard(folder: Path) -> Standard:
    """The files of a folder, read once."""
    return Standard(folder)
