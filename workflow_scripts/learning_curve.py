"""learning_curve: features, splits and values of all users → scores by number of labelled windows, and a summary."""

from lifelog.evaluate.learning_curve import learning_curve, summarise_curve
from lifelog.files import write_json
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.predict.predictors.lda import Lda
from lifelog.predict.samples import make_samples, read_people
from lifelog.settings.compare import Compare, LearningCurve
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Shapley
from lifelog.settings.splits import Target
from lifelog.tables import write_csv

with job_log(snakemake):
    inputs, params = snakemake.input, snakemake.params
    importance = read_importance(inputs.shapley)
    users = set(importance.user)
    people = [person for person in read_people(inputs.features, inputs.splits) if person.folds.user in users]
    curve = learning_curve(
        make_samples(people, None, "none"),
        importance,
        LearningCurve.from_params(params.curve),
        Lda.from_params(params.lda),
        Scoring.from_params(params.groups),
        Target.from_params(params.target),
        Shapley.from_params(params.shapley).shrinkage,
        params.gap,
    )
    write_csv(curve, snakemake.output.curve)
    write_json(summarise_curve(curve, Compare.from_params(params.compare)), snakemake.output.summary)
