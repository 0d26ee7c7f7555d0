"""plot_comparison: comparison and predictions → intervals and confusion matrices."""

import pandas as pd

from lifelog.compare import read_predictions
from lifelog.config import Compare, Target
from lifelog.logs import job_log
from lifelog.report.figures import plot_comparison, plot_confusion

with job_log(snakemake.log[0], snakemake.input):
    settings = Compare(**snakemake.params.compare)
    models = [tuple(model.split("/")) for model in snakemake.params.models]
    tables = read_predictions(dict(zip(models, snakemake.input.predictions, strict=True)))
    plot_confusion(tables, Target(**snakemake.params.target).classes, snakemake.output.confusion)
    comparison = pd.read_csv(snakemake.input.comparison)
    plot_comparison(comparison, settings.metric, settings.confidence, snakemake.output.comparison)
