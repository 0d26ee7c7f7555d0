COHORT = ["verdict", "yield", "dag"]
COMPARED = ["comparison", "confusion"]
FIGURES = [
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
        data="<results>/figures/yield.csv",
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
        deletion=rules.score_importance.input.deletion,
        truth=[TRUTH] if SIMULATED else [],
    output:
        importance=figure("importance", "Importance"),
        ablation=figure("ablation", "Importance"),
        deletion=figure("deletion", "Importance"),
        data=drawn("importance", "ablation", "deletion"),
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
        "Drawing importance ({wildcards.split})"
    script:
        "../workflow_scripts/plot_importance.py"


rule plot_people:
    input:
        splits=expand("<results>/{{target}}/{{split}}/splits/{user}.parquet", user=USERS),
        importance=rules.plot_importance.input.importance,
        descriptions=expand(
            "<results>/{{target}}/{{split}}/mil/{user}/seed-{seed}.json",
            user=USERS,
            seed=CONFIG.mil.seeds,
        ),
    output:
        # Not in Snakemake's own report, whose labels cannot tell people apart.
        figures=expand("<results>/{{target}}/{{split}}/figures/people/{user}.svg", user=USERS),
        data=expand("<results>/{{target}}/{{split}}/figures/people/{user}.csv", user=USERS),
    log:
        "<logs>/{target}/{split}/plot_people.log",
    benchmark:
        "<benchmarks>/{target}/{split}/plot_people.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        users=USERS,
        parts=CONFIG.groups.parts,
        code=code("report", "groups/vectors"),
    message:
        "Drawing labels, training and importance of each person ({wildcards.split})"
    script:
        "../workflow_scripts/plot_people.py"


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
        data=drawn("group_importance", "cluster_scores", "embedding"),
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
        data=drawn("comparison", "confusion"),
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


rule plot_verdict:
    input:
        comparisons=expand("<results>/{c}/comparison.csv", c=CHAPTERS),
    output:
        figure=report(
            "<results>/figures/verdict.svg",
            caption="captions/verdict.rst",
            category="Comparison",
            labels={"target": "", "split": "", "figure": "verdict"},
        ),
        data="<results>/figures/verdict.csv",
    log:
        "<logs>/plot_verdict.log",
    benchmark:
        "<benchmarks>/plot_verdict.tsv"
    conda:
        ENVIRONMENT
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(15),
    params:
        chapters=[", ".join(Path(chapter).parts) for chapter in CHAPTERS],
        compare=section("compare"),
        code=code("report"),
    message:
        "Drawing the verdict"
    script:
        "../workflow_scripts/plot_verdict.py"


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
        data="<results>/figures/dag.csv",
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
        snakefile=str(ROOT / "Snakefile"),
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
        cohort_figures=expand("<results>/figures/{name}.{k}", name=COHORT, k=["svg", "csv"]),
        figures=expand(
            "<results>/{c}/figures/{name}.{k}",
            c=CHAPTERS_WITHIN,
            name=[*FIGURES, *(f"people/{user}" for user in USERS)],
            k=["svg", "csv"],
        ),
        compared=expand(
            "<results>/{c}/figures/{name}.{k}",
            c=CHAPTERS,
            name=COMPARED,
            k=["svg", "csv"],
        ),
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
        code=code("report", "verdict"),
    message:
        "Writing the report"
    script:
        "../workflow_scripts/render_report.py"
