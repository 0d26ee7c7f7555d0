"""place_user: tables of a finished run and of a new user → group of the user, predictions."""

from pathlib import Path

from lifelog.files import write_json
from lifelog.groups.read import described_groups, read_groups
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.mil.device import use_threads
from lifelog.new_users.predict import new_user_schema, predict_placed
from lifelog.predict.samples import read_people
from lifelog.settings.groups import Clustering
from lifelog.settings.predict import predictor_from_params
from lifelog.splits.folds import read_folds
from lifelog.tables import read_notes, write_table

with job_log(snakemake):
    use_threads(snakemake.threads)
    inputs, params, user = snakemake.input, snakemake.params, snakemake.wildcards.user
    predictors = [predictor_from_params(entry) for entry in params.predictors]
    *run, new = inputs.importance
    reason, classes = read_notes(new)["excluded"], read_folds(inputs.splits[-1]).classes
    if reason is None:
        windows = inputs.windows if any(predictor.inputs == "windows" for predictor in predictors) else ()
        about, predictions, schema = predict_placed(
            read_importance([new]),
            read_importance(run),
            described_groups(read_groups(inputs.groups)),
            read_people(inputs.features, inputs.splits, windows),
            Clustering.from_params(params.groups),
            predictors,
            params.standardise,
            params.metric,
            str(Path(snakemake.output.predictions).parent),
        )
    else:
        schema = new_user_schema(classes)
        predictions = schema.empty_table()
        about = {"user": user, "excluded": reason, "sentence": f"User {user} is excluded: {reason}."}
    write_table(predictions, snakemake.output.predictions, schema, {"classes": classes})
    write_json(about, snakemake.output.placement)
