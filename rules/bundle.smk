# Fitted models with all that they need to predict new recordings; requested by name, since they are trained once more.
BUNDLED = [predictor.name for predictor in CONFIG.predictors if predictor.stored]


# The recommended model of the primary test.
rule bundle:
    input:
        f"<results>/{CHAPTERS[0]}/bundle/card.md",


rule bundle_model:
    input:
        verdict="<results>/{target}/{split}/verdict.json",
        calibration="<results>/{target}/{split}/calibration.csv",
        use="<results>/{target}/{split}/use.csv",
        features=per_user("features/{user}.parquet"),
        splits=per_user("{target}/{split}/splits/{user}.parquet"),
        windows=per_user("windows/{user}.parquet"),
        groups=if_grouped(["<results>/{target}/{split}/groups/importance.csv"]),
        importance=measured(GROUPING),
        values=with_importance(["<results>/{target}/{split}/shapley.csv"]),
        directions=with_importance(per_user("{target}/{split}/directions/{user}.csv")),
        curve=with_importance(["<results>/{target}/{split}/learning_curve.json"]),
    output:
        content="<results>/{target}/{split}/bundles/{predictor}/{scheme}/bundle.json",
        models="<results>/{target}/{split}/bundles/{predictor}/{scheme}/models.safetensors",
        card="<results>/{target}/{split}/bundles/{predictor}/{scheme}/card.md",
        sums="<results>/{target}/{split}/bundles/{predictor}/{scheme}/SHA256SUMS",
    log:
        "<logs>/{target}/{split}/bundle_model/{predictor}/{scheme}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/bundle_model/{predictor}/{scheme}.tsv"
    conda:
        ENVIRONMENT
    resources:
        gpu=max((requested_gpus(CONFIG.predictor(name)) for name in BUNDLED), default=0),
        mem_mb=scaled(4000),
        runtime=scaled(240),
    params:
        predictors=settings_of([(predictor.name, "global") for predictor in CONFIG.predictors]),
        folder=lambda w: f"{CONFIG.results}/{w.target}/{w.split}",
        windows=dump(CONFIG.windows),
        modalities=MODALITIES,
        target=config_entry("target"),
        split=config_entry("split"),
        compare=dump(CONFIG.compare),
        cohort=dump(CONFIG.cohort),
        groups=dump(CONFIG.groups, Scoring),
        shapley=dump(CONFIG.shapley),
        fingerprint=fingerprint_of_all,
        features_code=code("extract_features"),
        code=code("bundle_model", *BUNDLED),
    message:
        "Bundling {wildcards.predictor} of the scheme {wildcards.scheme} ({wildcards.split})"
    script:
        "../workflow_scripts/bundle_model.py"


use rule bundle_model as bundle_recommended with:
    output:
        content="<results>/{target}/{split}/bundle/bundle.json",
        models="<results>/{target}/{split}/bundle/models.safetensors",
        card="<results>/{target}/{split}/bundle/card.md",
        sums="<results>/{target}/{split}/bundle/SHA256SUMS",
    log:
        "<logs>/{target}/{split}/bundle_recommended.log",
    benchmark:
        "<benchmarks>/{target}/{split}/bundle_recommended.tsv"
    message:
        "Bundling the recommended model ({wildcards.split})"
