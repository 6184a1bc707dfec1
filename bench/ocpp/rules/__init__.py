"""The rules that hold in every case, by what they watch; `bench.ocpp.monitors` runs them all."""
