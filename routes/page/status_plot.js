/**
 * Plots over time, drawn by uPlot in the colours of status.css.
 *
 * uPlot is loaded with the first plot. Below each plot a legend shows the value under the pointer, or else the latest.
 * Lines differ in their dashes as well as in their colours.
 */

import { loadPart } from "./api.js";

const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3]];
const height = 200;
const daySeconds = 24 * 60 * 60;
/** Distances of the labels of days. */
const daySteps = [1, 2, 5, 7, 14].map((count) => count * daySeconds);
/** Distances of the labels of times: whole minutes, as labels have no seconds. */
const minuteSteps = [1, 2, 5, 10, 15, 30].map((count) => count * 60);
/** Pixels that each label of the time axis takes at least: the longest, as "27 сент.", and a gap. */
const labelWidth = 72;
const opened = { UPlot: undefined };

/** Loads uPlot. It must be awaited before the first plot is opened. @throws {Problem} if it cannot be loaded */
export async function openPlots() {
  opened.UPlot ??= (await loadLibrary()).default;
}

/**
 * Opens a plot in an empty element, as wide as the element.
 *
 * @param labels of the lines
 * @param formatTime formats the labels of the time axis, from seconds since the epoch
 * @param format formats a value
 * @param smallestTop the least upper end of the axis of values
 * @param shownSeconds the time that is shown, up to the latest value; by default all
 * @param isDays whether to draw a bar for each day of UTC instead of lines
 */
export function openPlot(place, options) {
  const { title, labels, formatTime, format, smallestTop, shownSeconds, isDays = false } = options;
  const { UPlot } = opened;
  // Half of a bar is before its moment, and half after it.
  const margin = isDays ? daySeconds / 2 : 0;
  const canvas = document.createElement("div");
  canvas.role = "img";
  canvas.ariaLabel = title;
  const legend = openLegend(labels, format);
  place.append(canvas, legend.list);
  const colourOf = (part) => getComputedStyle(part).color;
  const axis = { stroke: () => colourOf(legend.list), grid: { stroke: () => colourOf(legend.line), width: 1 } };
  const plot = new UPlot(
    {
      width: Math.max(1, place.clientWidth),
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { show: !isDays } },
      tzDate: (seconds) => isDays ? UPlot.tzDate(new Date(seconds * 1_000), "UTC") : new Date(seconds * 1_000),
      scales: {
        x: { range: (_plot, least, most) => spanOf({ least, most, shownSeconds, margin }) },
        y: { range: (_plot, _least, most) => [0, Math.max(smallestTop, (most ?? 0) * 1.1)] },
      },
      axes: [
        {
          ...axis,
          values: (_plot, moments) => moments.map(formatTime),
          space: labelWidth,
          incrs: isDays ? daySteps : minuteSteps,
          size: 32,
        },
        { ...axis, values: (_plot, values) => values.map(format), size: 52 },
      ],
      series: [
        {},
        ...labels.map((label, index) => ({
          label,
          stroke: () => colourOf(legend.swatches[index]),
          // With an edge, a bar of 0 would be visible.
          width: isDays ? 0 : 2,
          dash: dashes[index],
          points: { show: false },
          ...isDays && { paths: UPlot.paths.bars({ size: [0.7, 40] }), fill: () => colourOf(legend.swatches[index]) },
        })),
      ],
      hooks: { setCursor: [({ cursor, data }) => legend.show(data, cursor.idx)] },
    },
    [[], ...labels.map(() => [])],
    canvas,
  );
  // A canvas does not change its width by itself.
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(1, place.clientWidth), height }));
  observer.observe(place);
  return {
    draw: (data) => {
      plot.setData(data.slice(0, labels.length + 1));
      legend.show(data, plot.cursor.idx);
    },
    close: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

/** The time that is shown; without data, up to now. */
function spanOf({ least, most, shownSeconds, margin }) {
  const last = most ?? Date.now() / 1_000;
  const first = shownSeconds === undefined ? least ?? last - 60 * 60 : last - shownSeconds;
  return [first - margin, last + margin];
}

function openLegend(labels, format) {
  const list = document.createElement("ul");
  list.className = "legend";
  const items = labels.map((label, index) => {
    const item = document.createElement("li");
    const swatch = document.createElement("span");
    swatch.className = `swatch line-${index}`;
    const value = document.createElement("b");
    item.append(swatch, `${label} `, value);
    return { item, swatch, value };
  });
  // Has the colour of the grid lines.
  const line = document.createElement("li");
  line.className = "grid-line";
  line.hidden = true;
  list.append(...items.map(({ item }) => item), line);
  const show = (data, index) =>
    items.forEach(({ value }, column) => {
      const number = index === null || index === undefined ? data[column + 1].at(-1) : data[column + 1][index];
      const text = number === null || number === undefined ? "–" : format(number);
      if (value.textContent !== text) value.textContent = text;
    });
  return { list, line, swatches: items.map(({ swatch }) => swatch), show };
}

/** The service makes both files from the npm package: see routes/page_file.ts. */
async function loadLibrary() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = "page/uplot.css";
  const own = document.createElement("link");
  own.rel = "stylesheet";
  own.href = "page/status.css";
  // Without a style sheet the plots are correct, only plain.
  const settled = (link) => new Promise((resolve) => link.onload = link.onerror = resolve);
  const loaded = [style, own].map(settled);
  document.head.append(style, own);
  const library = await loadPart(() => import(new URL("uplot.js", import.meta.url).href));
  await Promise.all(loaded);
  return library;
}
