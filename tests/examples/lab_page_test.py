#!/usr/bin/python3
"""Opens the lab's page in chromium, as a reader would: lab_page_test.py PAGE.html [FOLDER for pictures]"""
import base64
import pathlib
import sys
import time

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

page = pathlib.Path(sys.argv[1]).resolve()
pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
sizes = {"desktop": (1280, 900), "phone": (390, 844)}


def check(condition, what):
    if not condition:
        sys.exit(f"lab_page_test: {what}")


def start():
    options = Options()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def show(browser, size, theme):
    width, height = sizes[size]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": theme}]})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"})


def open_page(browser, size, theme):
    show(browser, size, theme)
    browser.get(page.as_uri())
    log = browser.get_log("browser")
    check(not log, f"the console says {log}")


def every(browser, css):
    return browser.find_elements(By.CSS_SELECTOR, css)


def undrawn(browser):
    """The figures that are seen and have no drawing, or one with a number that is none."""
    return browser.execute_script("""
        return [...document.querySelectorAll('.plot')].filter(plot => plot.offsetParent !== null).filter(plot => {
          const svg = plot.querySelector('svg');
          return !svg || svg.querySelectorAll('path, rect, circle, polyline').length < 3 || /NaN|undefined/.test(plot.innerHTML.replace(/data:[^"]*|aria-label="[^"]*"/g, ''));
        }).map(plot => plot.parentElement.id)""")


def too_wide(browser):
    return browser.execute_script("""
        const width = document.documentElement.clientWidth;
        if (document.documentElement.scrollWidth <= width) return [];
        return [`the page, ${document.documentElement.scrollWidth}`, ...[...document.querySelectorAll('body *')].filter(one => !one.closest('.scroll > *') && one.getBoundingClientRect().right > width + 1)
            .slice(0, 5).map(one => `${one.tagName} ${one.className} in ${one.closest('[id]')?.id}`)]""")


def few_ticks(browser):
    """The charts with an axis of fewer than two words."""
    return browser.execute_script("""
        return [...document.querySelectorAll('.plot')].filter(plot => plot.offsetParent !== null).flatMap(plot => ['tick-x', 'tick-y'].filter(kind => {
          const svg = plot.querySelector('svg:not(.bar)'), count = svg.querySelectorAll(`.${kind}`).length;
          return count < 2 && !(kind === 'tick-y' && count === 0 && svg.querySelector('circle')) && !svg.classList.contains('heat');
        }).map(kind => `${plot.parentElement.id} ${kind}`))""")


def wrong_bars(browser):
    """Where colours stand for numbers: a bar with two numbers at least, whose ends have the colours of the ends."""
    return browser.execute_script("""
        const wrong = [];
        for (const plot of document.querySelectorAll('.plot')) {
          if (plot.offsetParent === null || !plot.querySelector('.heat rect, image')) continue;
          const bar = plot.querySelector('.bar'), numbers = bar ? [...bar.querySelectorAll('text')].filter(text => /[0-9]/.test(text.textContent)) : [];
          if (numbers.length < 2) { wrong.push(`${plot.parentElement.id}: ${numbers.length} numbers`); continue; }
          const cells = [...plot.querySelectorAll('.heat rect[data-value]')].filter(cell => cell.dataset.value !== '').sort((a, b) => a.dataset.value - b.dataset.value);
          if (!cells.length) continue;
          const colors = bar.querySelectorAll('rect'), ends = [colors[0], colors[colors.length - 1]].map(one => one.getAttribute('fill'));
          const found = [cells[0], cells.at(-1)].map(one => one.getAttribute('fill'));
          const values = [cells[0], cells.at(-1)].map(one => Number(one.dataset.value)), says = [numbers[0], numbers.at(-1)].map(one => Number(one.textContent.replace(/[≤≥] /, '').replace('−', '-')));
          const reached = [values[0] <= says[0] + Math.abs(says[0]) * 0.005, values[1] >= says[1] - Math.abs(says[1]) * 0.005];  // maps may share a wider range
          if (values[0] !== values[1] && reached.some((at, i) => at && ends[i] !== found[i])) wrong.push(`${plot.parentElement.id}: ${ends} but ${found}`);
        }
        return wrong""")


