// Each figure is drawn when it has a width, and again when that, or the theme, changes.

const figures = [...document.querySelectorAll('.plot')].map(host => ({host, spec: JSON.parse(host.nextElementSibling.textContent), state: {}, width: 0}));

function drawFigure(figure) {
  figure.width = figure.host.clientWidth;
  if (figure.width === 0) return;
  figure.host.replaceChildren();
  charts[figure.spec.kind](figure.host, figure.spec, figure.width, figure.state);
}

const resized = new ResizeObserver(entries => {
  for (const entry of entries) {
    const figure = figures.find(one => one.host === entry.target);
    if (figure.host.clientWidth !== figure.width) drawFigure(figure);
  }
});
for (const figure of figures) {
  drawFigure(figure);
  resized.observe(figure.host);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const figure of figures) {
    figure.state.image = undefined;
    drawFigure(figure);
  }
});

for (const choice of document.querySelectorAll('.choice')) {
  const select = choice.querySelector('select'), parts = [...choice.children].slice(1);
  select.addEventListener('change', () => parts.forEach((part, index) => part.hidden = index !== select.selectedIndex));
  select.selectedIndex = 0;
}
