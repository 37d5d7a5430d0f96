// The two charts of the reports. Their numbers also stand in the tables: a chart is never the only place.

const COLOURS = ["#2fb344", "#868e96", "#ae3ec9", "#4263eb", "#d6336c", "#f59f00", "#fd7e14", "#a0522d"];

function style() {
  const card = document.querySelector(".card");
  return { text: getComputedStyle(document.body).color, line: getComputedStyle(card).borderTopColor };
}

// The small build of echarts has no legend of its own; this one is text, so it is read aloud too.
function legend(element, names, colours) {
  const list = document.createElement("ul");
  list.className = "chart-legend";
  names.forEach((name, at) => {
    const item = document.createElement("li");
    const mark = document.createElement("i");
    mark.style.backgroundColor = colours[at % colours.length];
    item.append(mark, name);
    list.append(item);
  });
  if (element.nextElementSibling?.className === "chart-legend") element.nextElementSibling.remove();
  element.after(list);
}

function draw(element, options) {
  echarts.getInstanceByDom(element)?.dispose();
  const { text, line } = style();
  const lines = { lineStyle: { color: line } };
  const dress = (axis) => ({
    axisLine: lines,
    ...axis,
    axisLabel: { color: text, ...axis.axisLabel },
    splitLine: { ...lines, ...axis.splitLine },
  });
  echarts.init(element).setOption({
    animation: false,
    textStyle: { color: text },
    grid: { left: 8, right: 8, top: 16, bottom: 8, containLabel: true },
    ...options,
    xAxis: [options.xAxis].flat().map(dress),
    yAxis: [options.yAxis].flat().map(dress),
  });
  legend(element, options.series.map((each) => each.name), options.color);
}

function drawTrend(element, months) {
  const rate = (each) => (each.due ? Math.round((1000 * each.visited) / each.due) / 10 : null);
  draw(element, {
    color: ["#4263eb", "#2fb344", "#f59f00"],
    xAxis: { type: "category", splitLine: { show: false }, data: months.map((each) => each.month) },
    yAxis: [
      { type: "value", minInterval: 1 },
      { type: "value", min: 0, max: 100, axisLabel: { formatter: "{value}%" }, splitLine: { show: false } },
    ],
    series: [
      { name: "应访（人）", type: "bar", data: months.map((each) => each.due) },
      { name: "已访（人）", type: "bar", data: months.map((each) => each.visited) },
      { name: "月探访率（%）", type: "line", yAxisIndex: 1, data: months.map(rate) },
    ],
  });
}

// The parts of the total stand in its row, those of the areas in the rows below.
function drawFates(element, table) {
  const titles = [...table.tHead.rows[0].cells].filter((cell) => cell.dataset.fate !== undefined);
  let rows = [...table.tBodies[0].rows];
  if (rows.length > 1) rows = rows.slice(1);
  const numbers = rows.map((row) => [...row.cells].filter((cell) => cell.dataset.fate !== undefined).map((cell) => Number(cell.textContent)));
  draw(element, {
    color: COLOURS,
    xAxis: { type: "value", minInterval: 1 },
    yAxis: { type: "category", inverse: true, splitLine: { show: false }, data: rows.map((row) => row.cells[0].textContent.trim()) },
    series: titles.map((title, at) => ({
      name: title.textContent,
      type: "bar",
      stack: "due",
      data: numbers.map((row) => row[at]),
    })),
  });
}

async function main() {
  const trend = document.getElementById("trend");
  const fates = document.getElementById("fates");
  const cover = document.getElementById("cover");
  let months = null;
  const all = () => {
    drawFates(fates, cover);
    if (months) drawTrend(trend, months);
  };
  all();
  new MutationObserver(all).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
  window.addEventListener("resize", () => [trend, fates].forEach((each) => echarts.getInstanceByDom(each)?.resize()));
  try {
    const answer = await fetch(trend.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    months = await answer.json();
    drawTrend(trend, months);
  } catch {
    trend.textContent = "图表没有取到数据，请刷新页面。";
  }
}

main();
