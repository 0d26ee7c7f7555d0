"""validate_importance: a simulated cohort of a scenario → whether importance and groups are right, by measure."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.importance import validate_importance
from lifelog.validation.scenarios import SCENARIOS, WITH_NETWORKS

with job_log(snakemake):
    scenario = snakemake.wildcards.scenario
    config = Config.from_params(snakemake.params.config)
    seed, networks = int(snakemake.wildcards.seed), scenario in WITH_NETWORKS
    write_json(validate_importance(SCENARIOS[scenario], seed, networks, config), snakemake.output.result)
