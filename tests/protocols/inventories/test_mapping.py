"""Mappings: what is wrong with one is said with the place and the nearest right word."""

from __future__ import annotations

import re
from textwrap import dedent

import msgspec
import pytest

from tests.city import CATALOGUE
from tests.conftest import PROJECT
from tests.protocols.inventories.made import mapping
from vigie.core.drafts import Draft
from vigie.protocols.inventories import SourceError, read_mapping, read_source, shipped, shipped_mapping
from vigie.protocols.inventories.mapping import AssetRule, AttributeRule, FileRule, Format, SourceMapping
from vigie.protocols.inventories.names import Case, cased
from vigie.protocols.inventories.templates import Template

WHOLE = """
source = "town"
title = "A town"
licence = "CC0"
[[files]]
name = "lights"
file = "lights.csv"
x = "X"
y = "Y"
[[files.assets]]
kind = "luminaire"
key = "{ID}"
attributes.rated_power = { from = "{W}", as = "number", factor = 0.001 }
attributes.lamp = "{LAMP}"
"""


def test_a_whole_mapping() -> None:
    read = mapping(WHOLE)
    (rule,) = read.files
    assert (read.source, rule.name, rule.form, rule.declared_epsg) == ("town", "lights", Format.CSV, None)
    (asset,) = rule.assets
    assert asset.attribute("lamp").source == "{LAMP}"
    assert asset.attribute("rated_power").factor == 0.001
    assert asset.templates["attributes.rated_power"] == "{W}"


