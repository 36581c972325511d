// What surrounds and explains the lines of a figure.

let clips = 0;

/// An empty plot: its SVG, the scales, and a group that cuts off what is beyond them. With `rows` it has no axis on
/// the left. `inset` keeps what is drawn at the ends of the axis across away from the edges.
function frame(host, {width, height, left, bottom = 42, top = 20, right = 16, x, y, xs, ys, label, rows = false, inset = 0}) {
  const svg = shape(host, 'svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label});
  const right_edge = width - right, bottom_edge = height - bottom;
  const up = scale(y, ys, share => bottom_edge - share * (bottom_edge - top), Math.floor((bottom_edge - top) / 36));
  left ??= 30 + Math.max(...up.ticks.map(([, text]) => text.length)) * 7;
  const across = scale(x, xs, share => left + inset + share * (right_edge - left - 2 * inset), Math.floor((right_edge - left) / 58));
  for (const [value, text] of rows ? [] : up.ticks) {
    const at = up.at(value);
    shape(svg, 'path', {class: 'grid', d: `M${left} ${at}H${right_edge}`});
    shape(svg, 'text', {class: 'tick-y', x: left - 7, y: at + 4, 'text-anchor': 'end'}, text);
  }
  for (const [value, text] of across.ticks) {
    const at = across.at(value), half = text.length * 3.4;
    shape(svg, 'path', {class: 'grid', d: `M${at} ${top}V${bottom_edge}`});
    shape(svg, 'text', {class: 'tick-x', x: Math.min(at, width - half), y: bottom_edge + 17, 'text-anchor': 'middle'}, text);
  }
  shape(svg, 'text', {x: (left + right_edge) / 2, y: height - 6, 'text-anchor': 'middle'}, x.label);
  // A label that is longer than its axis stands over it.
  if (!rows && (y.label ?? '').length * 6.2 > bottom_edge - top + 20) shape(svg, 'text', {x: 0, y: 12}, y.label);
  else if (!rows) shape(svg, 'text', {transform: `translate(12 ${(top + bottom_edge) / 2}) rotate(-90)`, 'text-anchor': 'middle'}, y.label);
  const id = `clip${++clips}`;
  const clip = shape(shape(svg, 'defs'), 'clipPath', {id});
  shape(clip, 'rect', {x: left, y: top - 2, width: right_edge - left + 2, height: bottom_edge - top + 4});
  const inside = shape(svg, 'g', {'clip-path': `url(#${id})`});
  return {svg, inside, across, up, left, right: right_edge, top, bottom: bottom_edge};
}

const clamped = pixel => Math.max(-1e5, Math.min(1e5, pixel));

/// A line through the points, broken where one is missing; a point between two gaps is a dot of its width.
function path(xs, ys, across, up) {
  let d = '', pen = false;
  for (let i = 0; i < xs.length; ++i) {
    const x = finite(xs[i]) ? across.at(xs[i]) : NaN, y = finite(ys[i]) ? up.at(ys[i]) : NaN;
    if (Number.isNaN(x) || Number.isNaN(y)) { pen = false; continue; }
    d += pen ? `L${x.toFixed(1)} ${clamped(y).toFixed(1)}` : `M${x.toFixed(1)} ${clamped(y).toFixed(1)}h0`;
    pen = true;
  }
  return d;
}

/// Where a logarithm has no value, since it is 0: ticks at the floor.
function zeros(line, plot) {
  return line.x.filter((x, i) => finite(line.y[i]) && Number.isNaN(plot.up.at(line.y[i])))
      .map(x => `M${plot.across.at(x).toFixed(1)} ${plot.bottom}v-3`).join('');
}

function band(line, plot) {
  const points = line.x.map((x, i) => [x, line.low[i], line.high[i]]).filter(([, low, high]) => finite(low) && finite(high) && !Number.isNaN(plot.up.at(high)));
  if (!points.length) return '';
  const at = (x, y) => `${plot.across.at(x).toFixed(1)} ${clamped(Number.isNaN(plot.up.at(y)) ? plot.bottom : plot.up.at(y)).toFixed(1)}`;
  return `M${points.map(([x, , high]) => at(x, high)).join('L')}L${points.reverse().map(([x, low]) => at(x, low)).join('L')}Z`;
}

/// For each line the ones before it that lie under it, so near that only one would be seen.
function hiddenUnder(lines, plot) {
  const same = (a, b) => a.x.length === b.x.length && a.x.length > 1 && a.x.every((x, i) => {
    if (x !== b.x[i] || finite(a.y[i]) !== finite(b.y[i])) return false;
    const apart = Math.abs(plot.up.at(a.y[i]) - plot.up.at(b.y[i]));
    return !finite(a.y[i]) || Number.isNaN(apart) || apart < 1.2;
  });
  return lines.map((line, index) => lines.slice(0, index).filter(other => same(line, other)));
}

/// A small arrow at the edge where the way from a point inside to one beyond crosses it; nothing where none does.
function leaving(plot, [x, y], from) {
  const beyond = (x, y) => x < plot.left || x > plot.right || y < plot.top || y > plot.bottom;
  if (![x, y, ...from].every(Number.isFinite) || !beyond(x, y) || beyond(...from)) return '';
  const [wide, high] = [x - from[0], y - from[1]];
  const share = Math.min(wide ? ((wide > 0 ? plot.right : plot.left) - from[0]) / wide : 1, high ? ((high > 0 ? plot.bottom : plot.top) - from[1]) / high : 1);
  const tip = [from[0] + share * wide, from[1] + share * high], length = Math.hypot(wide, high), dx = wide / length * 9, dy = high / length * 9;
  return `M${tip[0]} ${tip[1]}L${tip[0] - dx - dy * 0.6} ${tip[1] - dy + dx * 0.6}L${tip[0] - dx + dy * 0.6} ${tip[1] - dy - dx * 0.6}Z`;
}

/// Buttons that show and hide lines; `toggle` is told which. Returns where its value, and what it
/// lies upon, can be written.
function legend(host, entries, hidden, toggle) {
  const list = element('ul', {class: 'legend'});
  const places = entries.map(({label, color, dashed}, index) => {
    const value = element('b');
    const button = element('button', {type: 'button', 'aria-pressed': String(!hidden.has(index))},
        element('span', {class: dashed ? 'key dashed' : 'key', style: `color: ${color}`}), label, element('i'), value);
    button.addEventListener('click', () => {
      if (!hidden.delete(index)) hidden.add(index);
      button.setAttribute('aria-pressed', String(!hidden.has(index)));
      toggle();
    });
    list.append(element('li', {}, button));
    return {value, same: button.querySelector('i')};
  });
  host.append(list);
  return places;
}


/// Vertical ones have their words inside a chart, in rows, and above a plot of dots.
function marks(plot, list, above = false) {
  let row = 0;
  for (const mark of list) {
    const at = (mark.horizontal ? plot.up : plot.across).at(mark.at);
    const inside = mark.horizontal ? at >= plot.top - 1 && at <= plot.bottom + 1 : at >= plot.left - 1 && at <= plot.right + 1;
    if (!inside) continue;
    shape(plot.svg, 'path', {class: 'mark', d: mark.horizontal ? `M${plot.left} ${at}H${plot.right}` : `M${at} ${plot.top}V${plot.bottom}`});
    const left = at > (plot.left + plot.right) / 2;
    if (mark.horizontal) shape(plot.svg, 'text', {class: 'strong', x: plot.right - 4, y: at < plot.top + 14 ? at + 14 : at - 5, 'text-anchor': 'end'}, mark.label);
    else shape(plot.svg, 'text', {class: 'strong', x: at + (left ? -5 : 5), y: above ? plot.top - 6 : plot.top + 12 + 15 * row++, 'text-anchor': left ? 'end' : 'start'}, mark.label);
  }
}
