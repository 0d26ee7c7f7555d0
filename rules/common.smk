import functools
import json
import os
import sys
import time
from pathlib import Path
from typing import get_args

# Rules and scripts use the package beside the Snakefile, whatever is installed; also when another workflow uses this one
# as a module, whose Snakefile is not the main one.
ROOT = Path(str(workflow.current_basedir)).parent
if not (ROOT / "lifelog").is_dir():
    raise WorkflowError(f"there is no package at {ROOT}: a module needs the Snakefile of a local clone, not an address")
sys.path.insert(0, str(ROOT))
python_path = [str(ROOT), *filter(None, [os.getenv("PYTHONPATH")])]
os.environ.update(PYTHONPATH=os.pathsep.join(python_path))
# glibc returns large blocks to the kernel at once, and every training step allocates the same ones again: if they are
# kept, a job takes a fifth less time. Other systems ignore these variables.
for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"):
    os.environ.setdefault(name, str(2**30))

from snakemake.logging import logger

from lifelog.config import load_config
from lifelog.provenance import script_digest
from lifelog.records import digests
from lifelog.report.catalogue import figures_of
from lifelog.settings.groups import Scoring
from lifelog.settings.importance import Vectors
from lifelog.settings.predict import UNGROUPED, Scheme, predictor_settings
from lifelog.settings.windows import Extraction, Recordings

STARTED = time.time()


try:
    if isinstance(scored := config.get("score"), dict) and scored.get("bundle"):
        from lifelog.bundle.configure import with_bundle

        config.update(with_bundle(config))
    CONFIG = load_config(config)
except ValueError as problem:  # ConfigError, or a bundle that cannot be used
    raise WorkflowError(str(problem)) from None

if "--lint" in sys.argv:  # only rules are checked, where the packages that read recordings may be missing
    folders, TRUTH = {}, "truth.json"
else:
    from lifelog.windows.check import check_recordings
    from lifelog.windows.layout import BadInput
    from lifelog.windows.layouts import LAYOUTS, find_users
    from lifelog.windows.simulated import truth_path

    TRUTH = str(truth_path(CONFIG.cohort.root))
    try:
        folders = find_users(CONFIG.cohort, CONFIG.simulation)
        if workflow.is_main_process:  # not in the process of each job
            if CONFIG.cohort.is_simulated and not workflow.overwrite_configfiles:
                logger.info("Simulated participants (config.yaml). Other recordings: snakemake --configfile FILE")
            for line in check_recordings(CONFIG, folders):
                logger.warning(line)
    except BadInput as problem:
        raise WorkflowError(str(problem)) from None

FOLDERS = {user: str(folder) for user, folder in folders.items()}
USERS = list(FOLDERS)
SPLITS = [split.name for split in CONFIG.splits]
# The chapter of the primary test is the first one.
CHAPTERS = sorted(
    (f"{t}/{s}" for t in CONFIG.targets_run for s in SPLITS), key=lambda c: c != "/".join(CONFIG.primary[:2])
)
# Costs matter to the choice of sensors only: another cost reruns nothing else.
MODALITIES = [modality.model_copy(update={"cost": 1.0}).model_dump() for modality in CONFIG.modalities]
SIMULATED = CONFIG.cohort.is_simulated
ENVIRONMENT = "../envs/lifelog.yaml"
DIGESTS = json.loads(os.getenv("LIFELOG_CODE", "{}"))


wildcard_constraints:
    user="|".join(USERS),
    target="|".join(target.name for target in CONFIG.targets),
    split="|".join(SPLITS),
    scheme="|".join(get_args(Scheme)),
    predictor="|".join(predictor.name for predictor in CONFIG.predictors),
    seed=r"\d+",


# Models that take seconds, as pairs of predictor and scheme, with their splits, by the name of their job. Models without
# groups do not wait for importance, and participants who are tested as a whole have no personal models.
FAST = {}
for split in CONFIG.splits:
    for model in CONFIG.models(split):
        if CONFIG.predictor(model[0]).fast:
            batch = (
                "train_fast" + "_unseen" * (split.method == "participants") + "_groups" * (model[1] not in UNGROUPED)
            )
            for values, value in zip(FAST.setdefault(batch, ({}, {})), (model, split.name)):
                values[value] = None


def either(names):
    """Regular expression of some names; of none, it matches nothing."""
    return "|".join(names) or r"(?!)"


def dump(section, model=None):
    """Settings as params: the whole section, or the part that the model of a stage declares."""
    return (section.narrow(model) if model else section).model_dump()


def config_entry(kind):
    """Function of wildcards: the settings of the target or split that the wildcard names."""
    return lambda wildcards: dump(getattr(CONFIG, kind)(getattr(wildcards, kind)))


def code(script, *predictors):
    """Function of wildcards: digest of the package code that a script reaches, and that of some predictors.

    Snakemake tracks only the script. Digests are computed for planned jobs only, which inherit them, so that they need
    not read the package.
    """
    key = " ".join([str(ROOT), script, *predictors])

    def digest(wildcards):
        if key not in DIGESTS:
            modules = tuple(f"predict.predictors.{name}" for name in predictors)
            DIGESTS[key] = script_digest(ROOT / "workflow_scripts" / f"{script}.py", modules)
            os.environ.update(LIFELOG_CODE=json.dumps(DIGESTS))
        return DIGESTS[key]

    return digest


def per_user(pattern):
    """Output files of all users; other wildcards stay."""
    return expand(f"<results>/{pattern}", user=USERS, allow_missing=True)


def scaled(amount):
    """Megabytes or minutes that grow with every attempt."""
    return lambda wildcards, attempt: amount * attempt


def requested_gpus(settings):
    """Number of GPUs to request from the scheduler; `auto` uses a visible GPU, but requests none."""
    return int(getattr(settings, "device", None) == "cuda")
