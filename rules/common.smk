import hashlib
import os
import sys
from pathlib import Path

# Scripts and this file use the package that lies beside the Snakefile, whatever is installed.
ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))
others = filter(None, [os.getenv("PYTHONPATH")])
os.environ.update(PYTHONPATH=os.pathsep.join([str(ROOT), *others]))

from lifelog.config import SCHEMES, ConfigError, load_config
from lifelog.windows import find_users
from lifelog.windows.layout import BadInput

try:
    CONFIG = load_config(config)
    FOLDERS = {user: str(path) for user, path in find_users(CONFIG).items()}
except (ConfigError, BadInput) as problem:
    raise WorkflowError(str(problem)) from None

USERS = list(FOLDERS)
TARGETS = [target.name for target in CONFIG.targets]
SPLITS = [split.name for split in CONFIG.splits]
PREDICTORS = [predictor.name for predictor in CONFIG.predictors]
CHAPTERS = [f"{t}/{s}" for t in CONFIG.targets_run for s in SPLITS]
MODELS = [f"{p}/{s}" for p in PREDICTORS for s in CONFIG.schemes]
SIMULATED = CONFIG.cohort.layout == "simulated"
ENVIRONMENT = "../envs/lifelog.yaml"


wildcard_constraints:
    user="|".join(USERS),
    target="|".join(TARGETS),
    split="|".join(SPLITS),
    scheme="|".join(SCHEMES),
    predictor="|".join(PREDICTORS),
    seed=r"\d+",


def section(key):
    """A part of the checked configuration as plain values, for params: a change elsewhere reruns nothing."""
    value = CONFIG
    for step in key.split("."):
        value = getattr(value, step)
    if isinstance(value, list):
        return [entry.model_dump() if hasattr(entry, "model_dump") else entry for entry in value]
    return value.model_dump() if hasattr(value, "model_dump") else value


def named(kind):
    """The entry of a list of the configuration that the wildcard of the same name asks for."""
    return lambda wildcards: getattr(CONFIG, kind)(getattr(wildcards, kind)).model_dump()


def code(*stages):
    """Digest of the modules that a stage runs: Snakemake sees a script change by itself, but not one in the package."""
    digest = hashlib.sha256()
    for stage in stages:
        path = ROOT / "lifelog" / stage
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]:
            digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def raw_folder(wildcards):
    """The user's recordings; of a user who is in the label table only, nothing: the job says so in quality."""
    folder = FOLDERS[wildcards.user]
    return folder if SIMULATED or Path(folder).is_dir() else []


def growing(megabytes):
    """Memory that grows with every attempt."""
    return lambda wildcards, attempt: megabytes * attempt


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
