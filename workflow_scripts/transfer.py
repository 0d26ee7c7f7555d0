"""transfer: scored windows of all users, and predictions of models that are trained here → a comparison."""

from pathlib import Path

import pyarrow.parquet as pq

from lifelog.bundle.files import load_bundle
from lifelog.bundle.transfer import compare_transfer
from lifelog.files import read_json, write_json
from lifelog.logs import job_log
from lifelog.report.figures.score import plot_transfer
from lifelog.report.style import save
from lifelog.settings.compare import Compare
from lifelog.tables import read_tables, write_csv

with job_log(snakemake):
    inputs, params, outputs = snakemake.input, snakemake.params, snakemake.output
    trained = {(Path(path).parent.name, Path(path).stem): pq.read_table(path).to_pandas() for path in inputs.trained}
    compare, bundle = Compare.from_params(params.compare), load_bundle(params.bundle)
    seen = [about["user"] for about in map(read_json, inputs.about) if about["of_run"]]
    if seen:
        raise ValueError(f"the bundle was made of recordings of {', '.join(seen)}: they cannot test it")
    found = compare_transfer(bundle, read_tables(inputs.scored), trained, compare, params.participants == "same")
    write_csv(found.table, outputs.table)
    write_json({"sentence": found.sentence}, outputs.sentence)
    save(plot_transfer(found.table, compare.metric), outputs.figure)
