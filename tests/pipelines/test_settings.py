"""Settings that cannot be used stop every command, and are named with what was meant."""

import pytest

from pipelines import commands
from pipelines.settings import Settings


def status():
    """The shortest command."""
    return commands.main(["status"])


def test_a_wrong_setting_is_named(inbox, monkeypatch, capsys):
    monkeypatch.setenv("APT_KEEP_RELEASES", "none")
    assert status() == 1
    assert "keep_releases" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("APT_KEEP_RELEASE", "3", ["APT_KEEP_RELEASE,", "Did you mean 'APT_KEEP_RELEASES'?"]),
        ("APT_RULES__SMALEST_BASE", "10", ["APT_RULES__SMALEST_BASE,", "Did you mean 'APT_RULES__SMALLEST_BASE'?"]),
        ("APT_RULES", '{"smalest_base": 10}', ["rules.smalest_base", "Did you mean 'smallest_base'?"]),
        ("APT_RULES__SMALLEST_BASE", "2", ["rules.smallest_base", "greater than or equal to 3"]),
        ("APT_RULES__SMALLEST_MARGIN", "0", ["rules.smallest_margin", "greater than or equal to 1"]),
        ("APT_RULES__NARROWEST_BASE", "1", ["rules.narrowest_base", "greater than or equal to 2"]),
        ("APT_MOST_QUARANTINED", "10", ["most_quarantined", "less than or equal to 1"]),
        ("APT_MOST_UNMAPPED", "-1", ["most_unmapped", "greater than or equal to 0"]),
    ],
)
def test_a_misspelt_or_absurd_setting_stops_every_command(inbox, monkeypatch, capsys, name, value, said):
    monkeypatch.setenv(name, value)
    assert status() == 1
    err = capsys.readouterr().err
    for each in said:
        assert each in err


def test_a_misspelt_rule_in_the_settings_file_stops_every_command(inbox, tmp_path, monkeypatch, capsys):
    (tmp_path / "settings.toml").write_text("[rules]\nsmalest_base = 20\n")
    monkeypatch.setitem(Settings.model_config, "toml_file", tmp_path / "settings.toml")
    assert status() == 1
    assert "rules.smalest_base: there is no such setting. Did you mean 'smallest_base'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["APT_ACCESS", "APT_DEBUG", "APT_CONFIG", "APT_SPARK__SPARK.UI.ENABLED", "apt_threads"]
)
def test_names_that_others_read_are_let_pass(inbox, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert status() == 0


@pytest.mark.parametrize(("text", "said"), [("keep_releases = ", "not valid TOML"), ('key = "k"', "APT_KEY")])
def test_a_settings_file_that_cannot_be_used_is_named(inbox, tmp_path, monkeypatch, capsys, text, said):
    (tmp_path / "settings.toml").write_text(text)
    monkeypatch.setitem(Settings.model_config, "toml_file", tmp_path / "settings.toml")
    assert status() == 1
    err = capsys.readouterr().err
    assert "settings.toml" in err
    assert said in err
