"""Registries: an unknown name raises, and each registry agrees with the configuration."""

from __future__ import annotations

from typing import get_args

import pytest

from lifelog.config_yaml import descriptions
from lifelog.evaluate.metrics import METRICS
from lifelog.groups.clustering import ALGORITHMS
from lifelog.importance.measures import MEASURES, OF_NETWORKS
from lifelog.importance.networks import IMPLEMENTATIONS
from lifelog.mil.network import ATTENTIONS
from lifelog.predict.interface import PoolingPredictor, Predictor, TunablePredictor
from lifelog.registry import Registry, UnknownName
from lifelog.report.catalogue import CATALOGUE, figures_of
from lifelog.report.figures import comparison, groups
from lifelog.report.figures import importance as importance_figures
from lifelog.report.words import SENTENCES
from lifelog.settings.base import Section
from lifelog.settings.compare import Compare
from lifelog.settings.groups import Clustering, Vectors
from lifelog.settings.mil import Mil, Training
from lifelog.settings.predict import PredictorSettings, predictor_kinds, predictor_settings
from lifelog.settings.windows import Recordings
from lifelog.windows.layouts import BUILT_IN


def choices(model: type[Section], key: str) -> set[str]:
    """Allowed values of a key of the configuration."""
    return set(get_args(model.model_fields[key].annotation))


@pytest.mark.parametrize(
    ("registry", "model", "key"),
    [(ATTENTIONS, Mil, "attention"), (ALGORITHMS, Clustering, "algorithm"), (MEASURES, Vectors, "importance")],
)
def test_the_configuration_allows_what_the_registry_holds(registry: Registry, model: type[Section], key: str) -> None:
    assert set(registry) == choices(model, key)


def test_built_in_layouts_are_described_in_the_configuration() -> None:
    described = descriptions(Recordings)["layout"]
    assert all(f"{name}: " in described for name in BUILT_IN)


def test_metrics_of_the_configuration_exist() -> None:
    assert choices(Compare, "metric") | choices(Training, "monitor") == {n for n, m in METRICS.items() if not m.lower}


def test_measures_and_figures_have_their_implementations() -> None:
    assert set(IMPLEMENTATIONS) == set(OF_NETWORKS)
    assert set(SENTENCES) == set(CATALOGUE)
    for page, module in (("importance", importance_figures), ("groups", groups), ("comparison", comparison)):
        assert set(module.FIGURES) == set(figures_of(page)), page


REQUIRED = {"embedding": {"models": {"e4Acc": "model.pt2"}}}


@pytest.mark.parametrize(("name", "kind"), predictor_kinds().items(), ids=list(predictor_kinds()))
def test_a_module_of_a_predictor_holds_its_settings_and_its_implementation(
    name: str, kind: type[PredictorSettings]
) -> None:
    settings = predictor_settings(name, **REQUIRED.get(name, {}))
    assert type(settings) is kind and kind.__module__ == f"lifelog.predict.predictors.{name}" and kind.meaning
    assert settings.uses_sensors == (kind.inputs in ("features", "windows"))
    model = settings.build()
    assert isinstance(model, Predictor)
    assert isinstance(model, PoolingPredictor) or "pooled" not in kind.combines
    assert isinstance(model, TunablePredictor) or "tuned" not in kind.combines


@pytest.mark.parametrize("registry", [ATTENTIONS, ALGORITHMS, MEASURES, METRICS, CATALOGUE, SENTENCES])
def test_an_unknown_name_raises_with_the_known_ones(registry: Registry) -> None:
    with pytest.raises(UnknownName, match=f"unknown {registry.kind} 'nothing'; known: .*{next(iter(registry))}"):
        registry["nothing"]


def test_an_unknown_predictor_raises() -> None:
    with pytest.raises(KeyError, match="forest"):
        predictor_settings("forest")
