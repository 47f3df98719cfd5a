"""Mail to residents: what becomes of what they reported, told at each step."""

from vigie.api.mailing.figures import MailFigures
from vigie.api.mailing.letters import Sender, trial
from vigie.api.mailing.outbox import Outbox

__all__ = ["MailFigures", "Outbox", "Sender", "trial"]
