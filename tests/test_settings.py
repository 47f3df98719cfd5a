"""Settings: file, then environment, then what was said; and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigie.settings import Settings, SettingsWrong, load_settings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vigie.toml"
    path.write_text('city = "Dijon"\nport = 1001\nhost = "::1"\ndata = "here"\nlog_json = true\n', "utf-8")
    return path


def test_without_anything_there_are_defaults() -> None:
    assert load_settings(environment={}) == Settings()


def test_a_file_is_overlaid_by_the_environment_and_that_by_what_is_said(file: Path) -> None:
    environment = {"VIGIE_PORT": "1002", "VIGIE_HOST": "0.0.0.0", "VIGIE_LOG_JSON": "false", "PORT": "9"}
    made = load_settings(file, environment, port=1003, data=Path("there"), host=None)
    assert made == Settings(city="Dijon", port=1003, host="0.0.0.0", data=Path("there"), log_json=False)


def test_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_CITY", "Quetigny")
    assert load_settings().city == "Quetigny"


def test_a_folder_is_a_path_wherever_it_is_said(file: Path) -> None:
    assert load_settings(file, {}).data == Path("here")
    assert load_settings(file, {"VIGIE_DATA": "else/where"}).data == Path("else/where")


@pytest.mark.parametrize(("name", "meant"), [("VIGIE_PROT", "port"), ("VIGIE_DATTA", "data"), ("VIGIE_CITTY", "city")])
def test_an_unknown_setting_names_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(SettingsWrong, match=f"Did you mean '{meant}'"):
        load_settings(environment={name: "1"})


def test_a_setting_like_no_other_lists_them_all() -> None:
    with pytest.raises(SettingsWrong, match=r"There are: data, city, host, port"):
        load_settings(environment={"VIGIE_XXZZY": "1"})


@pytest.mark.parametrize(("name", "value"), [("port", "many"), ("log_json", "perhaps"), ("memory_mb", "1.5")])
def test_a_value_of_the_wrong_type_names_its_setting(name: str, value: str) -> None:
    with pytest.raises(SettingsWrong, match=rf"\$\.{name}"):
        load_settings(environment={f"VIGIE_{name.upper()}": value})


def test_a_file_that_is_not_there_or_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong, match=r"none\.toml cannot be read"):
        load_settings(tmp_path / "none.toml", {})
    for wrong in (b"port = ", b"\xff"):
        (tmp_path / "bad.toml").write_bytes(wrong)
        with pytest.raises(SettingsWrong, match=r"bad\.toml is no TOML"):
            load_settings(tmp_path / "bad.toml", {})
