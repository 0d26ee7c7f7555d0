"""score_groups: importance of all users → scores of every number of groups, and the chosen number."""

from lifelog.groups.clustering import score_groups
from lifelog.importance.table import read_importance
from lifelog.logs import job_log
from lifelog.settings.groups import Scoring
from lifelog.tables import write_csv

with job_log(snakemake):
    importance = read_importance(snakemake.input.importance)
    write_csv(score_groups(importance, Scoring.from_params(snakemake.params.groups)), snakemake.output.scores)
