"""validate_groups: simulated cohorts of a line → whether their groups are right."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.groups import Kinds, validate_groups
from lifelog.validation.people import Design
from lifelog.validation.scenarios import GROUP_LINES, GROUP_SEEDS

with job_log(snakemake):
    config = Config.from_params(snakemake.params.config)
    line = GROUP_LINES[snakemake.wildcards.line]
    kinds = Kinds(**line | {"design": Design(**line["design"])})
    write_json(validate_groups(kinds, GROUP_SEEDS, config), snakemake.output.result)
