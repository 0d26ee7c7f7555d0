rule inspect:
    input:
        "<results>/inspect.html",


rule inspect_recordings:
    input:
        windows=per_user("windows/{user}.parquet"),
        quality=per_user("quality/{user}.parquet"),
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
