# Whether the whole pipeline finds what was planted, and nothing where nothing was: cohorts in three variants, each a run
# of this workflow of its own, with everything it makes below <results>/validation.
VARIANTS = {
    "groups": {},  # three kinds of people
    "alike": {"groups": 1},  # everyone answers with the same modalities: nothing to group
    "nothing": {"effect": 0},  # nobody answers at all
}


rule validate_cohort:
    input:
        preset=str(ROOT / "presets/validation.yaml"),
    output:
        cohort="<results>/validation/{variant}-{seed}.json",
    log:
        "<logs>/validation/{variant}-{seed}.log",
    benchmark:
        "<benchmarks>/validation/{variant}-{seed}.tsv"
    wildcard_constraints:
        variant="|".join(VARIANTS),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        snakefile=str(ROOT / "Snakefile"),
        simulation=lambda wildcards: VARIANTS[wildcards.variant] | {"seed": int(wildcards.seed)},
        code=code(""),
    message:
        "A cohort of its own: {wildcards.variant}, seed {wildcards.seed}"
    script:
        "../workflow_scripts/validate_cohort.py"


rule summarise_validation:
    input:
        cohorts=expand(
            "<results>/validation/{variant}-{seed}.json", variant=VARIANTS, seed=range(5)
        ),
    output:
        table="<results>/validation/validation.csv",
        text="<results>/validation/validation.md",
    log:
        "<logs>/validation/summarise_validation.log",
    benchmark:
        "<benchmarks>/validation/summarise_validation.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(500),
        runtime=growing(5),
    params:
        code=code("validation"),
    message:
        "Laying the cohorts side by side"
    script:
        "../workflow_scripts/summarise_validation.py"


rule validation:
    input:
        "<results>/validation/validation.md",
