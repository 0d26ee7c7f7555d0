"""learning_curve: features, splits and values of all users → scores by number of labelled windows, and a summary."""

from lifelog.importance.vectors import read_importance
from lifelog.logs import job_log
from lifelog.evaluate.learning_curve import learning_curve, summarise_curve
from lifelog.predict.samples import read_samples
from lifelog.settings.compare import Compare, LearningCurve
from lifelog.settings.groups import Scoring
from lifelog.settings.predict import Lda
from lifelog.settings.importance import Shapley
from lifelog.splits.assign import DESCRIBED, read_split
from lifelog.tables import write_csv, write_json

with job_log(snakemake.log[0], snakemake.input):
    inputs, params = snakemake.input, snakemake.params
    importance = read_importance(inputs.value)
    users = sorted(set(importance.user))
    samples = read_samples(inputs.features, inputs.splits, users, "none", DESCRIBED)
    tables = [read_split(path) for path in inputs.splits]
    used = [own[own.subset.notna()] for own in tables if len(own) and own.user.iloc[0] in users]
    blocks = {own.user.iloc[0]: own.block.to_numpy(dtype=int) for own in used}
    curve = learning_curve(
        samples,
        blocks,
        importance,
        LearningCurve.from_params(params.curve),
        Lda.from_params(params.lda),
        Scoring.from_params(params.groups),
        Value.from_params(params.value),
        params.gap,
        params.ordinal,
    )
    write_csv(curve, snakemake.output.curve)
    write_json(summarise_curve(curve, Compare.from_params(params.compare)), snakemake.output.summary)
