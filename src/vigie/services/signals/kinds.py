"""What the signals service owns: junctions with a controller, and detectors."""

from vigie.core.kinds import (
    Action,
    AssetKind,
    Hazard,
    Param,
    Proof,
    Sort,
    attribute,
    choice,
    flag,
    number,
    stands_for,
    text,
)


class Junction(AssetKind, name="junction", service="signals", shown="mode", public=True):
    """A junction with a signal controller. The controller owns safety; the post asks for plans and modes.

    groups: what each signal group shows, one letter a group in the controller's order: R red, Y yellow, G green, U red
    and yellow, F flashing yellow, B flashing red, X dark, S starting up, - none. fault: the worst that the controller
    says of itself; major is what keeps it from its service or wants a person in this shift, minor what can wait for the
    next maintenance. faults: which, in the words of its protocol. control: who decides which stage comes next, which is
    its plan; the post, by what detectors count; a person; a tram, a bus or an emergency vehicle. Told by a controller
    that has inputs for stages, and by no other. day_plans: which plan it runs by itself when (`dayplans`); day_table
    stands for that text in proofs. Both are told by a controller that has such tables.
    """

    controller = attribute()
    commissioned = attribute()
    sound_signals = attribute()

    mode = choice("colours", "flashing", "dark", "all_red", valid_s=300)
    plan = number(low=0, high=255, valid_s=900)
    stage = number(low=0, high=999, valid_s=180)
    groups = text(valid_s=180)
    cycle_time = number(unit="s", low=0, high=300, valid_s=900)
    door = choice("closed", "open", valid_s=3_600)
    fault = choice("none", "minor", "major", valid_s=3_600)
    faults = text(valid_s=3_600)
    control = choice("plan", "adaptive", "operator", "priority", valid_s=180)

    day_plans = text(valid_s=900)
    day_table = stands_for("day_plans", valid_s=900)

    run_plan = Action(
        params=(Param("plan", low=1, high=16),),
        proof=Proof("plan", param="plan"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
        # A junction that the post steers shows a plan beneath, and leaves the post's hands with this order.
        always=True,
    )
    set_mode = Action(
        params=(Param("mode", Sort.CHOICE, choices=("colours", "flashing")),),
        proof=Proof("mode", param="mode"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
    )
    run_day_plans = Action(
        params=(Param("days", Sort.TEXT),),
        proof=Proof("day_table", param="days"),
        hazard=Hazard.CONFIRM,
        proof_s=300,
        # A junction that was ordered to run a plan goes back to its table with this order.
        always=True,
    )
    set_control = Action(
        params=(Param("control", Sort.CHOICE, choices=("plan", "adaptive")),),
        proof=Proof("control", param="control"),
        hazard=Hazard.CONFIRM,
        proof_s=240,
        # One that has fallen back to its plan shows its plan, and would be steered again.
        always=True,
    )


class Detector(AssetKind, name="detector", service="signals", shown="flow", public=True):
    """A loop or another counter on a lane or a cross-section. logic: which of the detector logics it is of the
    controller that tells what it counts, by number from 1; none where it tells that itself."""

    lanes = attribute(Sort.NUMBER)
    direction = attribute()
    logic = attribute(Sort.NUMBER)

    flow = number(unit="/h", low=0, high=20_000, valid_s=7_200, public=True)
    speed = number(unit="km/h", low=0, high=250, valid_s=7_200, public=True)
    occupancy = number(unit="%", low=0, high=100, valid_s=7_200, public=True)
    working = flag(valid_s=7_200)
