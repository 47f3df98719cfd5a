"""The operator's manual speaks the words of the console: what it quotes stands on the screen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXTS = ROOT / "src" / "vigie" / "texts"
QUOTED = {"fr": r"«\s*([^»]+?)\s*»", "en": r'"([^"]+)"'}


def said(language: str) -> list[re.Pattern[str]]:
    """Each text of the interface that has words of its own, with anything in place of its parameters."""
    texts = [text for file in sorted(TEXTS.glob(f"{language}*.json")) for text in json.loads(file.read_text()).values()]
    texts = [" ".join(text.split()) for text in texts]  # the manual is read with its own line breaks
    wordy = [text for text in texts if len(re.sub(r"\{\w+\}|\W", "", text)) >= 3]
    return [re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text)), re.IGNORECASE) for text in wordy]


def is_said(quoted: str, patterns: list[re.Pattern[str]]) -> bool:
    """Whether it is a text, or a part of one; dots stand for what is not quoted."""
    part = re.compile(".*".join(re.escape(piece.strip(" .")) for piece in quoted.split("…")), re.IGNORECASE)
    return any(pattern.fullmatch(quoted) or part.search(pattern.pattern.replace("\\", "")) for pattern in patterns)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_the_manual_quotes_stands_on_the_screen(language: str) -> None:
    manual = (ROOT / "docs" / "manual" / f"{language}.md").read_text()
    quoted = {" ".join(each.split()) for each in re.findall(QUOTED[language], manual)}
    patterns = said(language)
    assert len(quoted) > 50
    assert not {each for each in quoted if not is_said(each, patterns)}
    assert not is_said("Words that nobody wrote", patterns)
