"""Documents of cases: what of them is about persons lies apart, and is put back as it was."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.city import SERVICES
from vigie.engine.cases import case_kinds_of
from vigie.services.roads.works.buried import BURIED, Buried
from vigie.services.roads.works.permits import ROADWORKS, Answered, Roadworks

NAME = "Mme Éléonore Vasseur"

answers = st.lists(st.builds(Answered, st.text("ab", min_size=1), st.just(f"Vu avec {NAME}.")), max_size=3).map(tuple)
documents = st.one_of(
    st.tuples(
        st.just(ROADWORKS),
        st.builds(
            Roadworks, owner_name=st.sampled_from(["", NAME]), answers=answers, organisation=st.booleans(),
            networks=st.sampled_from([(), ("gaz",)]),
        ),
    ),
    st.tuples(st.just(BURIED), st.builds(Buried, asker_name=st.sampled_from(["", NAME]), organisation=st.booleans())),
)  # fmt: skip


@given(documents)
def test_what_is_private_in_a_document_is_nowhere_but_apart_and_is_put_back(told: tuple) -> None:
    kind, document = told
    public, apart = kind.public(document), kind.apart(document)
    assert kind.joined(public, apart) == document
    assert (kind.public(public), kind.apart(public)) == (public, {})
    assert (NAME in msgspec.json.encode(public).decode()) == bool(document.published_name)
    for gone in apart:
        rest = {name: text for name, text in apart.items() if name != gone}
        assert kind.joined(public, rest) == kind.public(document, [gone])


def test_what_lies_apart_and_is_not_of_its_form_is_told() -> None:
    with pytest.raises(msgspec.ValidationError):
        ROADWORKS.joined(Roadworks(), {"owner_name": "7"})


@pytest.mark.parametrize("field", ["private", "worked"])
def test_a_kind_names_no_field_that_its_document_has_not(field: str) -> None:
    values = {each: getattr(BURIED, each) for each in BURIED.__dataclass_fields__}
    said = values | {field: {"colour": BURIED.private["asker_name"]} if field == "private" else frozenset({"colour"})}
    with pytest.raises(ValueError, match="colour"):
        type(BURIED)(**said)


def test_a_permit_and_a_request_name_persons_where_they_can_be_erased() -> None:
    private = {kind.key: sorted(kind.private) for kind in case_kinds_of(SERVICES) if kind.private}
    assert private == {"roads.roadworks": ["answers", "owner_name"], "roads.buried": ["asker_name"]}