def wrong_tables(browser):
    """Tables that are cut without a sign, or in the middle of a column, or whose first column does not stay."""
    return browser.execute_script("""
        const wrong = [];
        for (const box of document.querySelectorAll('.scroll')) {
          if (box.offsetParent === null || box.scrollWidth <= box.clientWidth + 1) continue;
          const caption = box.querySelector('caption').textContent.slice(0, 40), first = box.querySelector('tbody th'), heads = [...box.querySelectorAll('thead th')];
          if (!box.classList.contains('more') || getComputedStyle(box).boxShadow === 'none') wrong.push(`${caption}: no sign that it scrolls`);
          const edge = box.getBoundingClientRect().right, cut = heads.filter(head => head.getBoundingClientRect().left < edge - 4 && head.getBoundingClientRect().right > edge + 4);
          if (cut.length && cut[0] !== heads[1]) wrong.push(`${caption}: cut in ${cut[0].textContent}`);
          const left = first.getBoundingClientRect().left;
          box.scrollLeft = 60;
          if (Math.abs(first.getBoundingClientRect().left - left) > 1) wrong.push(`${caption}: the first column does not stay`);
          box.scrollLeft = 0;
        }
        return wrong""")


def check_layout(browser, size, theme):
    open_page(browser, size, theme)
    check(every(browser, "section"), "there is no section")
    for section in every(browser, "section"):
        check(section.find_elements(By.CSS_SELECTOR, "svg, table"), f"section {section.get_attribute('id')} shows nothing")
    options = [len(Select(select).options) for select in every(browser, ".choice > label select")]
    for index in range(max(options, default=1)):  # all choices at once, one option after the other
        for select, count in zip(every(browser, ".choice > label select"), options):
            if index < count and index > 0:
                Select(select).select_by_index(index)
        time.sleep(0.3)
        check(not undrawn(browser), f"at option {index}, {size}, {theme}: not drawn: {undrawn(browser)}")
        for problems, words in ((few_ticks, "fewer than two ticks"), (wrong_bars, "colours without their numbers"), (wrong_tables, "tables")):
            found = problems(browser)
            check(not found, f"at option {index}, {size}, {theme}: {words}: {found}")
        check(not too_wide(browser), f"at option {index}, {size}, {theme}: wider than the window: {too_wide(browser)}")


def ways(browser):
    return browser.execute_script("return [...document.querySelectorAll('#race .way')].map(way => way.getAttribute('points'))")


def check_race(browser):
    open_page(browser, "desktop", "light")
    press = lambda label: browser.execute_script("arguments[0].click()", every(browser, f"#race button[aria-label{label}]")[0])
    step = lambda: int(every(browser, "#race .controls .at")[0].text.split()[1])
    at_end = ways(browser)
    check(any(at_end), "the race shows no way")
    press("='Play'")
    time.sleep(0.5)
    early = ways(browser)
    check(early != at_end, "Play did not start from the beginning")
    time.sleep(0.5)
    later = ways(browser)
    check(later != early and len(later[0]) > len(early[0]), "Play does not move the ways on")
    press("='Pause'")
    paused = ways(browser)
    time.sleep(0.3)
    check(ways(browser) == paused, "Pause does not stop them")
    press("$=' on'")
    check(ways(browser) != paused, "a step on changes nothing")
    press("$=' back'")
    check(ways(browser) == paused, "a step back does not undo a step on")
    slider = every(browser, "#race input[type=range]")[0]
    slider.send_keys(Keys.HOME)
    check(step() == 0, "the slider does not scrub to the start")
    speeds = Select(next(select for select in every(browser, "#race .race select")))
    moved = {}
    for index in (0, len(speeds.options) - 1):
        speeds.select_by_index(index)
        slider.send_keys(Keys.HOME)
        press("='Play'")
        time.sleep(1)
        press("='Pause'")
        moved[index] = step()
    check(moved[len(speeds.options) - 1] > 4 * max(1, moved[0]), f"the speeds make {moved} steps a second")
    at = step()
    words = every(browser, "#race button[aria-label$=' on']")[0].get_attribute("aria-label")
    press("$=' on'")
    check(step() - at == (1 if words.startswith("One") else int(words.split()[0])), f"the button says {words}, and goes by {step() - at}")
    slider.send_keys(Keys.END)
    check(ways(browser) == at_end, "the slider does not scrub to the end")
    boxes = every(browser, "#race input[type=checkbox]")
    shown = [way != "" for way in ways(browser)]
    check([box.is_selected() for box in boxes] == shown, "the boxes do not say which ways are seen")
    for box in boxes:
        box.send_keys(Keys.SPACE)
    check([way != "" for way in ways(browser)] == [not one for one in shown], "the boxes do not toggle the ways")
    pick = lambda which: Select(every(browser, "#race .plot > .controls select")[which])  # each choice draws the lists anew
    for which in (2, 1, 0):
        for index in range(len(pick(which).options)):
            pick(which).select_by_index(index)
            check(not undrawn(browser), f"choice {index} of list {which} of the race is not drawn")


