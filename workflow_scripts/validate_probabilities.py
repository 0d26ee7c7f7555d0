"""validate_probabilities: simulated cohorts of a line → how good their probabilities are."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.groups import Kinds
from lifelog.validation.people import Design
from lifelog.validation.probabilities import validate_probabilities
from lifelog.validation.scenarios import PROBABILITY_LINES, PROBABILITY_SEEDS

with job_log(snakemake):
    line = PROBABILITY_LINES[snakemake.wildcards.line]
    kinds = Kinds(Design(**line["design"]), line["effect"], (4, 4, 4))
    config = Config.from_params(snakemake.params.config)
    write_json(validate_probabilities(kinds, PROBABILITY_SEEDS, config), snakemake.output.result)
