// Thin out a long series with two extremes in it.
async () => {
  const { Series } = await import("/view/series.js");
  const series = new Series("current", "meter");
  for (let i = 0; i < 100_000; i += 1) series.add(i, i === 70_123 ? 99 : i === 70_456 ? -99 : Math.sin(i));
  return series.between(50_000, 90_000, 1000);
}
