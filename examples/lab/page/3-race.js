// The race: ways over a plane that are played, stepped and scrubbed.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const decode = text => {
  const codes = new Array(text.length / 2);
  for (let i = 0; i < codes.length; ++i) codes[i] = (DIGITS.indexOf(text[2 * i]) * 64 + DIGITS.indexOf(text[2 * i + 1])) / 4095;
  return codes;
};

charts.race = (host, spec, width, state) => {
  state.race ??= spec.first;
  state.start ??= 0;
  state.rate ??= String(spec.races[state.race].rate);
  state.hidden ??= new Set(spec.racers.map((racer, index) => index).filter(index => !['sgd', 'momentum', 'rmsprop', 'adam', 'adamax', 'lion'].includes(spec.racers[index].id)));
  clearInterval(state.timer);

  const choose = (label, options, value, change) => {
    const select = element('select', {}, ...options.map(([key, text]) => element('option', {value: key, selected: String(key) === String(value)}, text)));
    select.addEventListener('change', () => change(select.value));
    return element('label', {}, label, select);
  };
  const race = spec.races[state.race];
  state.start = Math.min(state.start, race.starts.length - 1);
  const again = () => { host.replaceChildren(); charts.race(host, spec, width, state); };
  const refocus = index => { again(); host.querySelectorAll('select')[index].focus(); };
  const [left, right, bottom, top] = race.range;
  const pretty = position => `(${position.map(value => numberText(value)).join(', ')})`;
  host.append(element('div', {class: 'controls'},
      choose('Function', spec.races.map((one, index) => [index, one.label]), state.race, value => { state.race = Number(value); state.rate = String(spec.races[state.race].rate); state.image = undefined; state.frame = undefined; refocus(0); }),
      choose('Start', race.starts.map((start, index) => [index, pretty(start)]), state.start, value => { state.start = Number(value); refocus(1); }),
      choose('Rate', [['best', 'each at its best'], ...spec.rates.map((rate, index) => [index, `${numberText(rate)} for all`])], state.rate, value => { state.rate = value; refocus(2); })));
  host.append(element('p', {class: 'note formula'}, element('b', {}, race.formula), ` ${race.why}`));

  const last = race.frames.length - 1;
  state.frame ??= last;
  const rateOf = index => state.rate === 'best' ? race.best[state.start][index] : Number(state.rate);
  const racers = spec.racers.slice(0, race.runs[state.start].length).map((racer, index) => {
    const [packed, steps, distance] = race.runs[state.start][index][rateOf(index)], codes = decode(packed);
    return {...racer, index, codes, steps, distance, frames: codes.length / 2};
  });

  const stage = element('div', {}), side = Math.min(560, width >= 900 ? width / 2 : width);
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...['optimizer', 'rate', 'steps to stay below 0.001', 'distance at the end'].map(text => element('th', {scope: 'col'}, text)))));
  const body = element('tbody');
  table.append(body);
  host.append(element('div', {class: 'race'}, stage, table));

  state.image ??= shades(decode(race.surface), race.columns);
  const plot = frame(stage, {width: side, height: side * 0.9, left: 52, top: 22, x: {label: race.x_label, low: left, high: right}, y: {low: bottom, high: top}, xs: [], ys: [],
                             label: `${race.label}: the ways of the optimizers; their results are in the table`});
  plot.svg.style.maxWidth = `${side}px`;
  shape(plot.svg, 'text', {x: 0, y: 12}, race.y_label);
  shape(plot.inside, 'image', {href: state.image, x: plot.left, y: plot.top, width: plot.right - plot.left, height: plot.bottom - plot.top, preserveAspectRatio: 'none'});
  for (const [x, y] of race.minima) {
    const at = [plot.across.at(x), plot.up.at(y)];
    shape(plot.inside, 'path', {d: `M${at[0] - 6} ${at[1] - 6}l12 12m0 -12l-12 12`, stroke: 'var(--ink)', 'stroke-width': 2});
  }
  const from = race.starts[state.start];
  shape(plot.inside, 'circle', {r: 7, cx: plot.across.at(from[0]), cy: plot.up.at(from[1]), fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.5});
  for (const racer of racers) {
    const style = `stroke: ${color(racer.id)}`;
    racer.halo = shape(plot.inside, 'polyline', {class: 'halo'});
    racer.way = shape(plot.inside, 'polyline', {class: 'way', style, 'data-racer': racer.id});
    racer.dot = shape(plot.inside, 'circle', {class: 'dot', r: 5.5, style: `fill: ${color(racer.id)}`});
    const across = (right - left) * 2, up = (top - bottom) * 2;
    racer.points = Array.from({length: racer.frames}, (_, i) => [
      plot.across.at(left + racer.codes[2 * i] * across - across / 4).toFixed(1),
      plot.up.at(bottom + racer.codes[2 * i + 1] * up - up / 4).toFixed(1)]);
    const box = element('input', {type: 'checkbox', checked: !state.hidden.has(racer.index)});
    box.addEventListener('change', () => {
      if (box.checked) state.hidden.delete(racer.index); else state.hidden.add(racer.index);
      draw();
    });
    racer.row = element('tr', {}, element('th', {scope: 'row'}, element('label', {}, box, element('span', {class: 'swatch', style: `background: ${color(racer.id)}`}), racer.label)),
        element('td', {}, numberText(spec.rates[rateOf(racer.index)])), element('td', {}, racer.steps === null ? '–' : String(racer.steps)), element('td', {}, racer.distance));
    body.append(racer.row);
  }

  const button = (text, label, action) => {
    const made = element('button', {type: 'button', 'aria-label': label}, text);
    made.addEventListener('click', action);
    return made;
  };
  const go = to => { state.frame = Math.max(0, Math.min(last, to)); draw(); };
  const stop = () => { clearInterval(state.timer); state.timer = undefined; play.textContent = 'Play'; play.setAttribute('aria-label', 'Play'); };
  const play = button('Play', 'Play', () => {
    if (state.timer !== undefined) return stop();
    if (state.frame === last) go(0);
    play.textContent = 'Pause';
    play.setAttribute('aria-label', 'Pause');
    state.timer = setInterval(() => { go(state.frame + 1); if (state.frame === last) stop(); }, 50);
  });
  const slider = element('input', {type: 'range', min: 0, max: last, 'aria-label': 'Step'});
  slider.addEventListener('input', () => { stop(); go(Number(slider.value)); });
  const clock = element('p', {class: 'at'});
  stage.append(element('div', {class: 'controls scrub'}, play, button('◂', 'One step back', () => { stop(); go(state.frame - 1); }),
      button('▸', 'One step on', () => { stop(); go(state.frame + 1); }), slider), clock);

  function draw() {
    for (const racer of racers) {
      const seen = !state.hidden.has(racer.index), upto = Math.min(state.frame, racer.frames - 1), at = racer.points[upto];
      const points = seen ? racer.points.slice(0, upto + 1).join(' ') : '';
      racer.halo.setAttribute('points', points);
      racer.way.setAttribute('points', points);
      racer.dot.setAttribute('visibility', seen ? 'visible' : 'hidden');
      racer.dot.setAttribute('cx', at[0]);
      racer.dot.setAttribute('cy', at[1]);
      racer.row.classList.toggle('away', !seen);
    }
    slider.value = state.frame;
    slider.setAttribute('aria-valuetext', `step ${race.frames[state.frame]}`);
    clock.textContent = `step ${race.frames[state.frame]} of ${race.frames[last]}`;
  }
  state.timer = undefined;
  draw();
};
