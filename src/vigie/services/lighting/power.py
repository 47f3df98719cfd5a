"""What a luminaire draws at a level."""

from __future__ import annotations

import numpy as np

from vigie.core.observations import Floats

STANDING_SHARE = 0.07
"""The share of its rated power that a burning LED luminaire draws whatever its level: the dimming curves that makers of
outdoor drivers publish are nearly straight, and meet the axis between 4 and 10 % of the rated power."""


def expected_w(rated_w: Floats | float, level: Floats | float) -> Floats:
    """The power at a level from 0 to 100 %, in watts; at 0 the lamp is off and draws nothing that counts here."""
    share = STANDING_SHARE + (1 - STANDING_SHARE) * np.asarray(level, np.float64) / 100
    return np.where(np.asarray(level) > 0, np.asarray(rated_w) * share, 0.0)
