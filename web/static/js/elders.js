// The elder's page: a revealed number hides itself again; the steps of the risk.
document.body.addEventListener("htmx:after:swap", () => {
  for (const shown of document.querySelectorAll("[data-hide-after]")) {
    const seconds = Number(shown.dataset.hideAfter);
    delete shown.dataset.hideAfter;
    const place = shown.closest(".masked");
    const masked = place.dataset.masked;
    setTimeout(() => {
      if (shown.isConnected) place.textContent = masked;
    }, seconds * 1000);
  }
});
for (const place of document.querySelectorAll(".masked")) place.dataset.masked = place.textContent;

const COLOURS = ["#2fb344", "#f76707", "#d63939"]; // as the badges: normal, attention, urgent

function draw(element, { levels, points }) {
  const text = getComputedStyle(document.body).color;
  const line = getComputedStyle(document.querySelector(".card")).borderTopColor;
  echarts.getInstanceByDom(element)?.dispose();
  echarts.init(element).setOption({
    animation: false,
    textStyle: { color: text },
    grid: { left: 8, right: 16, top: 12, bottom: 8, containLabel: true },
    xAxis: { type: "category", data: points.map((each) => each.day), axisLabel: { color: text }, axisLine: { lineStyle: { color: line } } },
    yAxis: {
      type: "value",
      min: 0,
      max: levels.length - 1,
      interval: 1,
      axisLabel: { color: text, formatter: (value) => levels[value] ?? "" },
      splitLine: { lineStyle: { color: line } },
    },
    series: [
      {
        type: "line",
        step: "middle",
        symbolSize: 9,
        lineStyle: { color: text, width: 1.5, opacity: 0.45 },
        data: points.map((each) => ({ value: each.level, itemStyle: { color: COLOURS[each.level] } })),
      },
    ],
  });
}

async function trend(element) {
  let found = null;
  try {
    const answer = await fetch(element.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    found = await answer.json();
  } catch {
    element.textContent = "走势没有取到数据，请刷新页面。";
    return;
  }
  draw(element, found);
  new MutationObserver(() => draw(element, found)).observe(document.documentElement, {
    attributes: true,
    attributeFilter: ["data-bs-theme"],
  });
  window.addEventListener("resize", () => echarts.getInstanceByDom(element)?.resize());
}

const chart = document.getElementById("risk");
if (chart) trend(chart);
