// The kinds of figures: each draws `spec` into `host` at a width, and keeps in `state` what the reader chose.

const charts = {};

charts.line = (host, spec, width, state) => {
  state.hidden ??= new Set();
  const lines = spec.lines.map((line, index) => ({...line, color: color(line.color, index), index}));
  const area = element('div');
  host.append(area);
  const places = legend(host, lines, state.hidden, () => redraw());

  function redraw() {
    area.replaceChildren();
    const seen = lines.filter(line => !state.hidden.has(line.index));
    const base = seen.length ? seen : lines;
    const xs = base.flatMap(line => line.x), ys = base.flatMap(line => line.y);
    for (const line of base) if (line.low) ys.push(...line.low, ...line.high);
    for (const mark of spec.marks) (mark.horizontal ? ys : xs).push(mark.at);
    const height = Math.round(Math.max(210, Math.min(330, width * 0.6)));
    const plot = frame(area, {width, height, x: spec.x, y: spec.y, xs, ys,
                              label: `${spec.title}. ${spec.note}`});
    for (const line of seen) if (line.low) {
      shape(plot.inside, 'path', {class: 'band', d: band(line, plot), style: `fill: ${line.color}`});
    }
    const under = hiddenUnder(seen, plot);
    for (const {same} of places) same.textContent = '';
    seen.forEach((line, index) => {
      const below = under[index], offset = below.length ? `; stroke-dasharray: 8 ${8 * below.length}; stroke-linecap: butt` : '';
      if (below.length) places[line.index].same.textContent = ` (same as ${below[0].label})`;
      shape(plot.inside, 'path', {class: line.dashed ? 'curve dashed' : 'curve', d: path(line.x, line.y, plot.across, plot.up),
                                  style: `stroke: ${line.color}${offset}`});
      if (spec.y.log) shape(plot.inside, 'path', {class: 'zero', d: zeros(line, plot), style: `stroke: ${line.color}`});
      if (line.x.length === 1) shape(plot.inside, 'circle', {class: 'dot', r: 4, cx: plot.across.at(line.x[0]),
                                                             cy: plot.up.at(line.y[0]), style: `fill: ${line.color}`});
    });
    marks(plot, spec.marks);
    follow(plot, seen);
  }

  // The values at the pointer, or where the arrow keys have come to.
  function follow(plot, seen) {
    const stops = [...new Set(seen.flatMap(line => line.x))].sort((a, b) => a - b);
    if (!stops.length) return;
    const cursor = shape(plot.svg, 'path', {class: 'cursor', d: ''});
    const readout = shape(plot.svg, 'text', {class: 'at', x: plot.right, y: 12, 'text-anchor': 'end', 'aria-live': 'polite'}, '');
    const show = x => {
      cursor.setAttribute('d', x === undefined ? '' : `M${plot.across.at(x)} ${plot.top}V${plot.bottom}`);
      readout.textContent = x === undefined ? '' : `${spec.x.label}: ${numberText(x, 4)}`;
      for (const line of lines) {
        let best;
        for (let i = 0; i < line.x.length; ++i) {
          if (best === undefined || Math.abs(plot.across.at(line.x[i]) - plot.across.at(x)) <
              Math.abs(plot.across.at(line.x[best]) - plot.across.at(x))) best = i;
        }
        places[line.index].value.textContent = x === undefined || best === undefined ? '' : ` ${numberText(line.y[best])}`;
      }
      state.stop = x === undefined ? undefined : stops.indexOf(x);
    };
    plot.svg.setAttribute('tabindex', 0);
    plot.svg.addEventListener('pointermove', event => {
      const box = plot.svg.getBoundingClientRect(), px = (event.clientX - box.left) * width / box.width;
      show(stops.reduce((a, b) => Math.abs(plot.across.at(b) - px) < Math.abs(plot.across.at(a) - px) ? b : a));
    });
    plot.svg.addEventListener('pointerleave', () => show());
    plot.svg.addEventListener('blur', () => show());
    plot.svg.addEventListener('keydown', event => {
      const jump = {ArrowLeft: -1, ArrowRight: 1, PageUp: 10, PageDown: -10}[event.key];
      if (jump === undefined) return;
      event.preventDefault();
      show(stops[Math.max(0, Math.min(stops.length - 1, (state.stop ?? -1) + jump))]);
    });
  }
  redraw();
};

/// Beyond which value a few are so far out that they would squeeze all others, if there are such: in `values`, sorted.
function outlying(values, log) {
  const at = log ? Math.log : value => value, most = Math.max(1, Math.floor(values.length / 10));
  for (let count = most; count >= 1 && values.length - count >= 4; --count) {
    const edge = values[values.length - count - 1], spread = at(edge) - at(values[0]);
    if (spread > 0 && at(values[values.length - count]) - at(edge) > 3 * spread) return edge;
  }
  return Infinity;
}

charts.dot = (host, spec, width) => {
  const longest = Math.max(...spec.groups.map(group => group.label.length));
  const inside = longest * 7 > width * 0.38;  // labels over their row rather than beside it
  const row = inside ? 40 : 28, left = inside ? 12 : longest * 7 + 14;
  const height = spec.groups.length * row + 66;
  const known = spec.groups.flatMap(group => group.values).filter(value => finite(value) && (!spec.x.log || value > 0));
  const most = outlying([...known].sort((a, b) => a - b), spec.x.log);
  const xs = known.filter(value => value <= most).concat(spec.marks.map(mark => mark.at));
  const plot = frame(host, {width, height, left, top: 18, inset: 9, rows: true, x: spec.x, y: {low: 0, high: 1}, xs, ys: [], label: `${spec.title}. ${spec.note}`});
  spec.groups.forEach((group, index) => {
    const y = plot.top + (index + 0.5) * row + (inside ? 8 : 0), fill = color(group.color, index);
    shape(plot.svg, 'path', {class: 'grid', d: `M${plot.left} ${y}H${plot.right}`});
    shape(plot.svg, 'text', inside ? {class: 'strong', x: plot.left, y: y - 10} : {class: 'strong', x: plot.left - 8, y: y + 4, 'text-anchor': 'end'}, group.label);
    for (const value of group.values) {
      if (!finite(value)) continue;
      if (value > most && plot.across.at(value) > plot.right) continue;
      const dot = shape(plot.inside, 'circle', {class: 'dot', r: 5, cx: plot.across.at(value), cy: y, style: `fill: ${fill}; fill-opacity: .6`});
      shape(dot, 'title', {}, `${group.label}: ${numberText(value)}`);
    }
    if (finite(group.median) && plot.across.at(group.median) <= plot.right) {
      const at = plot.across.at(group.median);
      shape(plot.inside, 'path', {class: 'curve', d: `M${at} ${y - 9}V${y + 9}`, style: `stroke: ${fill}; stroke-width: 3`});
    }
    const beyond = group.values.filter(value => value > most && plot.across.at(value) > plot.right);
    if (beyond.length) {
      shape(plot.svg, 'path', {class: 'leaving', d: leaving(plot, [plot.right + 50, y], [plot.left, y]), style: `fill: ${fill}`});
      shape(plot.svg, 'text', {class: 'strong', x: plot.right, y: y - 8, 'text-anchor': 'end'}, `beyond: ${beyond.map(value => numberText(value)).join(', ')}`);
    }
    const lost = group.values.filter(value => !finite(value)).length;
    if (lost) shape(plot.svg, 'text', {x: plot.right, y: y - 6, 'text-anchor': 'end'}, `${lost} of ${group.values.length} without a value`);
  });
  marks(plot, spec.marks, true);
};
