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

const raised = power => [...String(power)].map(c => c === '-' ? '⁻' : '⁰¹²³⁴⁵⁶⁷⁸⁹'[c]).join('');

/// As the tables have it: significant digits without zeros at their end, and a power of ten where there would be many.
function numberText(value, digits = 3) {
  if (!finite(value)) return '–';
  const rounded = Number(value.toPrecision(digits)), size = Math.abs(rounded);
  if (value === 0 || (size >= 1e-4 && size < 1e6)) {
    return String(size >= 10 ** digits ? Math.round(value) : rounded).replace('-', '−');
  }
  const [factor, power] = rounded.toExponential().split('e'), ten = `10${raised(Number(power))}`;
  return factor === '1' ? ten : factor === '-1' ? `−${ten}` : `${factor.replace('-', '−')} × ${ten}`;
}

function niceStep(range, most) {
  const power = 10 ** Math.floor(Math.log10(range / most));
  return power * [1, 2, 5, 10].find(factor => power * factor * most >= range * (1 - 1e-9));
}

/// The round numbers of a logarithmic axis: as many as there is room for, and at least two.
function logTicks(low, high, most) {
  const from = Math.log10(low), to = Math.log10(high);
  const within = value => value >= low * 0.999 && value <= high * 1.001;
  const choices = [[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]].map(parts => [parts, 1])
      .concat([2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50].map(every => [[1], every]));
  for (const [parts, every] of choices) {
    const list = [];
    for (let power = Math.floor(from); power <= to + 1e-9; ++power) {
      if (power % every === 0) list.push(...parts.map(part => Number(`${part}e${power}`)).filter(within));
    }
    const gaps = list.slice(1).map((value, i) => Math.log10(value / list[i]) / (to - from));
    if (list.length >= 2 && Math.min(...gaps) * most >= 0.8) return list;
  }
  return undefined;  // too narrow for them
}

function evenTicks(low, high, step) {
  const list = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) list.push(Number((i * step).toPrecision(12)));
  return list;
}

/// From values to pixels, with ticks as [value, text]. A logarithmic axis has no place for what is not above 0.
function scale(axis, values, pixels, most) {
  const usable = values.filter(v => finite(v) && (!axis.log || v > 0));
  const least = Math.min(...usable), largest = Math.max(...usable);
  let low = axis.low ?? least, high = axis.high ?? largest;
  if (axis.log && usable.length) [low, high] = [Math.max(low, least), Math.min(high, largest)];
  if (!finite(low) || !finite(high) || low > high) [low, high] = axis.log ? [0.1, 1] : [0, 1];
  if (low === high) [low, high] = axis.log ? [low / 2, high * 2] : [low - (Math.abs(low) || 1) / 2, high + (Math.abs(low) || 1) / 2];
  most = Math.max(2, most);
  if (axis.log) {
    const step = () => niceStep(high - low, Math.max(5, most));
    const list = logTicks(low, high, most) ?? evenTicks(low, high, step()), from = Math.log10(low), to = Math.log10(high);
    return {ticks: list.map(value => [value, numberText(value)]), low, high,
            at: value => value > 0 ? pixels((Math.log10(value) - from) / (to - from)) : NaN};
  }
  let step = niceStep(high - low, most);
  if (axis.low === undefined) low = Math.floor(low / step + 1e-9) * step;
  if (axis.high === undefined) high = Math.ceil(high / step - 1e-9) * step;
  let list = evenTicks(low, high, step);
  if (list.length < 2) list = evenTicks(low, high, step = niceStep(high - low, 5));
  return {ticks: list.map(value => [value, numberText(value, 6)]), low, high, at: value => pixels((value - low) / (high - low))};
}
