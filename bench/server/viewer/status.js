// Where the run stands: the running case and step, what waits, the results so far.

import { verdictNow } from "./fold.js";
import { badge, byId, element, plural, say, sign, SIGNS, spoken } from "./text.js";

const COUNTED = ["pass", "fail", "inconclusive", "error"];

/** Scroll the list to an item, and nothing but the list: the page stays where its reader is. */
function reveal(item) {
  const list = byId("cases");
  const [inner, outer] = [item.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}

const roughly = (seconds) => (seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`);

export class Status {
  /** `file(path)` fetches a drawing that a prompt names. */
  constructor(file) {
    this._file = file;
    this._items = [];
  }

  clear() {
    this._items = [];
    byId("cases").replaceChildren();
  }

  /** Show a run, and beside it what the snapshot and the list of runs told. */
  draw(run, { session, prompts, runs }) {
    this._head(run, session);
    this._current(run);
    this._notice(run, runs.some((one) => one.run === run.run && one.state === "unfinished"));
    this._asked(run, prompts);
    this._results(run);
  }

  _head(run, session) {
    const dut = run.started?.dut ?? session?.dut ?? session?.duts?.[0];
    say("dut", dut ? `${dut.vendor} ${dut.model}` : "Live view");
    const facts = [run.started?.bench?.name ?? session?.bench?.name];
    if (dut?.identity) facts.push(dut.identity);
    if (dut?.software) facts.push(`software ${dut.software}`);
    say("bench", facts.filter(Boolean).join(" · "));
    document.title = `${dut ? `${dut.vendor} ${dut.model} – ` : ""}Pilotbench`;
    if (session) say("version", `Pilotbench ${session.version}`);
  }

  _current(run) {
    const { case: one, step } = run;
    const planned = run.cases.length;
    const done = run.cases.filter((each) => each.state === "ended").length;
    if (one) {
      say("case", `${one.id}  ${one.title}`);
      const number = one.steps.filter((each) => each.number !== null).length;
      say("step", step ? `Step ${number}: ${step.title}` : { preamble: "Getting ready", postamble: "Cleaning up" }[one.phase] ?? "Between two steps");
    } else if (run.ended) {
      say("case", run.ended.complete ? "The run has ended" : "The run ended early");
      say("step", run.ended.reason ?? (run.first ? `It took ${spoken(run.last.mono - run.first.mono)}.` : ""));
    } else {
      say("case", run.started ? "Between two cases" : "Waiting for a run");
      say("step", run.started ? "" : "What happens on the bench appears here by itself.");
    }
    byId("progress").value = planned ? done / planned : 0;
    const left = run.ended ? null : run.last && run.remaining(run.last.mono);
    const about = left === null ? "" : left < 1 ? ", nearly done" : `, about ${roughly(left)} left`;
    say("progress-text", planned ? `${done} of ${plural(planned, "case")}${about}` : "");
    const counts = run.counts;
    const text = COUNTED.map((name) => counts[name]).join();
    const list = byId("counts");
    if (list.dataset.text === text) return;
    list.dataset.text = text;
    list.replaceChildren(...COUNTED.filter((name) => counts[name] || name === "pass" || name === "fail").map((name) => element("li", "", badge(counts[name] ? name : "none", `${counts[name]} ${name}`))));
  }

  _notice(run, cut) {
    const texts = cut && !run.ended ? ["The run was cut short: its engine ended before it did."] : [];
    if (run.abortedBy && !run.ended) texts.push(`The run is being ended: ${run.abortedBy}.`);
    if (run.paused && !run.ended) texts.push("Paused by the operator; it goes on at the next step.");
    if (run.held && !run.ended) texts.push("Held: no operator is there. Prompts wait without a deadline.");
    for (const { why } of run.void) texts.push(`Earlier results do not count any more: ${why}.`);
    for (const device of run.devices.values()) if (device.state === "lost" && !run.ended) texts.push(`${device.device} does not answer: ${device.message}`);
    if (run.started && !run.ended && !run.connected && run.case) texts.push("The station is not connected.");
    say("notice", texts.join(" "));
    byId("notice").hidden = !texts.length;
  }

  /** Show the prompts that wait; there is nothing here to answer them with. */
  _asked(run, prompts) {
    const waiting = run.ended ? [] : run.openPrompts;
    const shown = waiting.length ? waiting : run.started ? [] : prompts;
    const place = byId("asked");
    const text = JSON.stringify(shown.map((one) => [one.id ?? one.prompt, one.deadline]));
    if (place.dataset.text === text) return;
    place.dataset.text = text;
    place.hidden = !shown.length;
    place.replaceChildren(...shown.map((one) => element(
      "div", "prompt",
      ...(one.picture ? [this._picture(one.picture)] : []),
      element("p", "asking", "Waiting for the operator"),
      element("p", "question", one.text),
      element("p", "fine", [one.options?.length ? `Options: ${one.options.join(", ")}.` : "", run.held ? "" : `Until ${one.deadline.slice(11, 19)} UTC.`].filter(Boolean).join(" ")),
    )));
  }

  /** Make a prompt's drawing, which comes a moment later. */
  _picture(name) {
    const made = Object.assign(element("img", "picture"), { alt: `Drawing: ${name.replaceAll("-", " ")}` });
    this._file(`/pictures/${encodeURIComponent(name)}`)
      .then((blob) => blob.text())
      .then((svg) => { made.src = `data:image/svg+xml,${encodeURIComponent(svg)}`; })
      .catch(() => made.remove()); // the text says it all
    return made;
  }

  _results(run) {
    run.cases.forEach((one, i) => {
      const known = this._items[i];
      const stand = `${one.state} ${one.verdict} ${one.state === "running" ? one.steps.length : ""}`;
      if (!known) {
        this._items.push(this._item(one));
        byId("cases").append(this._items[i].item);
      }
      const item = this._items[i];
      if (item.stand !== stand) {
        item.stand = stand;
        this._summary(item, one);
        item.stale = true;
      }
      if (item.stale && item.box.open) this._steps(item, one);
    });
  }

  _item(one) {
    const summary = element("summary");
    const body = element("div", "body");
    const box = element("details", "", summary, body);
    const made = { item: element("li", "", box), box, summary, body, stand: "", stale: true };
    box.addEventListener("toggle", () => box.open && this._steps(made, one));
    return made;
  }

  _summary({ item, summary }, one) {
    item.className = one.state === "ended" ? one.verdict : one.state;
    const state = one.state === "ended" ? badge(one.verdict) : element("span", "state", one.state === "running" ? "▶ running" : "waiting");
    summary.replaceChildren(
      element("span", "id", one.id), state, element("span", "title", one.title),
      element("span", "time", one.state === "ended" ? spoken(one.duration) : ""),
    );
    if (one.state === "running") reveal(item);
  }

  _steps(made, one) {
    made.stale = false;
    const parts = one.reason ? [element("p", "reason", one.reason)] : [];
    if (one.purpose) parts.push(element("p", "purpose", one.purpose.split(/\s+/).join(" ")));
    for (const step of one.steps) {
      if (step.number === null && !step.checks.length && !step.measured.length) continue;
      const verdict = verdictNow(step);
      const list = step.checks.filter((check) => check.verdict !== "pass").map((check) => element("li", check.verdict, `${SIGNS[check.verdict] ?? "–"} ${check.text}: expected ${check.expected}, got ${check.actual}`));
      for (const value of step.measured) list.push(element("li", value.verdict, `${value.name}: ${Number(value.value.toPrecision(5))} ${value.unit}`));
      parts.push(element("div", `step-of ${verdict}`, element("p", "", sign(verdict), element("span", "", step.title), element("span", "time", spoken(step.duration))), ...(list.length ? [element("ul", "", ...list)] : [])));
    }
    made.body.replaceChildren(...(parts.length ? parts : [element("p", "empty", "Nothing yet.")]));
  }
}
