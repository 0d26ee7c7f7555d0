"""validate_strategies: kind and seed of a cohort, seed of its split → the recommended strategy, right or not."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.strategies import validate_strategies

with job_log(snakemake):
    wildcards = snakemake.wildcards
    config = Config.from_params(snakemake.params.config)
    result = validate_strategies(wildcards.kind, int(wildcards.seed), config, int(wildcards.split))
    write_json(result, snakemake.output.result)
