// Colours that stand for numbers, each with a bar that says for which.

const triple = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
const blend = (a, b, share) => a.map((part, c) => Math.round(part + (b[c] - part) * share));
const rgb = parts => `rgb(${parts.join(', ')})`;

/// Of the cells of a heat map, from the best value to the worst; the same in both themes.
function heatColor(share) {
  const [best, middle, worst] = ['#0b3f6b', '#6aa5cf', '#e6eef4'].map(triple);
  return share < 0.5 ? blend(best, middle, share * 2) : blend(middle, worst, share * 2 - 1);
}
const inkOn = parts => parts[0] * 0.3 + parts[1] * 0.59 + parts[2] * 0.11 > 135 ? '#10161b' : '#ffffff';

const BANDS = 12;
function landColor(level) {
  const style = getComputedStyle(document.documentElement);
  const [low, high] = ['--low', '--high'].map(name => triple(style.getPropertyValue(name).trim()));
  return blend(low, high, level / (BANDS - 1));
}

/// A bar of `parts` colours with the values at some of the borders between them; `words` say of what.
function colorBar(host, parts, colorOf, valueAt, words, ends = ['', '']) {
  const width = Math.min(340, host.clientWidth || 340), left = 24, across = (width - 2 * left) / parts;
  const svg = shape(host, 'svg', {class: 'bar', viewBox: `0 0 ${width} 34`, role: 'img', 'aria-label': `Colours: ${words}`});
  svg.style.maxWidth = `${width}px`;
  for (let i = 0; i < parts; ++i) {
    shape(svg, 'rect', {x: left + i * across, y: 1, width: across + 0.4, height: 12, fill: rgb(colorOf(i))});
  }
  let last;
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const border = Math.round(share * parts), x = left + border * across;
    const text = (share === 0 ? ends[0] : share === 1 ? ends[1] : '') + valueAt(border / parts);
    if (text === last) continue;
    last = text;
    shape(svg, 'path', {class: 'tick', d: `M${x} 13v4`});
    shape(svg, 'text', {x, y: 30, 'text-anchor': 'middle'}, text);
  }
}

/// The least and the largest value of a surface are at the shares 0 and 1; between them values are `valueAt`.
const BEND = 3000;
const bent = share => Math.log1p(share * BEND) / Math.log1p(BEND);
const unbent = share => Math.expm1(share * Math.log1p(BEND)) / BEND;

function surfaceBar(host, low, high, log, words) {
  const known = finite(low) && finite(high);
  colorBar(host, BANDS, landColor, share => known ? numberText(low + (log ? unbent(share) : share) * (high - low), 2)
                                                  : {0: 'least', 1: 'largest'}[share] ?? '', words);
}

/// The values of a surface in [0, 1], in the logarithm of what is above the least where that is asked for.
function shares(spec) {
  const known = spec.values.filter(finite), low = Math.min(...known), range = Math.max(...known) - low || 1;
  return spec.values.map(value => !finite(value) ? 1 : spec.log ? bent((value - low) / range) : (value - low) / range);
}

/// A surface as shades between contour lines: bands of equal width in `share`, which is given in [0, 1] on a grid.
function shades(shares, columns) {
  const rows = shares.length / columns, size = 480;
  const canvas = element('canvas', {width: size, height: size});
  const context = canvas.getContext('2d'), image = context.createImageData(size, size);
  const style = getComputedStyle(document.documentElement);
  const contour = triple(style.getPropertyValue('--contour').trim());
  const colors = Array.from({length: BANDS}, (_, level) => landColor(level));
  const at = (row, column) => shares[Math.min(rows - 1, row) * columns + Math.min(columns - 1, column)];
  const levels = new Uint8Array(size * size);
  for (let py = 0; py < size; ++py) {
    const v = (size - 1 - py) / (size - 1) * (rows - 1), row = Math.floor(v), dv = v - row;
    for (let px = 0; px < size; ++px) {
      const u = px / (size - 1) * (columns - 1), column = Math.floor(u), du = u - column;
      const share = (at(row, column) * (1 - du) + at(row, column + 1) * du) * (1 - dv) +
                    (at(row + 1, column) * (1 - du) + at(row + 1, column + 1) * du) * dv;
      levels[py * size + px] = Math.max(0, Math.min(BANDS - 1, Math.floor(share * BANDS)));
    }
  }
  for (let i = 0; i < levels.length; ++i) {
    const border = (i % size && levels[i] !== levels[i - 1]) || (i >= size && levels[i] !== levels[i - size]);
    image.data.set(border ? contour : colors[levels[i]], 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
