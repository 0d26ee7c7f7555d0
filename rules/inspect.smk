rule inspect:
    input:
        "<results>/inspect.html",


rule preview:
    input:
        "<results>/preview.html",


rule inspect_recordings:
    input:
        windows=per_user("windows/{user}.parquet"),
        quality=per_user("quality/{user}.parquet"),
        values=[],
        truth=[],
    output:
        page="<results>/inspect.html",
    log:
        "<logs>/inspect_recordings.log",
    benchmark:
        "<benchmarks>/inspect_recordings.tsv"
    conda:
        ENVIRONMENT
    params:
        config=dump(CONFIG),
        problems=problems_of_recordings,
        code=code("inspect_recordings"),
    message:
        "Inspecting the recordings"
    script:
        "../workflow_scripts/inspect_recordings.py"


# The same page with the Shapley values under the primary split, which need no network.
use rule inspect_recordings as preview_importance with:
    input:
        windows=per_user("windows/{user}.parquet"),
        quality=per_user("quality/{user}.parquet"),
        values=[f"<results>/{CHAPTERS[0]}/shapley.csv"],
        truth=[TRUTH] if SIMULATED else [],
    output:
        page="<results>/preview.html",
    log:
        "<logs>/preview_importance.log",
    benchmark:
        "<benchmarks>/preview_importance.tsv"
    message:
        "Writing a first page with the importance of the modalities"
