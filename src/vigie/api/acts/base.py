"""What every act needs: the engine, who is called what, and one way in which what is refused is said."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import Request

from vigie.api.access import Caller
from vigie.api.city.forms import Who
from vigie.api.city.sources import Sources
from vigie.api.problems import Problem
from vigie.core.lives import MoveRefused
from vigie.core.scope import Placement, Verb
from vigie.engine.acts import Acts
from vigie.engine.cases import CaseRefused
from vigie.engine.commands import CommandRefused
from vigie.engine.consignations import ConsignationRefused
from vigie.engine.hand import HandRefused
from vigie.engine.orders import OrderWrong
from vigie.engine.plans import PlanRefused
from vigie.engine.ports import StorageFull
from vigie.engine.pump import Pump
from vigie.engine.selection import CORNERS_MAX, SelectionWrong

KEY_LENGTH_MAX = 100


@dataclass(frozen=True)
class Bench:
    """Where acts are done."""

    sources: Sources
    acts: Acts
    pump: Pump

    def who(self, caller: Caller, actor: str, *, may: bool) -> Who:
        """Somebody, by name for themselves and for whoever may read what people are called there."""
        may = may or caller.actor == actor
        return Who(id=actor, name=self.sources.facts.accounts.name_of(actor) if may else None)

    def asset(self, caller: Caller, asset_id: str, verb: Verb) -> int:
        """The number of an asset with which the caller may do this. Raises Problem 404 (not seen) and 403."""
        engine = self.sources.engine
        no = engine.registry.numbers.get(asset_id, 0)
        if not no or not engine.visibility.mask(caller.scope)[no]:
            raise Problem(404, "No such asset", f"There is no asset {asset_id[:80]!r} that you may see.")
        if not engine.visibility.mask(caller.scope, verb)[no]:
            raise Problem(403, "Not allowed", f"You may not do this to {asset_id!r}: it takes {verb.value!r} there.")
        return no

    async def kept(self) -> None:
        """Returns when what was done is on disk."""
        with refusals():
            await self.pump.settled()


def allowed(caller: Caller, verb: Verb, area: str, service: str, seen_with: str) -> bool:
    """Whether the caller may do this in all of an area, for a service."""
    return caller.scope.may(verb).covers(Placement(area, service, seen_with))


def idempotency_key(request: Request) -> str:
    """What the sender calls this act, so that to send it again is to do it once; "" for nothing. Raises Problem 400."""
    key = request.headers.get("idempotency-key", "")
    if len(key) > KEY_LENGTH_MAX:
        raise Problem(400, "Impossible key", f"An Idempotency-Key has at most {KEY_LENGTH_MAX} characters.")
    return key


@contextmanager
def refusals() -> Generator[None]:
    """Turns what the engine refuses into problems that say which rule, in words and by its key."""
    try:
        yield
    except OrderWrong as error:
        raise Problem(422, "Not an order", _words(error.rule), rule=error.rule, values=error.detail) from error
    except CommandRefused as error:
        raise Problem(
            409, "Refused", _words(error.rule), mend=_MENDS.get(error.rule, ""), rule=error.rule, values=error.detail
        ) from error
    except ConsignationRefused as error:
        raise Problem(409, "Refused", _words(error.rule), rule=error.rule) from error
    except (PlanRefused, CaseRefused) as error:
        raise Problem(409, "Refused", _words(error.rule), rule=error.rule, values=error.detail) from error
    except MoveRefused as error:
        raise Problem(
            409, "Too late", str(error), rule="engine.life", values={"state": error.state, "event": error.event}
        ) from error
    except SelectionWrong as error:
        values = {"most": CORNERS_MAX}
        raise Problem(422, "Not a selection", str(error), rule="engine.corners", values=values) from error
    except HandRefused as error:
        raise Problem(422, "Not possible", str(error), rule=error.rule, values=error.detail) from error
    except StorageFull as error:
        raise Problem(
            507,
            "Disk full",
            "What you did cannot be written down, so it was not done.",
            mend="Make room on the disk.",
            rule="engine.disk_full",
        ) from error


_MENDS = {"engine.key_reused": "Send another Idempotency-Key with another order."}


def _words(rule: str) -> str:
    return f"The rule {rule!r} refuses it."
