'use strict';
// What all figures are drawn with.

const SVG = 'http://www.w3.org/2000/svg';

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== false && value !== undefined) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
}

function shape(parent, name, attributes = {}, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

/// An optimizer has its colour everywhere; others take neutral ones in their order.
const color = (name, index) => `var(--${name || `n${index % 8}`})`;

const finite = value => value !== null && Number.isFinite(value);

function numberText(value, digits = 3) {
  if (!finite(value)) return '–';
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e5)) {
    const [mantissa, power] = value.toExponential(digits - 1).split('e');
    return `${mantissa.replace(/\.?0+$/, '')}e${Number(power)}`;
  }
  return String(Number(value.toPrecision(digits)));
}

function powerText(power) {
  const raised = [...String(power)].map(c => c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('');
  return power >= -2 && power <= 3 ? numberText(10 ** power) : `10${raised}`;
}

function niceStep(range, most) {
  const power = 10 ** Math.floor(Math.log10(range / most));
  return power * [1, 2, 5, 10].find(factor => power * factor * most >= range * (1 - 1e-9));
}

/// From values to pixels, with ticks as [value, text].
function scale(axis, values, pixels, most) {
  const usable = values.filter(v => finite(v) && (!axis.log || v > 0));
  let low = axis.low ?? Math.min(...usable), high = axis.high ?? Math.max(...usable);
  if (!finite(low) || !finite(high)) [low, high] = axis.log ? [0.1, 1] : [0, 1];
  if (low === high) [low, high] = axis.log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const ticks = [];
  if (axis.log) {
    const from = Math.log10(low), to = Math.log10(high), every = Math.max(1, Math.ceil((to - from) / most));
    const parts = to - from < 1 ? [1, 2, 3, 4, 5, 7] : to - from < 2 ? [1, 2, 5] : [1];
    for (let power = Math.floor(from); power <= to; ++power) {
      for (const part of parts) {
        const value = part * 10 ** power;
        if (value < low * 0.999 || value > high * 1.001 || power % every !== 0) continue;
        ticks.push([value, part === 1 ? powerText(power) : numberText(value)]);
      }
    }
    return {ticks, low, high, at: value => pixels(value > 0 ? (Math.log10(value) - from) / (to - from) : -9)};
  }
  const step = niceStep(high - low, most);
  if (axis.low === undefined) low = Math.floor(low / step + 1e-9) * step;
  if (axis.high === undefined) high = Math.ceil(high / step - 1e-9) * step;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) {
    const value = i * step;
    ticks.push([value, Math.abs(value) >= 1e5 || step < 1e-4 ? numberText(value) : value.toFixed(decimals).replace('-', '−')]);
  }
  return {ticks, low, high, at: value => pixels((value - low) / (high - low))};
}

let clips = 0;

/// An empty plot: its SVG, the scales, and a group that cuts off what is beyond them.
function frame(host, {width, height, left, bottom = 42, top = 10, right = 14, x, y, xs, ys, label}) {
  const svg = shape(host, 'svg', {viewBox: `0 0 ${width} ${height}`, height, role: 'img', 'aria-label': label});
  const right_edge = width - right, bottom_edge = height - bottom;
  const across = scale(x, xs, share => left + share * (right_edge - left), Math.max(2, Math.floor((right_edge - left) / 62)));
  const up = scale(y, ys, share => bottom_edge - share * (bottom_edge - top), Math.max(2, Math.floor((bottom_edge - top) / 40)));
  for (const [value, text] of up.ticks) {
    const at = up.at(value);
    shape(svg, 'path', {class: 'grid', d: `M${left} ${at}H${right_edge}`});
    shape(svg, 'text', {x: left - 7, y: at + 4, 'text-anchor': 'end'}, text);
  }
  for (const [value, text] of across.ticks) {
    const at = across.at(value);
    shape(svg, 'path', {class: 'grid', d: `M${at} ${top}V${bottom_edge}`});
    shape(svg, 'text', {x: at, y: bottom_edge + 17, 'text-anchor': 'middle'}, text);
  }
  shape(svg, 'text', {x: (left + right_edge) / 2, y: height - 6, 'text-anchor': 'middle'}, x.label);
  const id = `clip${++clips}`;
  const clip = shape(shape(svg, 'defs'), 'clipPath', {id});
  shape(clip, 'rect', {x: left, y: top - 2, width: right_edge - left + 2, height: bottom_edge - top + 4});
  const inside = shape(svg, 'g', {'clip-path': `url(#${id})`});
  return {svg, inside, across, up, left, right: right_edge, top, bottom: bottom_edge};
}

