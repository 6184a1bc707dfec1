// A run as a tree, folded from its records one by one: what bench/runview.py does, as far as the page draws it.

export const VERDICTS = ["none", "pass", "inconclusive", "fail", "error"];
const COUNTED = ["pass", "fail", "inconclusive", "error"];

/** Return the worst of some verdicts. */
export const joined = (verdicts) =>
  verdicts.reduce((worst, one) => (VERDICTS.indexOf(one) > VERDICTS.indexOf(worst) ? one : worst), "none");

/** Read a frame as OCPP-J 1.6 clause 4.2 has it; what is no legal frame is of the kind "broken". */
export function parse(text) {
  let parts;
  try { parts = JSON.parse(text); } catch { return { kind: "broken" }; }
  const broken = { kind: "broken" };
  if (!Array.isArray(parts)) return broken;
  const [type, id] = parts;
  if (parts.length !== { 2: 4, 3: 3, 4: 5 }[type] || typeof id !== "string" || [...id].length > 36) return broken;
  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  if (type === 4) {
    const legal = typeof parts[2] === "string" && typeof parts[3] === "string" && isObject(parts[4]);
    return legal ? { kind: "error", id, code: parts[2], description: parts[3] } : broken;
  }
  if (!isObject(parts[type === 2 ? 3 : 2])) return broken;
  if (type === 3) return { kind: "result", id, payload: parts[2] };
  return typeof parts[2] === "string" ? { kind: "call", id, action: parts[2], payload: parts[3] } : broken;
}

export class Run {
  constructor(run = null) {
    this.run = run;
    this.started = null;
    this.ended = null;
    this.first = null;
    this.last = null;
    this.cases = [];
    this.case = null;
    this.step = null;
    this.devices = new Map();
    this.prompts = new Map();
    this.connected = null;
    this.paused = false;
    this.held = false;
    this.abortedBy = null;
    this.void = [];
    this.lines = []; // the time line: cases, steps, messages, checks that did not pass, acts, prompts
    this.frames = new Map();
    this._calls = new Map();
  }

  /** Count the verdicts of the cases that ended. */
  get counts() {
    const counts = Object.fromEntries(COUNTED.map((name) => [name, 0]));
    for (const one of this.cases) if (one.state === "ended" && one.verdict in counts) counts[one.verdict] += 1;
    return counts;
  }

  get verdict() { return joined(this.cases.map((one) => one.verdict)); }

  get openPrompts() { return [...this.prompts.values()].filter((one) => one.answer === null && one.withdrawn === null); }

  /** Estimate the seconds to go: prescribed waits, and what the cases took beyond them. */
  remaining(mono) {
    const done = this.cases.filter((one) => one.state === "ended");
    if (!done.length) return null;
    const beyond = done.reduce((sum, one) => sum + Math.max(0, one.duration - one.waits), 0) / done.length;
    const left = this.cases.filter((one) => one.state !== "ended");
    let seconds = left.reduce((sum, one) => sum + one.waits + beyond, 0);
    if (this.case?.started) seconds -= Math.min(mono - this.case.started.mono, this.case.waits + beyond);
    return seconds;
  }

  /** Take the next record. */
  apply(record) {
    this.first ??= record;
    this.last = record;
    const { event, data } = record;
    if (`_${event}` in this) this[`_${event}`](data, record);
    else this._place(record);
    if (this.case?.started) this.case.duration = Math.max(0, record.mono - this.case.started.mono);
  }

  _RunStarted(data) {
    this.started = data;
    this.cases = data.cases.map((one) => newCase(one.id, one.title ?? "", one.mark ?? "", one.group ?? "", one.waits ?? 0));
  }

  _RunEnded(data) { this.ended = data; }
  // These have no place in the tree.
  _Claimed() {}
  _ChannelDeclared() {}
  _FileAttached() {}

  _EarlierResultsVoid(data, record) {
    this.void.push(data);
    this._note(record, `Earlier results do not count any more: ${data.why}`);
  }

  _RunPaused(data, record) {
    this.paused = true;
    this._note(record, `Paused by ${data.by}`);
  }

  _RunResumed(data, record) {
    this.paused = false;
    this._note(record, `Resumed by ${data.by}`);
  }

  _AbortRequested(data, record) {
    this.abortedBy = data.by;
    this._note(record, `To be ended: ${data.by}`);
  }

  _OperatorLeft(data, record) {
    this.held = true;
    this._place(record);
  }

  _OperatorReturned(data, record) {
    this.held = false;
    this._place(record);
    for (const [name, deadline] of Object.entries(data.deadlines)) {
      const prompt = this.prompts.get(name);
      if (prompt) prompt.deadline = deadline;
    }
  }

  _CaseStarted(data, record) {
    let one = this.cases.find((each) => each.id === data.case && each.state === "waiting");
    if (!one) this.cases.push((one = newCase(data.case, data.title, data.mark, data.group, 0)));
    Object.assign(one, { state: "running", purpose: data.purpose, refs: data.refs, started: record });
    this.case = one;
    this.step = null;
    this._line(record, "case", { case: one });
  }

