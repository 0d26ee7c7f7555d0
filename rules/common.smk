import functools
import hashlib
import os
import sys
import threading
import time
from pathlib import Path

# Scripts and this file use the package that lies beside the Snakefile, whatever is installed; also where another
# workflow uses this one as a module, whose Snakefile is not the main one.
ROOT = Path(str(workflow.current_basedir)).parent
if not (ROOT / "lifelog").is_dir():
    raise WorkflowError(
        f"no package at {ROOT}: as a module give the Snakefile of a local clone, not an address"
    )
sys.path.insert(0, str(ROOT))
others = filter(None, [os.getenv("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join([str(ROOT), *others]))
# glibc hands large blocks back to the kernel at once, and every training step asks for the same ones again: kept, a
# job is a fifth faster. Other systems pass these names over.
for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
    os.environ.setdefault(name, str(2**30))
# No plugin of pydantic is used, and every job would look for some in all packages that are installed.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

from lifelog.config import ConfigError, load_config
from lifelog.tables import read_json
from lifelog.windows import LAYOUTS, find_users
from lifelog.windows.layout import BadInput, fingerprint
from lifelog.windows.simulated import truth_path

os.environ.update(LIFELOG_JOB="1")  # for the scripts: see lifelog/__init__.py

try:
    CONFIG = load_config(config)
    FOLDERS = {user: str(path) for user, path in find_users(CONFIG).items()}
except (ConfigError, BadInput) as problem:
    raise WorkflowError(str(problem)) from None

USERS = list(FOLDERS)
TARGETS = [target.name for target in CONFIG.targets]
# Splits with parts of their own; a split of the method `users` takes those of another.
WITHIN = [split.name for split in CONFIG.splits if split.method != "users"]
SPLITS = [split.name for split in CONFIG.splits]
PREDICTORS = [predictor.name for predictor in CONFIG.predictors]
CHAPTERS = [f"{t}/{s}" for t in CONFIG.targets_run for s in SPLITS]
CHAPTERS_WITHIN = [f"{t}/{s}" for t in CONFIG.targets_run for s in WITHIN]
SIMULATED = CONFIG.cohort.layout == "simulated"
TRUTH = str(truth_path(CONFIG.cohort.root))
ENVIRONMENT = "../envs/lifelog.yaml"


wildcard_constraints:
    user="|".join(USERS),
    target="|".join(TARGETS),
    split="|".join(WITHIN),
    scheme=r"global|importance|raw|random-\d+|personal",
    predictor="|".join(PREDICTORS),
    seed=r"\d+",


def section(key, *names):
    """A section of the checked configuration, or some of its keys, as params: a change elsewhere reruns nothing."""
    values = CONFIG.model_dump()[key]
    return {name: values[name] for name in names} if names else values


def named(kind):
    """The entry of a list of the configuration that the wildcard of the same name asks for."""
    return lambda wildcards: getattr(CONFIG, kind)(getattr(wildcards, kind)).model_dump()


def code(*stages):
    """Digest of modules of the package, for params: Snakemake sees a change of a script by itself, but not of these."""
    digest = hashlib.sha256()
    for stage in ["tables", *stages]:
        path = ROOT / "lifelog" / stage
        modules = sorted(path.rglob("*.*")) if path.is_dir() else [path.with_suffix(".py")]
        for module in modules:
            if module.suffix in (".py", ".html", ".css", ".js", ".csv"):
                digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def raw_folder(wildcards):
    """The user's recordings; of a user who is in the label table only, nothing: the job says so in quality."""
    folder = FOLDERS[wildcards.user]
    return folder if SIMULATED or Path(folder).is_dir() else []


def label_files(wildcards):
    """Files that hold the user's labels: a correction of one reads the recordings anew."""
    folder = Path(FOLDERS[wildcards.user])
    if SIMULATED:
        return []
    return [str(path) for path in LAYOUTS[CONFIG.cohort.layout].label_files(folder, CONFIG.cohort)]


looked_through = functools.cache(fingerprint)  # Snakemake asks for params more than once


def recordings(wildcards):
    """What is known of the user's raw files: a change of one reads them anew. Millions of them cannot be inputs."""
    return None if SIMULATED else looked_through(FOLDERS[wildcards.user])


def growing(amount):
    """Megabytes or minutes that grow with every attempt."""
    return lambda wildcards, attempt: amount * attempt


def within(wildcards):
    """The split whose parts, models and groups are used: itself, but for one of the method `users`."""
    return getattr(CONFIG.split(wildcards.split), "within", wildcards.split)


def unseen(wildcards):
    """The split, where predictors must not know the person whom they are tested on."""
    split = CONFIG.split(wildcards.split)
    return split.model_dump() if split.method == "users" else None


def models(wildcards):
    """Every model that is compared under a split, as `predictor/scheme`."""
    return [f"{p}/{s}" for p, s in CONFIG.models(CONFIG.split(wildcards.split))]


# Modules that every network is made of and trained by.
NETWORK = ["mil/device", "mil/encoders", "mil/maxima", "mil/optimiser", "mil/train"]
# Keys of `groups` by what they decide: the vectors, the clusters made of them, and which number of them is taken.
VECTORS = ["importance", "parts"]
CLUSTERS = [*VECTORS, "unit", "algorithm", "seed"]
SCORING = [*CLUSTERS, "k", "k_max", "resamples"]


def scheme_keys(scheme):
    """Keys of `groups` that a scheme depends on: not all are formed by clustering."""
    if scheme in ("global", "personal"):
        return VECTORS
    return [*VECTORS, "seed"] if scheme.startswith("random") else CLUSTERS


def gpus(settings):
    """GPUs that a job asks the scheduler for: `auto` takes one that is there, but waits for none."""
    return 1 if getattr(settings, "device", None) == "cuda" else 0


def figure(name, category):
    """A figure of a target and split, shown in Snakemake's own report too."""
    return report(
        f"<results>/{{target}}/{{split}}/figures/{name}.svg",
        caption=f"captions/{name}.rst",
        category=category,
        labels={"target": "{target}", "split": "{split}", "figure": name},
    )


def drawn(*names):
    """What figures of a target and split show, as tables beside them."""
    return [f"<results>/{{target}}/{{split}}/figures/{name}.csv" for name in names]


def forget_timers():
    """The scheduler leaves timers behind that would look for jobs once more: a call would end only after the last one."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


BEGAN = time.time()


def news(since):
    """What a call has made for people to read, if it has."""
    page = Path(CONFIG.results) / "report.html"
    if page.is_file() and page.stat().st_mtime >= since:
        headline = read_json(page.parent / CHAPTERS[0] / "verdict.json")["headline"]
        yield f"{', '.join(Path(CHAPTERS[0]).parts)} split: {headline}"
        yield f"Report: {page}"
    for placed in sorted(page.parent.glob("*/*/newcomers/*.json")):
        if placed.stat().st_mtime >= since:
            yield f"{placed.parts[-4]}, {placed.parts[-3]} split: {read_json(placed)['sentence']}"


def run_file(path, wildcards):
    """A file of the finished run, which is read and never touched."""
    if not CONFIG.newcomers.run:
        raise WorkflowError("newcomers.run: give the results folder of a finished run")
    return f"{CONFIG.newcomers.run}/{path.format(**wildcards)}"


def run_files(folder, wildcards):
    """A file a person of the finished run."""
    return sorted(str(path) for path in Path(run_file(folder, wildcards)).glob("*.parquet"))


if CONFIG.newcomers.run:
    from lifelog.newcomers import check_run

    try:
        for chapter in CHAPTERS_WITHIN:
            check_run(CONFIG, USERS, *Path(chapter).parts)
    except BadInput as error:
        raise WorkflowError(str(error)) from None
