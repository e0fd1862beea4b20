// The page of loci: a list, a search and the keys that lead through it; igv.js draws what the page holds.
"use strict"
const contents = JSON.parse(document.getElementById("contents").textContent)
const {loci, outputs, kinds} = contents
const element = id => document.getElementById(id)
const escaped = text => String(text).replace(/[&<>"']/g, letter => `&#${letter.charCodeAt(0)};`)
const number = value => value === null ? "–" : Number(value.toPrecision(3)).toLocaleString("en", {maximumSignificantDigits: 3})
const place = (chrom, start, end) => `${chrom}:${(start + 1).toLocaleString("en")}${end > start + 1 ? `-${end.toLocaleString("en")}` : ""}`
const CLOSE = 60 // bp on both sides of a locus, seen close up

let shown = [] // the loci of the list
let current = null
let close = false
let drawn = [] // tracks of the output that is shown
let work = Promise.resolve() // what igv.js does, one thing after the other

const later = action => {  // one that fails is told, and those behind it go on
    work = work.then(action).catch(error => { element("message").textContent = String(error) })
    return work
}

// A list

function make(tag, text, attributes = {}) {
    const made = Object.assign(document.createElement(tag), attributes)
    made.textContent = text
    return made
}

function words(locus) {
    if (locus.kind === "variant") {
        const change = locus.prediction - locus.reference
        return [`${number(locus.reference)} → ${number(locus.prediction)} (${change > 0 ? "+" : ""}${number(change)})`, `rank ${locus.rank.toLocaleString("en")}`]
    }
    return [`predicted ${number(locus.prediction)}, observed ${number(locus.target)}`, `rank ${locus.rank.toLocaleString("en")}`]
}

function listLoci() {
    const list = element("list")
    list.replaceChildren()
    shown = []
    for (const [kind, heading] of Object.entries(kinds)) {
        const own = loci.filter(locus => locus.kind === kind && locus.output === element("output").value)
        if (own.length === 0) continue
        const entries = document.createElement("ol")
        for (const locus of own) {
            const entry = make("button", "", {type: "button", className: "locus"})
            const [values, rank] = words(locus)
            entry.append(make("span", place(locus.chrom, locus.start, locus.end)), make("small", rank), make("small", [locus.label, values].filter(Boolean).join(": ")))
            entry.addEventListener("click", () => select(locus))
            locus.entry = entry
            const item = document.createElement("li")
            item.append(entry)
            entries.append(item)
            shown.push(locus)
        }
        list.append(make("h2", `${heading} (${own.length})`), entries)
    }
}

// What igv.js draws

const wide = (chrom, rows, made) => rows.map(([start, end, ...rest]) => ({chr: chrom, start, end, ...made(...rest)}))

function features(track) {
    const make = {
        signal: (chrom, rows) => wide(chrom, rows, value => ({value})),
        regions: (chrom, rows) => wide(chrom, rows, (name, color) => ({name, color})),
        letters: (chrom, rows) => rows.flatMap(([start, values]) => values.map((value, at) => ({chr: chrom, start: start + at, end: start + at + 1, value})))
    }[track.kind]
    return Object.entries(track.features).flatMap(([chrom, rows]) => make(chrom, rows))
}

function setting(track, order) {
    const common = {name: escaped(track.name), height: track.height, features: features(track), order, searchable: false}
    if (track.kind === "regions") return {...common, type: "annotation", displayMode: "EXPANDED", expandedRowHeight: 30}
    const range = track.limits ? {min: track.limits[0], max: track.limits[1]} : {autoscale: true}
    return {...common, type: "wig", color: track.color, graphType: track.kind === "letters" ? "dynseq" : "bar", ...range}
}

async function load(output) {
    const own = contents.tracks.filter(track => track.output === output)
    return browser.loadTrackList(own.map(track => setting(track, 10 + contents.tracks.indexOf(track))))
}

async function draw(output) {
    drawn.forEach(track => browser.removeTrack(track))
    drawn = await load(output)
}

function goTo(locus, [start, end]) {
    return later(async () => {
        browser.clearROIs()
        await browser.search(`${locus.chrom}:${start + 1}-${end}`)
        await browser.loadROI({name: "locus", color: "rgba(86, 180, 233, 0.13)", features: [{chr: locus.chrom, start: locus.start, end: locus.end}]})
    })
}

function seen(locus) {
    const [first, last] = locus.view
    return close ? [Math.max(locus.start - CLOSE, first), Math.min(locus.end + CLOSE, last)] : locus.view
}

// Choosing a locus

function select(locus, stretch = seen(locus)) {
    if (current) current.entry.removeAttribute("aria-current")
    current = locus
    locus.entry.setAttribute("aria-current", "true")
    locus.entry.scrollIntoView({block: "nearest"})
    const [values, rank] = words(locus)
    element("place").textContent = place(locus.chrom, locus.start, locus.end)
    element("detail").textContent = [kinds[locus.kind], locus.label, values, rank].filter(Boolean).join(" · ")
    element("message").textContent = ""
    return goTo(locus, stretch)
}

function step(by) {
    const at = shown.indexOf(current) + by
    if (at >= 0 && at < shown.length) select(shown[at])
}

function zoom(closer) {
    close = closer
    select(current)
}

async function choose(output, locus) {
    element("output").value = output
    listLoci()
    later(() => draw(output))
    await select(locus || shown[0])
}

function find(text) {
    const given = text.trim().match(/^(\S+?):([\d,]+)(?:-([\d,]+))?$/)
    const position = digits => Number(digits.replaceAll(",", ""))
    const [start, end] = given ? [position(given[2]) - 1, position(given[3] || given[2])] : [0, 0]
    const lies = locus => given
        ? locus.chrom === given[1] && locus.view[0] < end && locus.view[1] > start
        : locus.label.split(" ").includes(text.trim())
    const away = locus => given ? Math.abs(locus.start + locus.end - start - end) : 0
    const found = loci.filter(lies).sort((a, b) => (b.output === current.output) - (a.output === current.output) || away(a) - away(b))[0]
    if (!found) {
        element("message").textContent = "No locus of this page lies there."
        return
    }
    const stretch = given && given[3] ? [Math.max(start, found.view[0]), Math.min(end, found.view[1])] : seen(found)
    if (found.output === element("output").value) select(found, stretch)
    else choose(found.output, found)
}

function press(event) {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return
    const keys = {
        ArrowDown: () => step(1),
        ArrowUp: () => step(-1),
        j: () => step(1),
        k: () => step(-1),
        z: () => zoom(!close),
        "/": () => element("query").focus()
    }
    if (keys[event.key]) {
        event.preventDefault()
        keys[event.key]()
    }
}

function popup(track, values) {
    const lines = values.filter(value => value.name).map(({name, value}) => `${escaped(name.replaceAll("&nbsp;", ""))} ${escaped(value)}`)
    return lines.length ? lines.map(line => `<div>${line}</div>`).join("") : false
}

async function start() {
    const first = loci[0]
    window.browser = await igv.createBrowser(element("browser"), {
        loadDefaultGenomes: false,
        showNavigation: false,
        showIdeogram: false,
        nucleotideColors: contents.colors,
        reference: {id: "loci", fastaURL: `data:text/plain;base64,${btoa(contents.sequence)}`, wholeGenomeView: false},
        locus: `${first.chrom}:${first.view[0] + 1}-${first.view[1]}`,
        tracks: []
    })
    browser.on("trackclick", popup)
    outputs.forEach(output => element("output").append(make("option", output, {value: output})))
    element("output").addEventListener("change", () => choose(element("output").value))
    element("find").addEventListener("submit", event => { event.preventDefault(); find(element("query").value) })
    element("previous").addEventListener("click", () => step(-1))
    element("next").addEventListener("click", () => step(1))
    element("near").addEventListener("click", () => zoom(true))
    element("far").addEventListener("click", () => zoom(false))
    element("in").addEventListener("click", () => later(() => browser.zoomIn()))
    element("out").addEventListener("click", () => later(() => browser.zoomOut()))
    document.addEventListener("keydown", press)
    await load("") // what all outputs share
    await choose(outputs[0])
    document.body.dataset.ready = "true"
}

start()
