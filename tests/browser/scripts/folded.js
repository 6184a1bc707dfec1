// Fold records; return the tree as the test's `expected` writes that of RunView.
async (records) => {
  const { Run, joined, verdictNow } = await import("/view/fold.js");
  const run = new Run("r");
  const remaining = [];
  for (const one of records) {
    run.apply(one);
    remaining.push(run.remaining(one.mono));
  }
  const frames = [...run.frames.values()];
  return {
    counts: run.counts, verdict: run.verdict, complete: run.ended?.complete ?? false,
    paused: run.paused, void: run.void.map((one) => one.why), aborted: run.abortedBy, connected: run.connected?.connection ?? null, remaining,
    devices: [...run.devices.values()].map((one) => [one.device, one.state, one.message]),
    prompts: [...run.prompts.values()].map((one) => [one.prompt, one.answer?.answer ?? null, one.withdrawn]),
    cases: run.cases.map((one) => ({
      id: one.id, title: one.title, mark: one.mark, group: one.group, state: one.state, phase: one.phase,
      verdict: one.verdict, ended: one.ended, reason: one.reason, duration: one.duration, purpose: one.purpose,
      started: one.started?.n ?? null,
      steps: one.steps.map((step) => ({
        number: step.number, phase: step.phase, title: step.title, verdict: step.verdict, now: verdictNow(step),
        reason: step.reason, duration: step.duration, checks: step.checks.map((check) => check.n),
        measured: step.measured.map((value) => [value.name, value.value]),
      })),
    })),
    frames: frames.map((one) => ({
      n: one.n, received: one.received, kind: one.kind, action: one.action, lost: one.lost,
      unanswered: one.leftUnanswered, checks: one.checks.map((check) => check.n),
    })),
  };
}