  _CaseEnded(data, record) {
    if (!this.case) return;
    const one = this.case;
    Object.assign(one, {
      state: "ended", verdict: data.verdict, ended: data.ended, reason: data.reason, phase: data.phase, duration: data.duration,
    });
    this._line(record, "verdict", { case: one });
    this.case = this.step = null;
  }

  _PhaseEntered(data) { if (this.case) this.case.phase = data.phase; }

  _StepStarted(data, record) {
    if (!this.case) return;
    this.step = newStep(data.step, data.phase, data.title, record);
    this.case.steps.push(this.step);
    this._line(record, "step", { step: this.step });
  }

  _StepEnded(data, record) {
    if (!this.step) return;
    Object.assign(this.step, { verdict: data.verdict, reason: data.reason, duration: record.mono - this.step.started.mono });
    this.step = null;
  }

  _Checked(data, record) {
    const check = { n: record.n, ...data };
    this._place(record)?.checks.push(check);
    this.frames.get(data.frame)?.checks.push(check);
    if (data.verdict !== "pass" && data.verdict !== "none") this._line(record, "check", { check });
  }

  _Measured(data, record) { this._place(record)?.measured.push(data); }

  _FrameReceived(data, record) { this._frame(data, record, true); }
  _FrameSent(data, record) { this._frame(data, record, false); }

  _frame(data, record, received) {
    const frame = data.text === null || data.text === undefined ? { kind: "broken" } : parse(data.text);
    let call = null;
    if (frame.kind === "call") this._calls.set(`${received} ${frame.id}`, record.n);
    if (frame.kind === "result" || frame.kind === "error") {
      const key = `${!received} ${frame.id}`;
      call = this.frames.get(this._calls.get(key)) ?? null;
      this._calls.delete(key);
    }
    const line = this._line(record, "message", {
      received, kind: frame.kind, text: data.text ?? data.base64 ?? "", action: frame.action ?? call?.action ?? "",
      answers: call, answered: null, lost: null, leftUnanswered: false, checks: [],
    });
    if (call) call.answered = line;
    this.frames.set(record.n, line);
    this._place(record);
  }

  _FrameLost(data) { const line = this.frames.get(data.frame); if (line) line.lost = data.reason; }
  _LeftUnanswered(data) { const line = this.frames.get(data.frame); if (line) line.leftUnanswered = true; }

  _StationConnected(data, record) {
    this.connected = data;
    this._calls.clear();
    this._note(record, "The station connected");
  }

  _StationDisconnected(data, record) {
    if (this.connected?.connection === data.connection) this.connected = null;
    this._note(record, data.reason ? `The station's connection ended: ${data.reason}` : "The station's connection ended");
  }

  _DeviceOpened(data, record) {
    this.devices.set(data.device, { ...data, state: "ready", message: "" });
    this._place(record);
  }

  _DeviceLost(data, record) {
    const device = this.devices.get(data.device);
    if (device) Object.assign(device, { state: "lost", message: data.reason });
    this._note(record, `${data.device} is lost: ${data.reason}`);
  }

  _DeviceClosed(data, record) {
    const device = this.devices.get(data.device);
    if (device) device.state = "closed";
    this._place(record);
  }

  _Acted(data, record) {
    this._place(record);
    this._line(record, "act", { act: data });
  }

  _Noted(data, record) { this._note(record, data.text); }
  _Interlocked(data, record) { this._note(record, `${data.device} ${data.did}: ${data.reason}`); }

  _Prompted(data, record) {
    const prompt = { ...data, n: record.n, answer: null, withdrawn: null };
    this.prompts.set(data.prompt, prompt);
    this._place(record);
    this._line(record, "prompt", { prompt });
  }

  _Answered(data) { const prompt = this.prompts.get(data.prompt); if (prompt) prompt.answer = data; }
  _PromptWithdrawn(data) { const prompt = this.prompts.get(data.prompt); if (prompt) prompt.withdrawn = data.reason; }

  _note(record, text) {
    this._place(record);
    this._line(record, "note", { text });
  }

  /** Return the step in which something happens: the running one, or one without a number between two steps. */
  _place(record) {
    if (!this.case) return null;
    const { steps, phase } = this.case;
    const last = steps.at(-1);
    if (!this.step && (!last || last.number !== null || last.phase !== phase)) {
      steps.push(newStep(null, phase, phase === "postamble" ? "clean-up" : "outside the steps", record));
    }
    return steps.at(-1);
  }

  _line(record, type, more) {
    const line = { type, n: record.n, utc: record.utc, mono: record.mono, caseId: this.case?.id ?? "", ...more };
    this.lines.push(line);
    return line;
  }
}

function newCase(id, title, mark, group, waits) {
  return {
    id, title, mark, group, waits, state: "waiting", purpose: "", refs: [], phase: "body", verdict: "none", ended: null,
    reason: null, started: null, duration: 0, steps: [],
  };
}

function newStep(number, phase, title, started) {
  return { number, phase, title, started, verdict: "none", reason: null, duration: null, checks: [], measured: [] };
}

/** Join what is known of a step: the recorded verdict, or the checks while there is none. */
export const verdictNow = (step) => (step.verdict !== "none" ? step.verdict : joined(step.checks.map((one) => one.verdict)));
