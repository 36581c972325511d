// The race: ways over a plane that are played, stepped and scrubbed.

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const decode = text => {
  const codes = new Array(text.length / 2);
  for (let i = 0; i < codes.length; ++i) codes[i] = (DIGITS.indexOf(text[2 * i]) * 64 + DIGITS.indexOf(text[2 * i + 1])) / 4095;
  return codes;
};

/// The ways: how far each coordinate has come since the frame before, or, after the last digit, where it is.
const unpack = text => {
  let next = 0;
  const digit = () => DIGITS.indexOf(text[next++]), last = [0, 0], codes = [];
  while (next < text.length) {
    for (const k of [0, 1]) {
      const moved = digit();
      last[k] = moved === 63 ? digit() * 64 + digit() : last[k] + moved - 31;
      codes.push(last[k] / 4095);
    }
  }
  return codes;
};

charts.race = (host, spec, width, state) => {
  state.race ??= spec.first;
  state.start ??= 0;
  state.rate ??= 'best';
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
      choose('Function', spec.races.map((one, index) => [index, one.label]), state.race, value => { state.race = Number(value); state.image = undefined; state.frame = undefined; refocus(0); }),
      choose('Start', race.starts.map((start, index) => [index, pretty(start)]), state.start, value => { state.start = Number(value); refocus(1); }),
      choose('Rate', [['best', 'each at its best'], ...spec.rates.map((rate, index) => [index, `${numberText(rate)} for all`])], state.rate, value => { state.rate = value; refocus(2); })));
  host.append(element('p', {class: 'note formula'}, element('b', {}, race.formula), ` ${race.why}`));

  const last = race.frames.length - 1;
  state.frame ??= last;
  // The runs at each racer's best rate come after those at the rates for all.
  const rateOf = index => state.rate === 'best' ? spec.rates.length : Number(state.rate);
  const rateNumber = index => state.rate === 'best' ? race.best[index] : spec.rates[rateOf(index)];
  const racers = spec.racers.slice(0, race.runs[state.start].length).map((racer, index) => {
    const [packed, steps, distance] = race.runs[state.start][index][rateOf(index)], codes = unpack(packed);
    return {...racer, index, codes, steps, distance, frames: codes.length / 2};
  });

  const stage = element('div', {}), side = Math.min(560, width >= 900 ? width / 2 : width);
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...['optimizer', 'rate', 'steps to stay below 0.001', 'distance at the end'].map(text => element('th', {scope: 'col'}, text)))));
  // Those with a colour of their own, and, where there are such, the newer ones.
  const bodies = [element('tbody'), element('tbody', {}, element('tr', {}, element('th', {scope: 'rowgroup', colspan: 4, class: 'group'}, 'newer ones: the colour is that of a relative')))];
  table.append(...bodies.slice(0, racers.some(racer => racer.pattern) ? 2 : 1));
  host.append(element('div', {class: 'race'}, stage, table));

  state.image ??= shades(decode(race.surface), race.columns);
  stage.append(element('p', {class: 'key-words'}, 'value of the function'));
  surfaceBar(stage, race.heights?.[0], race.heights?.[1], race.id !== 'reddi', 'value of the function');
  const plot = plane(stage, side, {...race, image: state.image, label: `${race.label}: the ways of the optimizers; their results are in the table`});
  for (const [x, y] of race.minima) {
    const at = [plot.across.at(x), plot.up.at(y)];
    shape(plot.inside, 'path', {d: `M${at[0] - 6} ${at[1] - 6}l12 12m0 -12l-12 12`, stroke: 'var(--ink)', 'stroke-width': 2});
  }
  const from = race.starts[state.start];
  shape(plot.inside, 'circle', {r: 7, cx: plot.across.at(from[0]), cy: plot.up.at(from[1]), fill: 'none', stroke: 'var(--ink)', 'stroke-width': 1.5});
  for (const racer of racers) {
    const own = color(racer.color), style = `stroke: ${own}`;
    racer.halo = shape(plot.inside, 'polyline', {class: 'halo'});
    racer.way = shape(plot.inside, 'polyline', {class: `way ${racer.pattern}`, style, 'data-racer': racer.id});
    racer.dot = shape(plot.inside, 'circle', {class: 'dot', r: 5.5, style: racer.pattern ? `fill: var(--paper); stroke: ${own}; stroke-width: 2.5` : `fill: ${own}`});
    const across = (right - left) * 2, up = (top - bottom) * 2;
    racer.out = shape(plot.svg, 'path', {class: 'leaving', style: `fill: ${own}`});
    racer.points = Array.from({length: racer.frames}, (_, i) => [
      plot.across.at(left + racer.codes[2 * i] * across - across / 4).toFixed(1),
      plot.up.at(bottom + racer.codes[2 * i + 1] * up - up / 4).toFixed(1)]);
    const box = element('input', {type: 'checkbox', checked: !state.hidden.has(racer.index)});
    box.addEventListener('change', () => {
      if (box.checked) state.hidden.delete(racer.index); else state.hidden.add(racer.index);
      draw();
    });
    const label = element('label', {}, box), swatch = shape(label, 'svg', {class: 'swatch', role: 'img', 'aria-label': `${racer.pattern || 'solid'} line`});
    shape(swatch, 'path', {class: `sample ${racer.pattern}`, d: 'M1 6h28', style});
    label.append(race.remarks?.[racer.index] ? `${racer.label} (${race.remarks[racer.index]})` : racer.label);
    racer.row = element('tr', {}, element('th', {scope: 'row'}, label),
        element('td', {}, numberText(rateNumber(racer.index))), element('td', {}, racer.steps === null ? '–' : String(racer.steps)), element('td', {}, racer.distance));
    bodies[racer.pattern ? 1 : 0].append(racer.row);
  }

  const button = (text, label, action) => {
    const made = element('button', {type: 'button', 'aria-label': label}, text);
    made.addEventListener('click', action);
    return made;
  };
  const go = to => { state.frame = Math.max(0, Math.min(last, to)); draw(); };
  const stop = () => { clearInterval(state.timer); state.timer = undefined; play.textContent = 'Play'; play.setAttribute('aria-label', 'Play'); };
  // At one speed in steps, however far the frames are apart: the whole way in ten seconds.
  const pace = race.frames[last] / 10;
  state.speed ??= 1;
  const speed = element('select', {}, ...[0.25, 0.5, 1, 2, 4].map(times => element('option', {value: times, selected: times === state.speed},
      `${times}× (${numberText(pace * times)} steps a second)`)));
  speed.addEventListener('change', () => { state.speed = Number(speed.value); });
  const play = button('Play', 'Play', () => {
    if (state.timer !== undefined) return stop();
    if (state.frame === last) go(0);
    play.textContent = 'Pause';
    play.setAttribute('aria-label', 'Pause');
    let at = race.frames[state.frame], before = performance.now();
    state.timer = setInterval(() => {
      const now = performance.now();
      at += (now - before) / 1000 * pace * state.speed;
      before = now;
      const next = race.frames.findIndex(step => step > at);
      go(next < 0 ? last : next - 1);
      if (state.frame === last) stop();
    }, 40);
  });
  const slider = element('input', {type: 'range', min: 0, max: last, 'aria-label': 'Step'});
  slider.addEventListener('input', () => { stop(); go(Number(slider.value)); });
  const back = button('◂', '', () => { stop(); go(state.frame - 1); }), on = button('▸', '', () => { stop(); go(state.frame + 1); });
  const clock = element('p', {class: 'at'});
  stage.append(element('div', {class: 'controls scrub'}, play, back, on, slider),
               element('div', {class: 'controls'}, element('label', {}, 'Speed', speed), clock));

  function draw() {
    for (const racer of racers) {
      const seen = !state.hidden.has(racer.index), upto = Math.min(state.frame, racer.frames - 1), at = racer.points[upto];
      const points = seen ? racer.points.slice(0, upto + 1).join(' ') : '';
      racer.halo.setAttribute('points', points);
      racer.way.setAttribute('points', points);
      racer.dot.setAttribute('visibility', seen ? 'visible' : 'hidden');
      racer.dot.setAttribute('cx', at[0]);
      racer.dot.setAttribute('cy', at[1]);
      const inner = racer.points.slice(0, upto + 1).findLastIndex(([x, y]) => x >= plot.left && x <= plot.right && y >= plot.top && y <= plot.bottom);
      const out = seen && inner >= 0 && inner < upto ? leaving(plot, racer.points[inner + 1].map(Number), racer.points[inner].map(Number)) : '';
      racer.out.setAttribute('d', out);
      racer.row.classList.toggle('away', !seen);
    }
    slider.value = state.frame;
    slider.setAttribute('aria-valuetext', `step ${race.frames[state.frame]}`);
    // Frames are further apart where less happens.
    const gap = to => to < 0 || to > last ? 0 : Math.abs(race.frames[to] - race.frames[state.frame]);
    const say = (button, count, way) => {
      const words = count === 1 || count === 0 ? `One step ${way}` : `${count} steps ${way}`;
      button.setAttribute('aria-label', words);
      button.title = words;
      button.disabled = count === 0;
    };
    say(back, gap(state.frame - 1), 'back');
    say(on, gap(state.frame + 1), 'on');
    const far = gap(state.frame + 1) || gap(state.frame - 1);
    clock.textContent = `step ${race.frames[state.frame]} of ${race.frames[last]}` + (far > 1 ? `; ◂ ▸ go by ${far} steps here` : '');
  }
  state.timer = undefined;
  draw();
};
