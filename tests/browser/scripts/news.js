// Have many cases end at once; return what is said.
async () => {
  const { Speaker } = await import("/view/speaker.js");
  const said = [];
  let heard;
  const once = new Promise((resolve) => { heard = resolve; });
  const speaker = new Speaker((text) => { said.push(text); heard(); });
  const ended = (n, verdict) => ({ event: "CaseEnded", data: { case: `TC_${n}`, verdict } });
  for (let n = 0; n < 100; n += 1) speaker.hear(ended(n, "fail"), false);
  for (let n = 0; n < 19; n += 1) speaker.hear(ended(n, "pass"), true);
  speaker.hear(ended(19, "fail"), true);
  speaker.hear({ event: "FrameSent", data: {} }, true);
  await once;
  return said;
}
