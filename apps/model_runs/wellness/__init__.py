"""The wellness model: recording in, transcript and six scores out.

Pure Python and numpy: this package imports no Django and can be used from a notebook.
The one call that matters is :func:`apps.model_runs.wellness.pipeline.analyse`.
"""
