"""Pictures that people send: what they are is read from their content, and what the camera says of place and time is
left out of what is kept."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

UPLOAD_BYTES_MAX = 12 << 20
PIXELS_MAX, WHOLE_PIXELS_MAX = 50_000_000, 24_000_000
"""More is a picture made to fill the memory. The second, of what has to be unpacked whole: only of a JPEG a part can
be."""
WHOLE_PX, SMALL_PX = 2_000, 320
"""The longer side of what is kept."""
_QUALITY = 82
_FORMATS = ("JPEG", "PNG", "WEBP")
# What reads a picture, and what the camera says in it, trips over in more ways than it says.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, struct.error,
)  # fmt: skip


class NoPicture(ValueError):
    """What was sent is none that is taken; says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, whole and small, as JPEG. width, height: of the whole one, in pixels."""

    whole: bytes
    small: bytes
    width: int
    height: int


def picture_of(sent: bytes) -> Picture:
    """The picture that was sent, upright, no larger than is kept, and with nothing beside its pixels. Raises
    NoPicture. Takes a tenth of a second and ten times its pixels in bytes: not on the loop, and few at once."""
    # To read pictures is asked of few processes: who does not wait for it with its start.
    from PIL import Image, ImageOps, UnidentifiedImageError
    from PIL.JpegImagePlugin import JpegImageFile

    try:
        opened = Image.open(io.BytesIO(sent), formats=_FORMATS)
        most = PIXELS_MAX if isinstance(opened, JpegImageFile) else WHOLE_PIXELS_MAX
        if opened.width * opened.height > most:
            raise NoPicture(f"it has more than {most // 1_000_000} million pixels")
        # Of a large JPEG only as much is unpacked as is needed.
        opened.draft("RGB", (WHOLE_PX, WHOLE_PX))
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    except NoPicture:
        raise
    except UnidentifiedImageError:
        raise NoPicture(f"it is none of {', '.join(_FORMATS)}") from None
    except (*_BROKEN, Image.DecompressionBombError) as error:
        raise NoPicture(f"it cannot be read: {str(error)[:100]}") from None
    upright.thumbnail((WHOLE_PX, WHOLE_PX))
    whole, size = _jpeg(upright), upright.size
    upright.thumbnail((SMALL_PX, SMALL_PX))
    return Picture(whole, _jpeg(upright), *size)


def _jpeg(image: object) -> bytes:
    from PIL import Image

    assert isinstance(image, Image.Image)
    written = io.BytesIO()
    # A new picture of the pixels alone: no block of what was read comes with it.
    plain = Image.frombytes("RGB", image.size, image.tobytes())
    plain.save(written, "JPEG", quality=_QUALITY, optimize=True)
    return written.getvalue()
