// Draw a hub in a real browser; print as JSON what was drawn and what went wrong.
// node draw.mjs CHROMIUM PROFILE PAGE HUB GENOME SCREENSHOT
import {chromium} from "playwright-core"

const [executablePath, profile, pageURL, hub, genome, screenshot] = process.argv.slice(2)
const quiet = ["quic", "background-networking", "component-update", "sync", "gpu"].map(name => `--disable-${name}`)
const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: ["--no-sandbox", "--no-first-run", ...quiet],
    viewport: {width: 1200, height: 900}
})
const problems = []
try {
    const page = await context.newPage()
    page.on("console", message => ["error", "warning"].includes(message.type()) && problems.push(message.text()))
    page.on("pageerror", error => problems.push(String(error)))
    page.on("requestfailed", request => problems.push(`${request.url()}: ${request.failure().errorText}`))
    page.on("response", response => response.status() >= 400 && problems.push(`${response.url()}: ${response.status()}`))
    await page.goto(pageURL)
    const tracks = await page.evaluate(([hub, genome]) => draw(hub, genome), [hub, genome])
    await page.waitForFunction(ids => ids.every(id => viewport(id).canvas), tracks.map(track => track.id))
    for (const track of tracks) {
        Object.assign(track, await page.evaluate(({id, color}) => measure(id, color), track))
    }
    const letters = await page.evaluate(() => browser.genome.getSequence("chr1", 0, 200))
    await page.screenshot({path: screenshot, fullPage: true})
    console.log(JSON.stringify({tracks, letters, problems}))
} finally {
    await context.close()
}
