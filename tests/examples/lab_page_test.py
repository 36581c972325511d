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
        check(not too_wide(browser), f"at option {index}, {size}, {theme}: wider than the window: {too_wide(browser)}")


def ways(browser):
    return browser.execute_script("return [...document.querySelectorAll('#race .way')].map(way => way.getAttribute('points'))")


def check_race(browser):
    open_page(browser, "desktop", "light")
    press = lambda label: browser.execute_script("arguments[0].click()", every(browser, f"#race button[aria-label='{label}']")[0])
    at_end = ways(browser)
    check(any(at_end), "the race shows no way")
    press("Play")
    time.sleep(0.5)
    early = ways(browser)
    check(early != at_end, "Play did not start from the beginning")
    time.sleep(0.5)
    later = ways(browser)
    check(later != early and len(later[0]) > len(early[0]), "Play does not move the ways on")
    press("Pause")
    paused = ways(browser)
    time.sleep(0.3)
    check(ways(browser) == paused, "Pause does not stop them")
    press("One step on")
    check(ways(browser) != paused, "a step on changes nothing")
    press("One step back")
    check(ways(browser) == paused, "a step back does not undo a step on")
    slider = every(browser, "#race input[type=range]")[0]
    slider.send_keys(Keys.HOME)
    check(every(browser, "#race .race .at")[0].text.startswith("step 0 "), "the slider does not scrub to the start")
    slider.send_keys(Keys.END)
    check(ways(browser) == at_end, "the slider does not scrub to the end")
    boxes = every(browser, "#race input[type=checkbox]")
    shown = [way != "" for way in ways(browser)]
    check([box.is_selected() for box in boxes] == shown, "the boxes do not say which ways are seen")
    for box in boxes:
        box.send_keys(Keys.SPACE)
    check([way != "" for way in ways(browser)] == [not one for one in shown], "the boxes do not toggle the ways")
    pick = lambda which: Select(every(browser, "#race .plot select")[which])  # each choice draws the lists anew
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
    check(chart.find_element(By.CSS_SELECTOR, ".at").text != "", "an arrow key reads no value")


def check_heat_map(browser):
    """Arrow keys read its cells."""
    chart = next(plot for plot in every(browser, "figure > .plot") if plot.is_displayed() and plot.find_elements(By.CSS_SELECTOR, "svg > rect"))
    svg, readout = chart.find_element(By.CSS_SELECTOR, "svg"), chart.find_element(By.CSS_SELECTOR, ".at")
    svg.send_keys(Keys.ARROW_RIGHT)
    first = readout.text
    svg.send_keys(Keys.ARROW_DOWN)
    check(first and readout.text and readout.text != first, "arrow keys do not read the cells of a heat map")


def check_file(browser):
    check(page.stat().st_size < 3e6, f"the page has {page.stat().st_size} bytes, more than 3 MB")
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
    if every(browser, "figure svg > rect"):
        check_heat_map(browser)
    log = browser.get_log("browser")
    check(not log, f"the console says {log}")
    if pictures:
        take_pictures(browser)
finally:
    browser.quit()
print(f"{page.name}: {len(page.read_bytes())} bytes, all drawn, in both themes and widths")
