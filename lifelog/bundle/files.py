"""The files of a bundle: JSON, safetensors and Markdown, with their digests. Nothing in them is executed.

    bundle.json          settings, what the models are made from, scores, and the structure of the strategies
    models.safetensors   arrays of models and scalings
    card.md              the card
    SHA256SUMS           digests of the other files, as `sha256sum` writes them

A bundle is read only if all digests fit. They protect against damage; who may write the folder can write them too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lifelog.arrays import Arrays, Floats
from lifelog.bundle.bundle import SENSORS, Bundle, Groups
from lifelog.bundle.content import (
    CARD,
    CONTENT,
    FILES,
    SUMS,
    TENSORS,
    About,
    Content,
    StoredFold,
    StoredGroup,
    StoredModel,
    StoredPlacer,
    StoredStrategy,
    checked_files,
    digests_of,
    parse_content,
    unusable,
)
from lifelog.bundle.strategy import Placing, Scalings, Strategy
from lifelog.discriminant import Discriminant
from lifelog.files import write_atomically, write_json, write_text
from lifelog.groups.unseen import Placer
from lifelog.predict.combine import Mixture
from lifelog.predict.interface import Predictor
from lifelog.predict.probabilities import Calibration
from lifelog.predict.samples import FeatureScaling, Samples, unlabelled_samples
from lifelog.predict.train import FittedFold, GroupModel
from lifelog.settings.predict import predictor_from_params
from lifelog.standardise import Scaling
from lifelog.tables import plain
from lifelog.windows.read import Features

TOLERANCE = 1e-9  # of the sum of weights
SUMMARY = "summary"  # name of the scaling of summary features, beside the modalities


def write_bundle(bundle: Bundle, folder: str | Path) -> None:
    """Write a bundle.

    Parameters
    ----------
    bundle : Bundle
        The fitted strategies.
    folder : str or Path
        Folder of its files.
    """
    import safetensors.numpy

    tensors: Arrays = {}
    known = None if bundle.known is None else _store(bundle.known, "known", tensors)
    groups = []
    for number, (group, members) in enumerate(bundle.groups.members.items()):
        placer = bundle.groups.placing.get(group)
        groups.append(StoredGroup(group=group, members=members, spread=placer and placer.spread))
        arrays = {} if placer is None else placer.model.arrays()
        tensors.update({f"group.{number}.{name}": x for name, x in arrays.items()})
    content = Content(
        format=1,
        about=bundle.about,
        known=known,
        new=_store(bundle.new, "new", tensors),
        groups=groups,
        sensors=_records(bundle.sensors),
    )
    folder = Path(folder)
    write_json(content.model_dump(mode="json"), folder / CONTENT)
    with write_atomically(folder / TENSORS) as part:  # its own writer makes files that only their owner can read
        part.write_bytes(safetensors.numpy.save({name: np.ascontiguousarray(x) for name, x in sorted(tensors.items())}))
    write_text(bundle.card, folder / CARD)
    write_text(digests_of({name: (folder / name).read_bytes() for name in FILES}), folder / SUMS)


def load_bundle(folder: str | Path) -> Bundle:
    """Load a bundle.

    Parameters
    ----------
    folder : str or Path
        Folder of a bundle.

    Returns
    -------
    Bundle
        Ready to predict.

    Raises
    ------
    BadInput
        If a file is missing or changed, or its content is invalid.

    Examples
    --------
    >>> import lifelog
    >>> lifelog.load_bundle("no/bundle")
    Traceback (most recent call last):
    lifelog.windows.layout.BadInput: bundle cannot be used: no/bundle: there is no such folder
    """
    import safetensors.numpy

    folder = Path(folder)
    files = checked_files(folder)
    content = parse_content(files[CONTENT], folder)
    try:
        tensors: Arrays = safetensors.numpy.load(files[TENSORS])
        about, card = content.about, files[CARD].decode()
        known = None if content.known is None else _restore(content.known, about, "known", tensors)
        new = _restore(content.new, about, "new", tensors)
        sensors = pd.DataFrame(content.sensors, columns=SENSORS)
        return Bundle(about, known, new, _restore_groups(content.groups, about, tensors), sensors, card)
    except Exception as error:  # damaged arrays can raise almost anything
        raise unusable(folder, f"{type(error).__name__}: {error}") from None


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = table.astype(object).to_dict("records")
    return [
        {str(name): value if isinstance(value, str) else plain(value) for name, value in row.items()} for row in rows
    ]


def _store(strategy: Strategy, prefix: str, tensors: Arrays) -> StoredStrategy:
    """Return the structure of a strategy, and add its arrays."""
    numbers: dict[int, int] = {}  # of models by identity: several mixtures may share one

    def number(model: Predictor) -> int:
        if id(model) not in numbers:
            numbers[id(model)] = len(numbers)
            tensors.update({f"{prefix}.model.{numbers[id(model)]}.{name}": x for name, x in model.state().items()})
        return numbers[id(model)]

    folds = [
        StoredFold(
            fold=fold.fold,
            slope=fold.calibration.slope,
            shifts=fold.calibration.shifts.tolist(),
            ratings=None if fold.ratings is None else fold.ratings.tolist(),
            models=[
                StoredModel(
                    group=model.group,
                    users=model.users,
                    weights=model.mixture.weights,
                    models=[number(part) for part in model.mixture.models],
                    assumed=model.assumed.tolist(),
                    shares=model.shares.tolist(),
                )
                for model in fold.models
            ],
        )
        for fold in strategy.folds
    ]
    placing = [(fold, group, placer) for fold, groups in strategy.placing.items() for group, placer in groups.items()]
    for place, (_, _, placer) in enumerate(placing):
        tensors.update({f"{prefix}.placing.{place}.{name}": x for name, x in placer.model.arrays().items()})
    scalings = list(strategy.scalings.values())
    for name, parts in _parts(scalings):
        tensors[f"{prefix}.scaling.{name}.mean"] = np.stack([scaling.mean for scaling in parts])
        tensors[f"{prefix}.scaling.{name}.std"] = np.stack([scaling.std for scaling in parts])
    return StoredStrategy(
        predictor=strategy.settings.model_dump(mode="json"),
        scheme=strategy.scheme,
        threshold=strategy.threshold,
        folds=folds,
        placing=[StoredPlacer(fold=fold, group=group, spread=x.spread) for fold, group, x in placing],
        scaled=list(strategy.scalings),
        scores=_records(strategy.scores),
    )


def _parts(scalings: list[FeatureScaling]) -> Iterator[tuple[str, list[Scaling]]]:
    """Yield the scalings of participants by name: of summary features, and of the maxima of each modality."""
    yield SUMMARY, [scaling.summary for scaling in scalings]
    for name in scalings[0].maxima:
        yield f"maxima.{name}", [scaling.maxima[name] for scaling in scalings]


def _restore(stored: StoredStrategy, about: About, prefix: str, tensors: Arrays) -> Strategy:
    """Return a strategy from its structure and arrays; raise ValueError where they do not fit."""
    settings, classes = predictor_from_params(stored.predictor), about.classes
    if not settings.stored:
        raise ValueError(f"models of {settings.name} are not stored")
    like, models = _like(about), dict[int, Predictor]()
    for place in sorted({number for fold in stored.folds for model in fold.models for number in model.models}):
        models[place] = settings.build()
        models[place].restore(_starting(tensors, f"{prefix}.model.{place}."), like)

    def shares(values: list[float]) -> Floats:
        found = np.array(values)
        if found.shape != (len(classes),) or not (found > 0).all():
            raise ValueError(f"class shares {values}")
        return found

    folds = []
    for fold in stored.folds:
        groups = []
        for model in fold.models:
            weights = model.weights
            if len(weights) != len(model.models) or min(weights, default=-1) < 0 or abs(sum(weights) - 1) > TOLERANCE:
                raise ValueError(f"weights {weights} of {len(model.models)} models")
            mixture = Mixture(model.weights, [models[number] for number in model.models])
            groups.append(GroupModel(model.group, model.users, mixture, shares(model.assumed), shares(model.shares)))
        for values in filter(None, (fold.shifts, fold.ratings)):
            if len(values) != len(classes):
                raise ValueError(f"{len(values)} values for {len(classes)} classes")
        ratings = None if fold.ratings is None else np.array(fold.ratings)
        calibration = Calibration(fold.slope, np.array(fold.shifts))
        folds.append(FittedFold(fold.fold, 1, groups, calibration, ratings))
    scalings = _scalings(stored.scaled, about, prefix, tensors)
    placing: Placing = {}
    for place, placer in enumerate(stored.placing):
        arrays = _starting(tensors, f"{prefix}.placing.{place}.")
        discriminant = Discriminant.of_arrays(arrays, len(about.features), len(classes))
        placing.setdefault(placer.fold, {})[placer.group] = Placer(discriminant, placer.spread)
    how, scores = about.windows.standardise, pd.DataFrame(stored.scores)
    if not 0 <= stored.threshold <= 1:
        raise ValueError(f"threshold {stored.threshold}")
    return Strategy(settings, stored.scheme, how, classes, folds, placing, scalings, stored.threshold, scores)


def _starting(tensors: Arrays, prefix: str) -> Arrays:
    """Return the arrays whose names start with a prefix, without it."""
    return {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}


def _restore_groups(stored: list[StoredGroup], about: About, tensors: Arrays) -> Groups:
    placing = {}
    for number, entry in enumerate(stored):
        if entry.spread is not None:
            arrays = _starting(tensors, f"group.{number}.")
            model = Discriminant.of_arrays(arrays, len(about.features), len(about.classes))
            placing[entry.group] = Placer(model, entry.spread)
    return Groups({entry.group: entry.members for entry in stored}, placing)


def _scalings(scaled: list[tuple[int, str]], about: About, prefix: str, tensors: Arrays) -> Scalings:
    channels = {SUMMARY: len(about.features)} | {f"maxima.{m.name}": m.channels for m in about.modalities}

    def array(name: str, kind: str) -> Floats:
        found = tensors[f"{prefix}.scaling.{name}.{kind}"]
        if found.shape != (len(scaled), channels[name]):
            raise ValueError(f"the scaling {name} has the shape {found.shape}")
        return found

    arrays = {name: (array(name, "mean"), array(name, "std")) for name in channels}
    found = {}
    for row, key in enumerate(scaled):
        of_user = {name: Scaling(mean[row], std[row]) for name, (mean, std) in arrays.items()}
        summary = of_user.pop(SUMMARY)
        found[key] = FeatureScaling(summary, {name.removeprefix("maxima."): x for name, x in of_user.items()})
    return found


def _like(about: About) -> Samples:
    """Return no windows, with the features, modalities and classes of the training windows."""
    rows = pd.DataFrame({"user": [], "session": [], "start": []})
    maxima = {m.name: np.zeros((0, about.bins, m.channels), np.float32) for m in about.modalities}
    features = Features(rows, about.features, np.zeros((0, len(about.features)), np.float32), maxima, about.modalities)
    nothing = {m.name: Scaling(np.zeros(m.channels), np.ones(m.channels)) for m in about.modalities}
    summary = Scaling(np.zeros(len(about.features)), np.ones(len(about.features)))
    return unlabelled_samples(features, rows, FeatureScaling(summary, nothing), about.classes)
