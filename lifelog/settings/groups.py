"""Settings of groups, and of the t-SNE of windows."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lifelog.settings.base import Section
from lifelog.settings.importance import Vectors


class Clustering(Vectors):
    """How importance vectors are clustered."""

    unit: Literal["users", "windows"] = "users"
    """cluster user means, or windows with a majority vote per user (published)"""

    algorithm: Literal["mixture", "kmeans", "agglomerative"] = "mixture"
    """clustering algorithm; mixture: allows for the error of each importance (published: agglomerative, Ward)"""

    seed: int = Field(0, ge=0)
    """seed of k-means, resamples and random groupings"""


class Scoring(Clustering):
    """How numbers of groups are scored."""

    k: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    """number of groups; auto: by BIC, more than 1 by strong evidence (mixture), or highest silhouette (published: 5)"""

    k_max: int = Field(10, ge=2)
    """largest number of groups that is scored"""

    resamples: int = Field(20, ge=1)
    """resamples of blocks of windows, and of seeds, that measure the stability of groups"""


class Groups(Scoring):
    """Groups of users with similar importance."""

    renamed: ClassVar[dict[str, str]] = {
        "parts": "subsets",
        "perplexity": "tsne.perplexity",
        "embedding_seed": "tsne.seed",
    }

    random: int = Field(99, ge=1, le=999)
    """number of random groupings (controls); a p-value below .05 needs 20, or 40 for two predictors that are not
    primary"""


class Tsne(Section):
    """The t-SNE of windows."""

    importance: Literal["attention", "ablation"] = "attention"
    """importance measure that is embedded; a Shapley value describes many windows"""

    perplexity: float = Field(30, gt=0)
    """perplexity of t-SNE; reduced for few windows"""

    windows: int | None = Field(5000, ge=10)
    """maximum number of windows, drawn at random from those of all users; null: all (published), which takes far longer
    than all other stages with tens of thousands of windows"""

    seed: int = Field(42, ge=0)
    """seed of t-SNE and of the drawn windows"""
