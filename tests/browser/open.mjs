// What the scripts of this folder share: a real browser, what went wrong in it, and what stands on a canvas of igv.js.
import {chromium} from "playwright-core"

// Open a page and do something with it; give what that returns, with all problems and all addresses that were asked for.
export async function within(executablePath, profile, options, action) {
    const quiet = ["quic", "background-networking", "component-update", "sync", "gpu"].map(name => `--disable-${name}`)
    const context = await chromium.launchPersistentContext(profile, {
        executablePath,
        headless: true,
        args: ["--no-sandbox", "--no-first-run", ...quiet],
        viewport: {width: 1200, height: 900},
        ...options
    })
    const problems = []
    const asked = []
    try {
        const page = await context.newPage()
        page.on("console", message => ["error", "warning"].includes(message.type()) && problems.push(message.text()))
        page.on("pageerror", error => problems.push(String(error)))
        page.on("request", request => asked.push(request.url()))
        page.on("requestfailed", request => problems.push(`${request.url()}: ${request.failure().errorText}`))
        page.on("response", response => response.status() >= 400 && problems.push(`${response.url()}: ${response.status()}`))
        const found = await action(page)
        return {...found, problems, asked}
    } finally {
        await context.close()
    }
}

// Within a page: say where a track's canvas lies on the genome, and how many pixels of a colour each of its columns has.
export function measure([place, color]) {
    const view = browser.trackViews.find(view => [view.track.id, browser.trackViews.indexOf(view)].includes(place))
    const {canvas, referenceFrame} = view.viewports[0]
    const {width, height} = canvas
    const copy = new OffscreenCanvas(width, height).getContext("2d", {willReadFrequently: true})
    copy.drawImage(canvas, 0, 0)
    const {data} = copy.getImageData(0, 0, width, height)
    const hex = color.startsWith("#") ? [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16)) : color.match(/\d+/g).map(Number)
    const columns = new Array(width).fill(0)
    for (let at = 0; at < data.length; at += 4) {
        if (hex.every((value, channel) => data[at + channel] === value) && data[at + 3] === 255) columns[(at / 4) % width]++
    }
    const {start, end, bpPerPixel} = referenceFrame
    return {columns, height, start, end, bpPerPixel, first: start + parseFloat(canvas.style.left) * bpPerPixel}
}
