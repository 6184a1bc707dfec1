"""Run `python -m bench` as `pilotbench`."""

import sys

from bench.cli import main

sys.exit(main())
