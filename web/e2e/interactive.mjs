/**
 * How soon a person can type: `PAGE_SERVER=http://127.0.0.1:2024 node e2e/interactive.mjs [SLOWDOWN]`.
 *
 * Prints a line of JSON: the median over loads without any cache, on a processor that DevTools slows
 * down so many times. `ready_ms`: from the navigation to the text field; `blocked_ms`: what tasks took
 * beyond 50 ms each until then; `cpu_ms`: the page's processor time, which other work on the machine
 * does not lengthen; `bytes`: what came over the network, without the server's answers.
 */
import { close, open, somebody } from './page.mjs'

const LOADS = 7
const slowdown = Number(process.argv[2] ?? 1)

/** Runs in the page before anything else. */
function watch() {
  globalThis.blocked = 0
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.blocked += Math.max(0, duration - 50)
  }).observe({ type: 'longtask', buffered: true })
  const look = () => {
    if (document.querySelector('textarea')) globalThis.ready = performance.now()
    else requestAnimationFrame(look)
  }
  look()
}

async function load() {
  const page = await open('', { path: 'assets/none' })
  const network = await page.context().newCDPSession(page)
  await network.send('Network.setCacheDisabled', { cacheDisabled: true })
  await network.send('Performance.enable', { timeDomain: 'threadTicks' })
  await network.send('Emulation.setCPUThrottlingRate', { rate: slowdown })
  await page.addInitScript(watch)
  await page.goto(`${process.env.PAGE_SERVER}/?user=${somebody('quick')}`)
  await page.waitForFunction(() => globalThis.ready)
  const seen = await page.evaluate(() => ({
    ready_ms: globalThis.ready,
    blocked_ms: globalThis.blocked,
    bytes: performance
      .getEntries()
      .filter((each) => each.entryType === 'navigation' || each.name.includes('/assets/'))
      .reduce((sum, each) => sum + each.transferSize, 0),
  }))
  const { metrics } = await network.send('Performance.getMetrics')
  await page.context().close()
  return { ...seen, cpu_ms: metrics.find((each) => each.name === 'TaskDuration').value * 1000 }
}

const loads = []
for (let count = 0; count < LOADS; count++) loads.push(await load())
await close()
const median = (name) => Math.round(loads.map((each) => each[name]).sort((a, b) => a - b)[Math.floor(LOADS / 2)])
console.log(JSON.stringify({ slowdown, ...Object.fromEntries(Object.keys(loads[0]).map((name) => [name, median(name)])) }))
