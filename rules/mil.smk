NETWORKS = "<results>/{target}/{split}/mil/{user}/seed-{seed}"


# What the encoder reads.
BAGS = "<results>/features/{user}.parquet" if CONFIG.mil.encoder == "features" else "<results>/windows/{user}.parquet"


rule train_mil:
    input:
        data=BAGS,
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    output:
        # All seeds and importance in one job: importing torch takes longer than training a small network.
        checkpoints=expand(f"{NETWORKS}.safetensors", seed=CONFIG.mil.seeds, allow_missing=True),
        descriptions=expand(f"{NETWORKS}.json", seed=CONFIG.mil.seeds, allow_missing=True),
        importance="<results>/{target}/{split}/importance/{user}.parquet",
        deletion="<results>/{target}/{split}/deletion/{user}.parquet",
    log:
        "<logs>/{target}/{split}/train_mil/{user}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_mil/{user}.tsv"
    conda:
        ENVIRONMENT
    # One thread: sums over several threads differ in the last bits from run to run, and users run in parallel.
    resources:
        gpu=requested_gpus(CONFIG.mil),
        mem_mb=scaled(3000),
        runtime=scaled(240),
    params:
        target=config_entry("target"),
        standardise=CONFIG.windows.standardise,
        modalities=MODALITIES,
        mil=dump(CONFIG.mil),
        code=code("train_mil"),
    message:
        "Training the networks of user {wildcards.user}, and their importance ({wildcards.split})"
    script:
        "../workflow_scripts/train_mil.py"
