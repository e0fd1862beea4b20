// Draw a hub in a real browser; print as JSON what was drawn and what went wrong.
// node draw.mjs CHROMIUM PROFILE PAGE HUB GENOME SCREENSHOT
import {measure, within} from "./open.mjs"

const [chromium, profile, address, hub, genome, screenshot] = process.argv.slice(2)
const drawn = await within(chromium, profile, {}, async page => {
    await page.goto(address)
    const tracks = await page.evaluate(([hub, genome]) => draw(hub, genome), [hub, genome])
    await page.waitForFunction(ids => ids.every(id => viewport(id).canvas), tracks.map(track => track.id))
    for (const track of tracks) Object.assign(track, await page.evaluate(measure, [track.id, track.color]))
    const letters = await page.evaluate(() => browser.genome.getSequence("chr1", 0, 200))
    await page.screenshot({path: screenshot, fullPage: true})
    return {tracks, letters}
})
console.log(JSON.stringify(drawn))
