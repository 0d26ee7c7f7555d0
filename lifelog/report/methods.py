"""The sentences of a methods section that depend on the configuration."""

from collections.abc import Iterator, Sequence

from lifelog.config import Config
from lifelog.evaluate.metrics import METRICS
from lifelog.report.views.parts import Texts, count, span
from lifelog.settings.splits import AnySplit
from lifelog.settings.tables import LabelTable, SampleTable
from lifelog.settings.windows import Modality
from lifelog.splits.subsets import LEAST_EMBARGO

phrase = Texts("methods")


def label_sentences(config: Config) -> str:
    """Return which time a label describes, and where windows lie."""
    clock = config.windows.anchor == "clock"
    windows = phrase("clock" if clock else "label", length=span(config.windows.seconds), share=config.windows.purity)
    if config.cohort.layout in ("simulated", "etri"):
        return f"{phrase('minutes')} {windows}"
    return " ".join(dict.fromkeys([*map(_described_time, config.cohort.labels), windows]))


def _described_time(table: LabelTable) -> str:
    if table.before:
        return phrase("before", length=span(table.before))
    if table.lasts is None:
        return phrase("end")
    if isinstance(table.lasts, int):
        return phrase("lasts", length=span(table.lasts))
    return phrase(table.lasts, moved=_moved(table))


def _moved(table: LabelTable | SampleTable) -> str:
    if not table.lag:
        return ""
    return phrase("later" if table.lag > 0 else "earlier", days=count(abs(table.lag), "day"))


def usable_sentences(config: Config) -> Iterator[str]:
    """Yield when values are used in a window: of modalities with days, a rate, single values and events."""
    by_day = {m.name: config.cohort.table_of(m) for m in config.modalities if config.cohort.layout == "tables"}
    days = {name: table for name, table in by_day.items() if table.carry == "day"}
    for table in {table.name: table for table in days.values()}.values():
        yield phrase("days", names=_names([name for name in days if days[name] is table]), moved=_moved(table))
    events = [m for m in config.modalities if m.kind == "events" and m.name not in days]
    with_rates = config.cohort.layout in ("e4", "embraceplus")  # in the files
    others = [m for m in config.modalities if m not in events and m.name not in days]
    regular = [m for m in others if m.rate or m.length > 1 or with_rates]
    single = [m for m in others if m not in regular]
    if regular:
        yield phrase("rate", names=_of(config, regular), coverage=config.windows.coverage)
    if single:
        yield phrase("single", names=_of(config, single))
    if events:
        yield phrase("events", names=_of(config, events))
    if flat := [m for m in regular if m.flat == "missing"]:
        yield phrase("flat", names=_of(config, flat))
    if contact := [m for m in config.modalities if m.least_contact is not None]:
        levels = [f"{m.name} below {m.least_contact:g} {m.unit}".strip() for m in contact]
        yield phrase("contact", levels=", ".join(levels))
    if limited := [(m, m.limits) for m in config.modalities if m.limits is not None]:
        limits = [f"{m.name} {low:g} to {high:g} {m.unit}".strip() for m, (low, high) in limited]
        yield phrase("plausible", limits=", ".join(limits))


def _of(config: Config, modalities: Sequence[Modality]) -> str:
    """Return the names of some modalities, or that these are all."""
    return phrase("all") if len(modalities) == len(config.modalities) else _names([m.name for m in modalities])


def _names(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def split_sentence(split: AnySplit, folds: int) -> str:
    """Return how windows were assigned to subsets, in a number of folds."""
    if split.method == "random":
        return phrase("random_split")
    if split.method == "participants":
        return phrase("participants_split", folds=split.folds)
    tested = "folds" if split.rotates else "one_test_subset"
    tested = "hold_out" if split.hold_out else tested
    if split.method == "sessions":
        tested = "last_sessions" if split.column is None else "named_sessions"
    gap = count(LEAST_EMBARGO if split.embargo_minutes is None else split.embargo_minutes, "minute")
    return phrase(
        "split",
        kept=phrase("tasks" if split.tasks else "sessions"),
        gap=gap,
        tested=phrase(tested, folds=folds, split=split),
    )


def controls(config: Config) -> str:
    """Return the controls of importance groups."""
    schemes = [scheme for scheme in ("random", "raw", "class-shares") if scheme in config.schemes]
    return ", ".join(phrase(scheme, groupings=config.groups.random) for scheme in schemes) or "none"


def primary_sentence(config: Config, title: str) -> str:
    """Return which test was named before the run."""
    predictor, metric = config.primary.predictor, METRICS[config.compare.metric].label
    return phrase("primary" if predictor else "no_primary", predictor=predictor, metric=metric, title=title)


def clean(subsets: Sequence[str]) -> str:
    """Return whether test windows were used for training or groups."""
    return phrase("unclean" if "test" in subsets else "clean")
