from pathlib import Path

import pytest
import yaml

from lifelog.config import Config, ConfigError, load_config
from lifelog.config_yaml import reference, render

ROOT = Path(__file__).parents[1]


def test_config_yaml_is_what_the_models_say() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert text == render(), "run: make config"
    assert load_config(yaml.safe_load(text)) == Config()


def test_the_reference_is_what_the_models_say() -> None:
    text = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    assert text == reference(), "run: make config"
    for key in ("`layout`", "`simulated`, `etri`, `empatica`", "whole number, at least 2", "`max_iter`", "`newcomers`"):
        assert key in text


def test_every_key_is_used() -> None:
    """A key that no module or rule reads would be a promise that nobody keeps."""
    sources = [p for folder in ("lifelog", "rules", "workflow_scripts") for p in (ROOT / folder).rglob("*.*")]
    code = "\n".join(p.read_text() for p in sources if p.suffix in (".py", ".smk", ".html") and p.name != "config.py")
    for name, field in Config.model_fields.items():
        assert name in code, name
        keys = getattr(field.annotation, "model_fields", {})
        for key in keys:
            assert f".{key}" in code or f'"{key}"' in code, f"{name}.{key}"


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_presets_are_valid(preset: Path) -> None:
    load_config(yaml.safe_load(preset.read_text()))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"windws": {}}, ["windws: unknown key", "did you mean 'windows'?"]),
        ({"mil": {"epoch": 3}}, ["mil.epoch: unknown key", "did you mean 'epochs'?"]),
        ({"mil": {"attention": "gate"}}, ["mil.attention: got 'gate'", "'gated' or 'published'"]),
        ({"windows": {"coverage": 2}}, ["windows.coverage: got 2", "less than or equal to 1"]),
        ({"groups": {"k": "many"}}, ["groups.k: got 'many'", "'auto'"]),
        ({"predictors": [{"name": "forest"}]}, ["predictors[0].name: got 'forest'", "'boosting'"]),
        ({"predictors": [{"name": "boosting", "maxiter": 3}]}, ["predictors[0].maxiter", "did you mean 'max_iter'?"]),
        ({"cohort": {"timezone": "Asia/Soul"}}, ["cohort.timezone", "did you mean 'Asia/Seoul'?"]),
        ({"targets_run": ["joy"]}, ["targets_run: 'joy' is none of the targets"]),
        ({"schemes": ["importance"]}, ["schemes: 'global' is needed"]),
        ({"results": "../elsewhere"}, ["results: got '../elsewhere'", "without '..'"]),
        ({"windows": {"seconds": 30}}, ["e4Acc", "960 samples"]),
        ({"splits": [{"name": "a", "measure": "random"}] * 2}, ["splits: the name 'a' is given twice"]),
        ({"splits": [{"name": "a", "measure": "radnom"}]}, ["splits[0].method: got 'radnom'", "'blocked', 'random'"]),
        ({"splits": [{"name": "a"}]}, ["splits[0]: the key 'method' is needed"]),
        ({"splits": [{"name": "a", "measure": "blocked", "embargo": 3}]}, ["splits[0].embargo", "'embargo_minutes'?"]),
        (
            {"splits": [{"name": "a", "measure": "random", "embargo_minutes": 3}]},
            ["splits[0].embargo_minutes: unknown"],
        ),
        ({"splits": [{"name": "a", "measure": "users", "within": "b"}]}, ["'a' is within 'b', which is none of []"]),
        ({"splits": [{"name": "a", "measure": "blocked", "between": "rest"}]}, ["name their label column"]),
        ({"cohort": {"users": 3}}, ["cohort.users: got 3"]),
        ({"schemes": ["global", "random"]}, ["'raw' and 'random' are controls of 'importance'"]),
        ({"predictors": [{"name": "clock", "schemes": ["personal"]}]}, ["'clock' needs the scheme 'global'"]),
        (
            {"targets": [{"name": "t", "column": "c", "bins": {"a": [1], "b": [1, 2]}}], "targets_run": ["t"]},
            ["value 1 is in two bins, 'a' and 'b'"],
        ),
    ],
)
def test_a_wrong_config_says_key_value_and_what_is_allowed(raw: dict, said: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(raw)
    for words in said:
        assert words in str(error.value)


def test_user_names_that_look_like_numbers_are_names() -> None:
    assert load_config({"cohort": {"users": [101, "user02"]}}).cohort.users == ["101", "user02"]


def test_models_of_a_split_are_those_that_can_be_made() -> None:
    config = load_config({"groups": {"random": 2}})
    within = config.models(config.split("blocked"))
    assert ("lifelognet", "random-2") in within and ("lifelognet", "personal") in within
    assert ("clock", "importance") not in within and ("clock", "personal") in within
    unseen = config.models(config.split("users"))
    assert set(unseen) == {pair for pair in within if pair[1] != "personal"}
