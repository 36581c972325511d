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

// A table that is wider than its place ends between two columns, for which its first one takes up the slack; and it
// says that there are more.
function fitTable(box) {
  const heads = [...box.querySelectorAll('thead th')], room = box.clientWidth;
  if (!heads.length || room === 0) return;
  heads[0].style.minWidth = '';
  if (box.scrollWidth > room + 1) {
    const whole = heads.map(head => head.offsetLeft + head.offsetWidth).filter((end, i) => i > 0 && end <= room);
    if (whole.length) heads[0].style.minWidth = `${heads[0].offsetWidth + room - whole.at(-1)}px`;
    box.style.scrollPaddingLeft = `${heads[0].offsetWidth}px`;
  }
  markScroll(box);
}
function markScroll(box) {
  const rest = box.scrollWidth - box.clientWidth;
  box.classList.toggle('scrolls', rest > 1);
  box.classList.toggle('more', rest - box.scrollLeft > 2);
  box.classList.toggle('moved', box.scrollLeft > 2);
}
const fitted = new ResizeObserver(entries => entries.forEach(entry => fitTable(entry.target.firstElementChild)));
for (const box of document.querySelectorAll('.scroll')) {
  box.addEventListener('scroll', () => markScroll(box), {passive: true});
  fitted.observe(box.parentElement);
}
