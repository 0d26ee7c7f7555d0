"""compare_predictors: predictions of all models → scores per user, comparison, calibration, use, verdict."""

from lifelog.evaluate.calibration import compare_calibration
from lifelog.evaluate.compare import compare_predictors, read_predictions, score_users
from lifelog.evaluate.decision import decide
from lifelog.evaluate.use import judge_use
from lifelog.evaluate.verdict import Grouping, leak_check, verdict
from lifelog.files import write_json
from lifelog.groups.read import read_groups, tested_groups
from lifelog.logs import job_log
from lifelog.settings.compare import Compare
from lifelog.tables import read_csv, write_csv

with job_log(snakemake):
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    settings, primary = Compare.from_params(params.compare), params.primary
    models = [tuple(model.split("/")) for model in params.models]
    tables = read_predictions(dict(zip(models, inputs.predictions, strict=True)))
    scored = score_users(tables, params.ordinal, settings.decide)
    comparison = compare_predictors(scored, settings, primary)
    calibration, use = compare_calibration(tables, settings.confidence), judge_use(tables, settings)
    grouping = None
    if inputs.groups:
        measured = read_csv(inputs.importance).stable.mean()
        tested = tested_groups(read_groups(inputs.groups))
        grouping = Grouping(int(tested.groupby("fold").group.nunique().max()), measured)
    leak = leak_check(scored.users, primary, settings)
    decision = decide(scored.users, settings, primary, calibration, leak, use)
    how = params.subsets, grouping, primary, params.exploratory, decision, leak
    write_csv(scored.users, outputs.scores)
    write_csv(comparison, outputs.comparison)
    write_csv(calibration, outputs.calibration)
    write_csv(use, outputs.use)
    write_json(verdict(scored.users, comparison, settings, *how), outputs.verdict)
