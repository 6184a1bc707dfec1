#!/bin/sh
# A pipeline step on the machine that the bench is wired to: no service, nobody there. Red when a case did not pass.
# BENCH and DUT name bench.toml and dut.toml; arguments: what `pilotbench run` takes, such as the cases.
set -eu
results=${RESULTS:-results}
code=0
pilotbench run --bench "$BENCH" --dut "$DUT" --operator refuse --out "$results" "$@" || code=$?
# The evidence is worth keeping only when it is sound.
pilotbench verify "$results" || code=2
exit "$code"
