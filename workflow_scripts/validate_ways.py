"""validate_ways: a kind of cohort and its seed → the recommended way of modelling, and whether it is right."""

from lifelog.config import Config
from lifelog.logs import job_log
from lifelog.tables import write_json
from lifelog.validation.ways import validate_ways

with job_log(snakemake.log[0], snakemake.input):
    wildcards = snakemake.wildcards
    config = Config.from_params(snakemake.params.config)
    write_json(validate_ways(wildcards.kind, int(wildcards.seed), config), snakemake.output.result)