@pytest.mark.parametrize(
    ("was", "becomes", "problem", "mend"),
    [
        ('title = "A town"', 'titel = "A town"', "'titel'", "'title'"),
        ('file = "lights.csv"', 'flie = "lights.csv"', "files 1 has the unknown key 'flie'", "'file'"),
        ('kind = "luminaire"', 'knid = "luminaire"', "files 1, assets 1 has the unknown key 'knid'", "'kind'"),
        ("factor = 0.001", "facter = 0.001", "attribute rated_power has the unknown key 'facter'", "'factor'"),
        ('from = "{W}"', 'form = "{W}"', "unknown key 'form'", "'from'"),
        ('kind = "luminaire"', "kind = 7", "Expected `str`, got `int`", "take-in-an-inventory"),
        ('as = "number"', 'as = "float"', "Invalid enum value 'float'", "take-in-an-inventory"),
        ('key = "{ID}"', 'key = "{ID"', "encloses no column", '"{COLUMN}"'),
        ('key = "{ID}"', 'key = "{}"', "encloses no column", '"{COLUMN}"'),
        ('key = "{ID}"', 'key = "lamp"', "the same for every row", "column"),
        ('name = "lights"', 'name = "The Lights"', "'The Lights' is no name", "hyphens"),
        ('source = "town"', 'source = ""', "'' is no name", "hyphens"),
        ('x = "X"', 'crs = "Lambert"\nx = "X"', "crs = 'Lambert'", "EPSG:2154"),
        ('x = "X"\n', "", "x or y", "together"),
        ('x = "X"\ny = "Y"\n', "", "no place", "x = "),
        ('x = "X"', 'x = "X"\ndelimiter = "::"', "delimiter", "One character"),
        ('x = "X"', 'x = "X"\ndecimal = "·"', "decimal", '"."'),
        ('file = "lights.csv"', 'file = "lights.dat"', "what form it has", "shapefile, geojson, csv"),
        ("[[files.assets]]", "[[file.assets]]", "unknown key 'file'", "'files'"),
        ('source = "town"', "source = town", "is no TOML", "line"),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_the_nearest_right_word(was: str, becomes: str, problem: str, mend: str) -> None:
    assert was in WHOLE
    with pytest.raises(SourceError) as refusal:
        mapping(WHOLE.replace(was, becomes))
    assert problem in refusal.value.problem
    assert mend in refusal.value.mend


def test_a_file_and_a_name_stand_once() -> None:
    second = WHOLE[WHOLE.index("[[files]]") :]
    for text in (second.replace("lights.csv", "other.csv"), second.replace('"lights"', '"other"')):
        with pytest.raises(SourceError, match="twice"):
            mapping(WHOLE + text)


def test_bytes_that_are_no_text_are_no_mapping() -> None:
    with pytest.raises(SourceError, match="is no TOML"):
        read_mapping(b"\xff\xfe")


@pytest.mark.parametrize(
    ("text", "values", "filled", "whole"),
    [
        ("{A} {B}", {"A": "Rue", "B": "Verte"}, "Rue Verte", "Rue Verte"),
        ("{A} {B}", {"A": "", "B": "Verte"}, "Verte", ""),
        ("no. {A}", {"A": "7"}, "no. 7", "no. 7"),
        ("plain", {}, "plain", "plain"),
        ("", {}, "", ""),
    ],
)
def test_templates(text: str, values: dict[str, str], filled: str, whole: str) -> None:
    template = Template.parse(text)
    assert (template.fill(values), template.whole(values)) == (filled, whole)
    assert template.columns == values.keys()


@pytest.mark.parametrize(
    ("name", "case", "shown"),
    [
        ("RUE DE LA PAIX", Case.TITLE_FR, "Rue de la Paix"),
        ("LES CEVENNES", Case.TITLE_FR, "Les Cevennes"),
        ("PRES D'ARENE", Case.TITLE_FR, "Pres d'Arene"),
        ("AVENUE HENRI IV", Case.TITLE_FR, "Avenue Henri IV"),
        ("14E DIVISION", Case.TITLE_FR, "14e Division"),
        ("1ST STREET", Case.TITLE, "1st Street"),
        ("MASS AVE", Case.AS_IS, "MASS AVE"),
        ("MacDonald AVE", Case.TITLE, "MacDonald AVE"),
        ("", Case.TITLE, ""),
    ],
)
def test_names_in_capitals(name: str, case: Case, shown: str) -> None:
    assert cased(name, case) == shown


@pytest.mark.parametrize("name", shipped())
def test_what_is_shipped_speaks_of_kinds_and_attributes_that_there_are(name: str) -> None:
    read = shipped_mapping(name)
    assert read.source == name
    assert read.title
    assert read.licence
    for rule in read.files:
        for asset in rule.assets:
            kind = CATALOGUE.assets[asset.kind]
            assert kind.shape == asset.shape
            assert asset.attributes.keys() <= kind.attributes.keys()


def test_an_unknown_name_gets_the_nearest_that_is_shipped() -> None:
    with pytest.raises(SourceError, match="'montpellier'"):
        shipped_mapping("montpelier")


HOW_TO = (PROJECT / "docs" / "how-to" / "take-in-an-inventory.md").read_text("utf-8")


@pytest.mark.parametrize("struct", [SourceMapping, FileRule, AssetRule, AttributeRule, Draft])
def test_every_key_is_in_the_how_to(struct: type[msgspec.Struct]) -> None:
    """Each in a table's first column, also where a row is of several."""
    documented = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|([^|]+)\|", HOW_TO, re.MULTILINE))))
    assert {field.encode_name for field in msgspec.structs.fields(struct)} - documented == set()


def test_the_how_tos_example_does_what_it_says() -> None:
    blocks = {form: dedent(text) for form, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```$", HOW_TO, re.M | re.S)}
    read = read_source(read_mapping(blocks["toml"].encode()), {"lamps.csv": blocks["text"].encode("latin-1")})
    (lamp,) = read.drafts
    assert (lamp.key, lamp.name) == ("lights/L-0001", "Rue de la Liberté")
    assert lamp.attributes == {"lamp": "LED", "rated_power": 60.0}
    assert read.files[0].crs.startswith("EPSG:3947")
    assert (round(lamp.lon, 2), round(lamp.lat, 2)) == (5.04, 47.37)
