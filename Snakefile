from snakemake.utils import min_version

min_version("9.27")


configfile: "config.yaml"


include: "rules/common.smk"
include: "rules/processes.smk"
include: "rules/functions.smk"


# All outputs of a run are below one folder, so that two runs can exist side by side.
pathvars:
    results=CONFIG.results,
    logs=f"{CONFIG.results}/logs",
    benchmarks=f"{CONFIG.results}/benchmarks",


include: "rules/windows.smk"
include: "rules/inspect.smk"
include: "rules/importance.smk"
include: "rules/mil.smk"
include: "rules/groups.smk"
include: "rules/predict.smk"
include: "rules/report.smk"
include: "rules/export.smk"
include: "rules/bundle.smk"
include: "rules/score.smk"
include: "rules/sensors.smk"
include: "rules/validation.smk"


onsuccess:
    from lifelog.report.summary import summarise_run

    seal_records(CONFIG.results, STARTED)
    for line in summarise_run(CONFIG.results, STARTED):
        print(line)


onerror:
    seal_records(CONFIG.results, STARTED)


rule all:
    default_target: True
    input:
        "<results>/report.html",


include: "rules/records.smk"
