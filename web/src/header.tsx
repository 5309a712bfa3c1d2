import { signal } from '@preact/signals'

import { VIEWS } from './app'
import { leave } from './chat/conversation'
import { addressOf, view } from './route'
import { session } from './session'
import { language, LANGUAGES, t } from './texts'

type Theme = 'auto' | 'light' | 'dark'
const THEMES: Theme[] = ['auto', 'light', 'dark']
const theme = signal<Theme>('auto')

function setTheme(chosen: Theme): void {
  theme.value = chosen
  document.documentElement.dataset.theme = chosen
}

/** The views, who is signed in, language and colours. */
export function Header() {
  return (
    <header>
      <strong>{t().app}</strong>
      {session.known() && <Menu />}
      <div class="settings">
        <Choice label={t().language} value={language.value} onChoose={(each) => (language.value = each)}
          options={Object.entries(LANGUAGES).map(([id, texts]) => [id, texts.name])} />
        <Choice label={t().theme.label} value={theme.value} onChoose={(each) => setTheme(each as Theme)}
          options={THEMES.map((each) => [each, t().theme[each]])} />
        {session.known() && <Who />}
      </div>
    </header>
  )
}

function Menu() {
  return (
    <nav aria-label={t().menu}>
      {Object.keys(VIEWS).map((name) => (
        <a key={name} href={addressOf(name)} aria-current={view.value === name ? 'page' : undefined}>
          {t().views[name]}
        </a>
      ))}
    </nav>
  )
}

function Who() {
  const out = async () => {
    leave()
    const elsewhere = await session.signOut()
    if (elsewhere) location.assign(elsewhere)
  }
  return (
    <>
      <span class="who" title={t().signIn.as(session.name.value)}>
        <span class="hidden">{t().signIn.as('')}</span>
        {session.name.value}
      </span>
      <button type="button" onClick={() => void out()}>
        {t().signIn.out}
      </button>
    </>
  )
}

interface ChoiceProps {
  label: string
  value: string
  options: [string, string][]
  onChoose: (value: string) => void
}

function Choice({ label, value, options, onChoose }: ChoiceProps) {
  return (
    <select aria-label={label} title={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
      {options.map(([id, text]) => (
        <option key={id} value={id}>
          {text}
        </option>
      ))}
    </select>
  )
}
