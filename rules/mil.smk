NETWORKS = "<results>/{target}/{split}/mil/{user}/seed-{seed}"


rule train_mil:
    input:
        windows="<results>/windows/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    output:
        # All seeds in one job: to start one and to load the windows takes as long as to train a small network.
        checkpoints=expand(f"{NETWORKS}.safetensors", seed=CONFIG.mil.seeds, allow_missing=True),
        descriptions=expand(f"{NETWORKS}.json", seed=CONFIG.mil.seeds, allow_missing=True),
    log:
        "<logs>/{target}/{split}/train_mil/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_mil/{user}.tsv"
    conda:
        ENVIRONMENT
    # One thread: sums over several differ in the last bits from run to run, and users go side by side anyway.
    threads: 1
    resources:
        gpu=gpus(CONFIG.mil),
        mem_mb=growing(3000),
        runtime=growing(240),
    params:
        target=named("target"),
        standardise=CONFIG.windows.standardise,
        modalities=section("modalities"),
        mil=section("mil"),
        code=code("mil/bags", "mil/network", *NETWORK, "metrics", "windows/read"),
    message:
        "Training the networks of user {wildcards.user} ({wildcards.split})"
    script:
        "../workflow_scripts/train_mil.py"


rule extract_importance:
    input:
        windows="<results>/windows/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
        checkpoints=rules.train_mil.output.checkpoints,
    output:
        importance="<results>/{target}/{split}/importance/{user}.parquet",
        deletion="<results>/{target}/{split}/deletion/{user}.parquet",
    log:
        "<logs>/{target}/{split}/extract_importance/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/extract_importance/{user}.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(30),
    params:
        code=code("mil", "metrics", "windows/read"),
    message:
        "Asking the networks of user {wildcards.user} what matters ({wildcards.split})"
    script:
        "../workflow_scripts/extract_importance.py"