def check_chart(browser):
    """The first line chart: its legend toggles lines, and arrow keys read values."""
    charts = [plot for plot in every(browser, "figure > .plot") if plot.is_displayed() and plot.find_elements(By.CSS_SELECTOR, ".curve")]
    chart = next(plot for plot in charts if plot.find_elements(By.CSS_SELECTOR, ".legend button"))
    curves = lambda: len(chart.find_elements(By.CSS_SELECTOR, ".curve"))
    before, button = curves(), chart.find_elements(By.CSS_SELECTOR, ".legend button")[0]
    button.send_keys(Keys.ENTER)
    check(curves() == before - 1 and button.get_attribute("aria-pressed") == "false", "the legend does not hide a line")
    button.send_keys(Keys.ENTER)
    check(curves() == before, "the legend does not bring a line back")
    chart.find_element(By.CSS_SELECTOR, "svg").send_keys(Keys.ARROW_RIGHT)
    check(chart.find_element(By.CSS_SELECTOR, ".at").get_attribute("textContent") != "", "an arrow key reads no value")


def check_heat_map(browser):
    """Arrow keys read its cells."""
    chart = next(plot for plot in every(browser, "figure > .plot") if plot.is_displayed() and plot.find_elements(By.CSS_SELECTOR, ".heat"))
    svg, readout = chart.find_element(By.CSS_SELECTOR, ".heat"), chart.find_element(By.CSS_SELECTOR, ".key-words")
    svg.send_keys(Keys.ARROW_RIGHT)
    first = readout.text
    svg.send_keys(Keys.ARROW_DOWN)
    check(first and readout.text and readout.text != first, "arrow keys do not read the cells of a heat map")


def check_claims(browser):
    """Each claim is reached from the list, and leads back to it; each section leads to the top."""
    links = every(browser, "nav.claims a")
    claims = every(browser, "h3[id^='claim-']")
    check(len(links) == len(claims), f"{len(links)} links to {len(claims)} claims")
    top = lambda css: browser.execute_script("return document.querySelector(arguments[0]).getBoundingClientRect().top", css)
    for link in links:
        target = link.get_dom_attribute("href")
        link.click()
        time.sleep(0.1)
        check(-1 <= top(target) < 450, f"the link to {target} does not lead there: {top(target)}")
        covered = browser.execute_script("return document.querySelector('nav.claims').getBoundingClientRect().bottom")
        check(top(target) >= covered - 1, f"{target} lies under the list")
    back = every(browser, ".back a[href$='-claims']")
    check(len(back) == len(claims), "a claim has no way back to the list")
    browser.execute_script("arguments[0].click()", back[-1])
    time.sleep(0.1)
    check(abs(top("nav.claims")) < 300, "the way back does not lead to the list")
    check(len(every(browser, "section > .back a[href='#top']")) == len(every(browser, "section")), "a section has no way to the top")


def check_file(browser):
    check(page.stat().st_size < 4.5e6, f"the page has {page.stat().st_size} bytes, more than 4.5 MB")
    fetched = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
    check([one for one in fetched if not one.startswith("data:")] == [], f"the page fetches {fetched}")
    for link in every(browser, "a"):
        target = link.get_attribute("href")
        if "#" in target:
            check(every(browser, "#" + target.split("#")[1]), f"the link {target} leads nowhere")
        else:
            check((page.parent / link.get_dom_attribute("href")).stat().st_size > 0, f"there is no {target}")
    for control in every(browser, "button, select, input"):
        named = browser.execute_script("return arguments[0].ariaLabel || arguments[0].textContent || arguments[0].labels?.length", control)
        check(named, f"a control has no name: {control.get_attribute('outerHTML')}")
    check(browser.execute_script("""return [...document.querySelectorAll('.plot svg')]
        .every(svg => svg.getAttribute('role') === 'img' && svg.getAttribute('aria-label'))"""), "a figure has no name")


def take_pictures(browser):
    pictures.mkdir(parents=True, exist_ok=True)
    for size in sizes:
        for theme in ("light", "dark"):
            open_page(browser, size, theme)
            time.sleep(0.5)
            for section in every(browser, "section"):
                box = section.rect
                clip = {"x": 0, "y": box["y"], "width": sizes[size][0], "height": box["height"], "scale": 1}
                shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
                name = f"{section.get_attribute('id')}-{size}-{theme}.png"
                (pictures / name).write_bytes(base64.b64decode(shot["data"]))


browser = start()
try:
    for size in sizes:
        for theme in ("light", "dark"):
            check_layout(browser, size, theme)
    open_page(browser, "desktop", "light")
    check_file(browser)
    if every(browser, "#race"):
        check_race(browser)
    if every(browser, "figure .curve"):
        check_chart(browser)
    if every(browser, "nav.claims"):
        check_claims(browser)
    if every(browser, "figure .heat"):
        check_heat_map(browser)
    log = browser.get_log("browser")
    check(not log, f"the console says {log}")
    if pictures:
        take_pictures(browser)
finally:
    browser.quit()
print(f"{page.name}: {len(page.read_bytes())} bytes, all drawn, in both themes and widths")
