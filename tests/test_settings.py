"""Settings: one order of origins, and a bad value says which, where, what and what instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from logwright.errors import SettingsError
from logwright.settings import Settings, load_settings


def toml(text: str, name: str = "logwright.toml") -> Path:
    path = Path(name)
    path.write_text(text, "utf-8")
    return path


def test_defaults_stand_where_nothing_is_given() -> None:
    assert load_settings() == Settings()


def test_command_line_over_environment_over_file_over_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    toml("budget = 3\ntop = 5\nlateness = 7\n")
    monkeypatch.setenv("LOGWRIGHT_BUDGET", "2")
    monkeypatch.setenv("LOGWRIGHT_TOP", "4")
    found = load_settings(budget=1.0, severity=None)
    assert (found.budget, found.top, found.lateness, found.session_gap) == (1.0, 4, 7.0, 3600.0)
    assert found.severity == "low"


def test_none_means_not_given_but_false_is_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_EXEMPLARS", "true")
    monkeypatch.setenv("LOGWRIGHT_LABEL_PREFIX", "yes")
    assert load_settings(exemplars=None).exemplars is True
    found = load_settings(exemplars=False)
    assert (found.exemplars, found.label_prefix) == (False, True)


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toml("top = 5\n")
    path = toml("top = 6\n", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("LOGWRIGHT_CONFIG", str(path))
    assert load_settings().top == 6


def test_a_named_file_that_is_absent_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGWRIGHT_CONFIG", "absent.toml")
    with pytest.raises(SettingsError, match=r"LOGWRIGHT_CONFIG names 'absent\.toml'"):
        load_settings()


def test_the_ignore_file_of_the_working_folder_is_the_default() -> None:
    Path(".logwrightignore").write_text("p-0123456789abcdef\n")
    assert load_settings().ignore == ".logwrightignore"
    assert load_settings(ignore="mine").ignore == "mine"
    toml('ignore = "theirs"\n')
    assert load_settings().ignore == "theirs"


BAD = [
    ("trigger", "4/3", "such as '3/5'"),
    ("quiet", "10 minutes", "a length of time"),
    ("budget", -1, "greater than 0"),
    ("budget", "many", "number"),
    ("top", 0, "greater than or equal to 1"),
    ("block_bytes", 10, "greater than or equal to 4096"),
    ("severity", "severe", "'low', 'medium', 'high' or 'critical'"),
    ("max_shapes", 1.5, "integer"),
    ("label_prefix", "perhaps", "bool"),
]


@pytest.mark.parametrize("origin", ["the command line", "logwright.toml", "environment"])
@pytest.mark.parametrize(("key", "value", "expected"), BAD)
def test_a_bad_value_is_named_with_key_origin_and_expectation(
    key: str,
    value: object,
    expected: str,
    origin: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = {}
    if origin == "environment":
        origin = f"LOGWRIGHT_{key.upper()}"
        monkeypatch.setenv(origin, str(value))
    elif origin == "logwright.toml":
        toml(f"{key} = {value!r}\n")
    else:
        options = {key: value}
    with pytest.raises(SettingsError) as error:
        load_settings(**options)
    said = str(error.value)
    assert said.startswith(f"{origin}: {key} is ")
    assert str(value) in said
    assert expected in said
    assert "\n" not in said


def test_an_unknown_key_is_named_with_its_origin() -> None:
    toml("bugdet = 3\n")
    with pytest.raises(SettingsError, match=r"logwright\.toml: there is no setting named 'bugdet'"):
        load_settings()


@pytest.mark.parametrize("text", ["budget = ", "= 1", "budget = 1\nbudget = 2"])
def test_a_file_that_is_not_toml_says_where(text: str) -> None:
    toml(text)
    with pytest.raises(SettingsError, match=r"logwright\.toml is not valid TOML: .*at "):
        load_settings()


def test_a_file_that_is_not_text_is_an_error() -> None:
    Path("logwright.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load_settings()


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().budget = 1.0  # type: ignore[misc]


def test_every_setting_says_what_it_is() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description[0].isupper() or field.description[0] == "'", name
        assert field.description.endswith("."), name
