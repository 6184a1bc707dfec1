// Take a frame of samples and a history; return the points that come of them.
async (hex) => {
  const bytes = Uint8Array.from(hex.match(/../g), (two) => parseInt(two, 16));
  const { Samples, decode } = await import("/view/samples.js");
  const { Measurements } = await import("/view/series.js");
  const measurements = new Measurements();
  measurements.take({ utc: "1970-01-01T00:01:40.000Z", mono: 10, event: "RunStarted", data: {} });
  const before = { time: [11, 11.5], min: [1, 2], max: [1, 3] };
  const asked = [];
  let answered;
  const done = new Promise((resolve) => { answered = resolve; });
  const samples = new Samples(measurements, async (channel, begin) => {
    asked.push([channel, begin]);
    setTimeout(() => asked.length === 2 && answered());
    return channel === 1 ? before : null;
  });
  const pilot = { channel: 1, name: "pilot-high", unit: "V", instrument: "box", connector: 2, zero: 0 };
  samples.declare(pilot);
  samples.declare({ channel: 2, name: "energy", unit: "Wh", instrument: "meter", connector: null, zero: 1234567 });
  samples.declare({ channel: 3, name: "response-time", unit: "s", instrument: "OCPP", connector: null, zero: 0 });
  samples.take(bytes.buffer);
  await done;
  const drawn = (panel) => measurements.panels.get(panel).series.map((one) => [one.label, one.xs, one.ys]);
  const other = new Uint8Array(bytes);
  other[0] = 2;
  return { pilot: drawn("pilot"), energy: drawn("energy"), asked, other: decode(other.buffer) };
}
