// Puts interactive charts over those the server drew. Without this file, or without ECharts, the page loses nothing but the pointing.
(() => {
  'use strict';
  if (!window.echarts) return;

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const colour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const tick = (spec, value) => spec.unit === 'signed' ? (value > 0 ? '+' : value < 0 ? '−' : '') + Math.abs(value).toFixed(1) : Math.round(value * 1000) / 10 + ' %';
  const words = row => row.name + '\n' + row.text + (row.interval ? '\n95 %: ' + row.interval : '');

  // A line from the low to the high end of each interval, with a short stroke at both.
  function whiskers(spec, upright, thick) {
    return {
      type: 'custom', silent: true, z: 1, encode: upright ? { x: 0, y: [1, 2] } : { x: [1, 2], y: 0 },
      data: spec.rows.map((row, i) => row.low == null ? null : [i, row.low, row.high]).filter(Boolean),
      renderItem(params, api) {
        const at = end => upright ? api.coord([api.value(0), api.value(end)]) : api.coord([api.value(end), api.value(0)]);
        const [x1, y1] = at(1), [x2, y2] = at(2), cap = thick ? 0 : 4;
        const line = (shape, width) => ({ type: 'line', shape, style: { stroke: colour('--accent'), opacity: thick ? .45 : .8, lineWidth: width, lineCap: thick ? 'round' : 'butt' } });
        return {
          type: 'group',
          children: [line({ x1, y1, x2, y2 }, thick ? 7 : 1.5)].concat(cap === 0 ? [] : upright
            ? [line({ x1: x1 - cap, y1, x2: x1 + cap, y2: y1 }, 1.5), line({ x1: x2 - cap, y1: y2, x2: x2 + cap, y2 }, 1.5)]
            : [line({ x1, y1: y1 - cap, x2: x1, y2: y1 + cap }, 1.5), line({ x1: x2, y1: y2 - cap, x2, y2: y2 + cap }, 1.5)])
        };
      }
    };
  }

  function option(spec) {
    const text = { color: colour('--muted'), fontFamily: 'inherit', fontSize: 12 };
    const value = {
      type: 'value', min: spec.min, max: spec.max, interval: (spec.max - spec.min) / 4,
      axisLabel: { ...text, formatter: v => tick(spec, v) }, splitLine: { lineStyle: { color: colour('--line') } }, axisLine: { show: false }, axisTick: { show: false }
    };
    const names = (inverse) => ({
      type: 'category', inverse, data: spec.rows.map(row => row.name), axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { ...text, color: colour('--text'), hideOverlap: true, width: 150, overflow: 'truncate' }
    });
    const point = row => ({ value: row.value, itemStyle: { color: colour(row.own ? '--good' : '--accent'), borderColor: colour('--panel'), borderWidth: 1.5 } });
    const common = {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      // Rich text is drawn, not parsed as HTML: a brand's name stays a name.
      tooltip: {
        renderMode: 'richText', trigger: 'item', confine: true, backgroundColor: colour('--panel-2'), borderColor: colour('--line'),
        textStyle: { color: colour('--text'), fontSize: 12 }, formatter: p => words(spec.rows[p.dataIndex])
      }
    };
    if (spec.kind === 'trend') {
      return {
        ...common, grid: { left: 48, right: 16, top: 14, bottom: 26 }, xAxis: { ...names(false), axisLabel: { ...text, hideOverlap: true, formatter: name => name.slice(0, 10) } }, yAxis: value,
        series: [whiskers(spec, true, false), { type: 'line', z: 2, symbol: 'circle', symbolSize: 10, lineStyle: { color: colour('--accent'), width: 2 }, data: spec.rows.map(point) }]
      };
    }

    const marks = spec.kind === 'bars'
      ? { type: 'bar', z: 0, barWidth: 14, data: spec.rows.map(row => ({ value: row.value, itemStyle: { color: colour(row.own ? '--good' : '--accent'), opacity: .55, borderRadius: 3 } })) }
      : { type: 'scatter', z: 2, symbolSize: 11, data: spec.rows.map(point) };
    return {
      ...common, grid: { left: 168, right: 58, top: 6, bottom: 24 }, xAxis: value,
      yAxis: [names(true), { type: 'category', inverse: true, position: 'right', data: spec.rows.map(row => row.text), axisLine: { show: false }, axisTick: { show: false }, axisLabel: { ...text, color: colour('--text') } }],
      series: [whiskers(spec, false, spec.kind === 'intervals'), marks]
    };
  }

  const drawn = [];
  for (const figure of document.querySelectorAll('figure[data-chart]')) {
    const spec = JSON.parse(figure.dataset.chart);
    const drawing = figure.querySelector('.drawing');
    const plot = document.createElement('div');
    plot.className = 'plot';
    plot.setAttribute('role', 'img');
    plot.setAttribute('aria-label', drawing.getAttribute('aria-label'));
    plot.style.height = drawing.getBoundingClientRect().height + 'px';
    drawing.before(plot);
    const chart = window.echarts.init(plot, null, { renderer: 'svg' });
    chart.setOption(option(spec));
    chart.on('click', p => { const row = spec.rows[p.dataIndex]; if (row && row.href) location.href = row.href; });
    figure.classList.add('drawn');
    new ResizeObserver(() => chart.resize()).observe(plot);
    drawn.push(() => chart.setOption(option(spec), true));
  }

  dark.addEventListener('change', () => drawn.forEach(again => again()));
})();
