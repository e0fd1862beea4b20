// Use a page of loci in a real browser without a network; print as JSON what was seen and what went wrong.
// node draw_loci.mjs CHROMIUM PROFILE PAGE SCREENSHOT
import {measure, within} from "./open.mjs"

const [chromium, profile, address, screenshot] = process.argv.slice(2)
const used = await within(chromium, profile, {offline: true}, async page => {
    const look = () => page.evaluate(async () => {
        await work
        const {chr, start, end} = browser.referenceFrameList[0]
        const labels = browser.trackViews.map(view => view.viewports[0].trackLabelElement?.textContent || "")
        const text = id => document.getElementById(id).textContent
        const chosen = [...document.querySelectorAll(".locus")].findIndex(entry => entry.hasAttribute("aria-current"))
        const sequence = await browser.genome.getSequence(chr, Math.round(start), Math.round(end))
        const shaded = browser.roiManager.roiSets.length
        return {chr, start, end, chosen, labels, sequence, shaded, place: text("place"), detail: text("detail"), message: text("message")}
    })
    const paint = async (name, color) => {
        const place = await page.evaluate(name => browser.trackViews.findIndex(view => view.viewports[0].trackLabelElement?.textContent === name), name)
        await page.waitForFunction(place => browser.trackViews[place].viewports[0].canvas, place)
        return page.evaluate(measure, [place, color])
    }
    const find = async text => {
        await page.fill("#query", text)
        await page.press("#query", "Enter")
        await page.evaluate(() => document.activeElement.blur())
        return look()
    }
    const seen = {}
    await page.goto(address)
    await page.waitForSelector("body[data-ready]")
    seen.entries = await page.$$eval(".locus", entries => entries.map(entry => entry.innerText))
    seen.headings = await page.$$eval("h2", headings => headings.map(heading => heading.textContent))
    seen.outputs = await page.$$eval("#output option", options => options.map(option => option.value))
    seen.first = await look()
    seen.predicted = await paint("predicted", "#0072B2")
    await page.screenshot({path: screenshot})
    await page.click("text=Close up")
    seen.close = await look()
    const letters = seen.first.labels.find(label => label.startsWith("attribution"))
    seen.letters = await Promise.all(["#009e73", "#0072b2", "#e69f00", "#d55e00"].map(color => paint(letters, color)))
    await page.screenshot({path: screenshot.replace(".png", "_close.png")})
    await page.click("text=Surroundings")
    await page.click("li:nth-child(2) .locus")
    seen.second = await look()
    seen.moved = await paint("predicted", "#0072B2")
    await page.keyboard.press("ArrowDown")
    seen.third = await look()
    await page.keyboard.press("k")
    seen.back = await look()
    seen.elsewhere = await find("chr1:59,999,000-60,000,000")
    seen.found = await find(`${seen.third.chr}:${Math.round(seen.third.start) + 951}-${Math.round(seen.third.start) + 1250}`)
    const peaks = seen.first.labels.findIndex(label => label.endsWith("peaks"))
    await find(seen.entries[0].split("\n")[0])
    await page.waitForFunction(place => browser.trackViews[place].viewports[0].canvas, peaks)
    const box = await (await page.evaluateHandle(place => browser.trackViews[place].viewports[0].viewportElement, peaks)).boundingBox()
    await page.mouse.click(box.x + 0.75 * box.width, box.y + 14)
    await page.waitForTimeout(500) // igv.js waits for a second click
    seen.popup = await page.evaluate(() => [...browser.columnContainer.querySelectorAll(".igv-ui-popover")].map(box => box.textContent).join("\n"))
    seen.told = await page.evaluate(async () => {
        const failing = later(() => { throw new Error("a place that cannot be drawn") })
        const next = later(() => document.body.dataset.next = "done") // asked for before the other has failed
        await Promise.all([failing, next])
        return [document.getElementById("message").textContent, document.body.dataset.next]
    })
    await page.selectOption("#output", seen.outputs[1])
    seen.other = await look()
    seen.hacked = await page.evaluate(() => [window.hacked, document.querySelectorAll("img[src=x]").length])
    return seen
})
console.log(JSON.stringify(used))
