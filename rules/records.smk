# Results that Snakemake believes to be current, but that were moved, copied, replaced, touched or made in another
# folder, are made again. Included after all rules.
from snakemake.iocontainers import Wildcards

from lifelog.records import Planned, seal_records, stale_outputs


def planned_job(name, wildcards):
    """Outputs and params that a job has under the present configuration, None if there is no such job."""
    if not workflow.is_rule(name):
        return None
    proxy, values = getattr(rules, name), Wildcards(fromdict=wildcards)
    outputs = [str(path).format(**wildcards) for path in proxy.output]
    if not all(map(workflow.get_rule(name).is_producer, outputs)):
        return None
    return Planned(outputs, {key: param(values) if callable(param) else param for key, param in proxy.params.items()})


def is_output(path):
    """Whether some rule makes a file."""
    return any(known.is_producer(path) for known in workflow.rules)


def force_stale(wildcards):
    """Force the jobs of stale outputs; an input function, since it is called when the jobs are planned."""
    workflow.dag.forcefiles.update(path for path, _ in STALE)
    return []


STALE = list(stale_outputs(CONFIG.results, planned_job, is_output)) if workflow.is_main_process else []
for path, reason in STALE[:5]:
    logger.warning(f"{path} was made otherwise ({reason}): it is made again where it is needed.")
if len(STALE) > 5:
    logger.warning(f"{len(STALE) - 5} more files in {CONFIG.results} were made otherwise.")
for defined in list(workflow.rules) if STALE else ():
    if defined.output:
        defined.set_input(force_stale)
