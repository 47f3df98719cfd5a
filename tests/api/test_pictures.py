"""Pictures: read by their content, kept small and upright, with nothing of what the camera says of place and time."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vigie.api.pictures import PIXELS_MAX, SMALL_PX, WHOLE_PIXELS_MAX, WHOLE_PX, NoPicture, picture_of

GPS, ORIENTATION, MAKE = 0x8825, 0x0112, 0x010F


def picture(width: int = 300, height: int = 200, form: str = "JPEG") -> bytes:
    """A photo as a telephone writes it: it lies on its side, and says where and with what it was taken."""
    image = Image.new("RGB", (width, height), "navy")
    image.paste("orange", (0, 0, width // 2, height))
    said = Image.Exif()
    said[MAKE] = "A telephone"
    said[ORIENTATION] = 6
    said.get_ifd(GPS)[2] = (47.0, 19.0, 18.0)
    written = io.BytesIO()
    image.save(written, form, exif=said)
    return written.getvalue()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_kept_upright_and_says_nothing_else(form: str) -> None:
    sent = picture(form=form)
    assert b"telephone" in sent
    kept = picture_of(sent)
    assert (kept.width, kept.height) == (200, 300)
    for each in (kept.whole, kept.small):
        image = Image.open(io.BytesIO(each))
        assert (image.format, dict(image.getexif()), b"telephone" in each) == ("JPEG", {}, False)
    whole = Image.open(io.BytesIO(kept.whole))
    # What was left of the lying picture is on top of the upright one.
    assert whole.getpixel((100, 20))[0] > 200 > whole.getpixel((100, 280))[0]


def test_what_is_large_is_kept_smaller() -> None:
    kept = picture_of(picture(4_000, 1_000))
    assert (kept.width, kept.height) == (WHOLE_PX // 4, WHOLE_PX)
    assert max(Image.open(io.BytesIO(kept.small)).size) == SMALL_PX


@pytest.mark.parametrize(("form", "most"), [("PNG", WHOLE_PIXELS_MAX), ("JPEG", PIXELS_MAX)])
def test_a_picture_that_unpacks_to_more_than_is_read_is_refused_unread(form: str, most: int) -> None:
    written = io.BytesIO()
    Image.new("L", (10_000, most // 10_000 + 1)).save(written, form)
    with pytest.raises(NoPicture, match=f"{most // 1_000_000} million pixels"):
        picture_of(written.getvalue())


def test_what_is_called_a_picture_and_is_none_is_refused() -> None:
    written = io.BytesIO()
    Image.new("RGB", (10, 10)).save(written, "GIF")
    for sent in (b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", written.getvalue(), picture()[:400]):
        with pytest.raises(NoPicture):
            picture_of(sent)


@pytest.mark.parametrize(("form", "at", "value"), [("JPEG", 41, 0), ("WEBP", 129, 31)])
def test_what_the_camera_says_may_be_nonsense(form: str, at: int, value: int) -> None:
    """Found by breaking bytes at random: what reads it trips in ways of its own."""
    written = io.BytesIO()
    said = Image.Exif()
    said[ORIENTATION], said[MAKE] = 6, "Maker"
    said[0x8769] = {0x9003: "2026:01:01 00:00:00"}
    Image.new("RGB", (64, 48), "red").save(written, form, exif=said.tobytes())
    sent = bytearray(written.getvalue())
    sent[at] = value
    with pytest.raises(NoPicture, match="cannot be read"):
        picture_of(bytes(sent))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 600), st.binary(min_size=1, max_size=8))
def test_whatever_is_broken_in_a_picture_it_is_read_or_refused(at: int, rubbish: bytes) -> None:
    sent = bytearray(picture(60, 40))
    sent[at : at + len(rubbish)] = rubbish
    try:
        kept = picture_of(bytes(sent))
    except NoPicture:
        return
    assert Image.open(io.BytesIO(kept.whole)).format == "JPEG"
