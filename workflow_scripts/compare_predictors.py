"""compare_predictors: predictions of all models → scores per user, comparison, calibration, verdict."""

from lifelog.evaluate.calibration import compare_calibration
from lifelog.evaluate.compare import compare_predictors, read_predictions, score_users
from lifelog.evaluate.decision import decide
from lifelog.evaluate.verdict import Grouping, verdict
from lifelog.groups.assignment import read_groups, tested_groups
from lifelog.logs import job_log
from lifelog.settings.compare import Compare
from lifelog.tables import read_csv, write_csv, write_json

with job_log(snakemake.log[0], snakemake.input):
    settings = Compare.from_params(snakemake.params.compare)
    models = [tuple(model.split("/")) for model in snakemake.params.models]
    tables = read_predictions(dict(zip(models, snakemake.input.predictions, strict=True)))
    by_user = score_users(tables, snakemake.params.ordinal)
    primary = snakemake.params.primary
    comparison = compare_predictors(by_user, settings, primary)
    write_csv(by_user, snakemake.output.scores)
    write_csv(comparison, snakemake.output.comparison)
    calibration = compare_calibration(tables, settings.confidence)
    write_csv(calibration, snakemake.output.calibration)
    grouping = None
    if snakemake.input.groups:
        measured = read_csv(snakemake.input.importance).stable.mean()
        tested = tested_groups(read_groups(snakemake.input.groups, fold=None))
        grouping = Grouping(int(tested.groupby("fold").group.nunique().max()), measured)
    decision = decide(by_user, settings, primary, calibration)
    how = snakemake.params.subsets, grouping, primary, snakemake.params.exploratory, decision
    write_json(verdict(by_user, comparison, settings, *how), snakemake.output.verdict)
