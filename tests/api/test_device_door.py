"""The device door of a real post: what it takes, what it refuses and in which words."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.post import RunningPost, make, now_us, reading, running

LAMP = "luminaire-000003"


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """One post for the questions here."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder)
    with running(folder, secret) as started:
        yield started


def test_a_reading_is_acknowledged_and_the_same_again_is_a_duplicate(post: RunningPost) -> None:
    sent = [reading(LAMP, "level", 60.0, now_us())]
    first, again = post.send(sent), post.send(sent)
    assert (first.status, first.body["accepted"]) == (200, 1)
    assert (again.status, again.body["duplicate"]) == (200, 1)


def test_the_counts_add_up_and_the_refusals_say_which_row_and_why(post: RunningPost) -> None:
    at = now_us()
    sent = [
        reading(LAMP, "power", 41.0, at),
        {"asset": LAMP},
        reading("post", "level", 1.0, at),
        reading(LAMP, "fault", "molten", at),
        reading(LAMP, "power", None, at),
        reading(LAMP, "power", 42.0, at - 1_000),
    ]
    answer = post.send(sent)
    assert answer.status == 200
    assert {each["row"]: each["outcome"] for each in answer.body["rejected"]} == {
        1: "malformed",
        2: "not_yours",
        3: "wrong_type",
        4: "wrong_type",
    }
    body = answer.body
    assert body["accepted"] + body["late"] + body["duplicate"] + body["rejected_total"] == len(sent)


def test_lines_are_taken_too_and_a_bad_line_spoils_no_other(post: RunningPost) -> None:
    good = json.dumps(reading(LAMP, "driver_temperature", 31.0, now_us()))
    answer = post.send(f"{good}\n\n{{broken\n".encode(), Content_Type="application/x-ndjson")
    assert (answer.body["accepted"], answer.body["rejected"][0]["row"]) == (1, 2)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"[]", {"Authorization": "Bearer wrong"}, 401),
        (b"[]", {"Authorization": ""}, 401),
        (b"[]", {"Content-Type": "text/plain"}, 415),
        (b"[{", {}, 400),
        (b"{}", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"", {}, 400),
        (b'[{"asset": NaN}]', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b"[" + b" " * (5 << 20) + b"]", {}, 413),
        (json.dumps([reading(LAMP, "level", 1, 0)] * 20_001).encode(), {}, 413),
    ],
)
def test_what_cannot_be_taken_is_refused_as_a_problem_with_its_mend(
    post: RunningPost, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = post.send(body, **headers)
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.body["status"] == status
    assert answer.body["detail"]


def test_an_empty_array_is_an_answer(post: RunningPost) -> None:
    answer = post.send([])
    assert (answer.status, answer.body["accepted"]) == (200, 0)


def test_health_and_figures(post: RunningPost) -> None:
    before = _figure(post, "accepted")
    post.send([reading("luminaire-000005", "level", 5.0, now_us())])
    assert _figure(post, "accepted") == before + 1
    assert post.ask("GET", "/health/live").body == {"live": True}
    assert post.ask("GET", "/health/ready").body == {"ready": True}


def test_no_answer_may_be_framed_sniffed_or_kept(post: RunningPost) -> None:
    headers = post.ask("GET", "/nothing").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_a_second_post_on_the_same_folder_is_refused_in_a_sentence(post: RunningPost, tmp_path: Path) -> None:
    folder = Path(post.process.args[post.process.args.index("--data") + 1])  # type: ignore[union-attr, index, arg-type]
    with pytest.raises(AssertionError, match="in use by another vigie"), running(folder, ""):
        pass


def test_a_graceful_stop_keeps_everything_and_signs_the_journal(tmp_path: Path) -> None:
    secret = make(tmp_path)
    with running(tmp_path, secret) as post:
        assert post.send([reading(LAMP, "level", 33.0, now_us())]).body["accepted"] == 1
        os.kill(post.process.pid, signal.SIGTERM)
        assert post.process.wait(20) == 0
    heads = [json.loads(line) for line in (tmp_path / "heads.jsonl").read_text().splitlines()]
    assert heads[-1]["size"] >= 3
    assert len(list((tmp_path / "observations" / "frames").glob("*.npz"))) == 1


def _figure(post: RunningPost, outcome: str) -> float:
    lines: str = post.ask("GET", "/metrics").body
    return next(
        float(x.split()[-1]) for x in lines.splitlines() if x.startswith(f'vigie_readings_total{{outcome="{outcome}"')
    )
