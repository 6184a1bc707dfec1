#!/bin/sh
# A pipeline step for a bench that `pilotbench serve` offers: PILOTBENCH_URL and PILOTBENCH_TOKEN are secrets of the pipeline.
# Arguments: what certify.py takes, such as the cases. Red when a case did not pass.
set -eu
here=$(dirname "$0")
python3 "$here/certify.py" --out "${RESULTS:-results}" "$@"
