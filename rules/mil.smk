rule train_mil:
    input:
        windows="<results>/windows/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
    output:
        checkpoint="<results>/{target}/{split}/mil/{user}/seed-{seed}.safetensors",
        description="<results>/{target}/{split}/mil/{user}/seed-{seed}.json",
    log:
        "<logs>/{target}/{split}/train_mil/{user}/seed-{seed}.log",
    benchmark:
        "<benchmarks>/{target}/{split}/train_mil/{user}/seed-{seed}.tsv"
    conda:
        ENVIRONMENT
    # One thread: sums over several differ in the last bits from run to run, and users go side by side anyway.
    threads: 1
    resources:
        gpu=gpus(CONFIG.mil),
        mem_mb=growing(3000),
        runtime=240,
    params:
        target=named("target"),
        standardise=CONFIG.windows.standardise,
        modalities=section("modalities"),
        mil={key: value for key, value in section("mil").items() if key != "seeds"},
        code=code("mil/bags", "mil/network", *NETWORK, "metrics", "windows/read"),
    message:
        "Training the network of user {wildcards.user}, seed {wildcards.seed} ({wildcards.split})"
    script:
        "../workflow_scripts/train_mil.py"


rule extract_importance:
    input:
        windows="<results>/windows/{user}.parquet",
        splits="<results>/{target}/{split}/splits/{user}.parquet",
        checkpoints=expand(
            "<results>/{{target}}/{{split}}/mil/{{user}}/seed-{seed}.safetensors",
            seed=CONFIG.mil.seeds,
        ),
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
        runtime=30,
    params:
        code=code("mil", "metrics", "windows/read"),
    message:
        "Asking the networks of user {wildcards.user} what matters ({wildcards.split})"
    script:
        "../workflow_scripts/extract_importance.py"
