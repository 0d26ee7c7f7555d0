COMPARED = ["comparison", "confusion"]
FIGURES = [
    "training",
    "importance",
    "ablation",
    "deletion",
    "group_importance",
    "cluster_scores",
    "embedding",
]


rule plot_yield:
    input:
        quality=expand("<results>/quality/{user}.parquet", user=USERS),
    output:
        figure=report(
            "<results>/figures/yield.svg",
            caption="captions/yield.rst",
            category="Cohort",
            labels={"target": "", "split": "", "figure": "yield"},
        ),
    log:
        "<logs>/plot_yield.log",
    benchmark:
        "<benchmarks>/plot_yield.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        users=USERS,
        modalities=[modality.name for modality in CONFIG.modalities],
        code=code("report"),
    message:
        "Drawing the data yield"
    script:
        "../workflow_scripts/plot_yield.py"


rule plot_importance:
    input:
        importance=expand("<results>/{{target}}/{{split}}/importance/{user}.parquet", user=USERS),
        descriptions=expand(
            "<results>/{{target}}/{{split}}/mil/{user}/seed-{seed}.json",
            user=USERS,
            seed=CONFIG.mil.seeds,
        ),
        deletion=rules.score_importance.input.deletion,
        truth=[TRUTH] if SIMULATED else [],
    output:
        training=figure("training", "Training"),
        importance=figure("importance", "Importance"),
        ablation=figure("ablation", "Importance"),
        deletion=figure("deletion", "Importance"),
    log:
        "<logs>/{target}/{split}/plot_importance.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_importance.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        parts=CONFIG.groups.parts,
        code=code("report", "groups/vectors", "groups/faithfulness"),
    message:
        "Drawing importance and training ({wildcards.split})"
    script:
        "../workflow_scripts/plot_importance.py"


rule plot_groups:
    input:
        importance=rules.plot_importance.input.importance,
        groups="<results>/{target}/{split}/groups/importance.csv",
        scores="<results>/{target}/{split}/groups/scores.csv",
        embedding="<results>/{target}/{split}/embedding.parquet",
    output:
        group_importance=figure("group_importance", "Groups"),
        cluster_scores=figure("cluster_scores", "Groups"),
        embedding=figure("embedding", "Groups"),
    log:
        "<logs>/{target}/{split}/plot_groups.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_groups.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        groups=section("groups", "importance", "parts"),
        code=code("report", "groups/vectors"),
    message:
        "Drawing groups ({wildcards.split})"
    script:
        "../workflow_scripts/plot_groups.py"


rule plot_comparison:
    input:
        predictions=rules.compare_predictors.input.predictions,
        comparison="<results>/{target}/{split}/comparison.csv",
    output:
        comparison=figure("comparison", "Comparison"),
        confusion=figure("confusion", "Comparison"),
    log:
        "<logs>/{target}/{split}/plot_comparison.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_comparison.tsv"
    wildcard_constraints:
        split="|".join(SPLITS),
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        models=models,
        target=named("target"),
        compare=section("compare"),
        code=code("report", "metrics"),
    message:
        "Drawing the comparison ({wildcards.split})"
    script:
        "../workflow_scripts/plot_comparison.py"


rule compare_published:
    input:
        importance=rules.score_groups.input.importance,
        groups="<results>/{target}/{split}/groups/importance.csv",
        scores="<results>/{target}/{split}/groups/scores.csv",
    output:
        published="<results>/{target}/{split}/published.json",
    log:
        "<logs>/{target}/{split}/compare_published.log",
    benchmark:
        "<benchmarks>/{target}/{split}/compare_published.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(15),
    params:
        code=code("published", "groups/faithfulness"),
    message:
        "Laying the printed figures of the study beside the run's ({wildcards.split})"
    script:
        "../workflow_scripts/compare_published.py"


rule plot_dag:
    output:
        figure=report(
            "<results>/figures/dag.svg",
            caption="captions/dag.rst",
            category="The run",
            labels={"target": "", "split": "", "figure": "rules"},
        ),
    log:
        "<logs>/plot_dag.log",
    benchmark:
        "<benchmarks>/plot_dag.tsv"
    # It only asks Snakemake for a plan: nothing to wait in a cluster's queue for.
    localrule: True
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        snakefile=workflow.main_snakefile,
        config=config,
        target=f"{CONFIG.results}/report.html",
        code=code("report"),
    message:
        "Drawing the rules of this run"
    script:
        "../workflow_scripts/plot_dag.py"


rule render_report:
    input:
        windows=expand("<results>/windows/{user}.parquet", user=USERS),
        quality=expand("<results>/quality/{user}.parquet", user=USERS),
        cohort_figures=expand("<results>/figures/{name}.svg", name=["yield", "dag"]),
        figures=expand("<results>/{c}/figures/{name}.svg", c=CHAPTERS_WITHIN, name=FIGURES),
        compared=expand("<results>/{c}/figures/{name}.svg", c=CHAPTERS, name=COMPARED),
        splits=expand("<results>/{c}/splits/{user}.parquet", c=CHAPTERS_WITHIN, user=USERS),
        explained=expand("<results>/{c}/importance/{user}.parquet", c=CHAPTERS_WITHIN, user=USERS),
        importance=expand("<results>/{c}/importance_scores.csv", c=CHAPTERS_WITHIN),
        groups=expand("<results>/{c}/groups/importance.csv", c=CHAPTERS_WITHIN),
        comparisons=expand("<results>/{c}/comparison.csv", c=CHAPTERS),
        verdicts=expand("<results>/{c}/verdict.json", c=CHAPTERS),
        recovery=expand("<results>/{c}/recovery.json", c=CHAPTERS_WITHIN if SIMULATED else []),
        published=expand(
            "<results>/{c}/published.json",
            c=CHAPTERS_WITHIN if CONFIG.report.published else [],
        ),
    output:
        page=report(
            "<results>/report.html",
            caption="captions/report.rst",
            category="The run",
            labels={"target": "", "split": "", "figure": "whole page"},
        ),
    log:
        "<logs>/render_report.log",
    benchmark:
        "<benchmarks>/render_report.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1500),
        runtime=growing(15),
    params:
        config=CONFIG.model_dump(),
        chapters=CHAPTERS,
        code=code("report"),
    message:
        "Writing the report"
    script:
        "../workflow_scripts/render_report.py"
