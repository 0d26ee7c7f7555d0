"""From raw multimodal sensor recordings to personal sensor importance, groups of people and an honest comparison."""

__version__ = "0.1.0"
