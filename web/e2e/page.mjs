/** What the browser tests share: a page of a user's, in Debian's Chromium. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import { chromium } from 'playwright-core'

export const SERVER = process.env.PAGE_SERVER
/** The issuer that people sign in at, where there is one: the only other host that the page may ask. */
export const ISSUER = process.env.PAGE_ISSUER
const EXECUTABLE = process.env.PAGE_CHROMIUM ?? '/usr/bin/chromium'
const TIMEOUT = 20_000

let browser, latest

/** A page of its own, as this user; `errors` collects what the browser complained about. */
export async function open(user, { path = '', ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox'] })
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  context.setDefaultTimeout(TIMEOUT)
  const page = (latest = await context.newPage())
  page.errors = []
  page.on('pageerror', (error) => page.errors.push(String(error)))
  page.on('console', (line) => line.type() === 'error' && page.errors.push(line.text()))
  page.on('request', (request) => {
    const asked = [SERVER, ISSUER].some((host) => host && request.url().startsWith(host))
    if (!asked) page.errors.push(`asks another host: ${request.url()}`)
  })
  page.on('dialog', (dialog) => {
    page.errors.push(`a script ran: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(`${SERVER}/${user ? `?user=${encodeURIComponent(user)}` : ''}${path}`)
  return page
}

/** After a test that failed: what the page that was opened last shows, fields with what is in them. */
export async function tellFailure({ passed }) {
  if (!passed) console.log(await latest?.locator('body').ariaSnapshot())
}

export async function close() {
  await browser?.close()
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe has against the page as it stands. */
export async function violations(page) {
  await page.evaluate(axe)
  const found = await page.evaluate(() => globalThis.axe.run())
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((each) => each.html).join(' | ')}`)
}

/** Says something, and waits for the whole answer. */
export async function say(page, text) {
  await page.getByLabel('Your message').fill(text)
  await page.getByLabel('Your message').press('Enter')
  await page.getByRole('log').getByText(text).last().waitFor()
  await answered(page)
}

export async function answered(page) {
  await page.getByRole('button', { name: 'Why this answer?' }).last().waitFor()
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor()
}

/** Repeats a check until it holds; what it says last is the failure. */
export async function eventually(check) {
  const end = Date.now() + TIMEOUT
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

/** A user of this run alone: servers may be shared. */
export const somebody = (name) => `${name}-${process.pid}`

/** Asks our routes as the user. */
export async function api(user, path, options = {}) {
  const token = process.env.PAGE_TOKEN
  const who = token ? { Authorization: `Bearer ${token}` } : { 'X-User-Id': user }
  const headers = { ...who, 'Content-Type': 'application/json' }
  const response = await fetch(`${SERVER}${path}`, { headers, ...options })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}
