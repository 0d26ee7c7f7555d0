from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


include: "rules/common.smk"


# Everything of a run lies below one folder, so that two runs can stand side by side.
pathvars:
    results=CONFIG.results,
    logs=f"{CONFIG.results}/logs",
    benchmarks=f"{CONFIG.results}/benchmarks",


include: "rules/windows.smk"
include: "rules/mil.smk"
include: "rules/groups.smk"
include: "rules/predict.smk"
include: "rules/report.smk"
include: "rules/newcomers.smk"
include: "rules/validation.smk"


onsuccess:
    for line in news(BEGAN):
        print(line)
    forget_timers()


onerror:
    forget_timers()


rule all:
    default_target: True
    input:
        "<results>/report.html",
