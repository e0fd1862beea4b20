"""Deep learning for genomics: regions, sequence and coverage datasets, models for both strands, and their evaluation.

Four rooms, imports point one way: ``sources`` and ``data`` → ``model`` → ``evaluation``.
"""

__version__ = "0.1.0"
