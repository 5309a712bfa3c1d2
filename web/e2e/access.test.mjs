import assert from 'node:assert/strict'
import { after, test } from 'node:test'

import { close, open, say, somebody, violations } from './page.mjs'

after(close)

for (const colorScheme of ['light', 'dark']) {
  for (const [view, ready] of [
    ['chat', 'Why this answer?'],
    ['memory', 'This is wrong'],
    ['persona', 'Add a rule'],
    ['learned', 'Learn now'],
    ['scorecard', 'Test now'],
    ['privacy', 'Export all memories'],
  ]) {
    test(`axe finds nothing in ${view}, ${colorScheme}, also on a narrow screen`, async () => {
      const user = somebody(`axe-${colorScheme}-${view}`)
      const page = await open(user, { colorScheme })
      await say(page, 'My dog is called Rex.')
      if (view === 'chat') await page.getByRole('button', { name: ready }).click()
      else await page.getByRole('navigation').locator(`a[href='#/${view}']`).click()
      await page.getByRole('button', { name: ready }).first().waitFor()
      assert.deepEqual(await violations(page), [])
      await page.setViewportSize({ width: 360, height: 740 })
      assert.deepEqual(await violations(page), [])
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)
      assert.equal(wide, false, 'the page is wider than the screen')
    })
  }
}

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing in the sign-in, a dialog and a failure, ${colorScheme}`, async () => {
    const page = await open('', { colorScheme })
    await page.getByLabel('Your name').waitFor()
    assert.deepEqual(await violations(page), [])
    await page.getByLabel('Your name').fill(somebody(`dialogs-${colorScheme}`))
    await page.getByRole('button', { name: 'Continue' }).click()
    await say(page, 'My dog is called Rex.')
    await page.getByRole('navigation').locator("a[href='#/memory']").click()
    await page.getByRole('button', { name: 'Forget', exact: true }).click()
    await page.getByRole('dialog').getByText('the memory itself').waitFor()
    assert.deepEqual(await violations(page), [])
    await page.keyboard.press('Escape')
    await page.context().setOffline(true)
    await page.getByRole('navigation').locator("a[href='#/persona']").click()
    await page.getByRole('alert').getByText('The server does not answer.').waitFor()
    assert.deepEqual(await violations(page), [])
  })
}

test('the keyboard alone reaches everything', async () => {
  const page = await open(somebody('keys'))
  await page.getByLabel('Your message').waitFor()
  await page.keyboard.type('My dog is called Rex.')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Why this answer?' }).focus()
  await page.keyboard.press('Enter')
  await page.getByText('All that the model was told').waitFor()
  await page.getByRole('button', { name: 'Not what I wanted' }).focus()
  await page.keyboard.press('Enter')
  await page.keyboard.type('Hello, Rex.')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByText('Noted.').waitFor()
})

for (const locale of ['en-GB', 'de-DE']) {
  test(`the header keeps to one row at 1280 px, whichever view is chosen, in ${locale}`, async () => {
    const page = await open(somebody('somebody-with-a-rather-long-name'), { locale, viewport: { width: 1280, height: 800 } })
    await page.locator('.settings .who').waitFor()
    for (const name of ['chat', 'memory', 'persona', 'learned', 'scorecard', 'privacy']) {
      await page.locator(`nav a[href='#/${name}']`).click()
      await page.locator(`nav a[href='#/${name}'][aria-current]`).waitFor()
      const { height } = await page.locator('header').boundingBox()
      assert.ok(height < 60, `${name}: ${height} px`)
    }
  })
}

test('at 2560 px the lines stay short enough to read, and nothing is cut off', async () => {
  const page = await open(somebody('wide'), { viewport: { width: 2560, height: 1440 } })
  for (const [name, column] of [['chat', '.conversation'], ['memory', '.page'], ['persona', '.page'], ['learned', '.page'], ['scorecard', '.page'], ['privacy', '.page']]) {
    await page.locator(`nav a[href='#/${name}']`).click()
    await page.locator(`nav a[href='#/${name}'][aria-current]`).waitFor()
    const { x, width } = await page.locator(column).boundingBox()
    assert.ok(width <= 1000 && x + width <= 2560, `${name}: ${width} px from ${x}`)
  }
})
