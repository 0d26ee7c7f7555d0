# How few sensors are enough; requested by name, since the recommended model is trained for every number of sensors.
rule sensors:
    input:
        f"<results>/{CHAPTERS[0]}/sensors/summary.json",


rule fewest_sensors:
    input:
        verdict="<results>/{target}/{split}/verdict.json",
        features=per_user("features/{user}.parquet"),
        splits=per_user("{target}/{split}/splits/{user}.parquet"),
        groups=if_grouped(["<results>/{target}/{split}/groups/importance.csv"]),
    output:
        curve="<results>/{target}/{split}/sensors/curve.csv",
        sets="<results>/{target}/{split}/sensors/sets.csv",
        summary="<results>/{target}/{split}/sensors/summary.json",
        figure="<results>/{target}/{split}/sensors/scores.svg",
    log:
        "<logs>/{target}/{split}/fewest_sensors.log",
    benchmark:
        "<benchmarks>/{target}/{split}/fewest_sensors.tsv"
    conda:
        ENVIRONMENT
    resources:
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        predictors=settings_of([(predictor.name, "global") for predictor in CONFIG.predictors]),
        modalities=[dump(modality) for modality in CONFIG.modalities],
        standardise=CONFIG.windows.standardise,
        shapley=dump(CONFIG.shapley),
        compare=dump(CONFIG.compare),
        ordinal=lambda w: CONFIG.target(w.target).ordinal,
        personal=lambda w: CONFIG.has_scheme("personal", CONFIG.split(w.split)),
        code=code("fewest_sensors", *BUNDLED),
    message:
        "Choosing the fewest sensors that are enough ({wildcards.split})"
    script:
        "../workflow_scripts/fewest_sensors.py"
