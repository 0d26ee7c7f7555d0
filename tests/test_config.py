import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from lifelog.config import Config, ConfigError, load_config
from lifelog.config_yaml import render, schema
from lifelog.settings.base import Section
from lifelog.settings.groups import Groups, Vectors

ROOT = Path(__file__).parents[1]


def test_config_yaml_is_generated_from_the_models() -> None:
    text = (ROOT / "config.yaml").read_text(encoding="utf-8")
    assert text == render(), "run: make config"
    assert load_config(yaml.safe_load(text)) == Config()


def test_the_json_schema_is_generated_from_the_models() -> None:
    assert (ROOT / "config.schema.json").read_text(encoding="utf-8") == schema(), "run: make config"


@pytest.mark.parametrize("path", [ROOT / "config.yaml", *(ROOT / "presets").glob("*.yaml")], ids=lambda path: path.stem)
def test_the_json_schema_accepts_each_configuration_and_refuses_unknown_keys(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.match(r"# yaml-language-server: \$schema=(.+)\n", text)
    assert named
    found = json.loads((path.parent / named[1]).read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load(text), found)
    with pytest.raises(jsonschema.ValidationError, match="'epochz' was unexpected"):
        jsonschema.validate(yaml.safe_load(text) | {"mil": {"epochz": 2}}, found)


def test_the_json_schema_describes_every_key() -> None:
    found = json.loads(schema())
    for model in (found, *found["$defs"].values()):
        assert all(key.get("description") for key in model["properties"].values()), model["title"]


PAIR, BY_BOOSTING = [{"name": "lda"}, {"name": "boosting"}], {"predictor": "boosting"}


def rating(bins: dict, **settings: object) -> dict:
    """A configuration with a target of kind `rating`."""
    return {"targets": [{"name": "t", "column": "c", "kind": "rating", "bins": bins} | settings], "targets_run": ["t"]}


def models() -> list[type[Section]]:
    """All models of the configuration, a base class before its subclasses."""
    found: list[type[Section]] = [Section]
    for model in found:
        found += model.__subclasses__()
    return found[1:]


def test_every_section_is_in_the_reference() -> None:
    page = (ROOT / "docs/config.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: (lifelog\.(?:settings|predict\.predictors)\.\w+\.\w+)$", page, re.M)
    sections = {f"{m.__module__}.{m.__name__}" for m in models() if not m.__subclasses__() and m is not Config}
    assert sections <= set(listed) <= {f"{m.__module__}.{m.__name__}" for m in models()}
    assert len(set(listed)) == len(listed)


MYPY = """
[mypy]
strict = True
plugins = pydantic.mypy
[mypy-torch.*,numpy.*,matplotlib.*,yaml.*,jinja2.*,safetensors.*]
follow_imports = skip
"""


def fields() -> set[tuple[str, str]]:
    """Every key as (model that declares it, name)."""
    found = set()
    for model in models():
        inherited = {name for base in model.__mro__[1:] for name in getattr(base, "model_fields", {})}
        found |= {(model.__name__, name) for name in set(model.model_fields) - inherited}
    return found


def test_every_key_is_read(tmp_path: Path) -> None:
    """In a copy of the package all keys are renamed; the type checker then reports every place that reads one."""
    shutil.copytree(ROOT / "lifelog", tmp_path / "lifelog", ignore=shutil.ignore_patterns("__pycache__"))
    for path in [*(tmp_path / "lifelog/settings").glob("*.py"), tmp_path / "lifelog/config.py"]:
        path.write_text(re.sub(r"^    ([a-z]\w*)(: (?!ClassVar))", r"    \1_key\2", path.read_text(), flags=re.M))
    (tmp_path / "mypy.ini").write_text(MYPY)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "lifelog"]
    errors = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    read = set(re.findall(r'has no attribute "(\w+)"', errors))
    # Rules and templates are not typed, predictors do not declare the type of their settings, and an error about a
    # section hides one about its key. Pydantic itself reads discriminators.
    untyped = [*(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile", *(ROOT / "lifelog").rglob("*.html")]
    code = "\n".join(path.read_text() for path in [*untyped, ROOT / "lifelog/config.py"])
    read |= {name for names in re.findall(r"(?:CONFIG|config|self)\.(\w+)(?:\.(\w+))?", code) for name in names}
    modules = "\n".join(path.read_text() for path in (ROOT / "lifelog").rglob("*.py"))
    read |= set(re.findall(r"(?:config\.\w+|\bsettings|\btable)\.(\w+)", modules))
    read |= set(re.findall(r'discriminator="(\w+)"', (ROOT / "lifelog/settings/splits.py").read_text()))
    assert len(fields()) > 90
    assert {(model, name) for model, name in fields() if name not in read} == set()


@pytest.mark.parametrize(
    ("columns", "cause"),
    [({"gps": ["lat"]}, "not among the modalities"), ({"mGps": ["x"]}, "needs some"), ({"mGps": []}, "needs some")],
)
def test_unknown_columns_of_lifelognet_are_errors(columns: dict[str, list[str]], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        load_config({"predictors": [{"name": "lifelognet", "columns": columns}]})


@pytest.mark.parametrize("preset", sorted((ROOT / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_presets_are_valid(preset: Path) -> None:
    load_config(yaml.safe_load(preset.read_text()))


@pytest.mark.parametrize(
    ("raw", "messages"),
    [
        ({"windws": {}}, ["windws: unknown key", "did you mean 'windows'?"]),
        ({"mil": {"epoch": 3}}, ["mil.epoch: unknown key", "did you mean 'epochs'?"]),
        ({"mil": {"attention": "gate"}}, ["mil.attention: got 'gate'", "'gated' or 'published'"]),
        ({"windows": {"coverage": 2}}, ["windows.coverage: got 2", "less than or equal to 1"]),
        ({"groups": {"k": "many"}}, ["groups.k: got 'many'", "'auto'"]),
        ({"predictors": [{"name": "forest"}]}, ["predictors[0].name: got 'forest'", "'boosting'"]),
        ({"predictors": [{"name": "boosting", "maxiter": 3}]}, ["predictors[0].maxiter", "did you mean 'max_iter'?"]),
        ({"cohort": {"timezone": "Asia/Soul"}}, ["cohort.timezone", "did you mean 'Asia/Seoul'?"]),
        ({"targets_run": ["joy"]}, ["targets_run: 'joy' is not among the targets"]),
        ({"schemes": ["importance"]}, ["schemes: 'global' is required"]),
        ({"results": "../elsewhere"}, ["results: got '../elsewhere'", "without '..'"]),
        ({"windows": {"seconds": 30}}, ["e4Acc", "960 samples"]),
        ({"splits": [{"name": "a", "method": "random"}] * 2}, ["splits: the name 'a' is used twice"]),
        (
            {"splits": [{"name": "a", "method": "radnom"}]},
            ["got 'radnom'; allowed: 'blocked', 'sessions', 'participants'"],
        ),
        ({"splits": [{"name": "a"}]}, ["splits[0]: the key 'method' is required"]),
        ({"splits": [{"name": "a", "method": "blocked", "embargo": 3}]}, ["splits[0].embargo", "'embargo_minutes'?"]),
        ({"splits": [{"name": "a", "method": "random", "embargo_minutes": 3}]}, ["splits[0].embargo_minutes: unknown"]),
        ({"splits": [{"name": "a", "method": "users", "within": "b"}]}, ["is now called 'participants'"]),
        ({"splits": [{"name": "a", "method": "blocked", "between": "rest"}]}, ["set tasks to a label column"]),
        (
            {"splits": [{"name": "a", "method": "sessions", "test_on": [2]}]},
            ["set column, train_on and test_on together"],
        ),
        (
            {"splits": [{"name": "a", "method": "sessions", "column": "v", "train_on": ["1..3"], "test_on": [2]}]},
            ["'1..3' is in train_on and in test_on"],
        ),
        ({"cohort": {"users": 3}}, ["cohort.users: got 3"]),
        ({"groups": {"subsets": ["train"]}}, ["networks explain validation and test windows; add validation"]),
        (
            {"splits": [{"name": "a", "method": "blocked", "tasks": "t", "hold_out": ["1..3", 2]}]},
            ["2 is held out twice"],
        ),
        ({"schemes": ["global", "random"]}, ["'random' are controls of 'importance'"]),
        ({"predictors": [{"name": "clock", "schemes": ["personal"]}]}, ["'clock' needs the scheme 'global'"]),
        ({"predictors": [{"name": "ordinal"}], "targets_run": ["action"]}, ["predictor 'ordinal'", "'action'"]),
        ({"compare": {"metric": "quadratic_kappa"}, "targets_run": ["action"]}, ["quadratic_kappa", "'action'"]),
        ({"compare": {"metric": "rating_correlation"}}, ["rating_correlation", "`kind: rating`", "'tension'"]),
        (rating({"low": [1, 2], "high": ["many"]}), ["bin 'high' of a rating holds numbers and ranges only"]),
        (rating({"low": ["4..9"], "high": [0, 1]}), ["bin 'high' of a rating is not above the bin before it"]),
        (rating({"low": [1], "high": [2]}, ordinal=False), ["remove `ordinal: false`"]),
        ({"predictors": [{"name": "boosting"}]}, ["'random' is fast, and no predictor takes seconds", "fast: false"]),
        (
            {"splits": [{"name": "b", "method": "blocked", "fast": True}], "predictors": PAIR, "compare": BY_BOOSTING},
            ["the primary test is that of 'boosting', but 'b' is fast"],
        ),
        ({"predictors": [{"name": "ordinal", "line_shrinkage": [2]}]}, ["from 0 to 1"]),
        ({"predictors": [{"name": "ordinal", "order": [1]}]}, ["predictors[0].order: renamed to 'line_shrinkage'"]),
        ({"predictors": [{"name": "lda", "strength": [1]}]}, ["predictors[0].strength: renamed to 'prior_windows'"]),
        ({"splits": [{"name": "b", "method": "blocked", "light": True}]}, ["splits[0].light: renamed to 'fast'"]),
        ({"groups": {"importance": "value"}}, ["groups.importance: 'value' was renamed to 'shapley'"]),
        ({"value": {"folds": 3}}, ["value: renamed to 'shapley'"]),
        ({"embedding": {"perplexity": 3}}, ["embedding: renamed to 'tsne'"]),
        ({"mil": {"keep": "macro_f1"}}, ["mil.keep: renamed to 'monitor'"]),
        (
            {"targets": [{"name": "t", "column": "c", "bins": {"none": ["NA"], "some": [1]}}], "targets_run": ["t"]},
            ["the bin 'none' of 't' holds 'NA', which stands for a missing answer"],
        ),
        ({"mil": {"scale": 3}}, ["mil.scale: renamed to 'attention_temperature'"]),
        ({"predictors": [{"name": "windownet", "batch": 8}]}, ["predictors[0].batch: renamed to 'batch_size'"]),
        ({"groups": {"parts": ["test"]}}, ["groups.parts: renamed to 'subsets'"]),
        ({"groups": {"perplexity": 5}}, ["groups.perplexity: renamed to 'tsne.perplexity'"]),
        ({"new_users": {"run": "x"}}, ["new_users: the key was removed; a bundle of the finished run scores"]),
        (
            {"targets": [{"name": "t", "column": "c", "bins": {"a": [1], "b": [1, 2]}}], "targets_run": ["t"]},
            ["value 1 is in two bins, 'a' and 'b'"],
        ),
    ],
)
def test_an_invalid_config_is_refused_with_key_value_and_allowed_values(raw: dict, messages: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        load_config(raw)
    for words in messages:
        assert words in str(error.value)


def test_user_names_that_look_like_numbers_are_names() -> None:
    assert load_config({"cohort": {"users": [101, "user02"]}}).cohort.users == ["101", "user02"]


def test_ratings_are_in_an_order() -> None:
    target = load_config(rating({"low": [0, "1..2.5"], "high": ["3..10"]})).target("t")
    assert target.ordinal and target.class_of("2.5") == "low" and target.class_of("2.7") is None


def test_real_recordings_need_a_time_zone_and_importance_two_modalities() -> None:
    with pytest.raises(ConfigError, match=r"cohort\.timezone: recordings of the layout 'tables' may be from anywhere"):
        load_config({"cohort": {"layout": "tables"}})
    assert load_config({"cohort": {"layout": "etri"}}).cohort.zone("101") == "Asia/Seoul"
    with pytest.raises(ConfigError, match="importance compares two modalities or more, not 1; add another one"):
        load_config({"modalities": [{"name": "hr", "kind": "scalar", "columns": ["bpm"]}]})


def test_models_of_a_split_are_those_that_can_be_made() -> None:
    config = load_config({})
    within = config.models(config.split("blocked"))
    assert ("lda", "random") in within and ("boosting", "personal") in within
    assert ("clock", "importance") not in within and ("clock", "personal") in within
    assert ("lda", "pooled") in within and ("lda", "tuned") not in within
    plain = config.models(config.split("random"))
    fast = ("lda", "majority", "nearest_minute", "last_label", "clock")
    ungrouped = ("global", "personal", "pooled", "tuned", "blend")
    assert set(plain) == {pair for pair in within if pair[0] in fast and pair[1] in ungrouped}
    with pytest.raises(ConfigError, match="'boosting' does not support the scheme 'tuned'"):
        load_config({"predictors": [{"name": "boosting", "schemes": ["global", "tuned"]}]})
    people = load_config({"splits": [{"name": "new", "method": "participants"}]})
    assert ("lda", "global") in (alone := people.models(people.split("new")))
    assert all(scheme == "global" for _, scheme in alone)  # no split measures importance, which would form groups


def test_incomplete_params_are_refused() -> None:
    """A key that a job is not given must not become its default."""
    params = Groups(k=3).model_dump()
    assert Groups.from_params(params) == Groups(k=3)
    with pytest.raises(ValueError, match="Groups: incomplete params, without k"):
        Groups.from_params({name: value for name, value in params.items() if name != "k"})
    assert Groups(k=3, subsets=["test"]).narrow(Vectors) == Vectors(subsets=["test"])
