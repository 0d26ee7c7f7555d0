"""validate_sensors: simulated cohorts of a line → the smallest sets of sensors that are found enough."""

from lifelog.config import Config
from lifelog.files import write_json
from lifelog.logs import job_log
from lifelog.validation.people import Design
from lifelog.validation.scenarios import SENSOR_LINES, SENSOR_SEEDS
from lifelog.validation.sensors import validate_sensors

with job_log(snakemake):
    design, _ = SENSOR_LINES[snakemake.wildcards.line]
    config = Config.from_params(snakemake.params.config)
    write_json(validate_sensors(Design(**design), SENSOR_SEEDS, config), snakemake.output.result)
