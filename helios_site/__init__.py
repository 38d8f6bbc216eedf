"""The Django project: wiring, no business rules."""

import os

# Before anything loads numpy. One thread a process: more of them would add up in another order, so that scores and
# trained weights differ in their last digits, and worker processes would fight for the cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
