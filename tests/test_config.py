"""Settings from files, the command line and the environment, and what beats what."""

from __future__ import annotations

from pathlib import Path

import pytest
from traitlets import Float, List, TraitError, Unicode
from traitlets.config import Config

from jupyter_einfra.app import EinfraFeatures
from jupyter_einfra.apps.manager import AppsManager
from jupyter_einfra.config import EinfraConfigurable
from jupyter_einfra.stream import EinfraStream
from jupyter_einfra.usage.manager import UsageManager

SETTINGS: list[type[EinfraConfigurable]] = [EinfraFeatures, EinfraStream, UsageManager, AppsManager]


class Demo(EinfraConfigurable):
    env_prefix = "JUPYTER_EINFRA_DEMO_"

    seconds = Float(1.0, min=0.5).tag(config=True)
    names = List(Unicode()).tag(config=True)
    secret = Unicode()  # not a setting


def test_the_default_holds_where_nothing_is_set() -> None:
    assert Demo(environ={}).seconds == 1.0


def test_the_environment_sets_a_trait() -> None:
    environ = {"JUPYTER_EINFRA_DEMO_SECONDS": "2.5", "JUPYTER_EINFRA_DEMO_NAMES": "a, b ,"}
    demo = Demo(environ=environ)
    assert (demo.seconds, demo.names) == (2.5, ["a", "b"])


def test_the_processes_own_environment_is_the_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_EINFRA_DEMO_SECONDS", "3")
    assert Demo().seconds == 3


def test_config_files_beat_the_environment() -> None:
    environ = {"JUPYTER_EINFRA_DEMO_SECONDS": "2.5"}
    assert Demo(environ=environ, config=Config(Demo={"seconds": 4.0})).seconds == 4.0


def test_only_settings_come_from_the_environment() -> None:
    assert Demo(environ={"JUPYTER_EINFRA_DEMO_SECRET": "x"}).secret == ""


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_number_that_no_clock_can_wait_for_is_refused(value: str) -> None:
    with pytest.raises(TraitError, match=r"seconds"):
        Demo(environ={"JUPYTER_EINFRA_DEMO_SECONDS": value})
    with pytest.raises(TraitError, match=r"seconds"):
        Demo(environ={}, seconds=float(value))


@pytest.mark.parametrize("value", ["often", "0.1", ""])
def test_a_wrong_value_names_the_variable(value: str) -> None:
    with pytest.raises(TraitError, match="JUPYTER_EINFRA_DEMO_SECONDS"):
        Demo(environ={"JUPYTER_EINFRA_DEMO_SECONDS": value})


@pytest.mark.parametrize("configurable", SETTINGS)
def test_every_setting_explains_itself(configurable: type[EinfraConfigurable]) -> None:
    assert configurable.env_prefix.startswith("JUPYTER_EINFRA_")
    for name, trait in configurable.class_own_traits(config=True).items():
        assert trait.help.endswith("."), name


def test_variables_of_different_settings_do_not_meet() -> None:
    names = [c.env_name(trait) for c in SETTINGS for trait in c.class_own_traits(config=True)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("configurable", SETTINGS)
def test_the_readme_tells_every_setting_with_its_default(
    configurable: type[EinfraConfigurable],
) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    for name, trait in configurable.class_own_traits(config=True).items():
        default = trait.default()
        if isinstance(default, (list, dict)):
            told = f"`{default}`"
        else:
            told = f"{default:g}" if isinstance(default, float) else str(default).lower()
        row = f"| `c.{configurable.__name__}.{name}` | `{configurable.env_name(name)}` | {told} |"
        assert row in readme
