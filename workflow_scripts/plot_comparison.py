"""plot_comparison: comparison and predictions → figures of the comparison page."""

import pandas as pd

from lifelog.evaluate.compare import read_predictions
from lifelog.files import read_json
from lifelog.logs import job_log
from lifelog.report.figures.comparison import FIGURES, ComparisonTables
from lifelog.report.style import draw
from lifelog.settings.compare import Compare
from lifelog.settings.splits import Target

with job_log(snakemake):
    models = [tuple(model.split("/")) for model in snakemake.params.models]
    tables = ComparisonTables(
        pd.read_csv(snakemake.input.comparison),
        read_predictions(dict(zip(models, snakemake.input.predictions, strict=True))),
        Target.from_params(snakemake.params.target).classes,
        Compare.from_params(snakemake.params.compare),
        read_json(snakemake.input.curve)["points"] if snakemake.input.curve else [],
    )
    draw(FIGURES, tables, snakemake.output.figures)
