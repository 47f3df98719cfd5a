"""What a declaration collects, and what it refuses."""

from __future__ import annotations

from types import new_class

import pytest

from vigie.core.kinds import Action, AssetKind, Catalogue, Param, Proof, Sort, attribute, choice, flag, number


class Valve(AssetKind, name="valve", service="water", shown="opening"):
    """A kind of a service that does not exist: any service can be added."""

    diameter = attribute(Sort.NUMBER, unit="mm")
    opening = number(unit="%", low=0, high=100, valid_s=60)
    state = choice("shut", "open")
    turn = Action(params=(Param("opening"),), proof=Proof("opening", param="opening"))


class MotorValve(Valve, name="motor_valve", service="water", icon="valve", public=True):
    """A kind made from another has what the other has, and more."""

    powered = flag()


def test_declarations_learn_their_names_and_keep_their_order() -> None:
    assert list(Valve.points) == ["opening", "state"]
    assert [point.name for point in Valve.points.values()] == ["opening", "state"]
    assert Valve.points["opening"] is Valve.opening
    assert list(Valve.attributes) == ["diameter"]
    assert Valve.actions["turn"].name == "turn"


def test_a_kind_made_from_another_has_its_points_first() -> None:
    assert list(MotorValve.points) == ["opening", "state", "powered"]
    assert (MotorValve.kind, MotorValve.icon, MotorValve.public) == ("motor_valve", "valve", True)
    assert (Valve.kind, Valve.icon, Valve.public, Valve.verb) == ("valve", "valve", False, "see")


def test_codes_of_a_choice_run_from_zero_within_its_bounds() -> None:
    assert [Valve.state.code(name) for name in Valve.state.choices] == [0, 1]
    assert (Valve.state.low, Valve.state.high) == (0, 1)
    with pytest.raises(ValueError, match="not in"):
        Valve.state.code("ajar")


def test_a_flag_is_zero_or_one() -> None:
    assert (MotorValve.powered.sort, MotorValve.powered.low, MotorValve.powered.high) == (Sort.FLAG, 0, 1)


@pytest.mark.parametrize(
    ("shown", "proof"), [("", Proof("pressure", equals=1.0)), ("pressure", None)], ids=["proof", "picture"]
)
def test_what_rests_on_a_point_that_is_not_there_is_refused(shown: str, proof: Proof | None) -> None:
    body = {"turn": Action(proof=proof), "opening": number()}
    words = {"name": "broken", "service": "water", "shown": shown}
    with pytest.raises(TypeError, match="'pressure'"):
        new_class("Broken", (AssetKind,), words, lambda space: space.update(body))


def test_a_catalogue_names_each_service_once() -> None:
    assert Catalogue({"valve": Valve, "motor_valve": MotorValve}).services == ("water",)
    assert Catalogue().services == ()
