"""validate_bundles: simulated cohorts of a line → how well their bundles score another cohort."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.bundles import validate_bundles
from lifelog.validation.scenarios import BUNDLE_LINES, BUNDLE_SEEDS

with job_log(snakemake):
    scenario, config = BUNDLE_LINES[snakemake.wildcards.line], Config.from_params(snakemake.params.config)
    write_json(validate_bundles(scenario, BUNDLE_SEEDS, config), snakemake.output.result)
