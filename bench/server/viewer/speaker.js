// What is said aloud to those who can't see the page: verdicts and prompts, gathered so that it does not chatter.

import { plural } from "./text.js";

const GATHERED = 1500; // ms in which what happens is put into one sentence

export class Speaker {
  constructor(speak) {
    this._speak = speak;
    this._verdicts = [];
    this._other = "";
    this._timer = null;
  }

  /** Hear a record; only what is `fresh` is worth an interruption. */
  hear({ event, data }, fresh) {
    if (!fresh) return;
    if (event === "CaseEnded") this._verdicts.push(data);
    else if (event === "Prompted") this._other = `Waiting for the operator: ${data.text}`;
    else if (event === "RunEnded") this._other = `The run has ended: ${counted(data.counts)}.`;
    else return;
    this._timer ??= setTimeout(() => this._say(), GATHERED);
  }

  _say() {
    this._timer = null;
    const verdicts = this._verdicts;
    const counts = {};
    for (const { verdict } of verdicts) counts[verdict] = (counts[verdict] ?? 0) + 1;
    const cases = verdicts.length === 1 ? `${verdicts[0].case} ${verdicts[0].verdict}.` : verdicts.length ? `${plural(verdicts.length, "case")} ended: ${counted(counts)}.` : "";
    this._speak([cases, this._other].filter(Boolean).join(" "));
    this._verdicts = [];
    this._other = "";
  }
}

const counted = (counts) => Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(", ") || "no verdict";
