"""place_newcomer: a newcomer's importance and features beside a finished run → group, how sure, predictions."""

from pathlib import Path

import pyarrow.parquet as pq
from pydantic import TypeAdapter

from lifelog.config import Groups, Predictor
from lifelog.groups.assignment import read_groups
from lifelog.groups.vectors import read_importance
from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.mil.train import exclusion_of
from lifelog.newcomers import newcomer_schema, place_newcomer, predict_newcomer, tell
from lifelog.predict.samples import read_samples
from lifelog.tables import read_notes, write_json, write_table

with job_log(snakemake.log[0], snakemake.input) as log:
    use_threads(snakemake.threads)
    given, params, user = snakemake.input, snakemake.params, snakemake.wildcards.user
    classes = read_notes(given.splits)["classes"]
    table = newcomer_schema(classes).empty_table()
    reason = exclusion_of(given.checkpoints[0])
    if reason is not None:
        said = {"user": user, "excluded": reason, "sentence": f"User {user} is left out: {reason}."}
    else:
        groups = read_groups(given.run_groups)
        importance = pq.read_table(given.importance).to_pandas()
        placement = place_newcomer(importance, read_importance(given.run_importance), groups, Groups(**params.groups))
        people = [*groups.user, user]
        samples = read_samples(
            [*given.run_features, given.features],
            [*given.run_splits, given.splits],
            people,
            params.standardise,
            [*given.run_windows, given.windows] if given.run_windows else None,
            Path(snakemake.output.predictions).parent,
        )
        predictors = [TypeAdapter(Predictor).validate_python(entry) for entry in params.predictors]
        table, found = predict_newcomer(user, placement.members, list(groups.user), samples, predictors)
        said = tell(user, placement, found)
    log.info(said["sentence"])
    write_table(table, snakemake.output.predictions, newcomer_schema(classes), {"classes": classes})
    write_json(said, snakemake.output.placement)
