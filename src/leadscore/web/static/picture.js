// The picture beside the ranking: a point for each firm, which opens it; the tables say the same.
(() => {
  "use strict";

  // Grades differ by shape, and D is hollow, so that nobody needs to tell colours apart.
  const SHAPES = { A: "circle", B: "diamond", C: "triangle", D: "circle" };
  const VETOED = "path://M1 0 L5 4 L9 0 L10 1 L6 5 L10 9 L9 10 L5 6 L1 10 L0 9 L4 5 L0 1 Z";
  const percent = (share) => `${Math.round(share * 100)}%`;
  const fine = (share) => {
    if (share < 0.001) return "<0.1%";
    return share > 0.999 ? ">99.9%" : `${(share * 100).toFixed(1)}%`;
  };
  const paint = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  let chart = null;
  let drawn = null;

  const series = (place, points) => {
    const colours = { A: paint("--accent"), B: paint("--up-bar"), C: paint("--down-bar") };
    const one = (name, symbol, colour, firms, size) => ({
      type: "scatter", name, symbol, symbolSize: size, cursor: "pointer",
      itemStyle: colour
        ? { color: colour, opacity: 0.85 }
        : { color: paint("--paper"), borderColor: paint("--soft"), borderWidth: 1.5 },
      data: firms.map((firm) => ({ value: [firm.fit, firm.likelihood], firm })),
    });
    const grades = Object.keys(SHAPES).map((grade) => one(
      place.dataset.grade.replace("{}", grade), SHAPES[grade], colours[grade],
      points.filter((firm) => firm.grade === grade && !firm.veto), 9,
    ));
    const vetoed = points.filter((firm) => firm.veto);
    grades.push(one(place.dataset.vetoed, VETOED, paint("--soft"), vetoed, 7));
    return grades.filter((each) => each.data.length);
  };

  const axis = (name, extra) => ({
    type: "value", name, min: 0, nameTextStyle: { color: paint("--soft") },
    axisLabel: { color: paint("--soft"), formatter: percent },
    axisLine: { show: true, lineStyle: { color: paint("--line") } },
    splitLine: { lineStyle: { color: paint("--rule") } },
    ...extra,
  });

  const options = (place, { points, lines }) => {
    const shown = series(place, points);
    if (shown.length) {
      shown[0].markLine = {
        silent: true, symbol: "none", label: { show: false },
        lineStyle: { color: paint("--soft"), type: "dashed" },
        data: [{ xAxis: lines.fit }, { yAxis: lines.likelihood }],
      };
    }
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: {
        left: 8, right: 18, top: place.clientWidth < 480 ? 84 : 60, bottom: 24, containLabel: true,
      },
      legend: {
        top: 2, left: 0, textStyle: { color: paint("--ink") }, itemHeight: 9, itemWidth: 11,
        itemGap: 14,
      },
      xAxis: axis(place.dataset.fit, { max: 1, nameLocation: "middle", nameGap: 26 }),
      yAxis: axis(place.dataset.likelihood, { nameTextStyle: { align: "left", color: paint("--soft") } }),
      tooltip: {
        renderMode: "richText", confine: true, backgroundColor: paint("--paper"),
        borderColor: paint("--line"), textStyle: { color: paint("--ink") },
        formatter: ({ data: { firm } }) => [
          firm.name,
          `${place.dataset.fit} ${percent(firm.fit)} · ${place.dataset.likelihood} ${fine(firm.likelihood)}`,
          firm.veto || place.dataset.grade.replace("{}", firm.grade),
        ].join("\n"),
      },
      series: shown,
    };
  };

  const draw = async () => {
    const place = document.getElementById("picture");
    if (place === drawn) return;
    chart?.dispose();
    [chart, drawn] = [null, place];
    if (!place) return;
    try {
      const answer = await fetch(place.dataset.points, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      found.points = found.points.map(([id, name, fit, likelihood, grade, veto]) => (
        { id, name, fit, likelihood, grade, veto }
      ));
      if (drawn !== place) return;
      // Within, for the chart styles what it is given, and htmx carries attributes of elements with
      // an id over to their successors: of a style attribute the policy of the pages would not have it.
      const paper = document.createElement("div");
      place.replaceChildren(paper);
      chart = echarts.init(paper);
      chart.found = found;
      chart.setOption(options(place, found));
      chart.on("click", ({ data }) => location.assign(`/firms/${data.firm.id}`));
      new ResizeObserver(() => place === drawn && chart?.resize()).observe(place);
    } catch {
      place.textContent = place.dataset.failed;
    }
  };

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    if (chart) chart.setOption(options(drawn, chart.found), true);
  });
  document.addEventListener("htmx:after:swap", draw);
  draw();
})();
