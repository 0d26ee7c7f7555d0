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
        params:
            simulation=dump(CONFIG.simulation),
            code=code("simulate_cohort"),
        message:
            "Simulating a cohort in the ETRI layout"
        script:
            "../workflow_scripts/simulate_cohort.py"


rule extract_windows:
    input:
        raw=simulated_folder,
    output:
        windows="<results>/windows/{user}.parquet",
        quality="<results>/quality/{user}.parquet",
    log:
        "<logs>/extract_windows/{user}.log",
    benchmark:
        "<benchmarks>/extract_windows/{user}.tsv"
    conda:
        ENVIRONMENT
    # Users are extracted in parallel; for one user with many days: --set-threads extract_windows=8.
    params:
        folder=lambda wildcards: FOLDERS[wildcards.user],
        recordings=lambda wildcards: recordings_fingerprint(wildcards.user),
        layout=lambda wildcards: dump(CONFIG.cohort.of(wildcards.user), Recordings),
        extraction=dump(CONFIG.windows, Extraction),
        modalities=MODALITIES,
        code=code("extract_windows"),
    message:
        "Extracting the windows of user {wildcards.user}"
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
    params:
        seconds=CONFIG.windows.seconds,
        code=code("extract_features"),
    message:
        "Computing the features of user {wildcards.user}"
    script:
        "../workflow_scripts/extract_features.py"


rule assign_splits:
    input:
        windows="<results>/windows/{user}.parquet",
        quality="<results>/quality/{user}.parquet",
    output:
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    log:
        "<logs>/{target}/{split}/assign_splits/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/assign_splits/{user}.tsv"
    conda:
        ENVIRONMENT
    params:
        target=config_entry("target"),
        split=config_entry("split"),
        seconds=CONFIG.windows.seconds,
        unseen=unseen_fold,
        code=code("assign_splits"),
    message:
        "Assigning the windows of user {wildcards.user} to subsets ({wildcards.split})"
    script:
        "../workflow_scripts/assign_splits.py"
