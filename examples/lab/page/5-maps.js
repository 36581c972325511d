// Figures over a plane: cells with their values, and surfaces with paths.

charts.heat = (host, spec, width) => {
  const known = spec.values.flat().filter(value => finite(value) && (!spec.log || value > 0));
  const columns = spec.x.length, rows = spec.y.length;
  const longest = Math.max(...spec.y.map(text => text.length));
  const left = Math.min(width * 0.36, longest * 7 + 12 + 18);
  const cell = Math.min(120, (width - left - 4) / columns), tall = Math.max(24, Math.min(34, cell));
  const longestX = Math.max(...spec.x.map(text => text.length)), slanted = longestX * 7 > cell - 4;
  const foot = slanted ? 24 + longestX * 5.4 : 40;
  const height = rows * tall + foot + 6;
  const ease = spec.log ? Math.log : value => value, back = spec.log ? Math.exp : value => value;
  const least = Math.min(...known), most = Math.max(...known);
  const low = ease(spec.low ?? least), high = ease(spec.high ?? most);
  const strength = share => heatColor(spec.low_is_good ? share : 1 - share);

  const words = element('p', {class: 'key-words', 'aria-live': 'polite'}, spec.value_label);
  host.append(words);
  if (known.length) colorBar(host, 40, i => strength(i / 39), share => numberText(back(low + share * (high - low))), spec.value_label,
                             [least < back(low) * (1 - 1e-9) ? '≤ ' : '', most > back(high) * (1 + 1e-9) ? '≥ ' : '']);
  const svg = shape(host, 'svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', class: 'heat', 'aria-label': `${spec.title}. ${spec.note}`});
  // The value under the pointer, or where the arrow keys have come to, stands for the words of the colours.
  let place = [0, -1];
  const cursor = {};
  const read = (r, c) => {
    place = [Math.max(0, Math.min(rows - 1, r)), Math.max(0, Math.min(columns - 1, c))];
    const value = spec.values[place[0]][place[1]];
    words.textContent = `${spec.x_label} ${spec.x[place[1]]}, ${spec.y_label} ${spec.y[place[0]]}: ${finite(value) ? numberText(value, 4) : 'nothing'} ${spec.value_label}`;
    cursor.box.setAttribute('x', left + place[1] * cell);
    cursor.box.setAttribute('y', 4 + place[0] * tall);
    cursor.box.setAttribute('visibility', 'visible');
  };
  const forget = () => {
    words.textContent = spec.value_label;
    cursor.box.setAttribute('visibility', 'hidden');
  };
  svg.setAttribute('tabindex', 0);
  svg.addEventListener('pointerleave', forget);
  svg.addEventListener('blur', forget);
  svg.addEventListener('keydown', event => {
    const move = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!move) return;
    event.preventDefault();
    read(place[0] + move[0], place[1] + move[1]);
  });
  spec.values.forEach((line, r) => line.forEach((value, c) => {
    const missing = !finite(value) || (spec.log && value <= 0);
    const share = high > low ? Math.max(0, Math.min(1, (ease(value) - low) / (high - low))) : 0.5;
    const x = left + c * cell, y = 4 + r * tall, fill = missing ? undefined : strength(share);
    const box = shape(svg, 'rect', {x: x + 0.5, y: y + 0.5, width: cell - 1, height: tall - 1, 'data-value': missing ? '' : value,
                                    fill: missing ? 'none' : rgb(fill), stroke: 'var(--line)', 'pointer-events': 'all'});
    box.addEventListener('pointerenter', () => read(r, c));
    const text = missing ? '–' : numberText(value);
    const size = Math.min(12, (cell - 3) / text.length / 0.58);
    if (size >= 8) shape(svg, 'text', {x: x + cell / 2, y: y + tall / 2 + 4, 'text-anchor': 'middle', 'pointer-events': 'none',
                                       style: `font-size: ${size.toFixed(1)}px; fill: ${missing ? 'var(--soft)' : inkOn(fill)}`}, text);
  }));
  cursor.box = shape(svg, 'rect', {width: cell, height: tall, visibility: 'hidden', fill: 'none', stroke: 'var(--ink)', 'stroke-width': 2, 'pointer-events': 'none'});
  spec.y.forEach((text, r) => shape(svg, 'text', {class: 'strong tick-y', x: left - 7, y: 4 + (r + 0.5) * tall + 4, 'text-anchor': 'end'}, text));
  spec.x.forEach((text, c) => {
    const x = left + (c + 0.5) * cell, y = rows * tall + 19;
    if (slanted) shape(svg, 'text', {class: 'strong tick-x', 'text-anchor': 'end', transform: `translate(${x + 4} ${y - 3}) rotate(-45)`}, text);
    else shape(svg, 'text', {class: 'strong tick-x', x, y, 'text-anchor': 'middle'}, text);
  });
  shape(svg, 'text', {x: left + columns * cell / 2, y: height - 4, 'text-anchor': 'middle'}, spec.x_label);
  shape(svg, 'text', {transform: `translate(11 ${4 + rows * tall / 2}) rotate(-90)`, 'text-anchor': 'middle'}, spec.y_label);
};

/// A plane with its surface, for paths to be drawn over it.
function plane(host, side, {range: [left, right, bottom, top], x_label, y_label, image, label}) {
  const plot = frame(host, {width: side, height: side * 0.88, top: 10, x: {label: x_label, low: left, high: right},
                            y: {label: y_label, low: bottom, high: top}, xs: [], ys: [], label});
  plot.svg.style.maxWidth = `${side}px`;
  shape(plot.inside, 'image', {href: image, x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top, preserveAspectRatio: 'none'});
  return plot;
}

charts.landscape = (host, spec, width, state) => {
  state.hidden ??= new Set();
  state.image ??= shades(shares(spec), spec.columns);
  const known = spec.values.filter(finite);
  host.append(element('p', {class: 'key-words'}, spec.value_label || 'value'));
  surfaceBar(host, Math.min(...known), Math.max(...known), spec.log, spec.value_label || 'value');
  const area = element('div');
  host.append(area);
  const paths = spec.paths.map((way, index) => ({...way, color: color(way.color, index), index}));
  if (paths.length) legend(host, paths, state.hidden, () => redraw());
  function redraw() {
    area.replaceChildren();
    const plot = plane(area, Math.min(width, 520), {...spec, image: state.image, label: `${spec.title}. ${spec.note}`});
    for (const way of paths) {
      if (state.hidden.has(way.index)) continue;
      const d = path(way.x, way.y, plot.across, plot.up);
      shape(plot.inside, 'path', {class: 'halo', d});
      shape(plot.inside, 'path', {class: 'way', d, style: `stroke: ${way.color}`});
      shape(plot.inside, 'circle', {class: 'dot', r: 5, cx: plot.across.at(way.x.at(-1)), cy: plot.up.at(way.y.at(-1)), style: `fill: ${way.color}`});
      const points = way.x.map((x, i) => [plot.across.at(x), plot.up.at(way.y[i])]);
      const out = points.slice(1).map((to, i) => leaving(plot, to, points[i])).join('');
      if (out) shape(plot.svg, 'path', {class: 'leaving', d: out, style: `fill: ${way.color}`});
    }
  }
  redraw();
};
