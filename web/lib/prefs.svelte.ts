// What a person chose for this browser: language and theme. Both are kept.
import { LANGUAGES, speak, type Language } from './i18n.svelte'

export type ThemeChoice = 'auto' | 'dark' | 'light'
export type Theme = 'dark' | 'light'

const LANGUAGE = 'vigie.language'
const THEME = 'vigie.theme'

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key)
  } catch {
    return null // storage refused by the browser: the choice lasts as long as the page
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {
    // as above
  }
}

const systemLight = matchMedia('(prefers-color-scheme: light)')

class Prefs {
  theme = $state<ThemeChoice>('auto')
  #systemLight = $state(systemLight.matches)

  /** The theme that is shown. */
  get shown(): Theme {
    if (this.theme !== 'auto') return this.theme
    return this.#systemLight ? 'light' : 'dark'
  }

  constructor() {
    const theme = kept(THEME)
    if (theme === 'dark' || theme === 'light') this.theme = theme
    systemLight.addEventListener('change', (event) => {
      this.#systemLight = event.matches
      this.#apply()
    })
    this.#apply()
  }

  setTheme(theme: ThemeChoice): void {
    this.theme = theme
    keep(THEME, theme)
    this.#apply()
  }

  async setLanguage(language: Language): Promise<void> {
    keep(LANGUAGE, language)
    await speak(language)
  }

  /** The kept language, or the browser's, or French. */
  async start(): Promise<void> {
    const wanted = kept(LANGUAGE) ?? navigator.language.slice(0, 2)
    await speak(LANGUAGES.find((each) => each === wanted) ?? 'fr')
  }

  /** Takes an account's language where this browser has made no choice of its own. */
  async suggest(language: string): Promise<void> {
    const found = LANGUAGES.find((each) => each === language)
    if (found && kept(LANGUAGE) === null) await speak(found)
  }

  #apply(): void {
    document.documentElement.dataset['theme'] = this.shown
  }
}

export const prefs = new Prefs()
