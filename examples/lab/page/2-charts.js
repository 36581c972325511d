// The kinds of figures: each draws `spec` into `host` at a width, and keeps in `state` what the reader chose.

const charts = {};

charts.line = (host, spec, width, state) => {
  state.hidden ??= new Set();
  const lines = spec.lines.map((line, index) => ({...line, color: color(line.color, index), index}));
  const readout = element('div', {class: 'at', 'aria-live': 'polite'});
  const area = element('div');
  host.append(area);
  const values = legend(host, lines, state.hidden, () => redraw());
  host.append(readout);

  function redraw() {
    area.replaceChildren();
    const seen = lines.filter(line => !state.hidden.has(line.index));
    const base = seen.length ? seen : lines;
    const xs = base.flatMap(line => line.x), ys = base.flatMap(line => line.y);
    for (const line of base) if (line.low) ys.push(...line.low, ...line.high);
    for (const mark of spec.marks) (mark.horizontal ? ys : xs).push(mark.at);
    const height = Math.round(Math.max(210, Math.min(330, width * 0.6)));
    const plot = frame(area, {width, height, left: 58, top: 22, x: spec.x, y: spec.y, xs, ys,
                              label: `${spec.title}. ${spec.note}`});
    shape(plot.svg, 'text', {x: 0, y: 12}, spec.y.label);
    for (const line of seen) if (line.low) {
      shape(plot.inside, 'path', {class: 'band', d: band(line, plot.across, plot.up), style: `fill: ${line.color}`});
    }
    for (const line of seen) {
      shape(plot.inside, 'path', {class: line.dashed ? 'curve dashed' : 'curve', d: path(line.x, line.y, plot.across, plot.up),
                                  style: `stroke: ${line.color}`});
      if (line.x.length === 1) shape(plot.inside, 'circle', {class: 'dot', r: 4, cx: plot.across.at(line.x[0]),
                                                             cy: plot.up.at(line.y[0]), style: `fill: ${line.color}`});
    }
    marks(plot, spec.marks);
    follow(plot, seen);
  }

  // The values at the pointer, or where the arrow keys have come to.
  function follow(plot, seen) {
    const stops = [...new Set(seen.flatMap(line => line.x))].sort((a, b) => a - b);
    if (!stops.length) return;
    const cursor = shape(plot.svg, 'path', {class: 'cursor', d: ''});
    const show = x => {
      cursor.setAttribute('d', x === undefined ? '' : `M${plot.across.at(x)} ${plot.top}V${plot.bottom}`);
      readout.textContent = x === undefined ? '' : `${spec.x.label}: ${numberText(x, 4)}`;
      for (const line of lines) {
        let best;
        for (let i = 0; i < line.x.length; ++i) {
          if (best === undefined || Math.abs(plot.across.at(line.x[i]) - plot.across.at(x)) <
              Math.abs(plot.across.at(line.x[best]) - plot.across.at(x))) best = i;
        }
        values[line.index].textContent = x === undefined || best === undefined ? '' : numberText(line.y[best]);
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

/// Vertical ones have their words inside a chart, in rows, and above a plot of dots.
function marks(plot, list, above = false) {
  let row = 0;
  for (const mark of list) {
    const at = (mark.horizontal ? plot.up : plot.across).at(mark.at);
    const inside = mark.horizontal ? at >= plot.top - 1 && at <= plot.bottom + 1 : at >= plot.left - 1 && at <= plot.right + 1;
    if (!inside) continue;
    shape(plot.svg, 'path', {class: 'mark', d: mark.horizontal ? `M${plot.left} ${at}H${plot.right}` : `M${at} ${plot.top}V${plot.bottom}`});
    const left = at > (plot.left + plot.right) / 2;
    if (mark.horizontal) shape(plot.svg, 'text', {class: 'strong', x: plot.right - 4, y: at - 5, 'text-anchor': 'end'}, mark.label);
    else shape(plot.svg, 'text', {class: 'strong', x: at + (left ? -5 : 5), y: above ? plot.top - 6 : plot.top + 12 + 15 * row++, 'text-anchor': left ? 'end' : 'start'}, mark.label);
  }
}

charts.dot = (host, spec, width) => {
  const longest = Math.max(...spec.groups.map(group => group.label.length));
  const inside = longest * 7 > width * 0.38;  // labels over their row rather than beside it
  const row = inside ? 40 : 28, left = inside ? 12 : longest * 7 + 14;
  const height = spec.groups.length * row + 66;
  const xs = spec.groups.flatMap(group => group.values).concat(spec.marks.map(mark => mark.at));
  const plot = frame(host, {width, height, left, top: 18, x: spec.x, y: {low: 0, high: 1}, xs, ys: [], label: `${spec.title}. ${spec.note}`});
  for (const text of [...plot.svg.querySelectorAll('text[text-anchor=end]')]) text.remove();
  for (const line of [...plot.svg.querySelectorAll('path.grid')]) if (line.getAttribute('d').includes('H')) line.remove();
  spec.groups.forEach((group, index) => {
    const y = plot.top + (index + 0.5) * row + (inside ? 8 : 0), fill = color(group.color, index);
    shape(plot.svg, 'path', {class: 'grid', d: `M${plot.left} ${y}H${plot.right}`});
    shape(plot.svg, 'text', inside ? {class: 'strong', x: plot.left, y: y - 10} : {class: 'strong', x: plot.left - 8, y: y + 4, 'text-anchor': 'end'}, group.label);
    for (const value of group.values) {
      if (!finite(value)) continue;
      const dot = shape(plot.inside, 'circle', {class: 'dot', r: 5, cx: plot.across.at(value), cy: y, style: `fill: ${fill}; fill-opacity: .6`});
      shape(dot, 'title', {}, `${group.label}: ${numberText(value)}`);
    }
    if (finite(group.median)) {
      const at = plot.across.at(group.median);
      shape(plot.inside, 'path', {class: 'curve', d: `M${at} ${y - 9}V${y + 9}`, style: `stroke: ${fill}; stroke-width: 3`});
    }
    const lost = group.values.filter(value => !finite(value)).length;
    if (lost) shape(plot.svg, 'text', {x: plot.right, y: y - 6, 'text-anchor': 'end'}, `${lost} of ${group.values.length} without a value`);
  });
  marks(plot, spec.marks, true);
};

charts.heat = (host, spec, width) => {
  const longest = Math.max(...spec.y.map(text => text.length));
  const left = Math.min(width * 0.34, longest * 7 + 12 + 18), columns = spec.x.length, rows = spec.y.length;
  const cell = (width - left - 4) / columns, tall = Math.max(22, Math.min(34, cell));
  const slanted = spec.x.some(text => text.length * 7 > cell - 4);
  const foot = slanted ? 24 + Math.max(...spec.x.map(text => text.length)) * 5.4 : 40;
  const height = rows * tall + foot + 6;
  const known = spec.values.flat().filter(value => finite(value) && (!spec.log || value > 0));
  const ease = spec.log ? Math.log : value => value;
  const low = ease(spec.low ?? Math.min(...known)), high = ease(spec.high ?? Math.max(...known));
  const svg = shape(host, 'svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': `${spec.title}. ${spec.note}`});
  const readout = element('div', {class: 'at', 'aria-live': 'polite'});
  host.append(readout);
  // The value under the pointer, or where the arrow keys have come to.
  let place = [0, -1];
  const cursor = {};
  const read = (r, c) => {
    place = [Math.max(0, Math.min(rows - 1, r)), Math.max(0, Math.min(columns - 1, c))];
    const value = spec.values[place[0]][place[1]];
    readout.textContent = `${spec.x_label} ${spec.x[place[1]]}, ${spec.y_label} ${spec.y[place[0]]}: ${finite(value) ? numberText(value) : 'nothing'} ${spec.value_label}`;
    cursor.box.setAttribute('x', left + place[1] * cell);
    cursor.box.setAttribute('y', 4 + place[0] * tall);
    cursor.box.setAttribute('visibility', 'visible');
  };
  svg.setAttribute('tabindex', 0);
  svg.addEventListener('keydown', event => {
    const move = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!move) return;
    event.preventDefault();
    read(place[0] + move[0], place[1] + move[1]);
  });
  spec.values.forEach((line, r) => line.forEach((value, c) => {
    const share = high > low ? Math.max(0, Math.min(1, (ease(value) - low) / (high - low))) : 0.5, missing = !finite(value) || (spec.log && value <= 0 && !finite(share));
    const strength = missing ? 0 : 0.06 + 0.86 * (spec.low_is_good ? 1 - share : share);
    const x = left + c * cell, y = 4 + r * tall;
    const box = shape(svg, 'rect', {x: x + 0.5, y: y + 0.5, width: cell - 1, height: tall - 1, style: `fill: var(--heat); fill-opacity: ${strength.toFixed(2)}; stroke: var(--line)`});
    box.addEventListener('pointerenter', () => read(r, c));
    const text = missing ? '–' : numberText(value, 2);
    if (text.length * 6.6 < cell - 2) shape(svg, 'text', {x: x + cell / 2, y: y + tall / 2 + 4, 'text-anchor': 'middle', 'pointer-events': 'none', style: `fill: var(--${strength > 0.62 ? 'heat-ink' : 'ink'})`}, text);
  }));
  cursor.box = shape(svg, 'rect', {width: cell, height: tall, visibility: 'hidden', fill: 'none', stroke: 'var(--ink)', 'stroke-width': 2, 'pointer-events': 'none'});
  spec.y.forEach((text, r) => shape(svg, 'text', {class: 'strong', x: left - 7, y: 4 + (r + 0.5) * tall + 4, 'text-anchor': 'end'}, text));
  spec.x.forEach((text, c) => {
    const x = left + (c + 0.5) * cell, y = rows * tall + 19;
    if (slanted) shape(svg, 'text', {class: 'strong', 'text-anchor': 'end', transform: `translate(${x + 4} ${y - 3}) rotate(-45)`}, text);
    else shape(svg, 'text', {class: 'strong', x, y, 'text-anchor': 'middle'}, text);
  });
  shape(svg, 'text', {x: (left + width) / 2, y: height - 4, 'text-anchor': 'middle'}, spec.x_label);
  shape(svg, 'text', {transform: `translate(11 ${4 + rows * tall / 2}) rotate(-90)`, 'text-anchor': 'middle'}, spec.y_label);
};

charts.landscape = (host, spec, width, state) => {
  state.hidden ??= new Set();
  state.image ??= shades(shares(spec), spec.columns);
  const [left, right, bottom, top] = spec.range, side = Math.min(width, 520);
  const area = element('div');
  host.append(area);
  const paths = spec.paths.map((way, index) => ({...way, color: color(way.color, index), index}));
  if (paths.length) legend(host, paths, state.hidden, () => redraw());
  function redraw() {
    area.replaceChildren();
    const plot = frame(area, {width: side, height: side * 0.86, left: 58, top: 22, x: {label: spec.x_label, low: left, high: right},
                              y: {low: bottom, high: top}, xs: [], ys: [], label: `${spec.title}. ${spec.note}`});
    plot.svg.style.maxWidth = `${side}px`;
    shape(plot.svg, 'text', {x: 0, y: 12}, spec.y_label);
    shape(plot.inside, 'image', {href: state.image, x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top, preserveAspectRatio: 'none'});
    for (const way of paths) {
      if (state.hidden.has(way.index)) continue;
      const d = path(way.x, way.y, plot.across, plot.up);
      shape(plot.inside, 'path', {class: 'halo', d});
      shape(plot.inside, 'path', {class: 'way', d, style: `stroke: ${way.color}`});
      shape(plot.inside, 'circle', {class: 'dot', r: 5, cx: plot.across.at(way.x.at(-1)), cy: plot.up.at(way.y.at(-1)), style: `fill: ${way.color}`});
    }
  }
  redraw();
};

/// The values of a surface in [0, 1], in the logarithm of what is above the least where that is asked for.
function shares(spec) {
  const known = spec.values.filter(finite), low = Math.min(...known), range = Math.max(...known) - low || 1;
  const bend = 3000;
  return spec.values.map(value => !finite(value) ? 1 : spec.log ? Math.log1p((value - low) / range * bend) / Math.log1p(bend) : (value - low) / range);
}
