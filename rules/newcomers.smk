# People who come to a finished run: they are a run of their own, in another results folder, that reads the first one.

# Predictors that have importance groups in the comparison.
GROUPED = {
    name for name, scheme in CONFIG.models(CONFIG.split(WITHIN[0])) if scheme == "importance"
}
PLACED = [predictor for predictor in CONFIG.predictors if predictor.name in GROUPED]
PLACED_BY_WINDOWS = any(predictor.name == "windownet" for predictor in PLACED)


rule newcomers:
    input:
        expand("<results>/{c}/newcomers/{user}.json", c=CHAPTERS_WITHIN, user=USERS),


rule place_newcomer:
    input:
        windows="<results>/windows/{user}.parquet",
        features="<results>/features/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
        importance="<results>/{target}/{split}/importance/{user}.parquet",
        checkpoints=rules.train_mil.output.checkpoints,
        run_groups=lambda wildcards: run_file("{target}/{split}/groups/importance.csv", wildcards),
        run_importance=lambda wildcards: run_files("{target}/{split}/importance", wildcards),
        run_splits=lambda wildcards: run_files("{target}/{split}/splits", wildcards),
        run_features=lambda wildcards: run_files("features", wildcards),
        run_windows=lambda wildcards: run_files("windows", wildcards) if PLACED_BY_WINDOWS else [],
    output:
        placement="<results>/{target}/{split}/newcomers/{user}.json",
        predictions="<results>/{target}/{split}/newcomers/{user}.parquet",
    log:
        "<logs>/{target}/{split}/place_newcomer/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/place_newcomer/{user}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        gpu=max((gpus(predictor) for predictor in PLACED), default=0),
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        groups=section("groups", *VECTORS, "unit", "seed"),
        standardise=CONFIG.windows.standardise,
        predictors=[predictor.model_dump(exclude={"schemes"}) for predictor in PLACED],
        code=code("newcomers", "compare", "groups/vectors", "predict", *NETWORK, "metrics"),
    message:
        "Placing user {wildcards.user} in the groups of another run ({wildcards.split})"
    script:
        "../workflow_scripts/place_newcomer.py"