/// A line through the points, broken where one is missing.
function path(xs, ys, across, up) {
  let d = '', pen = false;
  for (let i = 0; i < xs.length; ++i) {
    if (!finite(ys[i]) || !finite(xs[i])) { pen = false; continue; }
    const clamped = Math.max(-1e5, Math.min(1e5, up.at(ys[i])));
    d += `${pen ? 'L' : 'M'}${across.at(xs[i]).toFixed(1)} ${clamped.toFixed(1)}`;
    pen = true;
  }
  return d;
}

function band(line, across, up) {
  const points = line.x.map((x, i) => [x, line.low[i], line.high[i]]).filter(([, low, high]) => finite(low) && finite(high));
  if (!points.length) return '';
  const at = (x, y) => `${across.at(x).toFixed(1)} ${Math.max(-1e5, Math.min(1e5, up.at(y))).toFixed(1)}`;
  return `M${points.map(([x, , high]) => at(x, high)).join('L')}L${points.reverse().map(([x, low]) => at(x, low)).join('L')}Z`;
}

/// Buttons that show and hide lines; `toggle` is told which. Returns where a line's value can be written.
function legend(host, entries, hidden, toggle) {
  const list = element('ul', {class: 'legend'});
  const values = entries.map(({label, color, dashed}, index) => {
    const value = element('b');
    const button = element('button', {type: 'button', 'aria-pressed': String(!hidden.has(index))},
        element('span', {class: dashed ? 'key dashed' : 'key', style: `color: ${color}`}), `${label} `, value);
    button.addEventListener('click', () => {
      if (!hidden.delete(index)) hidden.add(index);
      button.setAttribute('aria-pressed', String(!hidden.has(index)));
      toggle();
    });
    list.append(element('li', {}, button));
    return value;
  });
  host.append(list);
  return values;
}

/// A surface as shades between contours: twelve bands of equal width in `share`, which is given in [0, 1] on a grid.
function shades(shares, columns) {
  const rows = shares.length / columns, size = 360, bands = 12;
  const canvas = element('canvas', {width: size, height: size});
  const context = canvas.getContext('2d'), image = context.createImageData(size, size);
  const style = getComputedStyle(document.documentElement);
  const parse = name => [1, 3, 5].map(i => parseInt(style.getPropertyValue(name).trim().slice(i, i + 2), 16));
  const low = parse('--low'), high = parse('--high');
  const at = (row, column) => shares[Math.min(rows - 1, row) * columns + Math.min(columns - 1, column)];
  for (let py = 0; py < size; ++py) {
    const v = (size - 1 - py) / (size - 1) * (rows - 1), row = Math.floor(v), dv = v - row;
    for (let px = 0; px < size; ++px) {
      const u = px / (size - 1) * (columns - 1), column = Math.floor(u), du = u - column;
      const share = (at(row, column) * (1 - du) + at(row, column + 1) * du) * (1 - dv) +
                    (at(row + 1, column) * (1 - du) + at(row + 1, column + 1) * du) * dv;
      const level = Math.min(bands - 1, Math.floor(share * bands)) / (bands - 1);
      for (let c = 0; c < 3; ++c) image.data[4 * (py * size + px) + c] = low[c] + (high[c] - low[c]) * level;
      image.data[4 * (py * size + px) + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
