if SIMULATED:

    rule simulate_cohort:
        output:
            folders=[directory(folder) for folder in FOLDERS.values()],
            truth=TRUTH,
        log:
            "<logs>/simulate_cohort.log",
        benchmark:
            "<benchmarks>/simulate_cohort.tsv"
        conda:
            ENVIRONMENT
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(30),
        params:
            simulation=section("simulation"),
            code=code("windows/simulated"),
        message:
            "Writing a simulated cohort in the ETRI layout"
        script:
            "../workflow_scripts/simulate_cohort.py"


rule extract_windows:
    input:
        raw=raw_folder,
        labels=label_files,
    output:
        windows="<results>/windows/{user}.parquet",
        quality="<results>/quality/{user}.parquet",
    log:
        "<logs>/extract_windows/{user}.log",
    benchmark:
        "<benchmarks>/extract_windows/{user}.tsv"
    conda:
        ENVIRONMENT
    # Users go side by side; for one of very many days: --set-threads extract_windows=8.
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(120),
    params:
        folder=lambda wildcards: FOLDERS[wildcards.user],
        files=recordings,
        cohort=section("cohort", "layout", "labels"),
        windows=section("windows", "seconds", "keep", "coverage", "purity"),
        modalities=section("modalities"),
        code=code(
            "windows/extract",
            "windows/layout",
            "windows/csvfile",
            "windows/quality",
            f"windows/{LAYOUTS[CONFIG.cohort.layout].__name__.rpartition('.')[2]}",
        ),
    message:
        "Reading the recordings of user {wildcards.user}"
    script:
        "../workflow_scripts/extract_windows.py"


rule extract_features:
    input:
        windows="<results>/windows/{user}.parquet",
    output:
        features="<results>/features/{user}.parquet",
    log:
        "<logs>/extract_features/{user}.log",
    benchmark:
        "<benchmarks>/extract_features/{user}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(60),
    params:
        seconds=CONFIG.windows.seconds,
        code=code("windows/features", "windows/read"),
    message:
        "Describing the windows of user {wildcards.user}"
    script:
        "../workflow_scripts/extract_features.py"


rule assign_splits:
    input:
        windows="<results>/windows/{user}.parquet",
    output:
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    log:
        "<logs>/{target}/{split}/assign_splits/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/assign_splits/{user}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(800),
        runtime=growing(15),
    params:
        target=named("target"),
        split=named("split"),
        seconds=CONFIG.windows.seconds,
        code=code("splits"),
    message:
        "Splitting the windows of user {wildcards.user}: {wildcards.split}"
    script:
        "../workflow_scripts/assign_splits.py"
