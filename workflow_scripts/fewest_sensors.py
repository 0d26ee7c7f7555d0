"""fewest_sensors: features and splits of all users, and the recommended model → how few sensors are enough."""

from functools import lru_cache, partial

import pandas as pd

from lifelog.evaluate.sensors import fewest_sensors
from lifelog.files import read_json, write_json
from lifelog.groups.read import included_users, read_groups, ungrouped
from lifelog.importance.sets import value_sets
from lifelog.logs import job_log
from lifelog.predict.samples import make_samples, read_people
from lifelog.predict.train import Model
from lifelog.report.figures.sensors import plot_sensors
from lifelog.report.style import save
from lifelog.settings.compare import Compare
from lifelog.settings.importance import Shapley
from lifelog.settings.predict import predictor_from_params
from lifelog.settings.windows import Modality
from lifelog.tables import write_csv

with job_log(snakemake) as log:
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    decision = read_json(inputs.verdict)["decision"]
    settings = predictor_from_params(params.predictors[decision["predictor"]])
    compare = Compare.from_params(params.compare)
    if settings.inputs != "features":
        raise ValueError(f"{settings.name} does not see features, of which sets of sensors can be chosen")
    if settings.needs_torch:
        from lifelog.mil.device import use_threads

        use_threads(snakemake.threads)
    people = read_people(inputs.features, inputs.splits)
    included = included_users([person.folds for person in people])
    scheme = decision["recommended"] if decision["recommended"] not in (None, "personal") else "global"
    groups = read_groups(*inputs.groups) if scheme == "importance" else ungrouped(included, scheme)
    people = [person for person in people if person.folds.user in set(groups.user)]
    shapley = Shapley.from_params(params.shapley)
    values = pd.concat([value_sets(person.features, person.folds, shapley) for person in people])
    log.info("values of all sets of %d participants", len(people))
    personal = Model(settings, "personal", ungrouped(included, "personal")) if params.personal else None
    # Cached, since every number of sensors reads all folds.
    read_fold = lru_cache(maxsize=None)(partial(make_samples, people, standardise=params.standardise))
    modalities = [Modality.from_params(entry) for entry in params.modalities]
    found = fewest_sensors(
        values, Model(settings, scheme, groups), personal, read_fold, modalities, compare, params.ordinal
    )
    write_csv(found.table, outputs.curve)
    write_csv(found.sets, outputs.sets)
    write_json({"predictor": settings.name, "scheme": scheme, "sentences": found.sentences}, outputs.summary)
    save(plot_sensors(found.table, compare), outputs.figure)
